/* SPDX-License-Identifier: MIT */
/* Table user_search, and pages of users by it. The rows of a page are found in
   an index first and fetched then: an offset of many thousand costs no look at
   what is skipped. */
#include "config.h"

#include "wuts/user_search_store.h"
#include "store_private.h"

/* The users of a page, from their ids. */
#define PAGE(ids, order) \
	"SELECT u.id, u.email, u.username, s.phone, p.first_name," \
	" p.last_name, f.name, u.created_at, u.updated_at FROM (" ids \
	" LIMIT ? OFFSET ?) AS page JOIN users AS u ON u.id = page.id" \
	" LEFT JOIN user_search AS s" \
	" ON s.tenant_id = u.tenant_id AND s.user_id = u.id" \
	" LEFT JOIN user_profile AS p" \
	" ON p.tenant_id = u.tenant_id AND p.user_id = u.id" \
	" LEFT JOIN user_picture AS f" \
	" ON f.tenant_id = u.tenant_id AND f.user_id = u.id" \
	" ORDER BY " order

#define OF_USERS "SELECT id FROM users WHERE tenant_id = ?"
#define OF_SEARCH "SELECT user_id AS id FROM user_search WHERE tenant_id = ?"
#define MATCHES \
	"SELECT user_id AS id FROM user_search WHERE tenant_id = ?" \
	" AND INSTR(text, CAST(LOWER(?) AS BINARY)) > 0"

/* Addresses have no ties, and a unique key is in the order of nothing but
   itself for the optimizer. Those that have the key, those that have not, and
   those that match: the last with and without the key in one. */
#define TIE(id, dir) ", " id " " dir
#define NO_TIE(id, dir)
#define BY_KEY(name, from, key, id, tie, outer, dir) \
	{ { name, PAGE(from " AND " key " IS NOT NULL" \
	    " ORDER BY " key " " dir tie(id, dir), \
	    outer " " dir ", u.id " dir) }, \
	  { name "_without", PAGE(from " AND " key " IS NULL" \
	    " ORDER BY " id " " dir, "u.id " dir) }, \
	  { name "_search", PAGE(MATCHES \
	    " ORDER BY " key " IS NULL, " key " " dir ", user_id " dir, \
	    outer " IS NULL, " outer " " dir ", u.id " dir) } }
#define BY_TIME(name, dir) \
	{ { name, PAGE(OF_USERS \
	    " ORDER BY created_at " dir ", id " dir, \
	    "u.created_at " dir ", u.id " dir) }, \
	  { NULL, NULL }, \
	  { name "_search", PAGE(MATCHES \
	    " ORDER BY created_at " dir ", user_id " dir, \
	    "u.created_at " dir ", u.id " dir) } }

enum {
	PAGE_WITH,
	PAGE_WITHOUT,
	PAGE_SEARCH,
	PAGE_KINDS
};

static const struct stmt_def page_stmts[USER_SORT_COUNT][2][PAGE_KINDS] = {
	[USER_SORT_CREATED] = {
		BY_TIME("user_page_created", "ASC"),
		BY_TIME("user_page_created_desc", "DESC") },
	[USER_SORT_USERNAME] = {
		BY_KEY("user_page_username", OF_USERS, "username_key", "id",
		    TIE, "u.username_key", "ASC"),
		BY_KEY("user_page_username_desc", OF_USERS, "username_key",
		    "id", TIE, "u.username_key", "DESC") },
	[USER_SORT_EMAIL] = {
		BY_KEY("user_page_email", OF_USERS, "email_key", "id",
		    NO_TIE, "u.email_key", "ASC"),
		BY_KEY("user_page_email_desc", OF_USERS, "email_key", "id",
		    NO_TIE, "u.email_key", "DESC") },
	[USER_SORT_PHONE] = {
		BY_KEY("user_page_phone", OF_SEARCH, "phone", "user_id",
		    TIE, "s.phone", "ASC"),
		BY_KEY("user_page_phone_desc", OF_SEARCH, "phone", "user_id",
		    TIE, "s.phone", "DESC") },
};

static const struct stmt_def count_with_stmts[USER_SORT_COUNT] = {
	[USER_SORT_CREATED] = { "user_count_created",
	    "SELECT COUNT(*) FROM users WHERE tenant_id = ?" },
	[USER_SORT_USERNAME] = { "user_count_username",
	    "SELECT COUNT(*) FROM users WHERE tenant_id = ?"
	    " AND username_key IS NOT NULL" },
	[USER_SORT_EMAIL] = { "user_count_email",
	    "SELECT COUNT(*) FROM users WHERE tenant_id = ?"
	    " AND email_key IS NOT NULL" },
	[USER_SORT_PHONE] = { "user_count_phone",
	    "SELECT COUNT(*) FROM user_search WHERE tenant_id = ?"
	    " AND phone IS NOT NULL" },
};

enum {
	USER_SEARCH_PUT,
	USER_COUNT_FIND,
	USER_COUNT_MOVE,
	USER_COUNT_MAKE,
	USER_SEARCH_COUNT_MATCHES,
	USER_SEARCH_STMT_COUNT
};

static const struct stmt_def user_search_stmts[USER_SEARCH_STMT_COUNT] = {
	[USER_SEARCH_PUT] = { "user_search_put",
	    "INSERT INTO user_search (tenant_id, user_id, created_at,"
	    " username_key, email_key, phone, text)"
	    " VALUES (?, ?, ?, LOWER(?), LOWER(?), ?, LOWER(?))"
	    " ON DUPLICATE KEY UPDATE username_key = VALUES(username_key),"
	    " email_key = VALUES(email_key), phone = VALUES(phone),"
	    " text = VALUES(text)" },
	[USER_COUNT_FIND] = { "user_count_find",
	    "SELECT n FROM user_count WHERE tenant_id = ?" },
	[USER_COUNT_MOVE] = { "user_count_move",
	    "UPDATE user_count SET n = n + ? WHERE tenant_id = ?"
	    " AND CAST(n AS SIGNED) >= ?" },
	[USER_COUNT_MAKE] = { "user_count_make",
	    "INSERT INTO user_count (tenant_id, n)"
	    " SELECT ?, COUNT(*) FROM users WHERE tenant_id = ?"
	    " ON DUPLICATE KEY UPDATE n = VALUES(n)" },
	[USER_SEARCH_COUNT_MATCHES] = { "user_search_count",
	    "SELECT COUNT(*) FROM user_search WHERE tenant_id = ?"
	    " AND INSTR(text, CAST(LOWER(?) AS BINARY)) > 0" },
};

static const char *
or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

int
user_search_store_put(struct db *db, const struct user *user,
    const char *phone, const char *text, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &user->tenant_id);
	bind_uuid(&in, &user->id);
	bind_time(&in, user->created_us);
	bind_text(&in, or_null(user->username));
	bind_text(&in, or_null(user->email));
	bind_text(&in, or_null(phone));
	bind_text(&in, text);
	return stmt_write(db, &user_search_stmts[USER_SEARCH_PUT], &in, NULL,
	    fault) < 0 ? -1 : 0;
}

struct user_page_read {
	struct user_summary user;
	user_summary_row *row;
	void *ctx;
};

static int
page_row(void *ctx, struct fault *fault)
{
	struct user_page_read *read = ctx;

	return read->row(read->ctx, &read->user, fault);
}

static void
fetch_summary(struct columns *out, struct user_summary *user)
{
	columns_init(out);
	fetch_uuid(out, &user->id);
	fetch_text(out, user->email, sizeof(user->email));
	fetch_text(out, user->username, sizeof(user->username));
	fetch_text(out, user->phone, sizeof(user->phone));
	fetch_text(out, user->first_name, sizeof(user->first_name));
	fetch_text(out, user->last_name, sizeof(user->last_name));
	fetch_text(out, user->picture, sizeof(user->picture));
	fetch_time(out, &user->created_us);
	fetch_time(out, &user->updated_us);
}

int
user_search_store_page(struct db *db, const struct user_page *page,
    user_summary_row *row, void *ctx, struct fault *fault)
{
	struct user_page_read read = { .row = row, .ctx = ctx };
	int kind = page->search != NULL ? PAGE_SEARCH :
	    page->is_without ? PAGE_WITHOUT : PAGE_WITH;
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, &page->tenant_id);
	if (page->search != NULL)
		bind_text(&in, page->search);
	bind_int(&in, (int64_t)page->limit);
	bind_int(&in, (int64_t)page->offset);
	fetch_summary(&out, &read.user);
	return stmt_read(db, &page_stmts[page->sort][page->descending][kind],
	    &in, &out, page_row, &read, fault);
}

static int
count(struct db *db, const struct stmt_def *def, struct params *in,
    uint64_t *n_r, struct fault *fault)
{
	struct columns out;

	columns_init(&out);
	fetch_uint64(&out, n_r);
	return stmt_read_one(db, def, in, &out, fault) < 0 ? -1 : 0;
}

int
user_count_store_find(struct db *db, const struct uuid *tenant_id,
    uint64_t *n_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	columns_init(&out);
	fetch_uint64(&out, n_r);
	return stmt_read_one(db, &user_search_stmts[USER_COUNT_FIND], &in,
	    &out, fault);
}

int
user_count_store_move(struct db *db, const struct uuid *tenant_id, int by,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_int(&in, by);
	bind_uuid(&in, tenant_id);
	bind_int(&in, -by);
	if (stmt_write(db, &user_search_stmts[USER_COUNT_MOVE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

int
user_count_store_make(struct db *db, const struct uuid *tenant_id,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, tenant_id);
	return stmt_write(db, &user_search_stmts[USER_COUNT_MAKE], &in, NULL,
	    fault) < 0 ? -1 : 0;
}

int
user_search_store_count_matches(struct db *db, const struct uuid *tenant_id,
    const char *search, uint64_t *n_r, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_text(&in, search);
	return count(db, &user_search_stmts[USER_SEARCH_COUNT_MATCHES], &in,
	    n_r, fault);
}

int
user_search_store_count_with(struct db *db, const struct uuid *tenant_id,
    enum user_sort sort, uint64_t *n_r, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	return count(db, &count_with_stmts[sort], &in, n_r, fault);
}
