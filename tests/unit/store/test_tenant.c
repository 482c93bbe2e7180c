/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include <string.h>

static void
insert_then_find_gives_the_same_row(void **state)
{
	struct fixture *f = *state;
	struct tenant in = add_tenant(f, "Same Row Ltd"), out;

	assert_int_equal(tenant_store_find(f->db, &in.id, &out, &f->fault), 1);
	assert_true(uuid_is_equal(&in.id, &out.id));
	assert_string_equal(out.name, "Same Row Ltd");
	assert_int_equal(out.created_us, SOME_TIME_US);
	assert_int_equal(out.updated_us, SOME_TIME_US + 1);
}

static void
unknown_id_is_absent(void **state)
{
	struct fixture *f = *state;
	struct tenant out;
	struct uuid id;

	uuid_new_random(&id);
	assert_int_equal(tenant_store_find(f->db, &id, &out, &f->fault), 0);
}

static void
assert_is_taken(struct fixture *f, const char *name)
{
	struct tenant tenant;

	memset(&tenant, 0, sizeof(tenant));
	uuid_new_ordered(&tenant.id);
	strcpy(tenant.name, name);
	tenant.created_us = tenant.updated_us = SOME_TIME_US;
	assert_int_equal(tenant_store_insert(f->db, &tenant, &f->fault), 0);
}

static void
name_is_unique_in_whatever_case(void **state)
{
	struct fixture *f = *state;

	add_tenant(f, "Acme");
	assert_is_taken(f, "Acme");
	assert_is_taken(f, "ACME");
	assert_is_taken(f, "aCmE");
	add_tenant(f, "Żółw Ärzte ΣΙΓΜΑ Яндекс");
	assert_is_taken(f, "żółw ärzte σιγμα яндекс");
	/* Another letter is another name: accents are not ignored. */
	add_tenant(f, "Zolw Arzte ΣΙΓΜΑ Яндекс");
}

static void
longest_name_of_four_byte_characters_fits(void **state)
{
	struct fixture *f = *state;
	char name[TENANT_NAME_SIZE];
	struct tenant in, out;
	size_t i;

	name[0] = '\0';
	for (i = 0; i < TENANT_NAME_MAX; i++)
		strcat(name, "\xf0\x9f\x90\xa2");
	in = add_tenant(f, name);
	assert_int_equal(tenant_store_find(f->db, &in.id, &out, &f->fault), 1);
	assert_string_equal(out.name, name);
}

static void
name_finds_its_tenant_in_whatever_case(void **state)
{
	struct fixture *f = *state;
	struct tenant in = add_tenant(f, "Łódź & Söhne"), out;

	assert_int_equal(tenant_store_find_by_name(f->db, "łÓDŹ & SÖHNE",
	    &out, &f->fault), 1);
	assert_true(uuid_is_equal(&in.id, &out.id));
	assert_string_equal(out.name, "Łódź & Söhne");
	assert_int_equal(tenant_store_find_by_name(f->db, "Lodz & Sohne",
	    &out, &f->fault), 0);
	assert_int_equal(tenant_store_find_by_name(f->db, "Łódź", &out,
	    &f->fault), 0);
}

struct page {
	char text[256];
	unsigned rows, stop_after;
	struct tenant last;
};

static int
page_row(void *ctx, const struct tenant *tenant, struct fault *fault)
{
	struct page *page = ctx;

	if (page->stop_after != 0 && page->rows == page->stop_after)
		return fault_set(fault, FAULT_IO, "the client is gone");
	page->rows++;
	page->last = *tenant;
	strcat(page->text, tenant->name);
	strcat(page->text, " ");
	return 0;
}

static void
list_goes_by_name_in_pages(void **state)
{
	struct fixture *f = *state;
	struct page all = { .rows = 0 }, first = all, second = all;

	run_sql(f, "DELETE FROM tenant");
	add_tenant(f, "delta");
	add_tenant(f, "Alpha");
	add_tenant(f, "charlie");
	add_tenant(f, "Bravo");
	assert_int_equal(tenant_store_list(f->db, NULL, 0, page_row, &all,
	    &f->fault), 0);
	assert_string_equal(all.text, "Alpha Bravo charlie delta ");
	assert_int_equal(tenant_store_list(f->db, NULL, 3, page_row, &first,
	    &f->fault), 0);
	assert_string_equal(first.text, "Alpha Bravo charlie ");
	assert_int_equal(tenant_store_list(f->db, &first.last, 3, page_row,
	    &second, &f->fault), 0);
	assert_string_equal(second.text, "delta ");
}

static void
row_that_refuses_ends_the_list_and_the_next_call_works(void **state)
{
	struct fixture *f = *state;
	struct page some = { .stop_after = 2 }, all = { .rows = 0 };

	run_sql(f, "DELETE FROM tenant");
	add_tenant(f, "a");
	add_tenant(f, "b");
	add_tenant(f, "c");
	assert_int_equal(tenant_store_list(f->db, NULL, 0, page_row, &some,
	    &f->fault), -1);
	assert_int_equal(f->fault.code, FAULT_IO);
	assert_int_equal(some.rows, 2);
	assert_int_equal(tenant_store_list(f->db, NULL, 0, page_row, &all,
	    &f->fault), 0);
	assert_int_equal(all.rows, 3);
}

static void
deleting_a_tenant_takes_everything_below_along(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "to be deleted");
	struct user user = add_user(f, &tenant, "a@example.com", ROLE_ADMIN);
	struct device device = add_device(f, &user, "phone");
	struct webhook webhook = {
		.tenant_id = tenant.id,
		.url = "https://example.com/",
		.enabled_events = "[\"*\"]",
		.created_us = SOME_TIME_US,
		.updated_us = SOME_TIME_US,
	};

	assert_int_equal(webhook_store_insert(f->db, &webhook, &f->fault), 0);
	webhook.id[0] = 1;
	webhook.device_id = device.id;
	assert_int_equal(webhook_store_insert(f->db, &webhook, &f->fault), 0);
	run_sql(f, "DELETE FROM device");
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM webhook"), 1);
	run_sql(f, "DELETE FROM tenant");
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM users"), 0);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM webhook"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(insert_then_find_gives_the_same_row),
		cmocka_unit_test(unknown_id_is_absent),
		cmocka_unit_test(name_is_unique_in_whatever_case),
		cmocka_unit_test(name_finds_its_tenant_in_whatever_case),
		cmocka_unit_test(longest_name_of_four_byte_characters_fits),
		cmocka_unit_test(list_goes_by_name_in_pages),
		cmocka_unit_test(
		    row_that_refuses_ends_the_list_and_the_next_call_works),
		cmocka_unit_test(
		    deleting_a_tenant_takes_everything_below_along),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
