/*
 * fuzz_mix.c - any bytes as every kind of evidence at once, packed or not, and the report of what
 * could be read.
 *
 * The first two bytes say where it is cut into pieces; each is sniffed at and read by every reader.
 */
#include "base/str.h"
#include "evidence/escape.h"
#include "evidence/gclog.h"
#include "evidence/gotext.h"
#include "evidence/lint.h"
#include "evidence/pprof.h"
#include "evidence/sniff.h"
#include "report/agg_gotext.h"
#include "report/answer_mix.h"
#include "report/join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct read {
	struct escape *e;
	struct lint *l;
	struct gotext *t;
	struct pprof *p;
	struct gclog g;
	struct ans_gotext said;
};

static void read_deinit(struct read *r)
{
	escape_free(r->e);
	lint_free(r->l);
	pprof_free(r->p);
	gclog_deinit(&r->g);
	ans_gotext_deinit(&r->said);
	gotext_free(r->t);
}

static struct input *of(const uint8_t *p, size_t n)
{
	struct input *in = NULL;
	struct err *err = input_bytes(p, n, "fuzz", &in);

	err_free(err);
	return in;
}

/* Each by its own reader: what one refuses another may take. */
#define READ(call)                                                                                 \
	do {                                                                                       \
		_cleanup_(input_closep) struct input *in = of(data, n);                            \
		struct err *err = in ? (call) : NULL;                                              \
                                                                                                   \
		ok = in && !err;                                                                   \
		err_free(err);                                                                     \
	} while (0)

static size_t read_all(const uint8_t *data, size_t n, struct read *r, struct join_file *f)
{
	struct gotext_ask q = { .by = GROUP_STACK, .limit = 8, .file = "fuzz" };
	size_t k = 0;
	unsigned kinds;
	bool ok;

	READ(sniff(in, 1 << 20, &kinds));
	READ(escape_read(in, &r->e));
	if (ok)
		f[k++] = (struct join_file){ .name = "escape", .escape = r->e };
	READ(lint_read(in, &r->l));
	if (ok)
		f[k++] = (struct join_file){ .name = "lint", .lint = r->l };
	READ(pprof_read_some(in, PPROF_KEEP_STACKS, &r->p));
	if (ok)
		f[k++] = (struct join_file){ .name = "profile", .pprof = r->p };
	READ(gclog_read(in, &r->g));
	if (ok && r->g.streams.n)
		f[k++] = (struct join_file){ .name = "gclog", .gclog = &r->g };
	READ(gotext_read(in, &r->t));
	if (ok) {
		struct err *err = agg_gotext(r->t, &q, &r->said);

		if (!err)
			f[k++] = (struct join_file){ .name = "goroutines",
						     .gotext = r->t,
						     .said = &r->said };
		err_free(err);
	}
	return k;
}

static void report(const struct join_file *f, size_t n)
{
	_cleanup_(agg_deinit) struct agg a = { 0 };
	_cleanup_(ans_report_deinit) struct ans_report r = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct report_ask ask = { .joins = f, .njoins = n };
	struct err *err = n ? agg_join(&a, &ask, &r) : NULL;

	if (!err && n) {
		r.head = (struct ans_head){ .kind = "evidence",
					    .exe = "",
					    .go = "",
					    .arch = "",
					    .experiments = "",
					    .file = "",
					    .layout = "",
					    .module = "",
					    .version = "",
					    .revision = "",
					    .method = "file" };
		text_report_alone(&o, TEXT_PLAIN, &r);
		json_doc_report_alone(&o, &r);
	}
	err_free(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(read_deinit) struct read a = { 0 };
	_cleanup_(read_deinit) struct read b = { 0 };
	struct join_file f[16];
	size_t cut, k;

	if (n < 2)
		return 0;
	cut = 2 + ((size_t)data[0] << 8 | data[1]) % (n - 1);
	k = read_all(data + 2, cut - 2, &a, f);
	k += read_all(data + cut, n - cut, &b, f + k);
	report(f, k);
	return 0;
}
