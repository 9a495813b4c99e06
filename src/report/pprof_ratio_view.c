/*
 * pprof_ratio_view.c - `limpet top PROFILE --sort ratio`: what each place allocated, and what of it
 * is still there.
 */
#include "report/pprof_ratio_view.h"

#include "evidence/pprof_unit.h"
#include "report/pprof_view.h"
#include "report/text.h"

#include <inttypes.h>

static void put_row(struct str *o, const struct pprof_ratio_row *r)
{
	char v[2][PPROF_VALUE_MAX];

	str_printf(o, "%10s %10s %10" PRId64 " %10" PRId64 " ",
		   pprof_value(v[0], r->alloc_bytes, "bytes", "auto"),
		   pprof_value(v[1], r->inuse_bytes, "bytes", "auto"), r->alloc_objects,
		   r->inuse_objects);
	if (r->kind == PPROF_FEW)
		str_put(o, "       ");
	else
		str_printf(o, "%6.1f%%", r->ratio * 100);
	str_printf(o, "  %-11s  ", pprof_ratio_word(r->kind));
	text_clean(o, r->name);
	str_put(o, "\n");
}

void text_pprof_ratios(struct str *o, const struct pprof *p, const struct pprof_ratios *r,
		       size_t limit)
{
	char v[2][PPROF_VALUE_MAX];
	unsigned seen = 0;

	str_put(o, "profile ");
	text_clean(o, p->name);
	str_put(o, "\n");
	str_printf(o, "Allocated since the start: %s; of that still in use: %s\n\n",
		   pprof_value(v[0], r->alloc_bytes, "bytes", "auto"),
		   pprof_value(v[1], r->inuse_bytes, "bytes", "auto"));
	str_put(o, " allocated     in use    objects     in use   ratio\n");
	for (size_t i = 0; i < r->rows.n && i < limit; i++) {
		put_row(o, &r->rows.v[i]);
		seen |= 1U << r->rows.v[i].kind;
	}
	if (r->rows.n > limit)
		str_printf(o, "and %zu more rows (--limit 0: all)\n", r->rows.n - limit);
	str_put(o, "\n");
	for (unsigned k = 0; k <= PPROF_FEW; k++)
		if (seen & 1U << k)
			str_printf(o, "%-12s %s\n", pprof_ratio_word(k), pprof_ratio_means(k));
}

void json_doc_pprof_ratios(struct str *o, const struct pprof *p, const struct pprof_ratios *r,
			   size_t limit)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_pprof_head(&j, p, 0, r->alloc_bytes);
	jw_kv_text(&j, "sort", "ratio");
	jw_kv_u64(&j, "retained_percent", PPROF_RETAINED_PERCENT);
	jw_kv_u64(&j, "churn_percent", PPROF_CHURN_PERCENT);
	jw_key(&j, "rows");
	jw_array(&j);
	for (size_t i = 0; i < r->rows.n && i < limit; i++) {
		const struct pprof_ratio_row *row = &r->rows.v[i];

		jw_object(&j);
		jw_kv_text(&j, "name", row->name);
		jw_kv_i64(&j, "alloc_space", row->alloc_bytes);
		jw_kv_i64(&j, "inuse_space", row->inuse_bytes);
		jw_kv_i64(&j, "alloc_objects", row->alloc_objects);
		jw_kv_i64(&j, "inuse_objects", row->inuse_objects);
		jw_kv_real(&j, "ratio", row->ratio);
		jw_kv_text(&j, "means", pprof_ratio_word(row->kind));
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
}
