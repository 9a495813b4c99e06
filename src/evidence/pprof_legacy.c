/*
 * pprof_legacy.c - profiles as text, as /debug/pprof/…?debug=1 gives them: heap, goroutine,
 * threadcreate, mutex, block.
 *
 * The runtime names frames in comments behind each stack, and does not name what it hides (the
 * allocator inside, runtime.goexit outside): where a stack has names, frames without are left out,
 * as they are in the binary form.  pprof itself takes no notice of those names.
 * Memory: a record.  Source: printStackRecord(), writeHeapInternal(), printCountProfile(),
 * writeProfileInternal() in runtime/pprof/pprof.go; parseHeap(), parseGoCount(),
 * parseContention() in profile/legacy_profile.go of google/pprof.
 */
#include "evidence/memstats.h"
#include "evidence/pprof_priv.h"

#include "base/err.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 1 << 20, FRAMES_MAX = 1 << 16 };

struct named {
	uint64_t pc;
	uint32_t function; /* of the profile */
	int64_t line;
};

struct legacy {
	struct pprof *p;
	const char *at; /* in the line at hand, NUL-terminated */
	int64_t rate, cycles_per_second;
	bool scaled, has_allocs, in_head;
	/* the record at hand */
	bool open;
	int64_t values[4];
	int64_t block_bytes;
	VEC(uint64_t) addresses;
	VEC(struct named) names;
	VEC(uint32_t) locations;
	uint32_t mapping, bytes_key;
	uint64_t lines;
};

static void legacy_deinit(struct legacy *l)
{
	vec_free(&l->addresses);
	vec_free(&l->names);
	vec_free(&l->locations);
}

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* What stands there now, past it; blanks before it do not count. */
static bool take(struct legacy *l, const char *what)
{
	const char *s = l->at + strspn(l->at, " ");

	if (!starts(s, what))
		return false;
	l->at = s + strlen(what);
	return true;
}

static bool take_number(struct legacy *l, int64_t *ret)
{
	const char *s = l->at + strspn(l->at, " ");
	char *end;

	if ((*s < '0' || *s > '9') && *s != '-')
		return false;
	errno = 0;
	*ret = strtoll(s, &end, 10);
	if (end == s || errno)
		return false;
	l->at = end;
	return true;
}

bool pprof_is_legacy(const char *head, size_t n)
{
	static const char *const begins[] = {
		"heap profile: ", "goroutine profile: total ", "threadcreate profile: total ",
		"--- mutex:",	  "--- contention:",	       "--- contentionz "
	};
	const char *space = memchr(head, ' ', MIN(n, (size_t)64));

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (n >= strlen(begins[i]) && !memcmp(head, begins[i], strlen(begins[i])))
			return true;
	/* a profile of the program's own: any word */
	return space && (size_t)(space - head) + 16 < n && *head >= ' ' &&
	       !memcmp(space, " profile: total ", 16);
}

static void set_period(struct pprof *p, const char *type, const char *unit, int64_t period)
{
	p->period_type = (struct pprof_type){ pprof_add_word(p, type), pprof_add_word(p, unit) };
	p->period = period;
}

/* "heap profile: 1: 2 [3: 4] @ heap/1048576" */
static bool begin_heap(struct legacy *l)
{
	struct pprof *p = l->p;
	int64_t n[4], rate = 0;

	if (!take(l, "heap profile:") || !take_number(l, &n[0]) || !take(l, ":") ||
	    !take_number(l, &n[1]) || !take(l, "[") || !take_number(l, &n[2]) || !take(l, ":") ||
	    !take_number(l, &n[3]) || !take(l, "]") || !take(l, "@") || !take(l, "heap"))
		return false;
	l->has_allocs = (n[2] != n[0] && n[2]) || (n[3] != n[1] && n[3]);
	l->scaled = !starts(l->at, "profile");
	if (starts(l->at, "z_v2") || starts(l->at, "_v2"))
		l->at = strchr(l->at, '2') + 1;
	else if (*l->at == '/')
		l->rate = 2; /* Go writes twice the rate */
	if (*l->at == '/') {
		l->at++;
		if (*l->at && !take_number(l, &rate))
			return false;
	}
	l->rate = !l->scaled ? 1 : l->rate ? rate / l->rate : rate;
	p->form = PPROF_LEGACY_HEAP;
	set_period(p, "space", "bytes", l->rate);
	if (l->has_allocs) {
		pprof_add_type(p, "alloc_objects", "count");
		pprof_add_type(p, "alloc_space", "bytes");
	}
	pprof_add_type(p, l->has_allocs ? "inuse_objects" : "objects", "count");
	pprof_add_type(p, l->has_allocs ? "inuse_space" : "space", "bytes");
	p->drop_frames = pprof_add_word(p, "runtime\\..*");
	p->keep_frames = pprof_add_word(p, "runtime\\.(panic|reflectcall|call[0-9]*)");
	l->bytes_key = pprof_add_word(p, "bytes");
	return true;
}

static bool begin_count(struct legacy *l)
{
	struct pprof *p = l->p;
	const char *space = strchr(l->at, ' ');
	char name[65];

	if (!space || !starts(space, " profile: total ") || space - l->at > 64)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(space - l->at), l->at);
	p->form = PPROF_LEGACY_COUNT;
	set_period(p, name, "count", 1);
	pprof_add_type(p, name, "count");
	return true;
}

static bool begin_contention(struct legacy *l)
{
	struct pprof *p = l->p;

	if (!starts(l->at, "--- "))
		return false;
	p->form = PPROF_LEGACY_CONTENTION;
	set_period(p, "contentions", "count", 1);
	pprof_add_type(p, "contentions", "count");
	pprof_add_type(p, "delay", "nanoseconds");
	l->in_head = true;
	return true;
}

/* profile/legacy_profile.go, scaleHeapSample: one over the chance to be in the sample. */
static void unsample(int64_t *count, int64_t *bytes, int64_t rate)
{
	double scale;

	if (!*count || !*bytes) {
		*count = *bytes = 0;
		return;
	}
	if (rate <= 1)
		return;
	scale = 1 / (1 - exp(-((double)*bytes / (double)*count) / (double)rate));
	if (fabs((double)*count * scale) < 0x1p62 && fabs((double)*bytes * scale) < 0x1p62) {
		*count = (int64_t)((double)*count * scale);
		*bytes = (int64_t)((double)*bytes * scale);
	}
}

static bool take_addresses(struct legacy *l)
{
	while (l->addresses.n < FRAMES_MAX && take(l, "0x")) {
		char *end;
		uint64_t a;

		errno = 0;
		a = strtoull(l->at, &end, 16);
		if (end == l->at || errno || !vec_push(&l->addresses, a))
			return false;
		l->at = end;
	}
	return !l->at[strspn(l->at, " ")];
}

/* A count and its bytes. */
static void heap_pair(struct legacy *l, const int64_t n[2], int64_t to[2])
{
	to[0] = n[0];
	to[1] = n[1];
	if (!n[0])
		return;
	l->block_bytes = n[0] == -1 ? 0 : n[1] / n[0];
	if (l->scaled)
		unsample(&to[0], &to[1], l->rate);
}

/* "1: 2 [3: 4] @ 0x1 0x2" */
static bool heap_record(struct legacy *l)
{
	int64_t n[4];

	if (!take_number(l, &n[0]) || !take(l, ":") || !take_number(l, &n[1]) || !take(l, "[") ||
	    !take_number(l, &n[2]) || !take(l, ":") || !take_number(l, &n[3]) || !take(l, "]") ||
	    !take(l, "@") || !take_addresses(l))
		return false;
	l->block_bytes = 0;
	if (l->has_allocs)
		heap_pair(l, n + 2, l->values);
	heap_pair(l, n, l->values + (l->has_allocs ? 2 : 0));
	return true;
}

/* "7 @ 0x1 0x2" */
static bool count_record(struct legacy *l)
{
	return take_number(l, &l->values[0]) && take(l, "@") && take_addresses(l);
}

static int64_t as_int(double x)
{
	return x > -0x1p63 && x < 0x1p63 ? (int64_t)x : 0;
}

/* "cycles count @ 0x1 0x2" */
static bool contention_record(struct legacy *l)
{
	int64_t cycles, n, period = l->p->period;

	if (!take_number(l, &cycles) || !take_number(l, &n) || !take(l, "@") || !take_addresses(l))
		return false;
	if (period > 0 && l->cycles_per_second > 0)
		cycles = as_int((double)cycles * (double)period /
				((double)l->cycles_per_second / 1e9));
	if (period > 0)
		n = as_int((double)n * (double)period);
	l->values[0] = n;
	l->values[1] = cycles;
	return true;
}

/* "cycles/second=1000" before the first record; false: it is none of those. */
static bool head_line(struct legacy *l)
{
	int64_t n;

	if (take(l, "cycles/second=") && take_number(l, &n))
		l->cycles_per_second = n;
	else if (take(l, "sampling period=") && take_number(l, &n))
		l->p->period = n;
	else if (take(l, "ms since reset=") && take_number(l, &n))
		l->p->duration_ns = as_int((double)n * 1e6);
	else
		return take(l, "discarded samples=");
	return true;
}

static bool push_location(struct legacy *l, uint64_t address, const struct pprof_line *lines,
			  size_t n)
{
	uint32_t i;

	if (l->mapping == PPROF_NONE) /* pprof makes such a one, too */
		l->mapping =
			pprof_add_mapping(l->p, &(struct pprof_mapping){ .limit = UINT64_MAX });
	i = pprof_add_location(l->p, address ? l->mapping : PPROF_NONE, address, lines, n);
	return i != PPROF_NONE && vec_push(&l->locations, i);
}

/* Names of one address follow each other, the innermost first. */
static bool find_locations(struct legacy *l)
{
	struct pprof_line lines[64];
	size_t named = 0;

	l->locations.n = 0;
	for (size_t i = 0; i < l->addresses.n; i++) {
		uint64_t a = l->addresses.v[i];
		size_t n = 0;

		while (named < l->names.n && n < ARRAY_LEN(lines) &&
		       (l->names.v[named].pc == a - 1 || (l->names.v[named].pc == a && !n))) {
			lines[n++] = (struct pprof_line){ .function = l->names.v[named].function,
							  .line = l->names.v[named].line };
			named++;
		}
		if ((n || !l->names.n) && !push_location(l, a - 1, lines, n))
			return false;
	}
	return true;
}

/* The record is whole: what its comments said is known. */
static struct err *close_record(struct legacy *l)
{
	struct pprof *p = l->p;
	struct pprof_label bytes = { .key = l->bytes_key, .num = l->block_bytes };

	if (!l->open)
		return NULL;
	l->open = false;
	if (!find_locations(l))
		return &err_nomem;
	pprof_add_sample(p, pprof_add_stack(p, l->locations.v, l->locations.n), l->values, &bytes,
			 p->form == PPROF_LEGACY_HEAP);
	return pprof_made(p);
}

/* "#\t0x47ca84\tmain.f+0x24\t\t/src/main.go:12": columns by tabs, of which there may be several. */
static struct err *name_line(struct legacy *l, char *s)
{
	char *end, *file, *plus, *colon;
	struct named n = { .pc = strtoull(s + 2, &end, 16) };

	if (end == s + 2 || *end != '\t')
		return NULL; /* runtime/pprof has no name for it */
	s = end + strspn(end, "\t");
	file = strchr(s, '\t');
	if (!file)
		return NULL;
	*file++ = 0;
	file += strspn(file, "\t");
	plus = strrchr(s, '+');
	colon = strrchr(file, ':');
	if (plus)
		*plus = 0;
	if (colon) {
		n.line = strtoll(colon + 1, NULL, 10);
		*colon = 0;
	}
	n.function = pprof_add_function(l->p, s, file, 0);
	return n.function == PPROF_NONE || l->names.n >= FRAMES_MAX || !vec_push(&l->names, n)
		       ? &err_nomem
		       : NULL;
}

static struct err *comment(struct legacy *l, char *s)
{
	s += 1 + strspn(s + 1, " \t");
	if (starts(s, "0x") && l->open)
		return name_line(l, s);
	return memstats_line(l->p, s);
}

static bool record(struct legacy *l)
{
	switch ((enum pprof_form)l->p->form) {
	case PPROF_LEGACY_HEAP:
		return heap_record(l);
	case PPROF_LEGACY_COUNT:
		return count_record(l);
	default:
		return contention_record(l);
	}
}

/* false: no line of such a profile. */
static struct err *one_line(struct legacy *l, char *s, bool *ret_ok)
{
	struct err *err;

	*ret_ok = true;
	s += strspn(s, " \t\r");
	s[strcspn(s, "\r")] = 0;
	l->at = s;
	if (!*s)
		return NULL;
	if (*s == '#')
		return comment(l, s);
	if (l->in_head && head_line(l))
		return NULL;
	l->in_head = false;
	err = close_record(l);
	if (err)
		return err;
	l->at = s;
	l->addresses.n = l->names.n = 0;
	*ret_ok = record(l);
	l->open = *ret_ok;
	return l->p->priv->bad ? &err_nomem : NULL;
}

/* What C++ writes behind the records, and more dumps in one file. */
static bool is_end(const char *s)
{
	return strstr(s, "MAPPED_LIBRARIES:") || starts(s, "--- ");
}

static struct err *read_lines(struct input *in, struct legacy *l)
{
	struct pprof *p = l->p;
	uint64_t bad_line = 0;
	const char *line;
	bool cut = false;
	size_t n;
	struct err *err;

	for (;;) {
		_cleanup_(freep) char *s = NULL;
		bool ok;

		err = input_line(in, LINE_MAX_BYTES, &line, &n);
		if (err || !line)
			break;
		l->lines++;
		if (bad_line) /* the last one may be cut */
			return err_bad_data("%.200s: line %" PRIu64 " is none of such a profile",
					    p->name, bad_line);
		if (is_end(line))
			break;
		cut = !input_line_ended(in);
		if (cut) /* of an address, a count or a line's number any part looks like one */
			continue;
		s = strndup(line, n);
		if (!s)
			return &err_nomem;
		err = one_line(l, s, &ok);
		if (err)
			return err;
		if (!ok)
			bad_line = l->lines;
	}
	if (!err)
		err = close_record(l);
	p->damage = input_damage(in) ? input_damage(in) : bad_line || cut ? "cut short" : NULL;
	return err;
}

struct err *pprof_read_legacy(struct input *in, struct pprof *p)
{
	_cleanup_(legacy_deinit) struct legacy l = { .p = p, .mapping = PPROF_NONE };
	const char *line;
	size_t n;
	struct err *err = input_line(in, LINE_MAX_BYTES, &line, &n);

	l.at = line ? line : "";
	l.lines = 1;
	if (err)
		return err;
	if (!begin_heap(&l) && (l.at = line ? line : "", !begin_count(&l)) && !begin_contention(&l))
		return err_bad_data("%.200s: no profile as text: its first line is none", p->name);
	err = read_lines(in, &l);
	return err ? err : pprof_made(p);
}
