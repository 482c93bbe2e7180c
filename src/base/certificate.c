/* SPDX-License-Identifier: MIT */
/* PEM files, taken apart block by block by OpenSSL. Whatever a reader less
   strict than this one might take for a private key is refused wherever no key
   belongs. */
#include "config.h"

#include "wuts/certificate.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdbool.h>
#include <string.h>

static const char begin_certificate[] = "-----BEGIN CERTIFICATE-----";

static bool
holds(const char *pem, size_t len, const char *text)
{
	return memmem(pem, len, text, strlen(text)) != NULL;
}

/* The next certificate; 1 / 0: there is no other block / -1: a block that is
   none. Blocks of other kinds are passed over. */
static int
next_certificate(BIO *bio, X509 **certificate_r)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	const unsigned char *p;
	unsigned long error;
	bool is_certificate;
	long len = 0;

	*certificate_r = NULL;
	do {
		if (PEM_read_bio(bio, &name, &header, &data, &len) != 1) {
			error = ERR_peek_last_error();
			ERR_clear_error();
			return ERR_GET_LIB(error) == ERR_LIB_PEM &&
			    ERR_GET_REASON(error) == PEM_R_NO_START_LINE ?
			    0 : -1;
		}
		is_certificate = strcmp(name, PEM_STRING_X509) == 0;
		p = data;
		if (is_certificate)
			*certificate_r = d2i_X509(NULL, &p, len);
		is_certificate &= *certificate_r == NULL || p == data + len;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)len);
		name = header = NULL;
		data = NULL;
		if (is_certificate) {
			ERR_clear_error();
			return *certificate_r != NULL ? 1 : -1;
		}
	} while (*certificate_r == NULL);
	X509_free(*certificate_r);	/* bytes behind its end */
	*certificate_r = NULL;
	return -1;
}

const char *
certificate_check_bundle(const char *pem, size_t len, unsigned max)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509 *certificate;
	unsigned n = 0;
	int got;

	if (bio == NULL || memchr(pem, '\0', len) != NULL ||
	    holds(pem, len, "PRIVATE KEY-----")) {
		BIO_free(bio);
		return holds(pem, len, "PRIVATE KEY-----") ?
		    "must not hold a private key" : "must be PEM text";
	}
	while ((got = next_certificate(bio, &certificate)) == 1 &&
	    ++n <= max)
		X509_free(certificate);
	BIO_free(bio);
	if (got == 1) {
		X509_free(certificate);
		return "holds too many certificates";
	}
	if (got < 0)
		return "holds something that is not a certificate";
	return n > 0 ? NULL : "must hold a certificate in PEM";
}

const char *
certificate_check_server(const char *pem, size_t len)
{
	static const char begin[] = "-----BEGIN ", end[] = "PRIVATE KEY-----";
	const char *problem, *first;
	X509 *leaf = NULL, *chain = NULL;
	EVP_PKEY *key;
	BIO *bio;

	first = memmem(pem, len, begin, sizeof(begin) - 1);
	if (first == NULL || memchr(pem, '\0', len) != NULL ||
	    !holds(first, strcspn(first, "\r\n"), end))
		return "must begin with a private key";
	bio = BIO_new_mem_buf(pem, (int)len);
	key = bio == NULL ? NULL :
	    PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t)"");
	if (key == NULL)
		problem = "must begin with a private key without a password";
	else if (next_certificate(bio, &leaf) != 1)
		problem = "must hold a certificate behind the key";
	else if (X509_check_private_key(leaf, key) != 1)
		problem = "holds a key that is not the certificate's";
	else if (next_certificate(bio, &chain) != 1)
		problem = "must hold an intermediate CA certificate behind"
		    " the certificate";
	else
		problem = NULL;
	ERR_clear_error();
	X509_free(chain);
	X509_free(leaf);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return problem;
}

const char *
certificate_find_chain(const char *pem)
{
	const char *leaf = strstr(pem, begin_certificate);

	return leaf == NULL ? NULL :
	    strstr(leaf + sizeof(begin_certificate) - 1, begin_certificate);
}
