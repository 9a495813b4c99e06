/*
 * stacks.c - goroutines by their stacks, and how long they wait.
 *
 * Knows no finding.  Times are lower bounds: the runtime notes waitsince at the first collection
 * that meets the waiting goroutine (mgcmark.go, markroot).
 */
#include "find/stacks.h"

#include "base/clock.h"

/*
 * The collector notes the end of a cycle by both clocks (mgc.go, gcMarkTermination), so that the
 * wall clock tells nanotime(); that is believed only where the instant was noted when the evidence
 * was taken (started is known: our own cores), for copying a file changes its time.  Else no
 * wait is known to be younger than the last cycle.
 */
static uint64_t clock_of_file(const struct snapshot *s)
{
	const struct go_counters *c = &s->heap.counters;
	uint64_t at = target_capture(s->t)->at_unix_ns;
	uint64_t since = at > c->last_gc_unix_ns ? at - c->last_gc_unix_ns : 0;

	if (!target_started_unix_ns(s->t) || !c->last_gc_unix_ns || since > 1ULL << 56)
		since = 0;
	return c->last_gc_ns && c->last_gc_ns < 1ULL << 62 ? c->last_gc_ns + since : 0;
}

/* By this machine's monotonic clock. */
static uint64_t clock_of_live(const struct snapshot *s)
{
	struct timespec wall;
	uint64_t ago;

	clock_gettime(CLOCK_REALTIME, &wall);
	ago = (uint64_t)wall.tv_sec * 1000000000 + (uint64_t)wall.tv_nsec -
	      target_capture(s->t)->at_unix_ns;
	return clock_ns() - ago;
}

uint64_t look_clock_ns(const struct snapshot *s)
{
	return target_capture(s->t)->method == TARGET_BY_FILE ? clock_of_file(s) : clock_of_live(s);
}

uint64_t look_waited_ns(uint64_t clock_now, int64_t waitsince)
{
	if (!clock_now || waitsince <= 0)
		return UINT64_MAX;
	return clock_now > (uint64_t)waitsince ? clock_now - (uint64_t)waitsince : 0;
}

struct stack_key {
	uint64_t hash;
	size_t g;
};

static int by_hash(const void *x, const void *y)
{
	const struct stack_key *a = x, *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return (a->g > b->g) - (a->g < b->g);
}

/* MurmurHash3's finalizer: two stacks in 2^64 are taken for one. */
static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0xff51afd7ed558ccdULL;
	return h ^ h >> 33;
}

static uint64_t hash_stack(const struct go_stacks *st, size_t i)
{
	const struct go_goroutine *gr = &st->gs.v[i];
	uint64_t h = mix(gr->start_pc, gr->nframes);

	for (size_t k = 0; k < gr->nframes; k++)
		h = mix(h, st->frames.v[gr->first_frame + k].pc);
	return h;
}

struct err *look_group_stacks(const struct go_stacks *st, const uint64_t *salt, size_t n,
			      size_t *order, size_t *ret_first, size_t *ret_ngroups)
{
	_cleanup_(freep) struct stack_key *keys = zalloc(n + 1, sizeof(*keys));
	size_t ngroups = 0;

	if (!keys)
		return &err_nomem;
	for (size_t i = 0; i < n; i++) {
		uint64_t h = hash_stack(st, order[i]);

		keys[i] = (struct stack_key){ salt ? mix(h, salt[order[i]]) : h, order[i] };
	}
	qsort(keys, n, sizeof(*keys), by_hash);
	for (size_t i = 0; i < n; i++) {
		order[i] = keys[i].g;
		if (!i || keys[i].hash != keys[i - 1].hash)
			ret_first[ngroups++] = i;
	}
	ret_first[ngroups] = n;
	*ret_ngroups = ngroups;
	return NULL;
}

enum { LINES_MAX = 64 };

const char *look_function_at(const struct go *go, taddr pc)
{
	struct go_func f;

	return pc && go_func_at(go, pc, &f) && f.name ? f.name : "";
}

static bool is_wrapper(const char *function)
{
	return strstr(function, ".gowrap") ||
	       strstr(function, "\xc2\xb7"
				"dwrap") ||
	       !strcmp(function, "runtime.goexit");
}

/* The outermost frame's function that is no wrapper of the compiler's; "" unknown. */
static const char *outermost_function(const struct snapshot *s, const struct go_goroutine *gr)
{
	struct go_line lines[LINES_MAX];

	for (size_t i = gr->nframes; i-- > 0;) {
		const struct go_frame *f = &s->stacks.frames.v[gr->first_frame + i];
		size_t n = go_lines_at(s->go, go_frame_line_pc(f), lines, LINES_MAX);

		while (n-- > 0)
			if (lines[n].function && !is_wrapper(lines[n].function))
				return lines[n].function;
	}
	return "";
}

/*
 * What the go statement started, in the reader's names: `go f(x)` is compiled to a wrapper
 * (f.gowrap1), main.main runs in runtime.main.
 */
const char *look_goroutine_function(const struct snapshot *s, size_t i)
{
	const struct go_goroutine *gr = &s->stacks.gs.v[i];
	const char *start = look_function_at(s->go, gr->start_pc), *f;

	if (!strcmp(start, "runtime.main"))
		return "main.main";
	if (*start && !is_wrapper(start))
		return start;
	f = outermost_function(s, gr);
	/* Without inlined calls the wrapper says more than the runtime function that it waits in.
	 */
	return *f && (!*start || !s->dump || strncmp(f, "runtime.", 8) != 0) ? f : start;
}

/* The runtime's, and what the program calls to wait. */
static bool is_library(const char *function)
{
	static const char *const packages[] = { "runtime.", "sync.", "internal/", "time." };

	for (size_t i = 0; i < ARRAY_LEN(packages); i++)
		if (!strncmp(function, packages[i], strlen(packages[i])))
			return true;
	return is_wrapper(function);
}

/*
 * Go's own packages have no dot in the first element of their path; nor have those of a module
 * called "shop", whose name the executable tells.
 */
static bool is_standard(const struct go *g, const char *function)
{
	const char *path = g->module_path ? g->module_path : "";
	size_t n = strcspn(function, "/"), m = strcspn(path, "/");

	if (!strncmp(function, "main.", 5))
		return false;
	if (!function[n])
		n = strcspn(function, ".");
	else if (memchr(function, '.', n))
		return false;
	return n != m || strncmp(function, path, n) != 0;
}

enum line_of { LINE_OF_PROGRAM, LINE_OF_ANY };

static bool find_line(const struct snapshot *s, size_t i, enum line_of whose, struct go_line *ret)
{
	const struct go_goroutine *gr = &s->stacks.gs.v[i];
	struct go_line lines[LINES_MAX];

	for (size_t k = 0; k < gr->nframes; k++) {
		const struct go_frame *f = &s->stacks.frames.v[gr->first_frame + k];
		size_t n = go_lines_at(s->go, go_frame_line_pc(f), lines, LINES_MAX);

		for (size_t j = 0; j < n; j++)
			if (lines[j].function && !is_library(lines[j].function) &&
			    (whose == LINE_OF_ANY || !is_standard(s->go, lines[j].function))) {
				*ret = lines[j];
				return true;
			}
	}
	return false;
}

bool look_waiting_line(const struct snapshot *s, size_t i, struct go_line *ret)
{
	return find_line(s, i, LINE_OF_PROGRAM, ret) || find_line(s, i, LINE_OF_ANY, ret);
}

const char *look_creator(const struct snapshot *s, size_t i)
{
	return look_function_at(s->go, s->stacks.gs.v[i].go_pc);
}

bool look_creation_line(const struct snapshot *s, size_t i, struct go_line *ret)
{
	taddr pc = s->stacks.gs.v[i].go_pc;

	return pc && go_lines_at(s->go, pc - 1, ret, 1) && ret->function;
}
