/*
 * fetch.h - what a URL names, into a file, by a process of its own.
 *
 * libcurl does the work; it is loaded by name in that process, which has no capabilities, no other
 * descriptor and ends with us: nothing that the network sends is read by who reads other processes.
 * http and https only, also behind redirects; certificates are checked as libcurl does.
 */
#ifndef LIMPET_BASE_FETCH_H
#define LIMPET_BASE_FETCH_H

#include "base/err.h"

struct fetch_ask {
	const char *url;
	const char *name;	    /* of it in messages, without a password */
	const char *const *headers; /* "Authorization: Bearer …"; "@FILE": lines of that file */
	size_t nheaders;
	const char *unix_socket; /* connect there instead; NULL */
	uint64_t timeout_ns;
	uint64_t max_bytes;
};

/*
 * The answer's body is appended to out_fd (borrowed).  Errors: OS (not reached, refused, status
 * above 399, too slow: in words), LIMIT (max_bytes), UNSUPPORTED (no libcurl here).
 */
struct err *fetch_url(const struct fetch_ask *q, int out_fd) MUST_CHECK;

#endif
