/*
 * diff_objects.c - see the header.  Cost: one pass, a megabyte of text at a time.
 */
#include "report/diff_objects.h"

#include "report/json.h"
#include "report/outfile.h"
#include "report/text.h"

#include <errno.h>

enum { BATCH = 1 << 20 };

struct writer {
	struct outfile *f;
	struct str o;
	unsigned last; /* look */
	enum diff_lines lines;
};

static const char *fate(const struct writer *w, const struct diff_object *x)
{
	if (!x->first && x->last == w->last)
		return x->maybe ? "maybe survived" : "survived";
	if (!x->first)
		return "died";
	return x->last == w->last ? "born" : "came and went";
}

static void put_json(struct writer *w, const struct diff_object *x)
{
	struct jw j;

	jw_init(&j, &w->o);
	jw_object(&j);
	jw_kv_addr(&j, "addr", x->addr);
	jw_kv_u64(&j, "bytes", x->bytes);
	jw_kv_text(&j, "type", x->type);
	jw_kv_text(&j, "fate", fate(w, x));
	jw_kv_u64(&j, "first", x->first + 1);
	jw_kv_u64(&j, "last", x->last + 1);
	jw_key(&j, "maybe");
	jw_array(&j);
	for (unsigned i = 0; i <= w->last; i++)
		if (x->maybe >> i & 1)
			jw_u64(&j, i + 1);
	jw_end(&j, ']');
	jw_end(&j, '}');
}

static struct err *flush(struct writer *w)
{
	struct err *err;

	if (w->o.bad)
		return &err_nomem;
	err = w->o.n ? outfile_put(w->f, w->o.s, w->o.n) : NULL;
	w->o.n = 0;
	return err;
}

static struct err *put(void *arg, const struct diff_object *x)
{
	struct writer *w = arg;

	if (w->lines == DIFF_LINES_JSON) {
		put_json(w, x);
	} else {
		str_printf(&w->o, "0x%" PRIx64 "\t%" PRIu64 "\t%s\t%u\t%u\t", x->addr, x->bytes,
			   fate(w, x), x->first + 1, x->last + 1);
		text_clean(&w->o, x->type);
		str_put(&w->o, "\n");
	}
	return w->o.n > BATCH ? flush(w) : NULL;
}

struct err *diff_objects_write(struct ident *const *looks, size_t nlooks, enum diff_lines lines,
			       const char *path)
{
	_cleanup_(outfile_closep) struct outfile *f = NULL;
	struct writer w = { .last = (unsigned)nlooks - 1, .lines = lines };
	struct err *err = outfile_open(path ? path : "-", 0, &f);

	w.f = f;
	if (!err)
		err = diff_each(looks, nlooks, put, &w);
	if (!err)
		err = flush(&w);
	if (!err)
		err = outfile_commit(f, 0);
	str_deinit(&w.o);
	if (err && err->code == ERR_OS && err->os_errno == EPIPE) { /* as out_write() */
		err_free(err);
		return NULL;
	}
	return err;
}
