/*
 * fuzz_gclog.c - any bytes as a log: read, judged, and shown in all ways.
 */
#include "base/str.h"
#include "evidence/gclog.h"
#include "report/gclog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool yes)
{
	if (!yes)
		abort();
}

static void check(const struct gclog *g)
{
	uint64_t seen = g->strangers;

	for (size_t i = 0; i < g->streams.n; i++) {
		const struct gclog_stream *s = g->streams.v[i];

		seen += s->st.cycles;
		must(s->cycles.n && s->cycles.n <= s->st.cycles && s->says.why);
		for (size_t k = 1; k < s->cycles.n; k++)
			must(s->cycles.v[k - 1].n < s->cycles.v[k].n);
		must(s->st.last_n - s->st.first_n + 1 == s->st.cycles + s->st.missing);
		must(s->st.cpu_share >= 0 && s->st.cpu_share <= 1 && s->st.busy <= 1);
	}
	must(seen == g->cycles);
}

static void show(const struct gclog *g)
{
	for (size_t i = 0; i < MIN(g->streams.n, 3U); i++) {
		struct ans_gclog a = { g, "fuzz", i, 10, 10, 80 };
		_cleanup_(str_deinit) struct str o = { 0 };

		text_gclog(&o, TEXT_COLOR, &a);
		json_doc_gclog(&o, &a);
		svg_gclog(&o, &a);
		must(str_ok(&o));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input *in;
	struct gclog g;
	struct err *err = input_bytes(data, n, "fuzz", &in);

	if (!err) {
		err = gclog_read(in, &g);
		input_close(in);
	}
	if (err) {
		err_free(err);
		return 0;
	}
	check(&g);
	show(&g);
	gclog_deinit(&g);
	return 0;
}
