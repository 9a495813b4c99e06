/*
 * agg_fds.h - objects that stand for file descriptors, and what their memory says of them.
 *
 * An object is one value of internal/poll.FD, or the library's struct around it (os.file,
 * net.netFD), or one of the few that hold a bare number (os.root, os.processHandle).  Garbage is
 * among them: it keeps its descriptor open until a finalizer has run.
 */
#ifndef LIMPET_REPORT_AGG_FDS_H
#define LIMPET_REPORT_AGG_FDS_H

#include "report/agg.h"
#include "report/pop_priv.h"

enum fd_class { FD_NONE, FD_POLL, FD_FILE, FD_CONN, FD_ROOT, FD_PROCESS };

struct fd_object {
	struct go_place p;
	uint64_t id;  /* object that it lies in; GO_NO_OBJECT: a variable */
	uint32_t var; /* index in vars */
	uint8_t class;
	bool closed;	/* Close was called; fd may be open until it is let go */
	int64_t fd;	/* -1: closed */
	uint64_t outer; /* object that the program holds (os.File, net.TCPConn); id where none is */
};
typedef VEC(struct fd_object) fd_objects;

/* Ascending by address.  outer is looked for where the graph has reverse edges. */
struct err *agg_fds(struct agg *a, struct go_io *io, fd_objects *ret) MUST_CHECK;
/* Is it, or the variable that it lies in, reachable? */
bool agg_fd_reached(const struct agg *a, const struct fd_object *o);

/*
 * "12": the object that holds that descriptor, one that is reachable rather than garbage.
 * Errors: ERR_USAGE (no number; none holds it).
 */
struct err *agg_fd_find(struct agg *a, const char *number, gnode *ret) MUST_CHECK;

/* What memory says of a file or a connection; texts are the keep's, "" unknown. */
struct fd_says {
	const char *name; /* of a file, of a unix socket */
	const char *net;  /* "tcp", "unix" …: static or of the keep */
	const char *peer_name;
	struct target_addr local, peer;
};
void agg_fd_says(struct agg *a, struct go_io *io, const struct fd_object *o, struct fd_says *ret);

#endif
