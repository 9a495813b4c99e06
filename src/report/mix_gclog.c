/*
 * mix_gclog.c - what a log of the collector says beside other evidence.
 *
 * It knows how much is live and how that goes on, and neither types nor holders: it supports or
 * weakens what is about memory as a whole.  Sizes in it are whole MiB.
 */
#include "report/mix.h"

#include "evidence/gclog.h"

#include <inttypes.h>
#include <math.h>

#define MIB	    1048576.0
#define KIND_GROWTH "heap-growth"

static bool is_growth(uint8_t v)
{
	return v == GCLOG_LEAK || v == GCLOG_GROWS || v == GCLOG_STEADY || v == GCLOG_WARMING ||
	       v == GCLOG_LITTLE;
}

/* Its verdict on growth, or on the collector itself; NULL: none. */
static const struct gclog_says *says_of(const struct gclog_stream *s, bool growth)
{
	if (is_growth(s->says.verdict) == growth)
		return &s->says;
	for (size_t i = 0; i < s->also.n; i++)
		if (is_growth(s->also.v[i].verdict) == growth)
			return &s->also.v[i];
	return NULL;
}

static const char *sure(struct keep *k, const struct gclog_says *x)
{
	return x->sure ? keepf(k, ", %u %% sure", x->sure / 10) : "";
}

static const char *rate(struct keep *k, const struct gclog_stream *s)
{
	const struct gclog_slope *p = s->st.by_hour ? &s->st.per_hour : &s->st.per_cycle;

	if (p->n < 3 || !isfinite(p->slope))
		return "";
	return keepf(k, ", %s%s %s", p->slope < 0 ? "" : "+", mix_bytes(k, p->slope),
		     s->st.by_hour ? "an hour" : "a collection");
}

/* "live heap 4 MiB, then 52 MiB, +1.2 MiB an hour, in 120 collections and 14 minutes (leak, 89 %
 * sure)" */
static const char *course(struct keep *k, const struct gclog_stream *s, const struct gclog_says *x)
{
	return keepf(k,
		     "live heap %" PRIu64 " MiB first, %" PRIu64
		     " MiB last%s, in %s collections and %s (verdict %s%s)",
		     s->st.live_first, s->st.live_last, rate(k, s), mix_count(k, s->st.cycles),
		     mix_ns(k, s->st.to_ns - MIN(s->st.from_ns, s->st.to_ns)),
		     gclog_verdict_word(x->verdict), sure(k, x));
}

/* Younger than what the log covers: it is of an earlier process. */
static const char *same(const struct mixing *m, const struct gclog_stream *s, const char **why)
{
	uint64_t age = m->h.started_unix_ns && m->h.at_unix_ns > m->h.started_unix_ns
			       ? m->h.at_unix_ns - m->h.started_unix_ns
			       : 0;

	*why = m->h.kind ? "a log of the collector names no program" : "";
	if (!age)
		return "unknown";
	if (s->st.to_ns > age + 600000000000ULL) {
		*why = keepf(m->k, "it covers %s, and the process of the look ran for %s",
			     mix_ns(m->k, s->st.to_ns), mix_ns(m->k, age));
		return "no";
	}
	return "unknown";
}

static bool has(const struct mixing *m, bool (*is)(const struct ans_finding *f))
{
	for (size_t i = 0; i < m->r->findings.rows.n; i++)
		if (is(&m->r->findings.rows.v[i]))
			return true;
	return false;
}

/* Somebody knows of it: it explains what it explains all the same. */
static bool was_left_out(const struct mixing *m)
{
	for (size_t i = 0; i < m->r->findings.ignored.n; i++) {
		const struct ans_ignored *x = &m->r->findings.ignored.v[i];

		if (x->bytes && (!strcmp(x->verdict, "leak") || !strcmp(x->verdict, "suspect")))
			return true;
	}
	return false;
}

static bool is_tuning(const struct ans_finding *f)
{
	return !strcmp(f->kind, "gc-tuning");
}

static struct err *find_growth(struct mixing *m, const struct join_file *f,
			       const struct gclog_stream *s, const struct gclog_says *x)
{
	struct ans_finding to = mix_finding;
	uint64_t grown = s->st.live_last - MIN(s->st.live_first, s->st.live_last);

	if (x->verdict != GCLOG_LEAK && x->verdict != GCLOG_GROWS)
		return NULL;
	if (has(m, mix_is_memory) || was_left_out(m))
		return NULL; /* these are what grows: it speaks of them */
	to.kind = KIND_GROWTH;
	to.verdict = "suspect"; /* a log names nothing that leaks */
	to.proof = "measured";
	to.bytes = grown << 20;
	to.unmeasured = false;
	to.title = keepf(m->k, "the live heap grew by %" PRIu64 " MiB in %s and did not come back",
			 grown, mix_ns(m->k, s->st.to_ns - MIN(s->st.from_ns, s->st.to_ns)));
	if (s->st.by_hour && isfinite(s->st.per_hour.slope) && fabs(s->st.per_hour.slope) < 9e18)
		to.per_hour = (int64_t)s->st.per_hour.slope;
	to.detail = x->why;
	to.decide = x->fix;
	to.fix = m->h.kind
			 ? "the look names nothing that would explain it: compare two looks with "
			   "load between them (--since)"
			 : "a look names who holds it: limpet report PID, with these files behind "
			   "it";
	to.signature = mix_sign(m->k, to.kind, s->key);
	return mix_push(m, &to, f, course(m->k, s, x));
}

static struct err *find_tuning(struct mixing *m, const struct join_file *f,
			       const struct gclog_says *x)
{
	struct ans_finding to = mix_finding;

	if (has(m, is_tuning))
		return NULL;
	to.kind = "gc-tuning";
	to.verdict = "waste";
	to.proof = "measured";
	to.title = keepf(m->k, "the collector's log says %s%s", gclog_verdict_word(x->verdict),
			 sure(m->k, x));
	to.detail = x->why;
	to.fix = x->fix;
	to.signature = mix_sign(m->k, to.kind, gclog_verdict_word(x->verdict));
	return mix_push(m, &to, f, x->why);
}

struct err *mix_find_gclog(struct mixing *m, const struct join_file *f)
{
	const struct gclog_stream *s = gclog_main(f->gclog);
	const struct gclog_says *x = s ? says_of(s, true) : NULL;
	struct err *err = x ? find_growth(m, f, s, x) : NULL;

	x = s ? says_of(s, false) : NULL;
	return err || !x ? err : find_tuning(m, f, x);
}

/* Growth of fewer bytes is below what a log of whole MiB shows. */
static double seen_from(const struct gclog_stream *s)
{
	return MAX(4 * MIB, 0.05 * (double)s->st.live_last * MIB);
}

static struct err *say_growth(struct mixing *m, const struct join_file *file,
			      const struct gclog_stream *s, const struct gclog_says *x,
			      struct ans_finding *f)
{
	const char *line = course(m->k, s, x);
	double bytes = (double)f->bytes; /* stacks are not of the heap */
	double grown = MIB * ((double)s->st.live_last - (double)s->st.live_first);

	if (!mix_is_memory(f))
		return NULL;
	if (x->verdict == GCLOG_LITTLE)
		return join_say(f, file->name, "nothing",
				keepf(m->k, "%s: too short to say", line));
	if (x->verdict == GCLOG_LEAK || x->verdict == GCLOG_GROWS)
		return join_say(f, file->name, bytes >= grown / 10 ? "yes" : "nothing",
				bytes >= grown / 10
					? line
					: keepf(m->k, "%s: of that growth these %s are little",
						line, mix_bytes(m->k, bytes)));
	if (bytes < seen_from(s))
		return join_say(f, file->name, "nothing",
				keepf(m->k, "%s: so few bytes would not be seen in it", line));
	if (!strcmp(f->proof, "proved"))
		return join_say(f, file->name, "no",
				keepf(m->k,
				      "%s: it did not grow while that was written; what is proved "
				      "stays proved",
				      line));
	return join_say(f, file->name, "no",
			keepf(m->k, "%s: %s are held, and did not grow while that was written",
			      line, mix_bytes(m->k, bytes)));
}

static struct err *say_tuning(const struct join_file *file, const struct gclog_says *x,
			      struct ans_finding *f)
{
	if (!is_tuning(f))
		return NULL;
	if (x)
		return join_say(f, file->name, "yes", x->why);
	return join_say(f, file->name, "no", "the log shows no trouble of the collector itself");
}

struct err *mix_say_gclog(struct mixing *m, const struct join_file *f, struct ans_beside *to)
{
	const struct gclog_stream *s = gclog_main(f->gclog);
	const struct gclog_says *x = s ? says_of(s, true) : NULL, *y = s ? says_of(s, false) : NULL;
	struct ans_findings *all = &m->r->findings;
	struct err *err = NULL;

	to->kind = "gclog";
	to->damage = f->gclog->damage;
	if (!s)
		return NULL;
	to->what = x ? course(m->k, s, x)
		     : keepf(m->k, "%s collections", mix_count(m->k, s->st.cycles));
	if (y)
		to->what = keepf(m->k, "%s; %s%s", to->what, gclog_verdict_word(y->verdict),
				 sure(m->k, y));
	if (f->gclog->streams.n > 1)
		to->what =
			keepf(m->k, "%s; %zu processes in it, this is of the one that matters most",
			      to->what, f->gclog->streams.n);
	to->same = same(m, s, &to->why);
	for (size_t i = 0; i < all->rows.n && !err && strcmp(to->same, "no") != 0; i++) {
		struct ans_finding *one = &all->rows.v[i];

		if (mix_is_own(one, f))
			continue;
		if (x)
			err = say_growth(m, f, s, x, one);
		if (!err)
			err = say_tuning(f, y, one);
	}
	return err;
}
