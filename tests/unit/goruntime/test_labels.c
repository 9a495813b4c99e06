/*
 * test_labels.c - labelMaps made by hand, of both forms, for every layout: what they say, and lies.
 *
 * The form is given, as if the program's types had told it.
 */
#include "fake_target.h"

#include "goruntime/labels.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#define HEAP	   0xc000000000ULL
#define HEAP_BYTES 0x20000
#define LABELS	   HEAP
#define LIST	   (HEAP + 0x1000)
#define TEXTS	   (HEAP + 0x8000)
#define HEADER	   (HEAP + 0x10000)
#define BUCKET	   (HEAP + 0x11000)
#define NOWHERE	   0x123456789000ULL

struct world {
	struct fake f;
	struct go g;
	struct go_types *ts;
	struct go_io io;
	struct go_label_form form;
	taddr text; /* next free byte */
	char got[4096];
};

static void world_open(struct world *w, const struct go_layout *L)
{
	*w = (struct world){ .g.L = L, .text = TEXTS };
	fake_map(&w->f, HEAP, HEAP_BYTES);
	w->g.t = fake_open(&w->f);
	assert_null(go_types_create(&w->g, &w->ts));
	w->form = (struct go_label_form){
		.ts = w->ts, .kind = GO_LABELS_SLICE, .stride = 32, .value_off = 16
	};
}

static void world_close(struct world *w)
{
	go_types_free(w->ts);
	fake_close(&w->f);
}

static void put_string(struct world *w, taddr at, const char *text)
{
	size_t n = strlen(text);

	memcpy(fake_at(&w->f, w->text), text, n);
	fake_put64(&w->f, at, n ? w->text : 0);
	fake_put64(&w->f, at + 8, n);
	w->text += n;
}

static void put_label(struct world *w, unsigned i, const char *key, const char *value)
{
	put_string(w, LIST + 32 * i, key);
	put_string(w, LIST + 32 * i + 16, value);
}

static void put_slice(struct world *w, taddr list, uint64_t len, uint64_t cap)
{
	fake_put64(&w->f, LABELS, list);
	fake_put64(&w->f, LABELS + 8, len);
	fake_put64(&w->f, LABELS + 16, cap);
}

static void add(void *arg, struct go_label_text key, struct go_label_text value)
{
	struct world *w = arg;
	char k[64] = "", v[64] = "";
	size_t at = strlen(w->got);

	assert_true(key.n < sizeof(k) && value.n < sizeof(v));
	if (key.n)
		assert_null(go_io_read(&w->io, key.at, k, key.n));
	if (value.n)
		assert_null(go_io_read(&w->io, value.at, v, value.n));
	snprintf(w->got + at, sizeof(w->got) - at, "%s=%s;", k, v);
}

static void ignore(void *arg, struct go_label_text key, struct go_label_text value)
{
	(void)arg, (void)key, (void)value;
}

static struct err *read_all(struct world *w, go_label_fn *fn)
{
	struct err *err;

	w->got[0] = 0;
	assert_null(go_io_init_sparse(&w->io, &w->g));
	err = go_labels_each(&w->form, &w->io, LABELS, fn, w);
	go_io_deinit(&w->io);
	return err;
}

static void refused(struct world *w, enum err_code code)
{
	struct err *err = read_all(w, ignore);

	assert_non_null(err);
	assert_int_equal(err->code, code);
	err_free(err);
}

static const struct go_layout *some_layout(void)
{
	size_t n;

	return go_layouts(&n)[0];
}

static void test_slice(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, some_layout());
	put_label(&w, 0, "route", "/cart");
	put_label(&w, 1, "tenant", "");
	put_label(&w, 2, "z", "not in the slice");
	put_slice(&w, LIST, 2, 3);
	assert_null(read_all(&w, add));
	assert_string_equal(w.got, "route=/cart;tenant=;");
	put_slice(&w, 0, 0, 0); /* pprof.Labels() */
	assert_null(read_all(&w, add));
	assert_string_equal(w.got, "");
	world_close(&w);
}

static void test_lying_slice(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, some_layout());
	put_label(&w, 0, "a", "b");
	put_slice(&w, LIST, 2, 1);
	refused(&w, ERR_BAD_DATA);
	put_slice(&w, LIST, GO_LABELS_MAX + 1, GO_LABELS_MAX + 1);
	refused(&w, ERR_BAD_DATA);
	put_slice(&w, LIST, 1, UINT64_MAX);
	refused(&w, ERR_BAD_DATA);
	put_slice(&w, 0, 1, 1);
	refused(&w, ERR_BAD_DATA);
	put_slice(&w, NOWHERE, 1, 1);
	refused(&w, ERR_FAULT);
	put_slice(&w, HEAP + HEAP_BYTES - 16, 1, 1); /* its end is not there */
	refused(&w, ERR_FAULT);
	put_slice(&w, LIST, 1, 1);
	fake_put64(&w.f, LIST + 8, UINT64_MAX); /* bytes of the key */
	refused(&w, ERR_BAD_DATA);
	fake_put64(&w.f, LIST + 8, 1);
	fake_put64(&w.f, LIST + 16, 0); /* a value of bytes that are nowhere */
	refused(&w, ERR_BAD_DATA);
	w.form.kind = GO_LABELS_UNKNOWN;
	refused(&w, ERR_UNSUPPORTED);
	world_close(&w);
}

/* By shape alone nothing is believed that does not lie in the heap as it must. */
static void test_guess(void **state)
{
	struct go_heap none = { 0 };
	struct world w;

	(void)state;
	world_open(&w, some_layout());
	put_label(&w, 0, "a", "b");
	put_slice(&w, LIST, 1, 1);
	w.form.guessed = true;
	w.form.heap = &none;
	refused(&w, ERR_BAD_DATA);
	world_close(&w);
}

static void make_map(struct world *w, bool swiss)
{
	struct go_type string = { .kind = GO_STRING,
				  .bytes = 16,
				  .ptr_bytes = 8,
				  .name = "string",
				  .pkg_path = "",
				  .named = true };
	struct go_type t = {
		.kind = GO_MAP,
		.bytes = 8,
		.ptr_bytes = 8,
		.name = "pprof.labelMap",
		.pkg_path = "runtime/pprof",
		.map_flags = swiss ? GO_MAP_SWISS : 0,
		.keys_off = 8,
		.key_stride = swiss ? 32 : 16,
		.elems_off = swiss ? 24 : 136,
		.elem_stride = swiss ? 32 : 16,
	};

	t.key = t.elem = go_type_make(w->ts, &string);
	w->form.map = go_type_at(w->ts, go_type_make(w->ts, &t));
	w->form.kind = GO_LABELS_MAP;
	assert_non_null(w->form.map);
	fake_put64(&w->f, LABELS, HEADER);
}

static void put_entry(struct world *w, unsigned i, uint8_t top, const char *key, const char *value)
{
	fake_at(&w->f, BUCKET)[i] = top;
	put_string(w, BUCKET + 8 + 16 * i, key);
	put_string(w, BUCKET + 136 + 16 * i, value);
}

/* To Go 1.23; later programs say themselves that theirs is none. */
static void check_map(const struct go_layout *L)
{
	struct world w;

	world_open(&w, L);
	make_map(&w, false);
	fake_set(&w.f, HEADER, L->hmap_count, 2);
	fake_set(&w.f, HEADER, L->hmap_buckets, BUCKET);
	put_entry(&w, 0, 77, "rpc", "/shop.Cart/Add");
	put_entry(&w, 1, 1, "deleted", "x");
	put_entry(&w, 5, 200, "tenant", "acme");
	assert_null(read_all(&w, add));
	assert_string_equal(w.got, "rpc=/shop.Cart/Add;tenant=acme;");
	/* Text of a core was taken out, and with it what says that the entry is in use. */
	fake_at(&w.f, BUCKET)[5] = 0;
	refused(&w, ERR_BAD_DATA);
	fake_at(&w.f, BUCKET)[5] = 200;
	fake_put64(&w.f, BUCKET + 136 + 8, 1ULL << 50);
	refused(&w, ERR_BAD_DATA);
	fake_set(&w.f, HEADER, L->hmap_count, GO_LABELS_MAX + 1);
	refused(&w, ERR_BAD_DATA);
	fake_put64(&w.f, LABELS, NOWHERE);
	refused(&w, ERR_FAULT);
	fake_put64(&w.f, LABELS, 0); /* a nil map */
	assert_null(read_all(&w, add));
	assert_string_equal(w.got, "");
	world_close(&w);
}

static void test_map(void **state)
{
	size_t nlayouts, n = 0;
	const struct go_layout *const *layouts = go_layouts(&nlayouts);

	(void)state;
	for (size_t i = 0; i < nlayouts; i++) {
		if (!layouts[i]->hmap_bytes)
			continue;
		check_map(layouts[i]);
		n++;
	}
	assert_true(n >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slice),
		cmocka_unit_test(test_lying_slice),
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests_name("goruntime-labels", tests, NULL, NULL);
}
