/*
 * kind.h - what a TARGET is, by its content and never by its name.
 *
 * HOW TO ADD A KIND: a word here, a test of its first bytes in kind.c, an opener in
 * cli/session.c.
 */
#ifndef LIMPET_TARGET_KIND_H
#define LIMPET_TARGET_KIND_H

#include "target/wrap.h"

#include <sys/types.h>

enum kind {
	KIND_LIVE, /* a process: pid or name */
	KIND_URL,
	KIND_STDIN, /* "-" */
	KIND_CORE,
	KIND_HEAPDUMP,
	KIND_STORE,
	KIND_PROFILE,
	KIND_GOROUTINES,
	KIND_TRACE,
	KIND_GCLOG,
	KIND_ESCAPE,
	KIND_LINT,    /* what go vet, staticcheck, golangci-lint say, as JSON */
	KIND_EXE,     /* an ELF file that is no core */
	KIND_EMPTY,   /* a file of no bytes */
	KIND_UNKNOWN, /* a file, but nothing that we know */
};

struct kind_found {
	enum kind kind;
	enum wrap wrap;	  /* files: how it is packed */
	pid_t pid;	  /* KIND_LIVE */
	const char *path; /* files: the text, borrowed */
};

/*
 * What the user means by text.  A number is a pid even where a file has that name (./123 is the
 * file).  Errors: ERR_USAGE (pid:x; several processes of that name), ERR_GONE (none), ERR_OS
 * (no such file).
 */
struct err *kind_recognise(const char *text, struct kind_found *ret) MUST_CHECK;

/* By the first bytes, unpacked. */
enum kind kind_of_bytes(const void *head, size_t nbytes);

/* "a CPU or heap profile"; for messages. */
const char *kind_words(enum kind k);

#endif
