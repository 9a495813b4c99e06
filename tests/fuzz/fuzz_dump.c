/*
 * fuzz_dump.c - heap dumps: from the file's bytes to every answer.
 *
 * The first byte says what the rest is: a file from its parameters on; records behind good
 * parameters; or edits (offset, value) of a small dump that has one of everything.
 */
#include "fake/dumpfile.h"
#include "report/agg.h"
#include "report/json.h"
#include "report/text.h"
#include "snapshot/dump.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct run {
	struct target *t;
	struct go *go;
	struct snapshot *s;
	struct graph *g;
	struct agg a;
};

static void render(struct run *r, struct ans_report *x, struct ans_goroutines *gs)
{
	struct str o = { 0 };

	text_report(&o, TEXT_PLAIN, x);
	json_doc_report(&o, x);
	text_goroutines(&o, TEXT_PLAIN, gs);
	json_doc_goroutines(&o, &x->head, gs);
	str_deinit(&o);
	(void)r;
}

/* The first object and the first goroutine, as a user would name them. */
static void look(struct run *r)
{
	static const char *const what[] = { NULL, "goroutine:17", "main.value", "data+0x0" };
	static const struct agg_object_opts opts = {
		.values = ANS_VALUES_FULL,
		.limit = 50,
		.depth = 4,
		.width = 20,
		.bytes = 100,
		.raw = 64,
	};
	char addr[32];

	snprintf(addr, sizeof(addr), TADDR_FMT, go_heap_address(&r->s->heap, 0, NULL));
	err_free(graph_reverse(r->g, 1));
	for (size_t i = 0; i < ARRAY_LEN(what); i++) {
		_cleanup_(ans_why_deinit) struct ans_why w = { 0 };
		_cleanup_(ans_object_deinit) struct ans_object o = { 0 };
		_cleanup_(ans_tree_deinit) struct ans_tree t = { 0 };
		const char *x = what[i] ? what[i] : addr;

		err_free(agg_why(&r->a, &x, 1, 3, 3, &w));
		err_free(agg_object(&r->a, x, &opts, &o));
		err_free(agg_tree(&r->a, x, 3, 8, &t));
	}
}

static struct err *answer(struct run *r)
{
	_cleanup_(verify_deinit) struct verify_result v = { 0 };
	_cleanup_(ans_report_deinit) struct ans_report x = { 0 };
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines gs = { 0 };
	struct err *err;

	r->a = (struct agg){ .s = r->s, .g = r->g, .nthreads = 1 };
	err = verify_run(r->s, r->g, &v);
	if (!err)
		err = agg_dominators(&r->a);
	if (!err)
		err = agg_report(&r->a, &v, 10, &x);
	if (!err)
		err = agg_goroutines(
			&r->a, &(struct goroutines_ask){ .by = GROUP_STACK, .limit = 100 }, &gs);
	if (!err)
		err = agg_head(&r->a, &x.head);
	if (err)
		return err;
	render(r, &x, &gs);
	look(r);
	return NULL;
}

static struct err *all(const uint8_t *bytes, size_t n, struct run *r)
{
	struct snap_opts so = { .nthreads = 1, .max_memory = 256U << 20 };
	struct err *err = target_open_dump_bytes(bytes, n, &r->t);

	if (!err)
		err = snap_dump_go(r->t, &r->go);
	if (!err)
		err = snapshot_create(r->t, r->go, &so, &r->s);
	if (!err)
		err = graph_create(r->s, 1, &r->g);
	return err ? err : answer(r);
}

static void edit(struct dumpfile *f, const uint8_t *data, size_t n)
{
	dumpfile_sample(f);
	for (; n >= 3; data += 3, n -= 3)
		f->bytes[load_u16(data) % f->n] = data[2];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct dumpfile f;
	struct run r = { 0 };

	if (n < 1 || n > sizeof(f.bytes) - 256)
		return 0;
	switch (data[0] % 3) {
	case 0:
		memcpy(f.bytes, "go1.7 heap dump\n", 16);
		f.n = 16;
		break;
	case 1:
		dumpfile_begin(&f, data[0] & 4 ? "go1.27.4" : "go1.18.10");
		break;
	default:
		edit(&f, data + 1, n - 1);
		n = 1;
		break;
	}
	memcpy(f.bytes + f.n, data + 1, n - 1);
	f.n += n - 1;
	err_free(all(f.bytes, f.n, &r));
	agg_deinit(&r.a);
	graph_free(r.g);
	snapshot_free(r.s);
	go_close(r.go);
	target_close(r.t);
	return 0;
}
