/*
 * fuzz_lint.c - any bytes as JSON of a linter, and what is answered of it.
 */
#include "base/keep.h"
#include "evidence/lint.h"
#include "report/answer_escape.h"
#include "report/text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(input_closep) struct input *in = NULL;
	_cleanup_(lint_freep) struct lint *l = NULL;
	_cleanup_(ans_lint_deinit) struct ans_lint a = { 0 };
	_cleanup_(keep_deinit) struct keep k = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = input_bytes(data, n, "fuzz", &in);

	if (!err)
		err = lint_read(in, &l);
	for (size_t i = 0; !err && i < l->rows.n; i++) {
		assert(l->rows.v[i].count && l->rows.v[i].file);
		assert((l->rows.v[i].leak != NULL) == (i < l->about_leaks));
	}
	if (!err)
		err = agg_lint(&k, l, n & 1 ? "line" : NULL, 20, &a);
	if (!err) {
		text_lint(&o, TEXT_PLAIN, &a, 20);
		json_doc_lint(&o, &a, 20);
	}
	err_free(err);
	return 0;
}
