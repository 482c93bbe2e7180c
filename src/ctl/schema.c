/* SPDX-License-Identifier: MIT */
/* wutsctl migrate. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/fault.h"
#include "wuts/privilege.h"
#include "wuts/schema_service.h"
#include "wuts/settings.h"

#include <stdio.h>

static void
say_applied(void *ctx, const char *file)
{
	unsigned *count = ctx;

	printf("applied  %s\n", file);
	(void)fflush(stdout);
	++*count;
}

/* Programs of the release before may still be at work. */
static int
complete_users(const struct settings *settings)
{
	unsigned users, tenants;
	struct fault fault;

	fault_clear(&fault);
	if (schema_service_complete_users(settings, &users, &tenants,
	    &fault) < 0)
		return ctl_failed(&fault);
	if (users > 0)
		printf("completed %u users that an older release wrote\n",
		    users);
	if (tenants > 0)
		printf("counted  the users of %u tenants\n", tenants);
	return CTL_OK;
}

static int
apply_migrations(const struct ctl *ctl, const struct settings *settings)
{
	unsigned have = 0, want = 0, count = 0;
	struct fault fault;

	fault_clear(&fault);
	if (schema_service_migrate(settings, ctl->sql_dir, say_applied,
	    &count, &fault) < 0 ||
	    schema_service_version(settings, &have, &want, &fault) < 0)
		return ctl_failed(&fault);
	if (have < want) {
		fprintf(stderr, "wutsctl: the schema is at version %u, this"
		    " release needs %u: %s holds another release's"
		    " migrations, name the right directory with --sql\n",
		    have, want, ctl->sql_dir);
		return CTL_FAILED;
	}
	if (count == 0)
		printf("kept     schema, version %u\n", have);
	return complete_users(settings);
}

static int
check_version(const struct settings *settings)
{
	unsigned have = 0, want = 0;
	struct fault fault;

	fault_clear(&fault);
	if (schema_service_version(settings, &have, &want, &fault) < 0)
		return ctl_failed(&fault);
	printf("schema version %u, this release works with %u\n", have,
	    want);
	return have < want ? CTL_FAILED : CTL_OK;
}

int
ctl_apply_schema(const struct ctl *ctl, const struct settings *settings)
{
	struct fault fault;
	int ret;

	fault_clear(&fault);
	ret = schema_service_create_database(settings, &fault);
	if (ret < 0)
		return ctl_failed(&fault);
	printf("%s database %s\n", ret == 1 ? "made    " : "kept    ",
	    settings->database_name);
	return apply_migrations(ctl, settings);
}

int
ctl_migrate(const struct ctl *ctl)
{
	struct settings *settings;
	struct fault fault;
	int status;

	fault_clear(&fault);
	if (settings_load(&settings, ctl->config, &fault) < 0)
		return ctl_failed(&fault);
	if (privilege_drop(settings, &fault) < 0)
		status = ctl_failed(&fault);
	else
		status = ctl->check ? check_version(settings) :
		    apply_migrations(ctl, settings);
	settings_free(&settings);
	return status;
}
