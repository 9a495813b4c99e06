/*
 * look_limits.h - servers, clients and pools whose limits are theirs to set: where they lie, what
 * they are set to, what hangs on each at this instant.
 *
 * Every reachable net/http.Server, Transport, Client, net.Dialer and database/sql.DB, also
 * those that are a field of something else or lie in static memory.  Fields are found by name in
 * the program's own types: what a version does not have is not told.
 */
#ifndef LIMPET_FIND_LOOK_LIMITS_H
#define LIMPET_FIND_LOOK_LIMITS_H

#include "find/look.h"

enum look_limited_kind {
	LOOK_SERVER,
	LOOK_TRANSPORT,
	LOOK_CLIENT,
	LOOK_DIALER,
	LOOK_DB,
	LOOK_NKINDS,
};

struct look_setting {
	const char *field; /* "ReadHeaderTimeout": as in source */
	const char *path;  /* where it is kept: "maxOpen" */
	uint8_t form;	   /* enum go_fact_form */
	const char *unset; /* what zero means, in words */
};
enum { LOOK_SETTINGS = 8 };

struct look_limited_type {
	const char *type;		      /* "net/http.Server" */
	struct look_setting s[LOOK_SETTINGS]; /* up to a NULL field */
};
extern const struct look_limited_type look_limited_types[LOOK_NKINDS];

struct look_limited {
	uint8_t kind;
	struct go_place p;
	uint64_t object; /* that it lies in; GO_NO_OBJECT: static memory, a variable */
	gnode node;	 /* of the object; GRAPH_NONE */
	taddr via;	 /* a field of an object that points to it, the lowest; 0 none */
	uint64_t via_object;
	int64_t value[LOOK_SETTINGS];
	bool has[LOOK_SETTINGS];
	/* what hangs on it */
	uint64_t conns, idle, h2;  /* h2: of conns, those that carry many requests */
	uint64_t open_bodies;	   /* Transport: connections whose answer's body is not done with */
	uint64_t dropped;	   /* of these, those that nobody can read or close any more */
	uint64_t waiting;	   /* goroutines that wait for a connection, an answer */
	uint64_t headers;	   /* Server: connections that wait for a request's header */
	uint64_t serving;	   /* Server: goroutines in a handler */
	uint64_t bounded;	   /* of waiting, those whose request has a deadline of its own */
	size_t first_user, nusers; /* waiting or headers: in users */
	size_t example;		   /* goroutine of those; FIND_NO_GOROUTINE */
	uint64_t oldest_ns;	   /* of waiting, headers: at least; 0 unknown */
	uint64_t waited;	   /* DB: how often somebody had to wait */
};

/* A client's connection: net/http.persistConn. */
enum look_conn_state { LOOK_CONN_BUSY, LOOK_CONN_IDLE, LOOK_CONN_UNREAD, LOOK_CONN_CLOSED };
struct look_conn {
	uint64_t id; /* its object */
	taddr at;
	uint8_t state;
	bool h2;
	bool dropped; /* UNREAD: nothing of the program's reaches the body */
	bool in_use;  /* UNREAD: a goroutine has the body in its frames */
	bool can_end; /* dropped: a context that can be cancelled, a deadline, may still end it */
	size_t owner; /* index of its Transport in v; SIZE_MAX */
	taddr transport;
	size_t reader, writer; /* goroutines; SIZE_MAX */
	uint64_t body;	       /* UNREAD: the body's object if anything reaches it; GO_NO_OBJECT */
};

/* One goroutine that waits on one of them. */
struct look_user {
	size_t owner; /* index in v */
	size_t goroutine;
	gnode root; /* 0 none */
};

struct look_limits {
	VEC(struct look_limited) v; /* by kind, then address */
	VEC(struct look_conn) conns;
	VEC(struct look_user) users; /* by owner */
};

/* Errors: NOMEM, GONE. */
struct err *look_limits(const struct look *l, struct look_limits *ret) MUST_CHECK;
void look_limits_deinit(struct look_limits *x);

/*
 * Who has it, rather than frames that use it: of what hangs off a goroutine's frame alone that is
 * one that points to it.
 */
gnode look_limited_node(const struct look *l, const struct look_limited *k);

/* Value of a setting by its field's name; otherwise where it has none. */
int64_t look_setting(const struct look_limited *k, const char *field, int64_t otherwise);

/* private: look_limits_use.c */
struct err *look_limits_use(const struct look *l, struct go_io *io,
			    struct look_limits *x) MUST_CHECK;
/*
 * Does a request of the goroutine end by itself: has one of its frames a context that has a
 * deadline?
 */
bool look_has_deadline(const struct look *l, struct go_io *io, size_t goroutine);

/* private: look_limits_body.c: of connections that are UNREAD, who has the body */
struct err *look_limits_bodies(const struct look *l, struct go_io *io, const gnode *root_of,
			       struct look_limits *x) MUST_CHECK;
size_t look_limited_at(const struct look_limits *x, uint8_t kind, taddr at); /* SIZE_MAX */
/* Word at a field of a value; false: no such field, or it cannot be read. */
bool look_field_u64(const struct look *l, struct go_io *io, struct go_place p, const char *path,
		    uint64_t *ret);
/* by index in s->types: objects of exactly that type; caller frees; *ret_n types */
uint8_t *look_want_type(const struct look *l, const char *full, size_t *ret_n);

#endif
