/* SPDX-License-Identifier: MIT */
/* Which certificates a connection trusts: the system's, and those that the
   tenant has uploaded. Guarantees: what a connection was verified with is part
   of what libcurl compares before it uses one, or a TLS session, again, so that
   none made for one tenant ever serves another, nor outlives a change of the
   certificates; verification goes by these and nothing else.

   A tenant's certificates are in a file of their own, written by the look-up
   thread, so that they survive a restart while the database is away; targets
   carry their hash only, and the parsed ones are few and bounded. */
#include "config.h"

#include "trust.h"

#include "target.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/onprem.h"
#include "wuts/strbuf.h"
#include "wuts/uuid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "trust"
/* A parsed certificate takes about three times its text. */
#define STORES_MAX 128
#define STORES_BYTES_MAX ((size_t)4 << 20)
/* The system's certificates are read again, for they change under us. */
#define SYSTEM_KEEP_US (INT64_C(3600) * CLOCK_SECOND_US)
/* A file that nobody has asked for in so long; it is written again by whoever
   does. */
#define FILE_KEEP_S (7 * 86400)

/* The certificates of one tenant, parsed, with the system's. */
struct store {
	struct uuid tenant_id;
	uint8_t hash[CRYPTO_HASH_LEN];
	X509_STORE *x509;
	size_t bytes;		/* of the text */
	uint64_t used;		/* when, by trusts.tick */
};

struct trusts {
	char *dir;
	const char *ca_file, *ca_dir;	/* of the system; NULL: none */
	X509_STORE *system;
	int64_t system_us;		/* read then, monotonic */
	struct store stores[STORES_MAX];
	unsigned nstores;
	size_t bytes;
	uint64_t tick;
};

static void
path_of(struct strbuf *out, const char *queue_dir, const struct uuid *tenant_id)
{
	char id[UUID_TEXT_LEN + 1];

	strbuf_printf(out, "%s/" DIRECTORY "/%s.pem", queue_dir,
	    uuid_format(tenant_id, id));
}

bool
trust_is_same(const struct trust *a, const struct trust *b)
{
	return a->is_set == b->is_set &&
	    (!a->is_set || memcmp(a->hash, b->hash, sizeof(a->hash)) == 0);
}

/* --- the files --- */

int
trust_keep(const char *queue_dir, const struct uuid *tenant_id,
    const void *pem, size_t len, bool is_known, struct fault *fault)
{
	struct strbuf path = STRBUF_INIT;
	int ret = 0;

	path_of(&path, queue_dir, tenant_id);
	/* Not forgotten while it is in use. */
	if (is_known && utimensat(AT_FDCWD, path.data, NULL, 0) == 0)
		goto out;
	ret = file_replace(path.data, pem, len, 0600, fault);
	if (ret < 0)
		fault_prefix(fault, "keep the CA certificates");
out:
	strbuf_deinit(&path);
	return ret;
}

int
trust_make_dir(const char *queue_dir, struct fault *fault)
{
	struct strbuf path = STRBUF_INIT;
	int ret;

	strbuf_printf(&path, "%s/" DIRECTORY, queue_dir);
	ret = file_make_dirs(path.data, 0700, fault);
	strbuf_deinit(&path);
	return ret;
}

void
trust_sweep(const char *queue_dir, int64_t wall_us)
{
	struct strbuf path = STRBUF_INIT;
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	strbuf_printf(&path, "%s/" DIRECTORY, queue_dir);
	dir = opendir(path.data);
	strbuf_deinit(&path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' &&
		    fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
		    st.st_mtime + FILE_KEEP_S < wall_us / CLOCK_SECOND_US)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

/* --- the system's --- */

static X509_STORE *
store_new(void)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL)
		log_fatal("OpenSSL: out of memory");
	/* Whatever is in it is an anchor: a server's own certificate, too. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return store;
}

static void
read_system(struct trusts *trusts)
{
	bool is_read = true;

	X509_STORE_free(trusts->system);
	trusts->system = store_new();
	trusts->system_us = clock_mono_us();
	if (trusts->ca_file == NULL && trusts->ca_dir == NULL)
		is_read = X509_STORE_set_default_paths(trusts->system) == 1;
	if (trusts->ca_file != NULL)
		is_read = X509_STORE_load_locations(trusts->system,
		    trusts->ca_file, NULL) == 1;
	if (trusts->ca_dir != NULL)
		is_read &= X509_STORE_load_locations(trusts->system, NULL,
		    trusts->ca_dir) == 1;
	if (!is_read)
		log_error("the certificates of the system cannot be read%s%s",
		    trusts->ca_file != NULL ? ": " : "",
		    trusts->ca_file != NULL ? trusts->ca_file : "");
	ERR_clear_error();
}

static void
store_drop(struct trusts *trusts, unsigned i)
{
	trusts->bytes -= trusts->stores[i].bytes;
	X509_STORE_free(trusts->stores[i].x509);
	trusts->stores[i] = trusts->stores[--trusts->nstores];
}

void
trusts_read_again(struct trusts *trusts)
{
	while (trusts->nstores > 0)
		store_drop(trusts, 0);
	read_system(trusts);
}

/* Its context is handed to our OpenSSL. */
static void
check_library(const curl_version_info_data *info)
{
	char ours[32];

	snprintf(ours, sizeof(ours), "OpenSSL/%u.",
	    OPENSSL_version_major());
	if (info->ssl_version == NULL ||
	    strncmp(info->ssl_version, ours, strlen(ours)) != 0)
		log_fatal("libcurl uses %s, and not the OpenSSL that this "
		    "program uses", info->ssl_version != NULL ?
		    info->ssl_version : "no TLS");
}

/* As OpenSSL has it, else as libcurl was built. */
struct trusts *
trusts_new(const char *queue_dir)
{
	struct trusts *trusts = mem_calloc(1, sizeof(*trusts));
	const curl_version_info_data *info =
	    curl_version_info(CURLVERSION_NOW);

	check_library(info);
	trusts->dir = mem_strdup(queue_dir);
	trusts->ca_file = secure_getenv("SSL_CERT_FILE");
	trusts->ca_dir = secure_getenv("SSL_CERT_DIR");
	if (trusts->ca_file == NULL && trusts->ca_dir == NULL) {
		trusts->ca_file = info->cainfo;
		trusts->ca_dir = info->capath;
	}
	read_system(trusts);
	return trusts;
}

void
trusts_free(struct trusts **trustsp)
{
	struct trusts *trusts = *trustsp;

	*trustsp = NULL;
	if (trusts == NULL)
		return;
	while (trusts->nstores > 0)
		store_drop(trusts, 0);
	X509_STORE_free(trusts->system);
	free(trusts->dir);
	free(trusts);
}

/* --- a tenant's --- */

static void
add_system(struct trusts *trusts, X509_STORE *store)
{
	STACK_OF(X509_OBJECT) *objects =
	    X509_STORE_get0_objects(trusts->system);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *x509 = X509_OBJECT_get0_X509(
		    sk_X509_OBJECT_value(objects, i));

		if (x509 != NULL)
			(void)X509_STORE_add_cert(store, x509);
	}
	if (trusts->ca_dir != NULL)
		(void)X509_STORE_load_locations(store, NULL, trusts->ca_dir);
	else if (trusts->ca_file == NULL)
		(void)X509_STORE_set_default_paths(store);
}

/* How many. */
static unsigned
add_pem(X509_STORE *store, const struct strbuf *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	unsigned n = 0;
	X509 *x509;

	if (bio == NULL)
		log_fatal("OpenSSL: out of memory");
	while (n < ONPREM_CA_CERTIFICATES_MAX &&
	    (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, x509) == 1;
		X509_free(x509);
	}
	ERR_clear_error();
	BIO_free(bio);
	return n;
}

/* The file as it was when its hash was taken. */
static int
read_pem(const struct trusts *trusts, const struct uuid *tenant_id,
    const struct trust *trust, struct strbuf *pem, struct fault *fault)
{
	struct strbuf path = STRBUF_INIT;
	uint8_t hash[CRYPTO_HASH_LEN];
	int ret;

	path_of(&path, trusts->dir, tenant_id);
	ret = file_read(path.data, ONPREM_CA_MAX, pem, fault);
	if (ret == 0) {
		crypto_sha256(pem->data != NULL ? pem->data : "", pem->len,
		    hash);
		if (memcmp(hash, trust->hash, sizeof(hash)) != 0)
			ret = fault_set(fault, FAULT_IO,
			    "%s is another one than it was", path.data);
	}
	strbuf_deinit(&path);
	return ret;
}

static void
make_room(struct trusts *trusts, size_t bytes)
{
	while (trusts->nstores > 0 && (trusts->nstores == STORES_MAX ||
	    trusts->bytes + bytes > STORES_BYTES_MAX)) {
		unsigned oldest = 0;

		for (unsigned i = 1; i < trusts->nstores; i++)
			if (trusts->stores[i].used <
			    trusts->stores[oldest].used)
				oldest = i;
		store_drop(trusts, oldest);
	}
}

/* NULL: it cannot be had now. */
static struct store *
store_load(struct trusts *trusts, const struct uuid *tenant_id,
    const struct trust *trust)
{
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf pem = STRBUF_INIT;
	struct store *store;

	if (read_pem(trusts, tenant_id, trust, &pem, &fault) < 0) {
		/* The next look-up mends it. */
		log_warn("a tenant's CA certificates: %s", fault.text);
		strbuf_deinit(&pem);
		return NULL;
	}
	make_room(trusts, pem.len);
	store = &trusts->stores[trusts->nstores++];
	*store = (struct store){
		.tenant_id = *tenant_id, .bytes = pem.len,
		.x509 = store_new(),
	};
	memcpy(store->hash, trust->hash, sizeof(store->hash));
	trusts->bytes += pem.len;
	add_system(trusts, store->x509);
	if (add_pem(store->x509, &pem) == 0)
		log_warn("none of a tenant's CA certificates can be read");
	strbuf_deinit(&pem);
	return store;
}

static X509_STORE *
find_store(struct trusts *trusts, const struct uuid *tenant_id,
    const struct trust *trust)
{
	struct store *store = NULL;

	if (!trust->is_set)
		return trusts->system;
	for (unsigned i = 0; i < trusts->nstores && store == NULL; i++)
		if (uuid_is_equal(&trusts->stores[i].tenant_id, tenant_id) &&
		    memcmp(trusts->stores[i].hash, trust->hash,
		    sizeof(trust->hash)) == 0)
			store = &trusts->stores[i];
	if (store == NULL)
		store = store_load(trusts, tenant_id, trust);
	if (store == NULL)
		return NULL;
	store->used = ++trusts->tick;
	return store->x509;
}

CURLcode
trusts_apply(struct trusts *trusts, const struct uuid *tenant_id,
    const struct trust *trust, void *ssl_ctx)
{
	X509_STORE *store;

	if (clock_mono_us() - trusts->system_us >= SYSTEM_KEEP_US)
		trusts_read_again(trusts);
	store = find_store(trusts, tenant_id, trust);
	/* Besides the context's own store, which is libcurl's and empty. */
	if (store == NULL || SSL_CTX_set1_verify_cert_store(
	    (SSL_CTX *)ssl_ctx, store) != 1)
		return CURLE_SSL_CACERT_BADFILE;
	return CURLE_OK;
}

/* No directory can be there, so libcurl trusts nothing of its own accord; but
   it compares the name. The two kinds may not reach the same addresses. */
void
trust_format_key(const struct target *target, char out[TRUST_KEY_SIZE])
{
	char id[UUID_TEXT_LEN + 1], hex[2 * CRYPTO_HASH_LEN + 1];
	int kind = (int)target->kind;

	if (!target->trust.is_set) {
		snprintf(out, TRUST_KEY_SIZE, "/dev/null/%d", kind);
		return;
	}
	crypto_hex(target->trust.hash, sizeof(target->trust.hash), hex);
	snprintf(out, TRUST_KEY_SIZE, "/dev/null/%d/%s/%s", kind,
	    uuid_format(&target->webhook.tenant_id, id), hex);
}
