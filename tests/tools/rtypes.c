/*
 * rtypes.c - every rtype of a TARGET, and whether all that leads to a type leads to one of them.
 *
 *     rtypes TARGET [OPTIONS of report]
 *     0x4a2b40 25 48 main.Session
 *     types 5123, ms 4, typelinks 1200 lost 0, parts 8000 lost 0, itabs 320 lost 0, names lost 0
 *
 * The last line is on stderr.  "lost": leads to what go_types_all() did not find.
 */
#include "tool.h"

#include "base/clock.h"
#include "goruntime/types.h"

struct tally {
	const struct go *g;
	struct go_types *ts;
	const taddr *all;
	size_t n;
	uint64_t links, links_lost, parts, parts_lost, itabs, itabs_lost, names_lost;
};

static bool known(const struct tally *y, taddr t)
{
	size_t lo = 0, hi = y->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (y->all[mid] < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < y->n && y->all[lo] == t;
}

static void part(struct tally *y, const struct go_type *of, taddr t)
{
	if (!t || !go_type_maybe(y->g, t))
		return;
	y->parts++;
	if (known(y, t))
		return;
	y->parts_lost++;
	fprintf(stderr, "lost " TADDR_FMT " of " TADDR_FMT " %s\n", t, of->addr, of->name);
}

static uint64_t uncommon(const struct go_layout *L, const struct go_type *t)
{
	switch (t->kind) {
	case GO_STRUCT:
	case GO_INTERFACE:
		return L->type_bytes + 32ULL;
	case GO_ARRAY:
		return L->type_bytes + 24ULL;
	case GO_CHAN:
		return L->type_bytes + 16ULL;
	case GO_POINTER:
	case GO_SLICE:
	case GO_FUNC:
		return L->type_bytes + 8ULL;
	case GO_MAP:
		return L->maptype_bytes;
	default:
		return L->type_bytes;
	}
}

/* internal/abi/type.go: UncommonType, Method { Name, Mtyp, Ifn, Tfn }. */
static void methods(struct tally *y, const struct go_type *t)
{
	const struct go_module *m = go_module_of_type(y->g, t->addr);
	taddr at = t->addr + uncommon(y->g->L, t);
	uint8_t u[16], method[16];

	if (!m || !(t->tflag & 1) || target_read(y->g->t, at, u, sizeof(u)))
		return;
	for (unsigned i = 0; i < load_u16(u + 4); i++) {
		int32_t mtyp;

		if (target_read(y->g->t, at + load_u32(u + 8) + 16 * i, method, 16))
			return;
		mtyp = (int32_t)load_u32(method + 4);
		if (mtyp > 0) /* -1, 0: the linker dropped the method */
			part(y, t, m->types.start + (uint64_t)mtyp);
	}
}

static void one(struct tally *y, taddr at)
{
	const struct go_type *t = go_type_at(y->ts, at);

	if (!t) {
		y->parts_lost++;
		fprintf(stderr, "no type after all: " TADDR_FMT "\n", at);
		return;
	}
	printf(TADDR_FMT " %u %" PRIu64 " %s\n", at, t->kind, t->bytes, go_type_full(y->ts, t));
	part(y, t, t->elem);
	part(y, t, t->key);
	part(y, t, t->group);
	for (size_t i = 0; i < t->nfields; i++)
		part(y, t, t->fields[i].type);
	methods(y, t);
	if (t->named && !go_type_named(y->ts, go_type_full(y->ts, t))) {
		y->names_lost++;
		fprintf(stderr, "no type named %s\n", go_type_full(y->ts, t));
	}
}

static void links(struct tally *y, const struct go_module *m)
{
	for (uint64_t i = 0; i < m->ntypelinks; i++) {
		uint32_t off;

		if (target_read(y->g->t, m->typelinks + 4 * i, &off, 4))
			return;
		y->links++;
		if (known(y, m->types.start + off))
			continue;
		y->links_lost++;
		fprintf(stderr, "lost typelink " TADDR_FMT "\n", m->types.start + off);
	}
}

static void itabs(struct tally *y, const struct go_module *m)
{
	uint64_t w[2];

	for (uint64_t i = 0; i < m->nitablinks; i++) {
		taddr at;

		if (target_read(y->g->t, m->itablinks + 8 * i, &at, 8) ||
		    target_read(y->g->t, at, w, 16))
			return;
		y->itabs++;
		y->itabs_lost += !known(y, w[0]) || !known(y, w[1]);
	}
}

static struct err *run(int argc, char **argv)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct tally y = { 0 };
	struct args a;
	struct err *err = tool_open(argc, argv, &a, &s);
	uint64_t t0;

	if (err)
		return err;
	y.g = s.s->go;
	err = go_types_create(y.g, &y.ts); /* a fresh one: the time is that of a first look */
	if (err)
		return err;
	t0 = clock_ns();
	err = go_types_all(y.ts, &y.all, &y.n);
	t0 = clock_ns() - t0;
	for (size_t i = 0; i < y.n && !err; i++)
		one(&y, y.all[i]);
	for (size_t i = 0; i < y.g->nmodules && !err; i++) {
		links(&y, &y.g->modules[i]);
		itabs(&y, &y.g->modules[i]);
	}
	fprintf(stderr,
		"types %zu, us %" PRIu64 ", typelinks %" PRIu64 " lost %" PRIu64 ", parts %" PRIu64
		" lost %" PRIu64 ", itabs %" PRIu64 " lost %" PRIu64 ", names lost %" PRIu64 "\n",
		y.n, t0 / 1000, y.links, y.links_lost, y.parts, y.parts_lost, y.itabs, y.itabs_lost,
		y.names_lost);
	go_types_free(y.ts);
	return err;
}

int main(int argc, char **argv)
{
	return tool_end("rtypes", run(argc, argv));
}
