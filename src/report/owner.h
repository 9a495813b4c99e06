/*
 * owner.h - which references only pass things on: rules, built in and the user's own.
 *
 * A rule names fields, whole objects or globals, and says why what they hold is not theirs.
 * owner_rules_create() has the built-in ones (owner_rules.c); a file may add more (owner_file.c).
 * HOW TO ADD A BUILT-IN RULE: a row in owner_rules.c, with its reason and its source, and a row
 * in docs/attribution.md (a unit test compares them).
 */
#ifndef LIMPET_REPORT_OWNER_H
#define LIMPET_REPORT_OWNER_H

#include "base/err.h"

enum owner_how {
	OWNER_PLAIN, /* graph/owner.h: enum graph_edge_kind */
	OWNER_LINK,
	OWNER_CHAIN,
	OWNER_BACK, /* a chain edge from an element to its list: it is a bead of that */
	OWNER_KEEP, /* the user says: it owns */
};

enum owner_what {
	OWNER_FIELD,  /* of the type holder; "example.com/lru.LRU[" any instance of a generic one */
	OWNER_LRU,    /* the list and the map of any struct that has a list.List and a map to its
		       * elements */
	OWNER_OBJECT, /* all pointers of objects of a type without an rtype, by its name */
	OWNER_ROOTS,  /* roots of a kind (enum snap_root_kind) */
	OWNER_GLOBAL, /* the global of that name */
	OWNER_GLOBALS, /* globals of that package, or used by its functions alone */
	OWNER_POOL,    /* words of sync.Pools that are known by their shape */
	OWNER_NAMED,   /* the user's: a global, a type, a field of one of them */
};

struct owner_rule {
	uint8_t what, how;
	uint8_t root_kind;  /* OWNER_ROOTS */
	const char *holder; /* type with its package's path, or a global; OWNER_NAMED: as written */
	const char *field;  /* "idleLRU.m": all pointer words in it; NULL: all there are */
	const char *reason;
	const char *source; /* where that can be read: a Go file and symbol; "FILE:3" */
};

struct owner_rules {
	VEC(struct owner_rule) v;
	VEC(char *) texts; /* of the user's rules */
};

/* Built-in rules, with those of a file behind them; path NULL: none. */
struct err *owner_rules_create(const char *path, struct owner_rules *ret) MUST_CHECK;
void owner_rules_deinit(struct owner_rules *r);

/* The table, for docs and tests. */
const struct owner_rule *owner_builtin(size_t *ret_n);
/* "net/http.Server.activeConn", "runtime.g", "finalizers": what a rule is about. */
const char *owner_rule_name(const struct owner_rule *r, char *buf, size_t nbuf);

/* Rules of a file.  Errors: ERR_OS, ERR_USAGE with file and line. */
struct err *owner_rules_read(const char *path, struct owner_rules *r) MUST_CHECK;

/*
 * Lines of a rules file: pool, cache, pass or own, and a name; # begins a comment.  text needs no
 * end.  Errors: ERR_USAGE with path and line.
 */
struct err *owner_rules_parse(const char *path, const char *text, size_t n,
			      struct owner_rules *r) MUST_CHECK;

#endif
