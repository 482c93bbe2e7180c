/* SPDX-License-Identifier: MIT */
/* Table user_connection: a user's accounts at identity providers, their tokens
   sealed. */
#include "config.h"

#include "wuts/connection_store.h"
#include "store_private.h"

#include "wuts/connection.h"

#include <string.h>

enum {
	CONNECTION_INSERT,
	CONNECTION_LIST,
	CONNECTION_LIST_OF_TENANT,
	CONNECTION_RESEAL,
	CONNECTION_DELETE,
	CONNECTION_DELETE_OF_EMAIL,
	CONNECTION_STMT_COUNT
};

#define CONNECTION_COLUMNS \
	"id, tenant_id, user_id, email_id, provider, email, access_sealed," \
	" refresh_sealed, created_at, updated_at"

static const struct stmt_def connection_stmts[CONNECTION_STMT_COUNT] = {
	[CONNECTION_INSERT] = { "connection_insert",
	    "INSERT INTO user_connection (" CONNECTION_COLUMNS ")"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[CONNECTION_LIST] = { "connection_list",
	    "SELECT " CONNECTION_COLUMNS " FROM user_connection"
	    " WHERE tenant_id = ? AND user_id = ?"
	    " ORDER BY created_at DESC, id DESC" },
	[CONNECTION_LIST_OF_TENANT] = { "connection_list_of_tenant",
	    "SELECT " CONNECTION_COLUMNS " FROM user_connection"
	    " WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?" },
	[CONNECTION_RESEAL] = { "connection_reseal",
	    "UPDATE user_connection SET access_sealed = ?,"
	    " refresh_sealed = ? WHERE tenant_id = ? AND id = ?" },
	[CONNECTION_DELETE] = { "connection_delete",
	    "DELETE FROM user_connection"
	    " WHERE tenant_id = ? AND user_id = ? AND id = ?" },
	[CONNECTION_DELETE_OF_EMAIL] = { "connection_delete_of_email",
	    "DELETE FROM user_connection"
	    " WHERE tenant_id = ? AND user_id = ? AND email_id = ?" },
};

static void
bind_sealed(struct params *in, const uint8_t *sealed, size_t len)
{
	if (len > 0)
		bind_bytes(in, sealed, len);
	else
		bind_null(in);
}

int
connection_store_insert(struct db *db, const struct connection_row *row,
    struct fault *fault)
{
	const struct connection *connection = &row->connection;
	struct params in;

	params_init(&in);
	bind_uuid(&in, &connection->id);
	bind_uuid(&in, &connection->tenant_id);
	bind_uuid(&in, &connection->user_id);
	bind_uuid_or_null(&in, &connection->email_id);
	bind_text(&in, connection->provider);
	bind_text(&in, connection->email);
	bind_sealed(&in, row->access_sealed, row->access_sealed_len);
	bind_sealed(&in, row->refresh_sealed, row->refresh_sealed_len);
	bind_time(&in, connection->created_us);
	bind_time(&in, connection->updated_us);
	return stmt_write(db, &connection_stmts[CONNECTION_INSERT], &in, NULL,
	    fault);
}

struct connection_listing {
	struct connection_row row;
	connection_visit *visit;
	void *ctx;
};

static int
visit_connection(void *ctx, struct fault *fault)
{
	struct connection_listing *listing = ctx;

	listing->row.connection.access_token = "";
	listing->row.connection.refresh_token = "";
	return listing->visit(listing->ctx, &listing->row, fault);
}

static void
fetch_connection(struct columns *out, struct arena *arena,
    struct connection_row *row)
{
	struct connection *connection = &row->connection;

	columns_init(out);
	fetch_uuid(out, &connection->id);
	fetch_uuid(out, &connection->tenant_id);
	fetch_uuid(out, &connection->user_id);
	fetch_uuid(out, &connection->email_id);
	fetch_arena_text(out, arena, &connection->provider);
	fetch_arena_text(out, arena, &connection->email);
	fetch_arena_bytes(out, arena, &row->access_sealed,
	    &row->access_sealed_len);
	fetch_arena_bytes(out, arena, &row->refresh_sealed,
	    &row->refresh_sealed_len);
	fetch_time(out, &connection->created_us);
	fetch_time(out, &connection->updated_us);
}

int
connection_store_list(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    connection_visit *visit, void *ctx, struct fault *fault)
{
	struct connection_listing listing = { .visit = visit, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	fetch_connection(&out, arena, &listing.row);
	return stmt_read(db, &connection_stmts[CONNECTION_LIST], &in, &out,
	    visit_connection, &listing, fault);
}

int
connection_store_list_of_tenant(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *after, unsigned limit,
    connection_visit *visit, void *ctx, struct fault *fault)
{
	struct connection_listing listing = { .visit = visit, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, after);
	bind_limit(&in, limit);
	fetch_connection(&out, arena, &listing.row);
	return stmt_read(db, &connection_stmts[CONNECTION_LIST_OF_TENANT],
	    &in, &out, visit_connection, &listing, fault);
}

int
connection_store_reseal(struct db *db, const struct connection_row *row,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_sealed(&in, row->access_sealed, row->access_sealed_len);
	bind_sealed(&in, row->refresh_sealed, row->refresh_sealed_len);
	bind_uuid(&in, &row->connection.tenant_id);
	bind_uuid(&in, &row->connection.id);
	return stmt_update(db, &connection_stmts[CONNECTION_RESEAL], &in,
	    fault);
}

int
connection_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	bind_uuid(&in, id);
	if (stmt_write(db, &connection_stmts[CONNECTION_DELETE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

int
connection_store_delete_of_email(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *email_id,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	bind_uuid(&in, email_id);
	if (stmt_write(db, &connection_stmts[CONNECTION_DELETE_OF_EMAIL], &in,
	    &rows, fault) < 0)
		return -1;
	return (int)rows;
}
