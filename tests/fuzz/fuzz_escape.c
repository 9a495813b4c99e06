/*
 * fuzz_escape.c - any bytes as a report of the compiler: rows must be within their tables, and
 * answers of it are made without a crash.
 */
#include "base/keep.h"
#include "evidence/escape.h"
#include "report/answer_escape.h"
#include "report/text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct escape *e)
{
	for (size_t i = 0; i < e->rows.n; i++) {
		const struct escape_row *r = &e->rows.v[i];

		assert(r->what < ESCAPE_WHATS && r->form < ESCAPE_FORMS);
		assert(r->reason < ESCAPE_REASONS && r->count);
		assert((uint64_t)r->first_step + r->nsteps <= e->steps.n);
		assert(r->expr < e->words.at.n || !r->expr);
		assert(*escape_reason_word(r->reason) && *escape_form_word(r->form));
	}
	for (size_t i = 0; i < e->selfs.n; i++)
		assert(e->selfs.v[i].variable < e->rows.n && e->selfs.v[i].closure < e->rows.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(input_closep) struct input *in = NULL;
	_cleanup_(escape_freep) struct escape *e = NULL;
	_cleanup_(ans_escape_deinit) struct ans_escape a = { 0 };
	_cleanup_(keep_deinit) struct keep k = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = input_bytes(data, n, "fuzz", &in);

	if (!err)
		err = escape_read(in, &e);
	if (!err)
		check(e);
	if (!err)
		err = agg_escape(&k, e, n & 1 ? "line" : NULL, 20, &a);
	if (!err) {
		text_escape(&o, TEXT_PLAIN, &a, 20);
		json_doc_escape(&o, &a, 20);
	}
	err_free(err);
	return 0;
}
