/*
 * prof.c - the kinds of profiles, and what all of them have: stacks, mappings, the time.
 *
 * Knows not what is counted.  Addresses, lines and mappings are as runtime/pprof writes them
 * (proto.go: appendLocsForStack, emitLocation, parseProcSelfMaps), so that `go tool pprof` finds
 * the same in both.  Cost: a look-up of each address, a few bytes a frame.
 */
#include "report/prof_priv.h"

#include "elf/exe.h"
#include "snapshot/sites.h"

#define NO_DUMP(what) "a heap dump has no " what ": give a process or a core"

static const struct prof_kind kinds[] = {
	{ "heap", "what is in use, by where it was allocated: the program's own samples",
	  PROF_NEEDS_RUNTIME, NULL, prof_heap },
	{ "allocs", "the same, all since the program began shown first", PROF_NEEDS_RUNTIME, NULL,
	  prof_allocs },
	{ "goroutine", "where goroutines are, with their labels", PROF_NEEDS_SNAPSHOT, NULL,
	  prof_goroutine },
	{ "goroutineleak", "those that are proved never to run again", PROF_NEEDS_TREES,
	  NO_DUMP("way to prove a goroutine leaked"), prof_goroutineleak },
	{ "retention",
	  "who holds the memory: ways from the roots by types and fields, each byte once",
	  PROF_NEEDS_TREES, NULL, prof_retention },
	{ "retained", "where that was allocated which holds the memory, and what it retains",
	  PROF_NEEDS_TREES, NULL, prof_retained },
	{ "mutex", "who made others wait for a mutex, where the program counts it",
	  PROF_NEEDS_RUNTIME, NO_DUMP("profile of mutexes"), prof_mutex },
	{ "block", "who waited, where the program counts it", PROF_NEEDS_RUNTIME,
	  NO_DUMP("profile of blocking"), prof_block },
};

const struct prof_kind *prof_kinds(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(kinds);
	return kinds;
}

struct err *prof_kind_named(const char *name, const struct prof_kind **ret)
{
	_cleanup_(str_deinit) struct str all = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!strcmp(kinds[i].name, name)) {
			*ret = &kinds[i];
			return NULL;
		}
		str_printf(&all, "%s%s",
			   !i			      ? ""
			   : i + 1 < ARRAY_LEN(kinds) ? ", "
						      : " or ",
			   kinds[i].name);
	}
	return err_usage("--kind %.60s: want %s", name, str_ok(&all) ? all.s : "another word");
}

/* Without what the kernel says of a file that is gone. */
static size_t path_length(const char *path)
{
	static const char gone[] = " (deleted)";
	size_t n = strlen(path), k = sizeof(gone) - 1;

	return n >= k && !strcmp(path + n - k, gone) ? n - k : n;
}

/* Of the executable; of libraries it is not asked for. */
static struct err *build_id(const struct prof *b, const char *path, uint32_t *ret)
{
	const char *exe = target_exe(b->go->t);
	struct elf_exe e = { 0 };
	struct err *err;

	*ret = 0;
	if (target_exe_fd(b->go->t) < 0 || path_length(path) != path_length(exe) ||
	    strncmp(path, exe, path_length(exe)) != 0)
		return NULL;
	err = elf_exe_read(target_exe_fd(b->go->t), exe, &e);
	if (err) { /* then it has none that we know */
		bool nomem = err->code == ERR_NOMEM;

		err_free(err);
		return nomem ? &err_nomem : NULL;
	}
	*ret = pprof_add_word(b->p, e.build_id);
	elf_exe_deinit(&e);
	return NULL;
}

static struct err *add_mappings(struct prof *b)
{
	size_t n;
	const struct target_region *r = target_regions(b->go->t, &n);

	for (size_t i = 0; i < n; i++) {
		struct pprof_mapping m = { .start = r[i].range.start,
					   .limit = r[i].range.end,
					   .offset = r[i].offset };
		struct prof_map map = { .range = r[i].range };
		struct err *err;

		if (!(r[i].prot & REGION_EXEC) || !*r[i].path)
			continue;
		m.file = pprof_add_text(b->p, r[i].path, path_length(r[i].path));
		err = build_id(b, r[i].path, &m.build_id);
		if (err)
			return err;
		map.id = pprof_add_mapping(b->p, &m);
		if (!vec_push(&b->maps, map))
			return &err_nomem;
	}
	return NULL;
}

static struct prof_map *map_of(const struct prof *b, taddr pc)
{
	size_t lo = 0, hi = b->maps.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->maps.v[mid].range.end <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->maps.n && trange_has(b->maps.v[lo].range, pc) ? &b->maps.v[lo] : NULL;
}

/* As tryAdd of proto.go has it: is the next frame what the last one is inlined in? */
static bool joins(const struct go_line *last, const struct go_line *next)
{
	return last->inlined && last->entry == next->entry &&
	       strcmp(last->function, next->function) != 0;
}

static struct pprof_line line_of(struct prof *b, const struct go_line *l)
{
	return (struct pprof_line){
		.function = pprof_add_function(b->p, l->function, l->file, l->start_line),
		.line = l->line,
	};
}

/* One location of the first addresses; returns how many it took.  Not of Go: no line. */
static size_t add_location(struct prof *b, const taddr *pcs, size_t n, uint32_t *ret)
{
	struct pprof_line lines[64];
	struct prof_map *m = map_of(b, pcs[0]);
	size_t nlines = 0, taken = 1, have;
	const struct go_line *l = go_callers_at(&b->callers, pcs[0], &have);

	while (have) {
		struct go_line last = *l;

		if (m) {
			m->tried = true;
			m->failed |= !*last.function || !*last.file || !last.line;
		}
		lines[nlines++] = line_of(b, &last);
		if (taken == n || nlines == ARRAY_LEN(lines))
			break;
		l = go_callers_at(&b->callers, pcs[taken], &have);
		if (!have || !joins(&last, l))
			break;
		taken++;
	}
	if (m && !nlines)
		m->tried = m->failed = true;
	*ret = pprof_add_location(b->p, m ? m->id : PPROF_NONE, pcs[0] - 1, lines, nlines);
	return taken;
}

static bool is_goexit(struct prof *b, taddr pc)
{
	size_t n;
	const struct go_line *l = go_callers_at(&b->callers, pc, &n);

	return n && !strcmp(l->function, "runtime.goexit");
}

uint32_t prof_stack(struct prof *b, enum go_callers_of of, const taddr *pcs, size_t n)
{
	size_t nlocations = 0;

	n = go_callers_expand(&b->callers, of, pcs, n, b->pcs, ARRAY_LEN(b->pcs));
	for (size_t i = 0; i < n;)
		if (is_goexit(b, b->pcs[i]))
			i++;
		else
			i += add_location(b, b->pcs + i, n - i, &b->locations[nlocations++]);
	return pprof_add_stack(b->p, b->locations, nlocations);
}

uint32_t prof_named_stack(struct prof *b, const struct snap_frame *const *frames, size_t n)
{
	n = MIN(n, ARRAY_LEN(b->locations));
	for (size_t i = 0; i < n; i++) {
		struct pprof_line l = {
			.function =
				pprof_add_function(b->p, frames[i]->function, frames[i]->file, 0),
			.line = frames[i]->line,
		};

		b->locations[i] = pprof_add_location(b->p, PPROF_NONE, 0, &l, 1);
	}
	return pprof_add_stack(b->p, b->locations, n);
}

void prof_count_types(struct prof *b, const char *name)
{
	pprof_add_type(b->p, name, "count");
	b->p->period_type =
		(struct pprof_type){ pprof_add_word(b->p, name), pprof_add_word(b->p, "count") };
	b->p->period = 1;
}

static void settle_mappings(struct prof *b)
{
	for (size_t i = 0; i < b->maps.n; i++)
		b->p->mappings.v[b->maps.v[i].id].has_functions =
			b->maps.v[i].tried && !b->maps.v[i].failed;
}

const char *prof_safe_name(const char *name, char *buf, size_t nbuf)
{
	size_t n = strlen(name);

	if (!strpbrk(name, "<>[]") && !strstr(name, "::"))
		return name;
	n = MIN(n, nbuf - 1);
	memcpy(buf, name, n);
	for (size_t i = 0; i < n; i++)
		buf[i] = buf[i] == '(' ? '{' : buf[i] == ')' ? '}' : buf[i];
	buf[n] = 0;
	return buf;
}

void prof_space_types(struct prof *b)
{
	b->p->period_type =
		(struct pprof_type){ pprof_add_word(b->p, "space"), pprof_add_word(b->p, "bytes") };
	b->p->period = 1;
	pprof_add_type(b->p, "objects", "count");
	pprof_add_type(b->p, "space", "bytes");
}

static struct err *make(struct prof *b, const struct prof_kind *k)
{
	struct err *err = pprof_create(k->name, &b->p);

	if (!err)
		err = add_mappings(b);
	if (!err)
		err = k->make(b);
	if (!err && b->callers.bad)
		err = &err_nomem;
	if (!err)
		err = pprof_made(b->p);
	if (err)
		return err;
	settle_mappings(b);
	b->p->time_ns = (int64_t)target_capture(b->go->t)->at_unix_ns;
	return NULL;
}

struct err *prof_make(const struct prof_kind *k, const struct prof_from *from, struct pprof **ret)
{
	_cleanup_(freep) struct prof *b = zalloc(1, sizeof(*b));
	struct err *err;

	if (!b)
		return &err_nomem;
	if (k->dumps && target_capture(from->go->t)->kind == TARGET_DUMP)
		return err_unsupported("profile --kind %s: %s", k->name, k->dumps);
	b->go = from->go;
	b->agg = from->agg;
	b->callers.g = from->go;
	err = make(b, k);
	go_callers_deinit(&b->callers);
	vec_free(&b->maps);
	if (err) {
		pprof_free(b->p);
		return err;
	}
	*ret = b->p;
	return NULL;
}

void prof_sums(const struct pprof *p, int64_t *ret)
{
	struct pprof_walk w = { 0 };

	memset(ret, 0, p->types.n * sizeof(*ret));
	while (pprof_next(p, &w))
		for (size_t i = 0; i < p->types.n; i++)
			ret[i] = (int64_t)((uint64_t)ret[i] + (uint64_t)w.values[i]);
}
