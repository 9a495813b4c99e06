/*
 * pprof_pick.c - filters of samples and frames.
 *
 * Patterns are matched once against each function and mapping; what a location keeps of its lines
 * is decided once, in the order in which pprof does it: dropped frames, ignore, focus, hide, show,
 * show-from.  A sample then costs a walk over its stack.  12 bytes a location, 24 a line (only
 * where lines are filtered), a byte a function for each pattern.
 */
#include "evidence/pprof_pick.h"

#include "evidence/pattern.h"
#include "evidence/pprof_tag.h"

#include <stdio.h>

/* What a location is to its samples. */
enum {
	LOC_FOCUS = 1 << 0,
	LOC_IGNORE = 1 << 1,
	LOC_HIDDEN = 1 << 2,
	LOC_SHOW_FROM = 1 << 3,
	LOC_PRUNE = 1 << 4,	  /* it and all below */
	LOC_PRUNE_BELOW = 1 << 5, /* all below it */
};

enum verdict { UNKNOWN, NO, YES };

/* A pattern and what it said of each name. */
struct rule {
	struct pattern *p;
	uint8_t *function, *mapping; /* enum verdict */
};

struct pprof_pick {
	const struct pprof *p;
	struct rule focus, ignore, hide, show, show_from;
	struct pprof_tag *tag_focus, *tag_ignore;
	enum pprof_inlines inlines;
	uint8_t *flags;		  /* by location */
	struct pprof_line *lines; /* a copy; NULL: p's own */
	uint32_t *nlines;	  /* by location, where lines are copied */
	VEC(uint32_t) frames;
	bool names; /* a filter by name is there */
	bool bad;
	unsigned asked, matched;
};

static void rule_deinit(struct rule *r)
{
	pattern_free(r->p);
	free(r->function);
	free(r->mapping);
}

void pprof_pick_free(struct pprof_pick *k)
{
	if (!k)
		return;
	rule_deinit(&k->focus);
	rule_deinit(&k->ignore);
	rule_deinit(&k->hide);
	rule_deinit(&k->show);
	rule_deinit(&k->show_from);
	pprof_tag_free(k->tag_focus);
	pprof_tag_free(k->tag_ignore);
	free(k->flags);
	free(k->lines);
	free(k->nlines);
	vec_free(&k->frames);
	free(k);
}

static struct err *rule_init(const struct pprof *p, const char *what, const char *text,
			     struct rule *r)
{
	struct err *err;

	if (!text || !*text)
		return NULL;
	err = pattern_create(what, text, &r->p);
	if (err)
		return err;
	r->function = zalloc(p->functions.n + 1, 1);
	r->mapping = zalloc(p->mappings.n + 1, 1);
	return r->function && r->mapping ? NULL : &err_nomem;
}

static bool by_function(const struct pprof *p, struct rule *r, uint32_t f)
{
	const struct pprof_function *fn;

	if (f == PPROF_NONE || f >= p->functions.n)
		return false;
	fn = &p->functions.v[f];
	if (r->function[f] == UNKNOWN)
		r->function[f] = pattern_matches(r->p, pprof_text(p, fn->name)) ||
						 pattern_matches(r->p, pprof_text(p, fn->file))
					 ? YES
					 : NO;
	return r->function[f] == YES;
}

static bool by_mapping(const struct pprof *p, struct rule *r, uint32_t m)
{
	if (m == PPROF_NONE || m >= p->mappings.n)
		return false;
	if (r->mapping[m] == UNKNOWN)
		r->mapping[m] =
			pattern_matches(r->p, pprof_text(p, p->mappings.v[m].file)) ? YES : NO;
	return r->mapping[m] == YES;
}

/* The lines that location l has left. */
static struct pprof_line *left(struct pprof_pick *k, uint32_t l, size_t *ret_n)
{
	const struct pprof_location *loc = &k->p->locations.v[l];

	*ret_n = k->nlines ? k->nlines[l] : loc->nlines;
	return *ret_n ? (k->lines ? k->lines : k->p->lines.v) + loc->first_line : NULL;
}

static bool by_name(struct pprof_pick *k, struct rule *r, uint32_t l)
{
	size_t n;
	const struct pprof_line *line = left(k, l, &n);

	for (size_t i = 0; i < n; i++)
		if (by_function(k->p, r, line[i].function))
			return true;
	return by_mapping(k->p, r, k->p->locations.v[l].mapping);
}

/* Keep the lines for which the rule says so. */
static void keep_lines(struct pprof_pick *k, struct rule *r, uint32_t l, enum verdict want)
{
	bool all = by_mapping(k->p, r, k->p->locations.v[l].mapping);
	size_t n, kept = 0;
	struct pprof_line *line = left(k, l, &n);

	for (size_t i = 0; i < n; i++)
		if ((all || by_function(k->p, r, line[i].function) ? YES : NO) == want)
			line[kept++] = line[i];
	k->nlines[l] = (uint32_t)kept;
}

/* "(anonymous namespace)" and "operator()" are names; other brackets begin arguments. */
static void simplify(const char *name, char *buf, size_t size)
{
	static const char *const reserved[] = { "(anonymous namespace)", "operator()" };
	const char *s = *name == '.' ? name + 1 : name, *at = s;
	size_t n = strlen(s), skip;

	while (*at && *at != '(' && strncmp(at, reserved[1], strlen(reserved[1])) != 0)
		at++;
	while (*at) {
		skip = 0;
		for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
			if (!strncmp(at, reserved[i], strlen(reserved[i])))
				skip = strlen(reserved[i]);
		if (!skip && *at == '(') {
			n = (size_t)(at - s);
			break;
		}
		at += skip ? skip : 1;
	}
	snprintf(buf, size, "%.*s", (int)MIN(n, size - 1), s);
}

struct pruning {
	struct pattern *drop, *keep;
	uint8_t *function;
};

static bool is_dropped(const struct pprof *p, struct pruning *r, uint32_t f)
{
	char name[4096];

	if (f == PPROF_NONE || f >= p->functions.n || !*pprof_text(p, p->functions.v[f].name))
		return false;
	if (r->function[f] == UNKNOWN) {
		simplify(pprof_text(p, p->functions.v[f].name), name, sizeof(name));
		r->function[f] = pattern_matches(r->drop, name) &&
						 !(r->keep && pattern_matches(r->keep, name))
					 ? YES
					 : NO;
	}
	return r->function[f] == YES;
}

static void prune_location(struct pprof_pick *k, struct pruning *r, uint32_t l)
{
	size_t n, i;
	struct pprof_line *line = left(k, l, &n);

	for (i = n; i-- > 0;)
		if (is_dropped(k->p, r, line[i].function))
			break;
	if (i == SIZE_MAX)
		return;
	k->flags[l] |= LOC_PRUNE_BELOW;
	if (i == n - 1) {
		k->flags[l] |= LOC_PRUNE;
		return;
	}
	memmove(line, line + i + 1, (n - i - 1) * sizeof(*line));
	k->nlines[l] = (uint32_t)(n - i - 1);
}

static struct err *anchored(const char *what, const char *text, struct pattern **ret)
{
	_cleanup_(freep) char *all = NULL;

	if (!*text)
		return NULL;
	if (asprintf(&all, "^(%s)$", text) < 0) {
		all = NULL;
		return &err_nomem;
	}
	return pattern_create(what, all, ret);
}

/* drop_frames of the file itself. */
static struct err *prune(struct pprof_pick *k)
{
	const struct pprof *p = k->p;
	_cleanup_(pattern_freep) struct pattern *drop = NULL, *keep = NULL;
	_cleanup_(freep) uint8_t *function = zalloc(p->functions.n + 1, 1);
	struct pruning r;
	struct err *err;

	if (!function)
		return &err_nomem;
	err = anchored("the profile's drop_frames", pprof_text(p, p->drop_frames), &drop);
	if (!err)
		err = anchored("the profile's keep_frames", pprof_text(p, p->keep_frames), &keep);
	if (err)
		return err;
	r = (struct pruning){ drop, keep, function };
	for (uint32_t l = 0; drop && l < p->locations.n; l++)
		prune_location(k, &r, l);
	err = pattern_err(drop);
	return err ? err : pattern_err(keep);
}

/* Of a location whose lines are cut behind the last that matches. */
static void show_from(struct pprof_pick *k, uint32_t l)
{
	size_t n, i;
	const struct pprof_line *line = left(k, l, &n);

	if (by_mapping(k->p, &k->show_from, k->p->locations.v[l].mapping)) {
		k->flags[l] |= LOC_SHOW_FROM;
		return;
	}
	for (i = n; i-- > 0;)
		if (by_function(k->p, &k->show_from, line[i].function)) {
			k->flags[l] |= LOC_SHOW_FROM;
			k->nlines[l] = (uint32_t)i + 1;
			return;
		}
}

static void mark_location(struct pprof_pick *k, uint32_t l)
{
	uint8_t *f = &k->flags[l];

	if (k->ignore.p && by_name(k, &k->ignore, l))
		*f |= LOC_IGNORE;
	else if (!k->focus.p || by_name(k, &k->focus, l))
		*f |= LOC_FOCUS;
	if (k->hide.p && by_name(k, &k->hide, l)) {
		k->matched |= PPROF_PICK_HIDE;
		keep_lines(k, &k->hide, l, NO);
		*f |= k->nlines[l] ? 0 : LOC_HIDDEN;
	}
	if (k->show.p) {
		keep_lines(k, &k->show, l, YES);
		*f |= k->nlines[l] ? 0 : LOC_HIDDEN;
		k->matched |= k->nlines[l] ? PPROF_PICK_SHOW : 0;
	}
	k->matched |= *f & LOC_IGNORE ? PPROF_PICK_IGNORE : 0;
	k->matched |= *f & LOC_FOCUS ? PPROF_PICK_FOCUS : 0;
	if (k->show_from.p)
		show_from(k, l);
	k->matched |= *f & LOC_SHOW_FROM ? PPROF_PICK_SHOW_FROM : 0;
	if (k->inlines == PPROF_NO_INLINES && k->nlines[l] > 1) {
		size_t n;
		struct pprof_line *line = left(k, l, &n);

		line[0] = line[n - 1];
		k->nlines[l] = 1;
	}
}

static struct err *copy_lines(struct pprof_pick *k)
{
	const struct pprof *p = k->p;

	k->lines = malloc((p->lines.n + 1) * sizeof(*k->lines));
	k->nlines = zalloc(p->locations.n + 1, sizeof(*k->nlines));
	if (!k->lines || !k->nlines)
		return &err_nomem;
	if (p->lines.n)
		memcpy(k->lines, p->lines.v, p->lines.n * sizeof(*k->lines));
	for (size_t l = 0; l < p->locations.n; l++)
		k->nlines[l] = p->locations.v[l].nlines;
	return NULL;
}

static struct err *compile(struct pprof_pick *k, const struct pprof_filters *f)
{
	const struct pprof *p = k->p;
	struct err *err = rule_init(p, "--focus", f->focus, &k->focus);

	if (!err)
		err = rule_init(p, "--ignore", f->ignore, &k->ignore);
	if (!err)
		err = rule_init(p, "--hide", f->hide, &k->hide);
	if (!err)
		err = rule_init(p, "--show", f->show, &k->show);
	if (!err)
		err = rule_init(p, "--show-from", f->show_from, &k->show_from);
	if (!err)
		err = pprof_tag_create(p, "--tag-focus", f->tag_focus, &k->tag_focus);
	if (!err)
		err = pprof_tag_create(p, "--tag-ignore", f->tag_ignore, &k->tag_ignore);
	k->inlines = f->inlines;
	k->names = k->focus.p || k->ignore.p || k->hide.p || k->show.p;
	k->asked = (k->focus.p ? PPROF_PICK_FOCUS : 0) | (k->ignore.p ? PPROF_PICK_IGNORE : 0) |
		   (k->hide.p ? PPROF_PICK_HIDE : 0) | (k->show.p ? PPROF_PICK_SHOW : 0) |
		   (k->show_from.p ? PPROF_PICK_SHOW_FROM : 0) |
		   (k->tag_focus ? PPROF_PICK_TAG_FOCUS : 0) |
		   (k->tag_ignore ? PPROF_PICK_TAG_IGNORE : 0);
	return err;
}

static struct err *patterns_err(const struct pprof_pick *k)
{
	const struct rule *r[] = { &k->focus, &k->ignore, &k->hide, &k->show, &k->show_from };
	struct err *err = NULL;

	for (size_t i = 0; i < ARRAY_LEN(r) && !err; i++)
		err = pattern_err(r[i]->p);
	return err;
}

struct err *pprof_pick_create(const struct pprof *p, const struct pprof_filters *f,
			      struct pprof_pick **ret)
{
	static const struct pprof_filters none = { 0 };
	_cleanup_(pprof_pick_freep) struct pprof_pick *k = zalloc(1, sizeof(*k));
	bool drops = *pprof_text(p, p->drop_frames);
	struct err *err;

	if (!k)
		return &err_nomem;
	k->p = p;
	err = compile(k, f ? f : &none);
	k->flags = zalloc(p->locations.n + 1, 1);
	if (err || !k->flags)
		return err ? err : &err_nomem;
	if (k->names || k->show_from.p || drops || k->inlines == PPROF_NO_INLINES)
		err = copy_lines(k);
	if (!err && drops)
		err = prune(k);
	for (uint32_t l = 0; !err && k->nlines && l < p->locations.n; l++)
		mark_location(k, l);
	if (!err)
		err = patterns_err(k);
	if (err)
		return err;
	*ret = STEAL(k);
	return NULL;
}

/* The stack as the profile has it, outermost first. */
static bool walk(struct pprof_pick *k, uint32_t stack)
{
	const struct pprof *p = k->p;
	size_t n;

	k->frames.n = 0;
	for (uint32_t s = stack; s < p->stacks.n && k->frames.n <= p->stacks.n;
	     s = p->stacks.v[s].parent)
		if (!vec_push(&k->frames, p->stacks.v[s].location)) {
			k->bad = true;
			return false;
		}
	n = k->frames.n;
	for (size_t i = 0; i < n / 2; i++) {
		uint32_t l = k->frames.v[i];

		k->frames.v[i] = k->frames.v[n - 1 - i];
		k->frames.v[n - 1 - i] = l;
	}
	return true;
}

/* Below a dropped frame nothing is seen, unless the dropped one is the outermost. */
static void cut_pruned(struct pprof_pick *k)
{
	bool found = false;

	for (size_t i = 0; i < k->frames.n; i++) {
		uint8_t f = k->flags[k->frames.v[i]];

		if (!(f & (LOC_PRUNE | LOC_PRUNE_BELOW))) {
			found = true;
		} else if (found) {
			k->frames.n = f & LOC_PRUNE ? i : i + 1;
			return;
		}
	}
}

static bool is_wanted(const struct pprof_pick *k)
{
	bool focus = false;

	for (size_t i = 0; i < k->frames.n; i++) {
		uint8_t f = k->flags[k->frames.v[i]];

		if (f & LOC_IGNORE)
			return false;
		focus = focus || (f & LOC_FOCUS);
	}
	return focus;
}

static bool drop_hidden(struct pprof_pick *k)
{
	size_t kept = 0, n = k->frames.n;

	for (size_t i = 0; i < n; i++)
		if (!(k->flags[k->frames.v[i]] & LOC_HIDDEN))
			k->frames.v[kept++] = k->frames.v[i];
	k->frames.n = kept;
	return kept || !n;
}

static bool cut_show_from(struct pprof_pick *k)
{
	for (size_t i = 0; i < k->frames.n; i++)
		if (k->flags[k->frames.v[i]] & LOC_SHOW_FROM) {
			memmove(k->frames.v, k->frames.v + i, (k->frames.n - i) * sizeof(uint32_t));
			k->frames.n -= i;
			return true;
		}
	return false;
}

static bool by_tags(struct pprof_pick *k, const struct pprof_walk *s)
{
	bool focus = !k->tag_focus || pprof_tag_matches(k->tag_focus, s);
	bool ignore = k->tag_ignore && pprof_tag_matches(k->tag_ignore, s);

	k->matched |= focus ? PPROF_PICK_TAG_FOCUS : 0;
	k->matched |= ignore ? PPROF_PICK_TAG_IGNORE : 0;
	return focus && !ignore;
}

bool pprof_pick_sample(struct pprof_pick *k, const struct pprof_walk *w, const uint32_t **ret,
		       size_t *ret_n)
{
	if (k->bad || !walk(k, w->stack))
		return false;
	if (k->nlines) {
		cut_pruned(k);
		if (k->names && (!is_wanted(k) || !drop_hidden(k)))
			return false;
		if (k->show_from.p && !cut_show_from(k))
			return false;
	}
	if ((k->tag_focus || k->tag_ignore) && !by_tags(k, w))
		return false;
	*ret = k->frames.v;
	*ret_n = k->frames.n;
	return true;
}

const struct pprof_line *pprof_pick_lines(const struct pprof_pick *k, uint32_t location,
					  size_t *ret_n)
{
	const struct pprof_location *loc = &k->p->locations.v[location];

	*ret_n = k->nlines ? k->nlines[location] : loc->nlines;
	return *ret_n ? (k->lines ? k->lines : k->p->lines.v) + loc->first_line : NULL;
}

struct err *pprof_pick_err(const struct pprof_pick *k)
{
	struct err *err = k->bad ? &err_nomem : NULL;

	if (!err && k->tag_focus)
		err = pprof_tag_err(k->tag_focus);
	return err || !k->tag_ignore ? err : pprof_tag_err(k->tag_ignore);
}

unsigned pprof_pick_unmatched(const struct pprof_pick *k)
{
	return k->asked & ~k->matched;
}
