/*
 * gclog_stream.c - which process a cycle is of.
 *
 * A process numbers its cycles 1, 2, 3 …, its time only grows, its heap begins where the cycle
 * before left it, and its goal follows from what was live then.  What a collector of logs writes
 * before a line (container, pod, unit with pid) tells streams apart where it does.  A cycle goes to
 * the stream that it fits best, or begins a new one.  One that was put together from pieces may
 * have digits of another in its numbers: it waits until a whole one fits behind it, and what fits
 * nowhere is no process of its own.
 * Cost: a cycle is held against the GCLOG_RECENT streams that spoke last.
 */
#include "evidence/gclog_priv.h"

#include <math.h>
#include <stdio.h>

enum { LEAST = 60, FOREIGN = 2000, GONE = 500 /* lines */ };

/* --- what stands before a line --- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_of_time(const char *p, size_t n)
{
	static const char words[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec "
				    "Mon Tue Wed Thu Fri Sat Sun UTC GMT CET ";
	char w[5] = { 0 };

	if (n == 1 && (*p == 'F' || *p == 'P')) /* CRI: full, partial */
		return true;
	if (n != 3)
		return false;
	memcpy(w, p, 3);
	w[3] = ' ';
	return strstr(words, w) != NULL;
}

/* Times and counters change from line to line; names of containers and pids do not. */
static bool tells(const char *p, size_t n)
{
	bool word = false, clock = false;

	for (size_t i = 0; i < n; i++) {
		word |= is_word(p[i]);
		clock |= i && i + 1 < n && p[i] == ':' && is_digit(p[i - 1]) && is_digit(p[i + 1]);
	}
	return word && !clock && !is_digit(p[0]) && !(p[0] == '[' && n > 1 && is_digit(p[1])) &&
	       !is_name_of_time(p, n);
}

/* Members of a JSON document that say whose line it is. */
static void json_key(const char *p, size_t n, char *key, size_t *len)
{
	static const char *const names[] = {
		"\"_PID\"",	     "\"pid\"",	    "\"container_id\"", "\"container_name\"",
		"\"pod_name\"",	     "\"pod\"",	    "\"_HOSTNAME\"",	"\"host\"",
		"\"_SYSTEMD_UNIT\"", "\"service\"", "\"container\"",	"\"instance\""
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *at = memmem(p, n, names[i], strlen(names[i]));
		size_t k;

		if (!at)
			continue;
		at += strlen(names[i]);
		at += strspn(at, ": \"");
		k = MIN(strcspn(at, "\",}"), (size_t)GCLOG_KEY - 2);
		if (*len + k + 2 > GCLOG_KEY)
			return;
		if (*len)
			key[(*len)++] = ' ';
		memcpy(key + *len, at, k);
		*len += k;
	}
}

static void word_key(const char *p, size_t n, char *key, size_t *len)
{
	for (size_t i = 0; i < n;) {
		size_t from;

		while (i < n && (p[i] == ' ' || p[i] == '\t'))
			i++;
		for (from = i; i < n && p[i] != ' ' && p[i] != '\t'; i++)
			;
		if (from == i || !tells(p + from, i - from))
			continue;
		if (*len + (i - from) + 2 > GCLOG_KEY)
			return;
		if (*len)
			key[(*len)++] = ' ';
		memcpy(key + *len, p + from, i - from);
		*len += i - from;
	}
}

/* p[n] is readable, and ends text. */
void gclog_key(const char *p, size_t n, char *key, uint64_t *ret_hash)
{
	uint64_t h = 14695981039346656037ULL;
	size_t len = 0, i = 0;

	memset(key, 0, GCLOG_KEY);
	n = MIN(n, (size_t)FOREIGN);
	while (i < n && p[i] == ' ')
		i++;
	if (i < n && p[i] == '{')
		json_key(p, n, key, &len);
	else
		word_key(p, n, key, &len);
	for (i = 0; i < len; i++)
		h = (h ^ (uint8_t)key[i]) * 1099511628211ULL;
	*ret_hash = len ? h : 0;
}

/* --- which stream --- */

/* MiB that the goal would be after s->last, if GOGC stays what it is. */
static double expected_goal(const struct gclog_stream *s)
{
	const struct gclog_cycle *c = &s->last;
	double scanned = (double)c->heap2;
	double k = 1;

	if (c->stacks != GCLOG_NONE)
		scanned += (double)(c->stacks + c->globals);
	if (s->cycles.n >= 2) {
		const struct gclog_cycle *b = &s->cycles.v[s->cycles.n - 2];
		double was = (double)b->heap2;

		if (b->stacks != GCLOG_NONE)
			was += (double)(b->stacks + b->globals);
		if (c->goal != GCLOG_NONE && was >= 4)
			k = ((double)c->goal - (double)b->heap2) / was;
	}
	return MAX((double)c->heap2 + k * scanned, 4);
}

static double ended_ns(const struct gclog_cycle *c)
{
	return (double)c->at_ns + (double)c->stop_ns + (double)c->mark_ns + (double)c->stop2_ns;
}

/*
 * How far c is off what the share of processor time, of all since the program began, would be if c
 * went on with l: percent.  The runtime's own sum (mgc.go, gc_cpu_fraction); both are cut off.
 */
static double share_off(const struct gclog_cycle *l, const struct gclog_cycle *c)
{
	double cpu = (double)c->cpu_stop_ns + (double)c->cpu_assist_ns + (double)c->cpu_mark_ns +
		     (double)c->cpu_stop2_ns;
	double before = (l->util + 0.5) / 100 * ended_ns(l) * l->procs;
	double want = 100 * (before + cpu) / MAX(ended_ns(c) * c->procs, 1);

	return MAX(fabs(want - c->util - 0.5) - 1, 0);
}

/*
 * Rounded: whole ms of a time, each part of it cut off.  One that was asked for may count from the
 * wish on, while l was going on.
 */
static bool comes_after(const struct gclog_cycle *l, const struct gclog_cycle *c)
{
	double from = c->flags & GCLOG_FORCED ? (double)l->at_ns : ended_ns(l);

	return c->n > l->n && (double)c->at_ns + 4e6 >= from * 0.999;
}

/* Of the stream's waiting ones those that would lie between. */
static unsigned between(const struct gclog_stream *s, const struct gclog_cycle *c)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->nwait; i++)
		n += s->wait[i].n > s->last.n && s->wait[i].n < c->n;
	return n;
}

/* Where some are missing in between: what changes slowly. */
static double alike(const struct gclog_cycle *l, const struct gclog_cycle *c)
{
	double a = (double)l->goal, b = (double)c->goal;
	double score = (l->flags & GCLOG_FORCED) == (c->flags & GCLOG_FORCED) ? 5 : 0;

	if (l->goal != GCLOG_NONE && c->goal != GCLOG_NONE)
		score += fabs(a - b) <= MAX(2, MAX(a, b) / 4) ? 15 : 0;
	return score + (abs((int)l->util - (int)c->util) <= 2 ? 10 : 0);
}

/* How well c, whole, goes on with s; < LEAST: it does not. */
static double fit(const struct gclog_stream *s, const struct gclog_cycle *c)
{
	const struct gclog_cycle *l = &s->last;
	double score = 100, want;
	unsigned waiting;

	if (!s->st.cycles) { /* nothing but pieces: the only figures to be believed are few */
		l = &s->wait[s->nwait - 1];
		return comes_after(l, c) ? 85 - 20 * log2((double)(c->n - l->n)) -
						   (c->procs == l->procs ? 0 : 8)
					 : 0;
	}
	if (!comes_after(l, c))
		return 0;
	waiting = between(s, c);
	score -= 20 * log2((double)MAX(c->n - l->n, waiting + 1ULL) - waiting);
	score += c->procs == l->procs ? 20 : -15;
	if (c->heap0 + 1 + l->procs / 8 >= l->heap2)
		score += 10;
	else /* one that is missing may have freed much */
		score -= c->n == l->n + 1 ? 40 : 15;
	if (c->n != l->n + 1)
		return score + alike(l, c);
	want = expected_goal(s);
	if (c->goal != GCLOG_NONE)
		score += fabs((double)c->goal - want) <= MAX(2, want / 10) ? 30 : -10;
	return score + 20 - 3 * MIN(share_off(l, c), 25);
}

/* How well c, put together from pieces, does: its numbers are to agree with what came before. */
static double fit_pieced(const struct gclog_stream *s, const struct gclog_cycle *c)
{
	const struct gclog_cycle *l = s->nwait ? &s->wait[s->nwait - 1] : &s->last;
	bool sure = !s->nwait && c->n == l->n + 1;
	double want = expected_goal(s);

	if (!comes_after(l, c) || c->n > l->n + 3 || c->procs != l->procs)
		return 0;
	if (c->heap0 + 1 + l->procs / 8 < l->heap2)
		return 0;
	if (sure && share_off(l, c) > 3)
		return 0;
	if (sure && c->goal != GCLOG_NONE && fabs((double)c->goal - want) > MAX(2, want / 4))
		return 0;
	return 130 - 20 * (double)(c->n - l->n) - (double)MIN(c->heap0 - MIN(l->heap2, c->heap0), 20ULL);
}

/* One is the other with more words behind it. */
static bool related(const char *x, const char *y)
{
	size_t n = MIN(strlen(x), strlen(y));

	return !strncmp(x, y, n) && (!n || (!x[n] && !y[n]) || x[n] == ' ' || y[n] == ' ');
}

/*
 * Another prefix is another process; but output of the program itself may stand before a line, too,
 * behind what a collector writes: then it must fit the better.
 */
static double fit_prefix(const struct gclog_stream *s, const struct gclog_cycle *c, const char *key,
			 uint64_t hash)
{
	bool pieced = c->flags & GCLOG_PIECED;
	double x = pieced ? fit_pieced(s, c) : fit(s, c);

	if (s->keyhash == hash)
		return x;
	/* before pieces stand others' words, as likely as not */
	return related(key, s->key) ? x - (pieced || !s->st.cycles ? 10 : 40) : 0;
}

/* Of those that are sure, or of those that are only pieces so far. */
static struct gclog_stream *best_of(const struct gclog *g, bool sure, const struct gclog_cycle *c,
				    const char *key, uint64_t hash)
{
	struct gclog_stream *best = NULL;
	double most = LEAST;

	for (size_t i = 0; i < g->nrecent && c->n > 1; i++) {
		double x;

		if ((g->recent[i]->st.cycles != 0) != sure)
			continue;
		x = fit_prefix(g->recent[i], c, key, hash);
		if (x > most) {
			most = x;
			best = g->recent[i];
		}
	}
	return best;
}

static struct gclog_stream *best_stream(struct gclog *g, const struct gclog_cycle *c,
					const char *key, uint64_t hash)
{
	struct gclog_stream *best = best_of(g, true, c, key, hash);

	if (!best)
		best = best_of(g, false, c, key, hash);
	if (best && strlen(key) < strlen(best->key)) {
		memcpy(best->key, key, GCLOG_KEY);
		best->keyhash = hash;
	}
	return best;
}

static void to_front(struct gclog *g, struct gclog_stream *s)
{
	size_t i = 0;

	while (i < g->nrecent && g->recent[i] != s)
		i++;
	if (i == g->nrecent && g->nrecent < GCLOG_RECENT)
		g->nrecent++;
	i = MIN(i, g->nrecent - 1);
	memmove(&g->recent[1], &g->recent[0], i * sizeof(g->recent[0]));
	g->recent[0] = s;
}

static struct err *new_stream(struct gclog *g, const char *key, uint64_t hash,
			      struct gclog_stream **ret)
{
	struct gclog_stream *s = zalloc(1, sizeof(*s));

	*ret = NULL;
	if (!s)
		return &err_nomem;
	memcpy(s->key, key, GCLOG_KEY);
	s->keyhash = hash;
	s->every = 1;
	if (!vec_push(&g->streams, s)) {
		free(s);
		return &err_nomem;
	}
	*ret = s;
	return NULL;
}

/* Every second of the longest one goes; not the newest. */
static void thin(struct gclog *g)
{
	struct gclog_stream *s = g->streams.v[0];
	size_t n = 0;

	for (size_t i = 1; i < g->streams.n; i++)
		if (g->streams.v[i]->cycles.n > s->cycles.n)
			s = g->streams.v[i];
	for (size_t i = 0; i < s->cycles.n; i += 2)
		s->cycles.v[n++] = s->cycles.v[i];
	g->kept -= s->cycles.n - n;
	s->cycles.n = n;
	s->every *= 2;
}

static void add_up(struct gclog_stream *s, const struct gclog_cycle *c)
{
	struct gclog_stats *t = &s->st;
	const struct gclog_cycle *l = &s->last;
	uint64_t pause = gclog_pause(c);

	if (!t->cycles++) {
		t->first_n = c->n;
		t->from_ns = c->at_ns;
		t->live_first = t->live_min = c->heap2;
		t->goal_max = c->goal;
	} else {
		t->missing += c->n - l->n - 1;
		if (c->heap0 > l->heap2)
			t->alloc_bytes += (double)(c->heap0 - l->heap2) * 1048576;
		else
			t->alloc_unseen++;
	}
	t->alloc_bytes += (double)(c->heap1 - c->heap0) * 1048576;
	t->forced += (c->flags & GCLOG_FORCED) != 0;
	t->periodic += (c->flags & GCLOG_PERIODIC) != 0;
	t->pieced += (c->flags & GCLOG_PIECED) != 0;
	t->last_n = c->n;
	t->to_ns = c->at_ns + c->stop_ns + c->mark_ns + c->stop2_ns;
	t->live_last = c->heap2;
	t->live_min = MIN(t->live_min, c->heap2);
	t->live_max = MAX(t->live_max, c->heap2);
	t->heap_max = MAX(t->heap_max, c->heap1);
	t->goal_last = c->goal;
	if (c->goal != GCLOG_NONE)
		t->goal_max = t->goal_max == GCLOG_NONE ? c->goal : MAX(t->goal_max, c->goal);
	t->pause_total_ns += pause;
	t->pause_max_ns = MAX(t->pause_max_ns, MAX(c->stop_ns, c->stop2_ns));
	t->mark_total_ns += c->mark_ns;
	t->mark_max_ns = MAX(t->mark_max_ns, c->mark_ns);
	t->cpu_stop_ns += c->cpu_stop_ns + c->cpu_stop2_ns;
	t->cpu_assist_ns += c->cpu_assist_ns;
	t->cpu_mark_ns += c->cpu_mark_ns;
	t->cpu_idle_ns += c->cpu_idle_ns;
	t->procs = c->procs;
	t->util_last = c->util;
}

static struct err *add(struct gclog *g, struct gclog_stream *s, const struct gclog_cycle *c)
{
	g->cycles++;
	add_up(s, c);
	s->last = *c;
	if (s->seen++ % s->every)
		return NULL;
	if (!vec_push(&s->cycles, *c))
		return &err_nomem;
	if (++g->kept >= GCLOG_CYCLES)
		thin(g);
	return NULL;
}

/* Those that wait and go in before c (NULL: there is no next) are added, the others given up. */
static struct err *flush(struct gclog *g, struct gclog_stream *s, const struct gclog_cycle *c)
{
	struct err *err = NULL;

	for (size_t i = 0; i < s->nwait && !err; i++) {
		const struct gclog_cycle *w = &s->wait[i];
		bool next = !s->st.cycles || w->n == s->last.n + 1;

		if ((s->st.cycles && !comes_after(&s->last, w)) ||
		    (c ? !comes_after(w, c) : !next || (w->flags & GCLOG_SPLIT)))
			g->broken++;
		else
			err = add(g, s, w);
	}
	s->nwait = 0;
	return err;
}

static struct err *wait_for_more(struct gclog *g, struct gclog_stream *s, const struct gclog_cycle *c)
{
	/* so many in a row, each of which fits the one before, are believed */
	struct err *err = s->nwait == GCLOG_WAIT ? flush(g, s, NULL) : NULL;

	s->wait[s->nwait++] = *c;
	return err;
}

/*
 * Digits of two lines mixed up make one that fits nowhere: nobody else goes on with it.  A log that
 * has nothing but pieces is believed.
 */
static bool is_lost(const struct gclog *g, const struct gclog_stream *s)
{
	if (s->st.cycles || !s->nwait)
		return false;
	if (s->wait[0].n == 1 && (s->nwait > 1 || !(s->wait[0].flags & GCLOG_SPLIT)))
		return false;
	return g->cycles || (s->nwait == 1 && (s->wait[0].flags & GCLOG_SPLIT));
}

static void give_up(struct gclog *g, struct gclog_stream *s)
{
	g->broken += s->nwait;
	s->nwait = 0;
}

/* One that was begun long ago, and that nothing whole went on with. */
static struct gclog_stream *lost_stream(struct gclog *g, uint64_t line)
{
	for (size_t i = 0; i < g->streams.n; i++) {
		struct gclog_stream *s = g->streams.v[i];

		if (is_lost(g, s) && s->wait[s->nwait - 1].line + GONE < line)
			return s;
	}
	return NULL;
}

static struct err *begin_stream(struct gclog *g, const struct gclog_cycle *c, const char *key,
				uint64_t hash, struct gclog_stream **ret)
{
	struct gclog_stream *s = c->flags & GCLOG_PIECED ? lost_stream(g, c->line) : NULL;

	*ret = NULL;
	if (s) {
		give_up(g, s);
		memcpy(s->key, key, GCLOG_KEY);
		s->keyhash = hash;
		*ret = s;
		return NULL;
	}
	if (g->streams.n >= GCLOG_STREAMS) {
		g->strangers++;
		g->cycles++;
		return NULL;
	}
	return new_stream(g, key, hash, ret);
}

struct err *gclog_assign(struct gclog *g, const struct gclog_found *f)
{
	bool json = f->nline && memchr(f->line, '{', MIN(f->nline, 8U));
	struct gclog_cycle c = f->c;
	char key[GCLOG_KEY];
	uint64_t hash;
	struct gclog_stream *s;
	struct err *err = NULL;

	gclog_key(json ? f->line : f->before, json ? f->nline : f->nbefore, key, &hash);
	s = best_stream(g, &f->c, key, hash);
	if (!s)
		err = begin_stream(g, &f->c, key, hash, &s);
	if (err || !s)
		return err;
	if (s->awaits_periodic)
		c.flags |= GCLOG_PERIODIC;
	s->awaits_periodic = false;
	to_front(g, s);
	if (c.flags & GCLOG_PIECED)
		return wait_for_more(g, s, &c);
	err = flush(g, s, &c);
	return err ? err : add(g, s, &c);
}

struct err *gclog_settle(struct gclog *g)
{
	struct err *err = NULL;
	size_t n = 0;

	for (size_t i = 0; i < g->streams.n; i++) {
		struct gclog_stream *s = g->streams.v[i];

		if (is_lost(g, s)) {
			give_up(g, s);
			free(s);
			continue;
		}
		g->streams.v[n++] = s;
		if (!err)
			err = flush(g, s, NULL);
	}
	g->streams.n = n;
	g->nrecent = 0; /* some are gone */
	return err;
}

struct gclog_stream *gclog_speaker(struct gclog *g, const char *line, size_t nline, size_t at)
{
	bool json = nline && memchr(line, '{', MIN(nline, 8U));
	char key[GCLOG_KEY];
	uint64_t hash;

	gclog_key(line, json ? nline : at, key, &hash);
	for (size_t i = 0; i < g->nrecent; i++)
		if (g->recent[i]->keyhash == hash)
			return g->recent[i];
	return NULL;
}
