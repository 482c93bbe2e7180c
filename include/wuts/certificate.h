/* SPDX-License-Identifier: MIT */
/* What may stand in a PEM file. OpenSSL parses; nothing is verified here. */
#ifndef WUTS_CERTIFICATE_H
#define WUTS_CERTIFICATE_H

#include <stddef.h>

/* CA certificates: 1 to max blocks, each an X.509 certificate; text between
   them is allowed, a private key nowhere. NULL when good, else the sentence
   for the client. */
const char *certificate_check_bundle(const char *pem, size_t len,
    unsigned max);

/* What a server shows: its private key, its certificate, and one or more
   intermediate ones, in this order; the key is the certificate's. */
const char *certificate_check_server(const char *pem, size_t len);

/* Where the intermediate ones of such a file begin. NULL: there are none. */
const char *certificate_find_chain(const char *pem);

#endif
