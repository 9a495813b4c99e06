/*
 * coderefs.c - what code says of globals and closures, beside what DWARF says of them.
 *
 *     coderefs TARGET [OPTIONS of report]
 *     right 0x5d9340 main.cache map[string]*main.session
 *     WRONG 0x5d9348 main.other *main.T, not *main.U
 *     ahead 0x5d9350 main.p.next *main.T         (DWARF has no variable there)
 *     closure 0x4c0120 main.main.func1 struct { F uintptr; X0 *main.node }
 *     users 0x5d9340 main.cache: main.add, main.get
 *     globals 120 right, 0 wrong, 2 ahead; closures 40; ms 12
 *
 * The last line is on stderr.  On a target with DWARF or --symbols.
 */
#include "tool.h"

#include "base/clock.h"
#include "goruntime/coderefs.h"
#include "goruntime/funcs.h"
#include "snapshot/vars.h"

struct tally {
	struct snapshot *s;
	const struct go_code *code;
	uint64_t right, wrong, ahead, closures, users;
};

/* The variable of DWARF that holds at. */
static const struct snap_var *var_of(const struct tally *y, taddr at)
{
	const struct snap_var *best = NULL;

	for (size_t i = 0; i < y->s->vars.n; i++) {
		const struct snap_var *v = &y->s->vars.v[i];
		const struct go_type *t = go_type_at(y->s->rtypes, v->rtype);

		if (v->frame == UINT32_MAX && v->name && t && at >= v->at && at - v->at < t->bytes)
			best = v;
	}
	return best;
}

static bool same_type(struct go_types *ts, const struct go_type *a, const struct go_type *b)
{
	return a == b || (a && b && a->kind == b->kind && a->bytes == b->bytes &&
			  !strcmp(go_type_full(ts, a), go_type_full(ts, b)));
}

/*
 * Code sees where a word leads, not what the word is declared as: to a closure's struct for a func,
 * to an array for a slice of it, to what has the same shape for a defined slice.
 */
static bool leads_there(struct go_types *ts, const struct go_type *t, const struct go_type *want)
{
	const struct go_type *to = want ? go_type_at(ts, want->elem) : NULL;

	if (!to)
		return false;
	if (want->kind == GO_POINTER && t->kind == GO_FUNC)
		return to->kind == GO_STRUCT && to->nfields && !strcmp(to->fields[0].name, "F");
	if (want->kind == GO_POINTER && t->kind == GO_SLICE)
		return to->kind == GO_ARRAY &&
		       same_type(ts, go_type_at(ts, t->elem), go_type_at(ts, to->elem));
	return want->kind == GO_SLICE && t->kind == GO_SLICE &&
	       same_type(ts, go_type_at(ts, t->elem), to);
}

/* Some part of t at off is a want. */
static bool has_at(struct go_types *ts, const struct go_type *t, uint64_t off,
		   const struct go_type *want)
{
	for (unsigned depth = 0; t && depth < 32; depth++) {
		const struct go_type *next = NULL;

		if (!off && (same_type(ts, t, want) || leads_there(ts, t, want)))
			return true;
		if (t->kind == GO_ARRAY) {
			next = go_type_at(ts, t->elem);
			if (next && next->bytes)
				off %= next->bytes;
		}
		for (size_t i = 0; t->kind == GO_STRUCT && i < t->nfields && !next; i++) {
			const struct go_type *f = go_type_at(ts, t->fields[i].type);

			if (f && off >= t->fields[i].offset &&
			    off - t->fields[i].offset < f->bytes) {
				off -= t->fields[i].offset;
				next = f;
			}
		}
		t = next;
	}
	return false;
}

static void global(struct tally *y, const struct go_code_global *x)
{
	struct go_types *ts = y->s->rtypes;
	const struct go_type *want = go_type_at(ts, x->rtype), *t;
	const struct snap_var *v = var_of(y, x->at);

	if (!v) {
		y->ahead++;
		printf("ahead " TADDR_FMT " %s\n", x->at, go_type_full(ts, want));
		return;
	}
	t = go_type_at(ts, v->rtype);
	if (has_at(ts, t, x->at - v->at, want)) {
		y->right++;
		printf("right " TADDR_FMT " %s+%" PRIu64 " %s\n", x->at, v->name, x->at - v->at,
		       go_type_full(ts, want));
		return;
	}
	y->wrong++;
	printf("WRONG " TADDR_FMT " %s+%" PRIu64 " %s (%s), not in %s\n", x->at, v->name,
	       x->at - v->at, go_type_full(ts, want),
	       x->rank == GO_CODE_RECEIVER ? "receiver" : "typed", go_type_full(ts, t));
}

static void closure(void *arg, const struct go_func *f)
{
	struct tally *y = arg;
	const struct go_type *t = go_type_at(y->s->rtypes, go_code_closure_type(y->code, f->entry));

	if (!t)
		return;
	y->closures++;
	printf("closure " TADDR_FMT " %s %s\n", f->entry, f->name, t->name);
}

static void users(struct tally *y, const struct snap_root *r)
{
	struct trange extent = go_code_extent(y->code, r->addr);
	char buf[512];

	if (r->kind != SNAP_ROOT_GLOBAL)
		return;
	y->users += go_code_global_users(y->code, (struct trange){ r->addr, r->addr + r->bytes },
					 buf, sizeof(buf)) > 0;
	printf("users " TADDR_FMT " %" PRIu64 " %s: %s (extent " TADDR_FMT " %" PRIu64 ")\n",
	       r->addr, r->bytes, r->name, buf, extent.start, trange_bytes(extent));
}

static struct err *run(int argc, char **argv)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct go_code *code = NULL;
	struct tally y = { 0 };
	const struct go_code_global *globals;
	struct args a;
	struct err *err = tool_open(argc, argv, &a, &s);
	uint64_t ns;
	size_t n;

	if (!err)
		err = snap_vars_learn(s.s);
	if (err)
		return err;
	ns = clock_ns();
	err = go_code_read(s.s->go, s.s->rtypes, 0, &code);
	ns = clock_ns() - ns;
	if (err)
		return err;
	y.s = s.s;
	y.code = code;
	globals = go_code_global_types(code, &n);
	for (size_t i = 0; i < n; i++)
		global(&y, &globals[i]);
	go_func_each(s.s->go, closure, &y);
	for (size_t i = 0; i < s.s->roots.n; i++)
		users(&y, &s.s->roots.v[i]);
	fprintf(stderr,
		"globals %" PRIu64 " right, %" PRIu64 " wrong, %" PRIu64 " ahead; closures %" PRIu64
		"; roots with users %" PRIu64 "; ms %" PRIu64 "\n",
		y.right, y.wrong, y.ahead, y.closures, y.users, ns / 1000000);
	go_code_free(code);
	return NULL;
}

int main(int argc, char **argv)
{
	return tool_end("coderefs", run(argc, argv));
}
