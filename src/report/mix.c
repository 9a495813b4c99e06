/*
 * mix.c - the order in which pieces of evidence speak, and what they share.
 *
 * Knows no format.  Whether two pieces are of one program is told by names of its own functions:
 * evidence seldom names the build.  Cost: each piece's own, and findings times pieces.
 */
#include "report/mix.h"

#include "report/agg_finding.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <xxhash.h>

#include "evidence/escape.h"
#include "evidence/lint.h"

/* Seen by so many names, a program is taken to be the same. */
enum { NAMES_MAX = 4096, NAMES_SURE = 3, MAIN_BYTES = 1024 };

const struct ans_finding mix_finding = { .type = "",
					 .holder_text = "",
					 .site_text = "",
					 .fix = "",
					 .mitigate = "",
					 .decide = "",
					 .confirm = "",
					 .detail = "",
					 .known = "",
					 .owner_bytes = ANS_UNKNOWN,
					 .unmeasured = true,
					 .per_gc = INT64_MIN,
					 .per_hour = INT64_MIN };

void ans_mix_free(struct ans_mix *a)
{
	if (!a)
		return;
	vec_free(&a->beside);
	vec_free(&a->missing);
	free(a);
}

bool mix_is_leaky(const struct ans_finding *f)
{
	return !strcmp(f->verdict, "leak") || !strcmp(f->verdict, "suspect");
}

bool mix_is_memory(const struct ans_finding *f)
{
	return mix_is_leaky(f) && f->bytes + f->stack_bytes && strcmp(f->kind, "gc-tuning") != 0;
}

bool mix_is_own(const struct ans_finding *f, const struct join_file *from)
{
	return f->evidence.n && f->evidence.v[0].from == from->name;
}

static unsigned verdict_of(const char *word)
{
	static const char *const words[] = { "leak", "suspect", "waste", "info" };
	unsigned i = 0;

	while (i + 1 < ARRAY_LEN(words) && strcmp(words[i], word) != 0)
		i++;
	return i;
}

static unsigned proof_of(const char *word)
{
	return !strcmp(word, "proved") ? 0 : !strcmp(word, "measured") ? 1 : 2;
}

struct err *mix_push(struct mixing *m, struct ans_finding *f, const struct join_file *from,
		     const char *says)
{
	struct ans_findings *to = &m->r->findings;
	unsigned verdict = verdict_of(f->verdict);
	struct err *err = join_say(f, from->name, "yes", says);
	struct ans_ignored z;

	if (!err && finding_is_ignored(m->a, m->ask, f, &z)) {
		ans_finding_deinit(f);
		return vec_push(&to->ignored, z) ? NULL : &err_nomem;
	}
	if (!err && m->ask->source)
		err = finding_source(m->a, m->ask->source, f);
	if (!err && !vec_push(&to->rows, *f))
		err = &err_nomem;
	if (err) {
		ans_finding_deinit(f);
		return err;
	}
	to->total++;
	to->counts[verdict][proof_of(f->proof)]++;
	if (!verdict && !to->first_leak) {
		to->first_leak = f->kind;
		to->first_leak_bytes = f->bytes;
	}
	return NULL;
}

const char *mix_bytes(struct keep *k, double n)
{
	char buf[16];

	if (!(fabs(n) < 9e18))
		return "?";
	return keepf(k, "%s%s", n < 0 ? "-" : "", str_bytes(buf, (uint64_t)llround(fabs(n))));
}

const char *mix_count(struct keep *k, uint64_t n)
{
	char buf[32];

	return keepf(k, "%s", text_count(buf, n));
}

const char *mix_ns(struct keep *k, uint64_t ns)
{
	char buf[32];

	return keepf(k, "%s", text_ns(buf, ns));
}

const char *mix_sign(struct keep *k, const char *kind, const char *key)
{
	XXH64_hash_t h = XXH64(kind, strlen(kind) + 1, 0);

	return keepf(k, "%016" PRIx64, (uint64_t)XXH64(key, strlen(key), h));
}

const char *mix_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool mix_is_own_name(const struct mixing *m, const char *function)
{
	size_t n = m->h.module ? strlen(m->h.module) : 0;

	if (!strcmp(function, "main.main") || !strncmp(function, "main.init", 9))
		return false; /* every program has them */
	if (!strncmp(function, "main.", 5))
		return true;
	return n && !strncmp(function, m->h.module, n) &&
	       (function[n] == '.' || function[n] == '/');
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once. */
static void settle(struct mixing *m)
{
	size_t n = 0;

	if (m->names.n)
		qsort(m->names.v, m->names.n, sizeof(m->names.v[0]), by_text);
	for (size_t i = 0; i < m->names.n; i++)
		if (!n || strcmp(m->names.v[n - 1], m->names.v[i]) != 0)
			m->names.v[n++] = m->names.v[i];
	m->names.n = n;
}

/* "main.main /b/main.go:30"; "": another function, or a file that many have. */
static const char *main_line(const struct ans_frame *f, char *buf, size_t room)
{
	*buf = 0;
	if (f->function && f->file && !strcmp(f->function, "main.main") && f->line > 0 &&
	    strncmp(f->file, "command-line-arguments/", 23) != 0) /* go run -trimpath x.go */
		snprintf(buf, room, "main.main %s:%d", f->file, f->line);
	return buf;
}

static bool note_name(struct mixing *m, const char *function)
{
	if (!function || !mix_is_own_name(m, function) || m->names.n >= NAMES_MAX * 16)
		return true;
	return vec_push(&m->names, function);
}

static bool note_frame(struct mixing *m, const struct ans_frame *f)
{
	char line[MAIN_BYTES];

	if (*main_line(f, line, sizeof(line)) && m->names.n < NAMES_MAX * 16 &&
	    !vec_push(&m->names, keepf(m->k, "%s", line)))
		return false;
	return note_name(m, f->function);
}

/* Functions that stand on its goroutines' stacks, or allocated. */
static struct err *names_of_look(struct mixing *m)
{
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines gs = { 0 };
	struct goroutines_ask q = { .by = GROUP_NONE, .limit = SIZE_MAX };
	struct err *err = agg_goroutines(m->a, &q, &gs);
	bool ok = true;

	if (err && err->code != ERR_NOMEM) { /* evidence without goroutines */
		err_free(err);
		err = NULL;
	}
	for (size_t i = 0; i < gs.frames.n && !err; i++)
		ok = ok && note_frame(m, &gs.frames.v[i]);
	for (size_t i = 0; i < gs.gs.n && !err; i++)
		ok = ok && note_name(m, gs.gs.v[i].function) && note_name(m, gs.gs.v[i].creator);
	for (size_t i = 0; i < m->s->frames.n && !err; i++)
		ok = ok && note_frame(m, &m->s->frames.v[i]);
	settle(m);
	return err ? err : ok ? NULL : &err_nomem;
}

static bool knows(const struct mixing *m, const char *name)
{
	return m->names.n && bsearch(&name, m->names.v, m->names.n, sizeof(name), by_text);
}

/* Without a look the first piece that has some is what the others are compared with. */
static bool is_first(struct mixing *m, const char *const *names, size_t n, size_t own)
{
	if (m->names.n || !own || m->h.kind)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!note_name(m, names[i]))
			break;
	settle(m);
	return true;
}

void mix_same(struct mixing *m, const char *const *names, size_t n, struct mix_kin *ret)
{
	size_t own = 0, hits = 0;

	for (size_t i = 0; i < n && own < NAMES_MAX; i++) {
		if (!mix_is_own_name(m, names[i]))
			continue;
		own++;
		hits += knows(m, names[i]);
	}
	*ret = (struct mix_kin){ "unknown", "", true };
	if (is_first(m, names, n, own))
		return;
	if (!own || !m->names.n) {
		ret->why = "no function of the program itself is named in it";
		ret->decides = !m->h.kind;
		return;
	}
	ret->why = keepf(m->k, "%zu of %zu functions of the program that it names are in %s", hits,
			 own, m->h.kind ? "the look" : "the first piece");
	if (hits && (hits * 2 >= own || hits >= NAMES_SURE))
		ret->same = "yes";
	else if (!hits && own >= NAMES_SURE)
		ret->same = "no";
	ret->decides = !strcmp(ret->same, "yes");
}

void mix_same_main(const struct mixing *m, const struct ans_frame *f, struct mix_kin *ret)
{
	char line[MAIN_BYTES];

	if (!ret->decides && strcmp(ret->same, "no") != 0 && *main_line(f, line, sizeof(line)) &&
	    knows(m, line))
		*ret = (struct mix_kin){ "yes", "its main.main is on a line of the look's", true };
}

const struct mix_kin *mix_kin_of(const struct mixing *m, const struct join_file *f)
{
	return &m->kin[f - m->ask->joins];
}

struct err *mix_say(const struct mixing *m, const struct join_file *from, struct ans_finding *f,
		    const char *supports, const char *says)
{
	if (mix_kin_of(m, from)->decides)
		return join_say(f, from->name, supports, says);
	return join_say(f, from->name, "nothing",
			keepf(m->k, "%s; whether it is of the same program is not known", says));
}

static struct err *compare_all(struct mixing *m)
{
	struct err *err = NULL;

	m->kin = zalloc(m->ask->njoins, sizeof(*m->kin));
	if (!m->kin)
		return &err_nomem;
	for (size_t i = 0; i < m->ask->njoins && !err; i++) {
		const struct join_file *f = &m->ask->joins[i];

		m->kin[i] = (struct mix_kin){ "unknown", "", true };
		if (f->gotext)
			err = mix_same_gotext(m, f, &m->kin[i]);
		else if (f->pprof)
			mix_same_profile(m, f, &m->kin[i]);
	}
	return err;
}

static void beside_escape(struct mixing *m, const struct join_file *f, struct ans_beside *to)
{
	const struct escape *e = f->escape;
	size_t n = m->h.module ? strlen(m->h.module) : 0;

	to->kind = "escape";
	to->damage = e->damage;
	to->what = keepf(m->k, "%zu places where something escapes or leaks, in %u packages",
			 e->rows.n, e->packages);
	for (size_t i = 0; i < e->rows.n && n; i++) {
		const char *p = escape_text(e, e->rows.v[i].package);

		if (strncmp(p, m->h.module, n) != 0 || (p[n] && p[n] != '/'))
			continue;
		to->same = "yes";
		to->why = "it has the packages of the program's module";
		return;
	}
}

static void beside_lint(struct mixing *m, const struct join_file *f, struct ans_beside *to)
{
	to->kind = "lint";
	to->damage = f->lint->damage;
	to->what = keepf(m->k, "%zu warnings, %" PRIu64 " of them about what stays",
			 f->lint->rows.n, f->lint->about_leaks);
}

static struct err *speak(struct mixing *m, const struct join_file *f, struct mix_profiles *x)
{
	const struct mix_kin *kin = mix_kin_of(m, f);
	struct ans_beside to = { .file = f->name, .same = kin->same, .why = kin->why, .what = "" };
	struct err *err = NULL;

	if (f->note) {
		to.kind = f->note_kind;
		to.what = f->note;
	}
	if (f->gclog)
		err = mix_say_gclog(m, f, &to);
	else if (f->gotext)
		err = mix_say_gotext(m, f, &to);
	else if (f->escape)
		beside_escape(m, f, &to);
	else if (f->lint)
		beside_lint(m, f, &to);
	for (size_t i = 0; i < x->v.n && f->pprof && !err; i++)
		if (x->v.v[i].f == f)
			err = mix_beside_profile(m, &x->v.v[i], &to);
	if (err)
		return err;
	return vec_push(&m->to->beside, to) ? NULL : &err_nomem;
}

static struct err *find_all(struct mixing *m, const struct mix_profiles *x)
{
	const struct report_ask *ask = m->ask;
	struct err *err = NULL;

	for (size_t i = 0; i < ask->njoins && !err; i++)
		if (ask->joins[i].gotext)
			err = mix_find_gotext(m, &ask->joins[i]);
	if (!err)
		err = mix_find_profiles(m, x);
	for (size_t i = 0; i < ask->njoins && !err; i++)
		if (ask->joins[i].gclog)
			err = mix_find_gclog(m, &ask->joins[i]);
	return err;
}

static int by_verdict(const void *a, const void *b)
{
	const struct ans_finding *x = a, *y = b;
	unsigned p = verdict_of(x->verdict), q = verdict_of(y->verdict);

	if (p != q)
		return p < q ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->count > y->count ? -1 : x->count < y->count;
}

static struct err *all(struct mixing *m)
{
	_cleanup_(mix_profiles_deinit) struct mix_profiles x = { 0 };
	struct ans_findings *f = &m->r->findings;
	struct err *err = NULL;

	if (m->h.kind)
		err = names_of_look(m);
	if (!err)
		err = compare_all(m);
	if (!err)
		err = mix_profiles_make(m, &x);
	if (!err)
		err = find_all(m, &x);
	if (!err && !m->looked && f->rows.n)
		qsort(f->rows.v, f->rows.n, sizeof(f->rows.v[0]), by_verdict);
	for (size_t i = 0; i < m->ask->njoins && !err; i++)
		err = speak(m, &m->ask->joins[i], &x);
	if (!err)
		err = mix_say_profiles(m, &x);
	return err ? err : mix_missing(m);
}

struct err *mix_all(struct agg *a, const struct report_ask *ask, const struct join_sites *s,
		    struct ans_report *r)
{
	struct mixing m = {
		.a = a, .k = &a->keep, .ask = ask, .s = s, .r = r, .looked = r->findings.rows.n
	};
	struct err *err;

	r->mix = zalloc(1, sizeof(*r->mix));
	if (!r->mix)
		return &err_nomem;
	m.to = r->mix;
	err = a->s || a->asked ? agg_head(a, &m.h) : NULL;
	if (!err)
		err = all(&m);
	ans_head_deinit(&m.h);
	vec_free(&m.names);
	free(m.kin);
	return err;
}
