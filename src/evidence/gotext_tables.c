/*
 * gotext_tables.c - each text, frame and stack once.
 *
 * Open addressing with linear steps over XXH3.  What would be more than the limits is counted as
 * lost and becomes the empty text.
 */
#include "evidence/gotext_priv.h"

#include <stdio.h>
#include <xxhash.h>

enum { FIRST_SLOTS = 1024 };

/* Slots for one more; those that are there find their new places by hash(arg, id). */
static bool room(struct gotext *g, struct gotext_index *x,
		 uint64_t (*hash)(const struct gotext *g, uint32_t id))
{
	size_t size = x->size ? x->size * 2 : FIRST_SLOTS;
	uint32_t *slot;

	if (x->used + 1 <= x->size / 4 * 3)
		return true;
	slot = zalloc(size, sizeof(*slot));
	if (!slot) {
		g->r->all->nomem = true;
		return false;
	}
	for (size_t i = 0; i < x->size; i++)
		if (x->slot[i]) {
			size_t at = hash(g, x->slot[i] - 1) & (size - 1);

			while (slot[at])
				at = (at + 1) & (size - 1);
			slot[at] = x->slot[i];
		}
	free(x->slot);
	x->slot = slot;
	x->size = size;
	return true;
}

static uint64_t hash_text(const struct gotext *g, uint32_t id)
{
	const char *s = g->r->all->chars.v + g->r->all->texts.v[id];

	return XXH3_64bits(s, strlen(s));
}

const char *gotext_text(const struct gotext *g, uint32_t id)
{
	return id && id < g->r->all->texts.n ? g->r->all->chars.v + g->r->all->texts.v[id] : "";
}

/* Zero bytes would end it. */
static uint32_t add_text(struct gotext *g, struct bit p)
{
	struct gotext_reader *r = g->r;
	size_t at = r->all->chars.n;

	if (!vec_reserve(&r->all->chars, at + p.n + 1) || !vec_push(&r->all->texts, (uint32_t)at)) {
		r->all->nomem = true;
		return 0;
	}
	memcpy(r->all->chars.v + at, p.s, p.n);
	r->all->chars.v[at + p.n] = 0;
	r->all->chars.n = at + p.n + 1;
	return (uint32_t)(r->all->texts.n - 1);
}

uint32_t gotext_intern(struct gotext *g, struct bit p)
{
	struct gotext_reader *r = g->r;
	const char *zero = p.n ? memchr(p.s, 0, p.n) : NULL;
	size_t at;

	p.n = zero ? (size_t)(zero - p.s) : MIN(p.n, (size_t)GOTEXT_TEXT_MAX);
	p.n = MIN(p.n, (size_t)GOTEXT_TEXT_MAX);
	if (!r->all->texts.n && (!add_text(g, (struct bit){ "", 0 }) && r->all->nomem))
		return 0;
	if (!p.n || !room(g, &r->all->text_index, hash_text))
		return 0;
	for (at = XXH3_64bits(p.s, p.n) & (r->all->text_index.size - 1); r->all->text_index.slot[at];
	     at = (at + 1) & (r->all->text_index.size - 1)) {
		const char *s = r->all->chars.v + r->all->texts.v[r->all->text_index.slot[at] - 1];

		if (!strncmp(s, p.s, p.n) && !s[p.n])
			return r->all->text_index.slot[at] - 1;
	}
	if (r->all->chars.n + p.n > GOTEXT_TEXTS_MAX) {
		g->lost_texts++;
		return 0;
	}
	uint32_t id = add_text(g, p);

	if (id) {
		r->all->text_index.slot[at] = id + 1;
		r->all->text_index.used++;
	}
	return id;
}

static uint64_t hash_frame(const struct gotext *g, uint32_t id)
{
	return XXH3_64bits(&g->frames.v[id], sizeof(g->frames.v[id]));
}

uint32_t gotext_intern_frame(struct gotext *g, const struct gotext_frame *f)
{
	struct gotext_index *x = &g->r->all->frame_index;
	size_t at;

	if (!room(g, x, hash_frame))
		return GOTEXT_NONE;
	for (at = XXH3_64bits(f, sizeof(*f)) & (x->size - 1); x->slot[at];
	     at = (at + 1) & (x->size - 1))
		if (!memcmp(&g->frames.v[x->slot[at] - 1], f, sizeof(*f)))
			return x->slot[at] - 1;
	if (g->frames.n >= GOTEXT_FRAMES_ALL_MAX) {
		g->lost_texts++;
		return GOTEXT_NONE;
	}
	if (!vec_push(&g->frames, *f)) {
		g->r->all->nomem = true;
		return GOTEXT_NONE;
	}
	x->slot[at] = (uint32_t)g->frames.n;
	x->used++;
	return (uint32_t)(g->frames.n - 1);
}

static uint64_t hash_links(const uint32_t *links, size_t n, uint32_t created, uint32_t elided)
{
	uint64_t seed = (uint64_t)created << 32 | elided;

	return n ? XXH3_64bits_withSeed(links, n * sizeof(*links), seed)
		 : seed * 0x9e3779b97f4a7c15U;
}

static uint64_t hash_stack(const struct gotext *g, uint32_t id)
{
	const struct gotext_stack *s = &g->stacks.v[id];

	return hash_links(g->links.v + s->first, s->n, s->created, s->elided);
}

static bool is_wrapper(const char *f)
{
	/* `go f(x)` is compiled to a function of its own */
	return strstr(f, ".gowrap") ||
	       strstr(f, "\xc2\xb7"
			 "dwrap") ||
	       !strcmp(f, "runtime.goexit");
}

/* The runtime's, and what the program calls to wait. */
static bool is_library(const char *f)
{
	static const char *const packages[] = {
		"runtime.",	      "runtime/",   "sync.", "internal/", "time.",
		"syscall.",	      "os.",	    "net.",  "bufio.",	  "io.",
		"golang.org/x/sync/", "crypto/tls."
	};

	for (size_t i = 0; i < ARRAY_LEN(packages); i++)
		if (!strncmp(f, packages[i], strlen(packages[i])))
			return true;
	return is_wrapper(f) || !strcmp(f, "panic");
}

static const char *name_at(const struct gotext *g, const struct gotext_stack *s, uint32_t i)
{
	return gotext_text(g, gotext_frame_of(g, s, i)->function);
}

/*
 * Before Go 1.22 the wrapper of `go f(x)` is called like a closure, and hidden unless all frames
 * are shown, runtime.goexit too.  It stands in the line of its go statement.
 */
static bool is_old_wrapper(const struct gotext *g, const struct gotext_stack *s, uint32_t i)
{
	const struct gotext_frame *c = s->created < g->frames.n ? &g->frames.v[s->created] : NULL;
	const struct gotext_frame *f = gotext_frame_of(g, s, i);
	const char *creator = c ? gotext_text(g, c->function) : "";
	size_t n = strlen(creator);

	return i && c && i + 2 == s->n && !strcmp(name_at(g, s, i + 1), "runtime.goexit") &&
	       !strncmp(gotext_text(g, f->function), creator, n) && f->line == c->line &&
	       f->file == c->file && !is_library(name_at(g, s, i - 1));
}

static uint32_t entry_of(const struct gotext *g, const struct gotext_stack *s)
{
	/* before Go 1.21 what was left out were the outermost ones */
	if (s->elided == GOTEXT_NONE)
		return 0;
	for (uint32_t i = s->n; i-- > 0;) {
		const char *name = name_at(g, s, i);

		if (*name && !is_wrapper(name) && (strcmp(name, "runtime.main") || !i) &&
		    !is_old_wrapper(g, s, i))
			return gotext_frame_of(g, s, i)->function;
	}
	/* it has not begun yet: the wrapper is all that there is */
	for (uint32_t i = s->n; i-- > 0;)
		if (*name_at(g, s, i) && strcmp(name_at(g, s, i), "runtime.goexit") != 0)
			return gotext_frame_of(g, s, i)->function;
	return 0;
}

static uint32_t user_of(const struct gotext *g, const struct gotext_stack *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct gotext_frame *f = gotext_frame_of(g, s, i);
		const char *name = gotext_text(g, f->function);

		if (*name && !(f->flags & GOTEXT_FRAME_C) && !is_library(name))
			return g->links.v[s->first + i];
	}
	return s->n ? g->links.v[s->first] : GOTEXT_NONE;
}

static uint32_t add_stack(struct gotext *g, const uint32_t *links, size_t n, uint32_t created,
			  uint32_t elided)
{
	struct gotext_stack s = { (uint32_t)g->links.n, (uint32_t)n, elided, created, 0, 0 };

	if (g->stacks.n >= GOTEXT_STACKS_MAX || g->links.n + n >= GOTEXT_LINKS_MAX) {
		g->lost_texts++;
		return GOTEXT_NONE;
	}
	if (!vec_reserve(&g->links, g->links.n + n + 1)) {
		g->r->all->nomem = true;
		return GOTEXT_NONE;
	}
	if (n)
		memcpy(g->links.v + g->links.n, links, n * sizeof(*links));
	g->links.n += n;
	s.entry = entry_of(g, &s);
	s.user = user_of(g, &s);
	if (!vec_push(&g->stacks, s)) {
		g->r->all->nomem = true;
		return GOTEXT_NONE;
	}
	return (uint32_t)(g->stacks.n - 1);
}

uint32_t gotext_intern_stack(struct gotext *g, const uint32_t *links, size_t n, uint32_t created,
			     uint32_t elided)
{
	struct gotext_index *x = &g->r->all->stack_index;
	uint32_t id;
	size_t at;

	if (!room(g, x, hash_stack))
		return GOTEXT_NONE;
	for (at = hash_links(links, n, created, elided) & (x->size - 1); x->slot[at];
	     at = (at + 1) & (x->size - 1)) {
		const struct gotext_stack *s = &g->stacks.v[x->slot[at] - 1];

		if (s->n == n && s->created == created && s->elided == elided &&
		    (!n || !memcmp(g->links.v + s->first, links, n * sizeof(*links))))
			return x->slot[at] - 1;
	}
	id = add_stack(g, links, n, created, elided);
	if (id != GOTEXT_NONE) {
		x->slot[at] = id + 1;
		x->used++;
	}
	return id;
}

static size_t place_of(const struct gotext_seen *x, uint64_t id)
{
	size_t at = (size_t)(id * 0x9e3779b97f4a7c15U >> 20) & (x->size - 1);

	while (x->slot[at].stamp == x->stamp && x->slot[at].id != id)
		at = (at + 1) & (x->size - 1);
	return at;
}

static bool seen_room(struct gotext_reader *r)
{
	struct gotext_seen *x = &r->seen, to = { .size = x->size ? x->size * 2 : FIRST_SLOTS };

	if (x->used + 1 <= x->size / 4 * 3)
		return true;
	to.slot = zalloc(to.size, sizeof(*to.slot));
	to.stamp = 1;
	if (!to.slot) {
		r->all->nomem = true;
		return false;
	}
	for (size_t i = 0; i < x->size; i++)
		if (x->slot[i].stamp == x->stamp) {
			struct gotext_seen_slot *s = &to.slot[place_of(&to, x->slot[i].id)];

			*s = (struct gotext_seen_slot){ x->slot[i].id, 1, x->slot[i].at };
			to.used++;
		}
	free(x->slot);
	*x = to;
	return true;
}

bool gotext_seen(struct gotext_reader *r, uint64_t id, uint32_t at, uint32_t *ret_at)
{
	struct gotext_seen_slot *s;

	if (!r->seen.stamp)
		r->seen.stamp = 1;
	if (!seen_room(r))
		return false;
	s = &r->seen.slot[place_of(&r->seen, id)];
	if (s->stamp == r->seen.stamp) {
		*ret_at = s->at;
		return true;
	}
	*s = (struct gotext_seen_slot){ id, r->seen.stamp, at };
	r->seen.used++;
	return false;
}

void gotext_tables_deinit(struct gotext_shared *all)
{
	vec_free(&all->chars);
	vec_free(&all->texts);
	vec_free(&all->scratch);
	vec_free(&all->plain_line);
	vec_free(&all->parts[0].text);
	vec_free(&all->parts[1].text);
	free(all->text_index.slot);
	free(all->frame_index.slot);
	free(all->stack_index.slot);
}
