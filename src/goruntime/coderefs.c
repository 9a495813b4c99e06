/*
 * coderefs.c - one pass over the text, and who refers to what.
 *
 * Functions come from the pclntab, so decoding starts anew at each; one that cannot be decoded
 * (data in assembly) is left from there on.  Knows operands by coderefs_x86.c, types by
 * coderefs_types.c. Cost: about 10 ns an instruction, 16 bytes a reference to data or bss.
 */
#include "goruntime/coderefs_priv.h"

#include "base/par.h"

#include <stdio.h>

#define GRAIN	       128
#define MAX_FUNC_BYTES (16U << 20)
#define MAX_TEXT_BYTES (64U << 20) /* of GRAIN functions, together */
#define MAX_USERS      3
#define MAX_LOOKED_AT  48 /* uses of one global: enough to choose three names */
#define MAX_LINES      16

bool code_is_type(const struct go_code *c, taddr at)
{
	size_t lo = 0, hi = c->ntypes;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->types[mid] < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->ntypes && c->types[lo] == at;
}

static void add_func(void *arg, const struct go_func *f)
{
	struct go_code *c = arg;
	struct code_func x = { f->entry, f->end };

	if (x.end > x.entry && x.end - x.entry <= MAX_FUNC_BYTES)
		vec_push(&c->funcs, x); /* short of memory: that function says nothing */
}

/* The address that an instruction has in hand: its operand's, or what the linker's table says. */
static bool refers_to(struct code_worker *w, const struct x86_insn *in, taddr *to, bool *ret_table)
{
	uint64_t value;

	*ret_table = false;
	if (code_is_global(w->c, *to))
		return true;
	if (!code_loads_word(in) || !code_constant(w, *to, &value))
		return false;
	*ret_table = true;
	*to = value;
	return code_is_global(w->c, value);
}

/* Decode f; *ret: it refers to globals, to types or to code as a value, so that flow may tell
 * something. */
static struct err *decode(struct code_worker *w, const struct code_func *f, const uint8_t *p,
			  bool *ret)
{
	const struct go_code *c = w->c;
	const struct go_module *m = go_module_of_text(c->g, f->entry);
	uint32_t n = (uint32_t)(f->end - f->entry), off = 0;
	struct x86_insn in;
	bool table;

	*ret = false;
	w->insns.n = 0;
	for (; off < n && x86_decode(p + off, n - off, &in); off += in.len) {
		taddr to = f->entry + off + in.len + (uint64_t)(int64_t)in.disp;
		struct insn_at a = { off, in };

		if (!vec_push(&w->insns, a))
			return &err_nomem;
		if (!(in.flags & X86_RIP))
			continue;
		if (!refers_to(w, &in, &to, &table)) {
			*ret = *ret || ((table || (!in.map && in.op == 0x8d)) &&
					(go_module_of_text(c->g, to) || code_is_type(c, to)));
			continue;
		}
		*ret = true;
		if (!m || f->entry + off - m->text.start > UINT32_MAX)
			continue;
		if (!vec_push(&w->uses,
			      (struct go_code_use){
				      .to = to,
				      .pc_off = (uint32_t)(f->entry + off - m->text.start),
				      .module = (uint8_t)(m - c->g->modules),
				      .how = table || (!in.map && in.op == 0x8d) ? GO_CODE_ADDRESS
					     : x86_stores(&in)			 ? GO_CODE_WRITE
										 : GO_CODE_READ,
			      }))
			return &err_nomem;
	}
	return NULL;
}

/* Functions [lo, hi), whose code lies close together. */
static struct err *read_run(struct code_worker *w, size_t lo, size_t hi)
{
	const struct code_func *f = w->c->funcs.v;
	uint64_t n = f[hi - 1].end - f[lo].entry;
	size_t got = 0;
	struct err *err;

	if (!vec_reserve(&w->text, (size_t)n))
		return &err_nomem;
	err = target_read_some(w->c->g->t, f[lo].entry, w->text.v, (size_t)n, &got);
	if (err_catch(&err, ERR_FAULT))
		return NULL;
	for (size_t i = lo; i < hi && !err; i++) {
		bool tells;

		if (f[i].entry < f[lo].entry || f[i].end - f[lo].entry > got)
			continue;
		err = decode(w, &f[i], w->text.v + (f[i].entry - f[lo].entry), &tells);
		if (!err && tells)
			err = code_flow(w, &f[i]);
	}
	return err;
}

/* The last functions of one module and the first of the next are neighbours in the list alone. */
static struct err *read_funcs(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct code_worker *w = (struct code_worker *)arg + worker;
	const struct code_func *f = w->c->funcs.v;
	struct err *err = NULL;

	for (size_t end; lo < hi && !err; lo = end) {
		for (end = lo + 1; end < hi; end++) {
			if (f[end].entry < f[end - 1].end ||
			    f[end].end - f[lo].entry > MAX_TEXT_BYTES)
				break;
		}
		err = read_run(w, lo, end);
	}
	return err;
}

static int by_target(const void *a, const void *b)
{
	const struct go_code_use *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	if (x->module != y->module)
		return x->module < y->module ? -1 : 1;
	return (x->pc_off > y->pc_off) - (x->pc_off < y->pc_off);
}

static struct err *gather(struct go_code *c, const struct code_worker *ws, unsigned n)
{
	size_t uses = 0, facts = 0;

	for (unsigned i = 0; i < n; i++) {
		uses += ws[i].uses.n;
		facts += ws[i].facts.n;
	}
	if (!vec_reserve(&c->uses, uses + 1) || !vec_reserve(&c->facts, facts + 1))
		return &err_nomem;
	for (unsigned i = 0; i < n; i++) {
		if (ws[i].uses.n)
			memcpy(c->uses.v + c->uses.n, ws[i].uses.v,
			       ws[i].uses.n * sizeof(*c->uses.v));
		if (ws[i].facts.n)
			memcpy(c->facts.v + c->facts.n, ws[i].facts.v,
			       ws[i].facts.n * sizeof(*c->facts.v));
		c->uses.n += ws[i].uses.n;
		c->facts.n += ws[i].facts.n;
	}
	if (c->uses.n)
		qsort(c->uses.v, c->uses.n, sizeof(*c->uses.v), by_target);
	return NULL;
}

static void workers_free(struct code_worker *ws, unsigned n)
{
	for (unsigned i = 0; ws && i < n; i++) {
		vec_free(&ws[i].uses);
		vec_free(&ws[i].facts);
		vec_free(&ws[i].allocs);
		vec_free(&ws[i].text);
		vec_free(&ws[i].insns);
		vec_free(&ws[i].labels);
		vec_free(&ws[i].states);
		free(ws[i].callees);
	}
	free(ws);
}

static struct err *read_text(struct go_code *c, unsigned nthreads)
{
	unsigned n = nthreads ? nthreads : par_default_threads();
	struct code_worker *ws = zalloc(n, sizeof(*ws));
	struct err *err = ws ? NULL : &err_nomem;

	for (unsigned i = 0; i < n && !err; i++) {
		ws[i].c = c;
		err = code_callees_init(&ws[i]);
	}
	if (!err)
		err = par_for(n, c->funcs.n, GRAIN, read_funcs, ws);
	if (!err)
		err = gather(c, ws, n);
	if (!err)
		err = code_allocs_gather(c, ws, n);
	workers_free(ws, n);
	return err;
}

struct err *go_code_read(const struct go *g, struct go_types *ts, unsigned nthreads,
			 struct go_code **ret)
{
	_cleanup_(go_code_freep) struct go_code *c = zalloc(1, sizeof(*c));
	struct err *err = NULL;

	if (!c)
		return &err_nomem;
	c->g = g;
	c->ts = ts;
	if (g->L && !strcmp(g->L->arch, "amd64")) {
		go_func_each(g, add_func, c);
		err = go_types_all(ts, &c->types, &c->ntypes);
		if (!err)
			err = read_text(c, nthreads);
		if (!err)
			err = code_facts_judge(c);
	}
	if (err)
		return err;
	*ret = STEAL(c);
	return NULL;
}

void go_code_free(struct go_code *c)
{
	if (!c)
		return;
	vec_free(&c->funcs);
	vec_free(&c->uses);
	vec_free(&c->facts);
	vec_free(&c->allocs);
	vec_free(&c->globals);
	vec_free(&c->closures);
	free(c);
}

/* Index of the first use of an address not below at. */
static size_t first_use(const struct go_code *c, taddr at)
{
	size_t lo = 0, hi = c->uses.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->uses.v[mid].to < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct go_code_use *go_code_uses(const struct go_code *c, struct trange r, size_t *ret_n)
{
	size_t lo = first_use(c, r.start);

	*ret_n = r.end > r.start ? first_use(c, r.end) - lo : 0;
	return c->uses.v + lo;
}

taddr go_code_pc(const struct go_code *c, const struct go_code_use *u)
{
	return c->g->modules[u->module].text.start + u->pc_off;
}

static struct trange section_of(const struct go_code *c, taddr at)
{
	for (size_t i = 0; i < c->g->nmodules; i++) {
		const struct go_module *m = &c->g->modules[i];

		if (trange_has(m->data, at))
			return m->data;
		if (trange_has(m->bss, at))
			return m->bss;
	}
	return (struct trange){ 0 };
}

struct trange go_code_extent(const struct go_code *c, taddr at)
{
	struct trange section = section_of(c, at);
	size_t i = first_use(c, at + 1);
	taddr start, end;

	if (!i || !trange_has(section, at))
		return (struct trange){ 0 };
	start = c->uses.v[i - 1].to & ~7ULL;
	end = i < c->uses.n ? c->uses.v[i].to & ~7ULL : section.end;
	if (!trange_has(section, start) || start > at)
		return (struct trange){ 0 };
	/* The next one may be a later part of the same word. */
	while (end <= at && i < c->uses.n)
		end = ++i < c->uses.n ? c->uses.v[i].to & ~7ULL : section.end;
	return (struct trange){ start, MIN(end, section.end) };
}

/* Packages whose names say nothing of the program. */
static bool inner(const char *function)
{
	static const char *const of[] = { "runtime.", "runtime/", "internal/", "sync.",
					  "sync/",    "type:",	  "type.",     "reflect." };

	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		if (!strncmp(function, of[i], strlen(of[i])))
			return true;
	}
	return false;
}

/* "main.init", "main.init.0", "main.map.init.3": all globals are first set in one. */
static bool initialiser(const char *function)
{
	const char *dot = strrchr(function, '/');

	dot = strchr(dot ? dot : function, '.');
	return dot && (!strncmp(dot, ".init", 5) || !strncmp(dot, ".map.init", 9));
}

struct user {
	const char *name;
	taddr pc;
	unsigned order; /* the lowest are named */
};

static void consider(struct user *best, size_t *n, const struct user *u)
{
	size_t i = *n;

	for (size_t k = 0; k < *n; k++) {
		if (strcmp(best[k].name, u->name) != 0)
			continue;
		if (best[k].order <= u->order)
			return;
		memmove(best + k, best + k + 1, (--*n - k) * sizeof(*best));
		i = *n;
		break;
	}
	while (i && best[i - 1].order > u->order)
		i--;
	if (i >= MAX_USERS)
		return;
	if (*n < MAX_USERS)
		++*n;
	memmove(best + i + 1, best + i, (*n - 1 - i) * sizeof(*best));
	best[i] = *u;
}

/* The innermost of the functions inlined there that is the program's own. */
static const char *own_name(const struct go *g, const struct user *u)
{
	struct go_line lines[MAX_LINES];
	size_t n = go_lines_at(g, u->pc, lines, MAX_LINES);

	for (size_t i = 0; i < n; i++) {
		if (!inner(lines[i].function))
			return lines[i].function;
	}
	return u->name;
}

size_t go_code_global_users(const struct go_code *c, struct trange r, char *buf, size_t nbuf)
{
	struct user best[MAX_USERS + 1];
	size_t nuses, n = 0, put = 0, at = 0;
	const struct go_code_use *u = go_code_uses(c, r, &nuses);

	buf[0] = 0;
	for (size_t i = 0; i < MIN(nuses, (size_t)MAX_LOOKED_AT); i++) {
		struct user x = { .pc = go_code_pc(c, &u[i]) };
		struct go_func f;

		if (!go_func_at(c->g, x.pc, &f))
			continue;
		x.name = f.name;
		x.order = (inner(f.name) ? 4U : 0U) + (initialiser(f.name) ? 2U : 0U) +
			  (u[i].how == GO_CODE_WRITE ? 0U : 1U);
		consider(best, &n, &x);
	}
	for (size_t i = 0; i < n && at < nbuf; i++) {
		const char *name = own_name(c->g, &best[i]);
		bool twice = false;

		for (size_t k = 0; k < i; k++)
			twice = twice || !strcmp(name, best[k].name);
		best[i].name = name;
		if (twice)
			continue;
		at += (size_t)snprintf(buf + at, nbuf - at, "%s%s", put ? ", " : "", name);
		put++;
	}
	return put;
}

const struct go_code_global *go_code_global_types(const struct go_code *c, size_t *ret_n)
{
	*ret_n = c->globals.n;
	return c->globals.v;
}

taddr go_code_closure_type(const struct go_code *c, taddr entry)
{
	size_t lo = 0, hi = c->closures.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->closures.v[mid].entry < entry)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->closures.n && c->closures.v[lo].entry == entry ? c->closures.v[lo].type : 0;
}
