/* SPDX-License-Identifier: MIT */
/* The certificates of tenants: kept in files, parsed when they are needed, and
   in the name that libcurl compares. */
#include "config.h"

#include "test_support.h"

#include "spool/target.h"
#include "spool/trust.h"

#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/uuid.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[64];
	struct trusts *trusts;
	EVP_PKEY *key;
	SSL_CTX *ctx;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct fault fault = { .code = FAULT_NONE };

	snprintf(f->dir, sizeof(f->dir), "/tmp/wuts-trust-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(trust_make_dir(f->dir, &fault), 0);
	f->trusts = trusts_new(f->dir);
	f->key = EVP_EC_gen("P-256");
	f->ctx = SSL_CTX_new(TLS_client_method());
	assert_true(f->key != NULL && f->ctx != NULL);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	trusts_free(&f->trusts);
	EVP_PKEY_free(f->key);
	SSL_CTX_free(f->ctx);
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* A self-signed certificate of that name. */
static X509 *
certificate(struct fixture *f, const char *name)
{
	X509 *x509 = X509_new();
	X509_NAME *subject = X509_get_subject_name(x509);

	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x509, subject);
	X509_gmtime_adj(X509_getm_notBefore(x509), -60);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, f->key);
	assert_true(X509_sign(x509, f->key, EVP_sha256()) > 0);
	return x509;
}

/* Its file, and what a target carries. */
static struct trust
keep(struct fixture *f, const struct uuid *tenant_id, X509 *x509)
{
	struct fault fault = { .code = FAULT_NONE };
	struct trust trust = { .is_set = true };
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long len;

	BIO_puts(bio, "some words\n");
	PEM_write_bio_X509(bio, x509);
	len = BIO_get_mem_data(bio, &pem);
	crypto_sha256(pem, (size_t)len, trust.hash);
	assert_int_equal(trust_keep(f->dir, tenant_id, pem, (size_t)len,
	    false, &fault), 0);
	BIO_free(bio);
	return trust;
}

/* Would a connection with this trust accept a server that shows x509? */
static bool
accepts(struct fixture *f, const struct uuid *tenant_id,
    const struct trust *trust, X509 *x509)
{
	X509_STORE *store = NULL;
	X509_STORE_CTX *ctx;
	bool is_good;

	assert_int_equal(trusts_apply(f->trusts, tenant_id, trust, f->ctx),
	    CURLE_OK);
	SSL_CTX_get0_verify_cert_store(f->ctx, &store);
	ctx = X509_STORE_CTX_new();
	assert_int_equal(X509_STORE_CTX_init(ctx, store, x509, NULL), 1);
	X509_STORE_CTX_set_default(ctx, "ssl_server");
	is_good = X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	return is_good;
}

static void
a_tenant_trusts_its_own_certificates_only(void **state)
{
	struct fixture *f = *state;
	struct uuid one = test_uuid(1), two = test_uuid(2);
	X509 *a = certificate(f, "a"), *b = certificate(f, "b");
	struct trust none = { .is_set = false };
	struct trust of_one = keep(f, &one, a), of_two = keep(f, &two, b);

	for (int round = 0; round < 2; round++) {
		assert_true(accepts(f, &one, &of_one, a));
		assert_false(accepts(f, &one, &of_one, b));
		assert_true(accepts(f, &two, &of_two, b));
		assert_false(accepts(f, &two, &of_two, a));
		assert_false(accepts(f, &one, &none, a));
		trusts_read_again(f->trusts);
	}
	X509_free(a);
	X509_free(b);
}

static void
other_certificates_count_at_once_and_lost_ones_stop_it(void **state)
{
	struct fixture *f = *state;
	struct uuid one = test_uuid(1);
	X509 *a = certificate(f, "a"), *b = certificate(f, "b");
	struct trust before = keep(f, &one, a), now;

	assert_true(accepts(f, &one, &before, a));
	now = keep(f, &one, b);
	assert_true(accepts(f, &one, &now, b));
	assert_false(accepts(f, &one, &now, a));
	trusts_read_again(f->trusts);
	/* Of those before there is no file any more. */
	assert_int_equal(trusts_apply(f->trusts, &one, &before, f->ctx),
	    CURLE_SSL_CACERT_BADFILE);
	X509_free(a);
	X509_free(b);
}

static void
memory_is_bounded_with_many_tenants(void **state)
{
	struct fixture *f = *state;
	X509 *a = certificate(f, "a");
	struct uuid id;
	struct trust trust;

	for (unsigned n = 0; n < 300; n++) {
		id = test_uuid((uint8_t)n);
		id.b[14] = (uint8_t)(n >> 8);
		trust = keep(f, &id, a);
		assert_true(accepts(f, &id, &trust, a));
	}
	assert_true(accepts(f, &id, &trust, a));
	X509_free(a);
}

static void
the_name_tells_apart_what_may_not_be_shared(void **state)
{
	struct target one = { .webhook.tenant_id = test_uuid(1) };
	struct target two = { .webhook.tenant_id = test_uuid(2) };
	char a[TRUST_KEY_SIZE], b[TRUST_KEY_SIZE];

	(void)state;
	trust_format_key(&one, a);
	trust_format_key(&two, b);
	assert_string_equal(a, b);	/* the system's */
	one.trust.is_set = two.trust.is_set = true;
	trust_format_key(&one, a);
	trust_format_key(&two, b);
	assert_string_not_equal(a, b);
	two = one;
	two.trust.hash[31] = 1;
	trust_format_key(&two, b);
	assert_string_not_equal(a, b);
	two = one;
	two.kind = TARGET_CALLBACK;
	trust_format_key(&two, b);
	assert_string_not_equal(a, b);
}

static void
a_known_file_is_not_written_again_unless_it_is_gone(void **state)
{
	struct fixture *f = *state;
	struct uuid one = test_uuid(1);
	struct fault fault = { .code = FAULT_NONE };
	char path[128], text[UUID_TEXT_LEN + 1];
	struct stat st;

	snprintf(path, sizeof(path), "%s/trust/%s.pem", f->dir,
	    uuid_format(&one, text));
	assert_int_equal(trust_keep(f->dir, &one, "x", 1, true, &fault), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(trust_keep(f->dir, &one, "longer", 6, true, &fault),
	    0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 1);
	trust_sweep(f->dir, ((int64_t)st.st_mtime + 86400) * 1000000);
	assert_int_equal(access(path, F_OK), 0);
	trust_sweep(f->dir, ((int64_t)st.st_mtime + 9 * 86400) * 1000000);
	assert_int_equal(access(path, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tenant_trusts_its_own_certificates_only),
		TEST(other_certificates_count_at_once_and_lost_ones_stop_it),
		TEST(memory_is_bounded_with_many_tenants),
		TEST(the_name_tells_apart_what_may_not_be_shared),
		TEST(a_known_file_is_not_written_again_unless_it_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
