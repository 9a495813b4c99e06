/*
 * specials.c - finalizers, cleanups, weak handles and profile records of objects.
 *
 * Source: runtime/mheap.go (special and its kinds), mgcmark.go (markrootSpans): which words
 * of them are roots.  Kinds were renumbered over time: the layout's constants tell.
 * Lists are bounded; a broken one is cut and counted with the heap's losses.
 */
#include "base/cycle.h"
#include "goruntime/heap_priv.h"

#define SPECIAL_MAX 256
/* One object may carry any number of cleanups; a list that comes round is noticed before. */
#define MAX_SPECIALS (1U << 26)

static uint8_t kind_of(const struct go_layout *L, uint64_t kind)
{
	int64_t k = (int64_t)kind;

	if (k == L->c_KindSpecialFinalizer)
		return GO_SPECIAL_FINALIZER;
	if (k == L->c_KindSpecialCleanup)
		return GO_SPECIAL_CLEANUP;
	if (k == L->c_KindSpecialWeakHandle)
		return GO_SPECIAL_WEAK;
	if (k == L->c_KindSpecialProfile)
		return GO_SPECIAL_PROFILE;
	return GO_SPECIAL_OTHER;
}

static void add_word(struct go_special *sp, const uint8_t *image, struct go_field f)
{
	if (!go_has(f) || (size_t)f.off + 8 > SPECIAL_MAX)
		return;
	sp->word_at[sp->nwords] = sp->at + (uint64_t)f.off;
	sp->words[sp->nwords++] = go_word(image, f, 0);
}

static void add_words(const struct go_layout *L, struct go_special *sp, const uint8_t *image)
{
	switch (sp->kind) {
	case GO_SPECIAL_FINALIZER:
		add_word(sp, image, L->specialfinalizer_fn);
		if (go_has(L->specialfinalizer_ot) &&
		    (size_t)L->specialfinalizer_ot.off + 8 <= SPECIAL_MAX)
			sp->type = go_get(image, L->specialfinalizer_ot);
		break;
	case GO_SPECIAL_CLEANUP: /* 1.26 keeps three words, all roots */
		add_word(sp, image, L->specialCleanup_call);
		add_word(sp, image, L->specialCleanup_fn);
		add_word(sp, image, L->specialCleanup_arg);
		break;
	case GO_SPECIAL_WEAK:
		add_word(sp, image, L->specialWeakHandle_handle);
		break;
	case GO_SPECIAL_PROFILE: /* the bucket is no root */
		add_word(sp, image, L->specialprofile_b);
		sp->nwords = 0;
		break;
	default:
		break;
	}
}

static uint32_t bytes_of_kind(const struct go_layout *L, uint8_t kind)
{
	switch (kind) {
	case GO_SPECIAL_FINALIZER:
		return L->specialfinalizer_bytes;
	case GO_SPECIAL_CLEANUP:
		return L->specialCleanup_bytes;
	case GO_SPECIAL_WEAK:
		return L->specialWeakHandle_bytes;
	case GO_SPECIAL_PROFILE:
		return L->specialprofile_bytes;
	default:
		return L->special_bytes;
	}
}

static struct err *read_one(struct go_io *io, struct go_heap *h, const struct go_span *s, taddr at,
			    taddr *next)
{
	const struct go_layout *L = io->g->L;
	uint8_t image[SPECIAL_MAX] = { 0 };
	struct go_special sp = { .at = at };
	struct err *err = go_io_read(io, at, image, MIN(L->special_bytes, SPECIAL_MAX));

	if (err)
		return err;
	sp.kind = kind_of(L, go_get(image, L->special_kind));
	err = go_io_read(io, at, image, MIN(bytes_of_kind(L, sp.kind), SPECIAL_MAX));
	if (err)
		return err;
	*next = go_get(image, L->special_next);
	sp.offset = go_get(image, L->special_offset);
	if (sp.offset >= s->bytes)
		return err_fault(at);
	sp.object = s->base + sp.offset / s->elem_bytes * s->elem_bytes;
	add_words(L, &sp, image);
	return vec_push(&h->specials, sp) ? NULL : &err_nomem;
}

struct err *heap_specials_read(const struct go *g, struct go_heap *h)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct err *err = go_io_init(&io, g);

	for (size_t i = 0; i < h->spans.n && !err; i++) {
		const struct go_span *s = &h->spans.v[i];
		struct cycle cycle = { 0 };
		taddr at = s->specials;

		while (at && !err && h->specials.n < MAX_SPECIALS && !cycle_closed(&cycle, at))
			err = read_one(&io, h, s, at, &at);
		if (err_catch(&err, ERR_FAULT) || (at && !err)) {
			h->lost_spans++;
			h->lost_bytes += s->elem_bytes;
		}
	}
	return err;
}
