/*
 * fuzz_types.c - rtypes, names and masks from 4 KiB of type section, by the layout of each version.
 */
#include "fake/segments.h"
#include "goruntime/heap_mask.h"
#include "goruntime/types.h"
#include "goruntime/types_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define TYPES 0x500000ULL
#define BYTES 4096U

/* What naming asks of a type: its names, the types next to it, the places inside it. */
static void ask_more(struct go_types *ts, const struct go_type *t)
{
	const char *full = go_type_full(ts, t);
	const struct go_type *in = NULL;
	uint64_t off = 0;

	go_type_named(ts, full);
	for (size_t i = 0; i < MIN(t->nfields, 8U); i++)
		if (go_type_path(ts, t, t->fields[i].name, &off, &in) && !in)
			abort();
	go_type_path(ts, t, "a.b.c", &off, &in);
	go_type_at(ts, go_type_pointer_to(ts, t->addr));
	go_type_full(ts, go_type_at(ts, go_type_slice_of(ts, t->addr)) ?: t);
}

static void ask(const struct go *g, struct go_types *ts, struct go_masks *ms)
{
	for (taddr at = TYPES; at < TYPES + BYTES; at += 8) {
		const struct go_type *t = go_type_at(ts, at);
		const struct go_mask *m = NULL;
		size_t len = t ? strlen(t->name) + strlen(t->pkg_path) : 0;

		for (size_t i = 0; t && i < t->nfields; i++)
			len += strlen(t->fields[i].name);
		if (len == SIZE_MAX)
			abort();
		if (t)
			ask_more(ts, t);
		go_itab_type(ts, at);
		err_free(go_mask_of(ms, at, 1U << 16, &m));
		for (uint64_t w = 0; m && w < m->size_words && w < 1000; w += 64)
			go_mask_word(m, w);
	}
	(void)g;
}

static void ask_all(struct go_types *ts)
{
	const taddr *all = NULL;
	size_t n = 0;
	struct err *err = go_types_all(ts, &all, &n);

	for (size_t i = 1; i < n; i++)
		if (all[i - 1] >= all[i])
			abort();
	err_free(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl);
	uint8_t mem[BYTES] = { 0 };
	struct fake_segment seg = { TYPES, mem, BYTES };
	struct go_module m = { .types = { TYPES, TYPES + BYTES },
			       .itabs = { TYPES, TYPES + BYTES } };
	struct go g = { .modules = &m, .nmodules = 1 };
	struct go_types *ts = NULL;
	struct go_masks *ms = NULL;
	struct err *err;
	uint8_t flags;
	char *name;

	if (n < 1)
		return 0;
	g.L = all[data[0] % nl];
	memcpy(mem, data + 1, MIN(n - 1, BYTES));
	err = go_name_decode(data + 1, n - 1, &name, &flags);
	if (!err)
		free(name);
	err_free(err);
	g.t = fake_target(&seg, 1);
	if (!g.t)
		return 0;
	err = go_types_create(&g, &ts);
	if (!err)
		err = go_masks_create(&g, &ms);
	if (!err) {
		ask(&g, ts, ms);
		ask_all(ts);
	}
	err_free(err);
	go_masks_free(ms);
	go_types_free(ts);
	target_close(g.t);
	return 0;
}
