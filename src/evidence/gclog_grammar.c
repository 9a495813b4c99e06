/*
 * gclog_grammar.c - one line of gctrace: its pieces, and what they mean.
 *
 * Source: runtime/mgc.go, gcMarkTermination; each argument of print() is a write of its own
 * (runtime/print.go, gwrite).  Up to Go 1.17 stacks and globals were not there; since 1.26
 * "(checking for goroutine leaks)" may be.
 */
#include "evidence/gclog_priv.h"

enum {
	F_N,
	F_AT,
	F_UTIL,
	F_CLOCK,	     /* 3 */
	F_CPU = F_CLOCK + 3, /* 5 */
	F_HEAP = F_CPU + 5,  /* 3 */
	F_GOAL = F_HEAP + 3,
	F_STACKS,
	F_GLOBALS,
	F_PROCS,
};

#define T(s)                                                                                       \
	{                                                                                          \
		s, 0, GCLOG_TEXT                                                                   \
	}
#define M(s)                                                                                       \
	{                                                                                          \
		s, 0, GCLOG_MAYBE                                                                  \
	}
#define WHOLE(f)                                                                                   \
	{                                                                                          \
		NULL, f, GCLOG_WHOLE                                                               \
	}
#define DEC(f)                                                                                     \
	{                                                                                          \
		NULL, f, GCLOG_DECIMAL                                                             \
	}

const struct gclog_step gclog_steps[GCLOG_STEPS] = {
	T("gc "),
	WHOLE(F_N),
	T(" @"),
	DEC(F_AT),
	T("s "),
	WHOLE(F_UTIL),
	T("%"),
	M(" (checking for goroutine leaks)"),
	T(": "),
	DEC(F_CLOCK),
	T("+"),
	DEC(F_CLOCK + 1),
	T("+"),
	DEC(F_CLOCK + 2),
	T(" ms clock, "),
	DEC(F_CPU),
	T("+"),
	DEC(F_CPU + 1),
	T("/"),
	DEC(F_CPU + 2),
	T("/"),
	DEC(F_CPU + 3),
	T("+"),
	DEC(F_CPU + 4),
	T(" ms cpu, "),
	WHOLE(F_HEAP),
	T("->"),
	WHOLE(F_HEAP + 1),
	T("->"),
	WHOLE(F_HEAP + 2),
	T(" MB, "),
	WHOLE(F_GOAL),
	T(" MB goal, "),
	{ NULL, F_STACKS, GCLOG_STACKS },
	T(" MB stacks, "),
	WHOLE(F_GLOBALS),
	T(" MB globals, "),
	WHOLE(F_PROCS),
	T(" P"),
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits only; more than fit: as many as can be. */
static size_t whole_at(const char *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < n && i < 20 && digit(p[i]); i++)
		v = v > UINT64_MAX / 10 - 1 ? UINT64_MAX / 10 : v * 10 + (uint64_t)(p[i] - '0');
	*ret = v;
	return i;
}

/* "12", "0.012": in thousandths. */
static size_t decimal_at(const char *p, size_t n, uint64_t *ret)
{
	uint64_t v, part = 0, unit = 1000;
	size_t i = whole_at(p, n, &v), from;

	if (!i)
		return 0;
	if (i + 1 < n && p[i] == '.' && digit(p[i + 1])) {
		from = ++i;
		for (; i < n && i < from + 3 && digit(p[i]); i++) {
			unit /= 10;
			part += (uint64_t)(p[i] - '0') * unit;
		}
	}
	*ret = v > UINT64_MAX / 1001 ? UINT64_MAX / 1001 * 1000 : v * 1000 + part;
	return i;
}

static size_t text_at(const char *text, const char *p, size_t n)
{
	size_t len = strlen(text);

	return len <= n && !memcmp(p, text, len) ? len : 0;
}

size_t gclog_step_at(unsigned i, const char *p, size_t n, size_t max, struct gclog_fields *f)
{
	const struct gclog_step *s = &gclog_steps[i];
	size_t k;

	if (s->text) {
		k = text_at(s->text, p, n);
		if (k && s->form == GCLOG_MAYBE)
			f->leaks = true;
		return k;
	}
	n = MIN(n, max);
	return s->form == GCLOG_DECIMAL ? decimal_at(p, n, &f->v[s->field])
					: whole_at(p, n, &f->v[s->field]);
}

static size_t forced_at(const char *p, size_t n, struct gclog_fields *f)
{
	size_t k = text_at(" (forced)", p, n);

	f->forced = k != 0;
	return k;
}

size_t gclog_whole(const char *p, size_t n, struct gclog_fields *f)
{
	size_t at = 0, k;

	*f = (struct gclog_fields){ 0 };
	for (unsigned i = 0; i < GCLOG_STEPS; i++) {
		k = gclog_step_at(i, p + at, n - at, SIZE_MAX, f);
		if (!k && gclog_steps[i].form != GCLOG_MAYBE)
			return 0;
		at += k;
		if (gclog_steps[i].form == GCLOG_STACKS && text_at(" P", p + at, n - at)) {
			f->v[F_PROCS] = f->v[F_STACKS];
			f->old = true;
			at += 2;
			break;
		}
	}
	return at + forced_at(p + at, n - at, f);
}

static uint64_t us(uint64_t thousandths_of_ms)
{
	return MIN(thousandths_of_ms, UINT64_MAX / 1000000) * 1000;
}

bool gclog_cycle_of(const struct gclog_fields *f, struct gclog_cycle *ret)
{
	const uint64_t *v = f->v;

	/* memstats.numgc is 32 bits wide; 1 << 30 MiB are a PiB */
	if (!v[F_N] || v[F_N] > UINT32_MAX || v[F_UTIL] > 100 || !v[F_PROCS] ||
	    v[F_PROCS] > 1U << 20 || v[F_HEAP] > v[F_HEAP + 1] || v[F_HEAP + 2] > 1U << 30 ||
	    v[F_HEAP + 1] > 1U << 30 || v[F_HEAP + 2] > v[F_HEAP + 1] + 1 ||
	    v[F_AT] > UINT64_MAX / 1000000)
		return false;
	*ret = (struct gclog_cycle){
		.n = v[F_N],
		.at_ns = v[F_AT] * 1000000,
		.util = (uint16_t)v[F_UTIL],
		.stop_ns = us(v[F_CLOCK]),
		.mark_ns = us(v[F_CLOCK + 1]),
		.stop2_ns = us(v[F_CLOCK + 2]),
		.cpu_stop_ns = us(v[F_CPU]),
		.cpu_assist_ns = us(v[F_CPU + 1]),
		.cpu_mark_ns = us(v[F_CPU + 2]),
		.cpu_idle_ns = us(v[F_CPU + 3]),
		.cpu_stop2_ns = us(v[F_CPU + 4]),
		.heap0 = v[F_HEAP],
		.heap1 = v[F_HEAP + 1],
		.heap2 = v[F_HEAP + 2],
		/* GOGC=off: ^uint64(0) >> 20 */
		.goal = v[F_GOAL] > 1ULL << 40 ? GCLOG_NONE : v[F_GOAL],
		.stacks = f->old ? GCLOG_NONE : v[F_STACKS],
		.globals = f->old ? GCLOG_NONE : v[F_GLOBALS],
		.procs = (uint32_t)v[F_PROCS],
		.flags = (uint16_t)((f->forced ? GCLOG_FORCED : 0) | (f->leaks ? GCLOG_LEAKS : 0)),
	};
	return true;
}
