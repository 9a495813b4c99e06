/*
 * gotext_stream.c - logs into which several programs write: each has a reader of its own.
 *
 * Who wrote a line is what a container's runtime or a journal puts first: "web-1  | ",
 * "[pod/web/app] ", "Jan  2 03:04:05 host app[12]: ".  A stream begins where somebody writes
 * something that a dump may begin with; a line without a name goes on with the stream of the line
 * before.  Memory: 7 KB a stream and the goroutines of its open, first and last dump; of more than
 * GOTEXT_STREAMS_MAX the one that was silent longest is forgotten.
 */
#include "evidence/gotext_priv.h"

#include <xxhash.h>

enum { NOBODY = 2 }; /* no hash of a name: those are odd */

static void clear(struct gotext_reader *r)
{
	free(r->seen.slot);
	vec_free(&r->gs);
	vec_free(&r->args);
	vec_free(&r->cur_links);
	vec_free(&r->before);
	vec_free(&r->first);
}

static void begin(struct gotext_reader *r, struct gotext_shared *all)
{
	*r = (struct gotext_reader){
		.all = all,
		.process = all->processes++,
		.first_dump = GOTEXT_NONE,
		.instead = GOTEXT_NONE,
	};
}

/* One that has seen nothing yet; it is g->r, then. */
static bool new_stream(struct gotext *g, struct gotext_shared *all)
{
	struct gotext_reader *r = NULL;

	if (all->nstreams < GOTEXT_STREAMS_MAX) {
		r = zalloc(1, sizeof(*r));
		if (!r)
			return false;
		all->stream[all->nstreams++] = r;
	} else {
		for (size_t i = 0; i < all->nstreams; i++)
			if (!r || all->stream[i]->turn < r->turn)
				r = all->stream[i];
		g->r = r;
		gotext_close_dump(g);
		clear(r);
	}
	begin(r, all);
	g->r = r;
	return true;
}

bool gotext_streams_create(struct gotext *g)
{
	struct gotext_shared *all = zalloc(1, sizeof(*all));

	if (all && new_stream(g, all))
		return true;
	free(all);
	return false;
}

void gotext_streams_free(struct gotext *g)
{
	struct gotext_shared *all = g->r ? g->r->all : NULL;

	if (!all)
		return;
	for (size_t i = 0; i < all->nstreams; i++) {
		clear(all->stream[i]);
		free(all->stream[i]);
	}
	gotext_tables_deinit(all);
	free(all);
	g->r = NULL;
}

/* What one process alone wrote into several files is not told apart by what stands before it. */
void gotext_streams_begin(struct gotext *g)
{
	struct gotext_shared *all = g->r->all;
	struct gotext_reader *only = NULL;
	size_t n = 0;

	for (size_t i = 0; i < all->nstreams; i++) {
		struct gotext_reader *r = all->stream[i];

		r->dumps_of_file = r->timed = r->has_panic = false;
		r->time_flags = 0;
		r->wrap = (struct gotext_wrap){ 0 };
		n += r->dumps_of_any;
		if (r->dumps_of_any || !only)
			only = r;
		if (!r->who)
			g->r = r;
	}
	if (n < 2) {
		g->r->who = NOBODY;
		g->r = only;
		only->who = 0;
	} else if (g->r->who && !new_stream(g, all)) {
		all->nomem = true;
	}
}

void gotext_streams_close(struct gotext *g)
{
	struct gotext_shared *all = g->r->all;
	struct gotext_reader *now = g->r, *next;

	do { /* in the order in which they began */
		next = NULL;
		for (size_t i = 0; i < all->nstreams; i++) {
			struct gotext_reader *r = all->stream[i];

			if (r->open && (!next || r->dump.at_line < next->dump.at_line))
				next = r;
		}
		g->r = next ? next : now;
		gotext_close_dump(g);
	} while (next);
}

/* May a dump begin with it, or what is said before one? */
static bool may_open(struct bit line)
{
	struct gotext_anchor a;

	return gotext_anchor(line, &a) || memmem(line.s, line.n, "panic: ", 7) ||
	       memmem(line.s, line.n, "fatal error: ", 13) || memmem(line.s, line.n, "SIG", 3);
}

static struct gotext_reader *find(const struct gotext_shared *all, uint64_t who)
{
	for (size_t i = 0; i < all->nstreams; i++)
		if (all->stream[i]->who == who)
			return all->stream[i];
	return NULL;
}

bool gotext_stream_of(struct gotext *g, struct bit *line)
{
	struct gotext_shared *all = g->r->all;
	struct gotext_reader *r = g->r;
	struct bit name;
	size_t n = gotext_source(*line, &name);
	uint64_t who;

	r->turn = g->lines;
	if (!n)
		return true;
	who = XXH3_64bits(name.s, name.n) | 1;
	if (r->who != who) {
		r = find(all, who);
		if (!r && !may_open(*line))
			return !g->r->who; /* where nobody has a name that was none */
		if (r)
			g->r = r;
		else if ((g->r->who || g->r->dumps_of_file) && !new_stream(g, all))
			all->nomem = true;
		g->r->who = who;
		g->r->turn = g->lines;
	}
	*line = bit_from(*line, n);
	return true;
}
