/*
 * pprof_list_view.c - `limpet list`: the columns of `go tool pprof -list`.
 */
#include "report/pprof_list_view.h"

#include "evidence/pprof_unit.h"
#include "report/json.h"
#include "report/text.h"

#include <inttypes.h>

static const char *figure(char buf[static PPROF_VALUE_MAX], const struct pprof_graph *g, int64_t v)
{
	return v ? pprof_value(buf, v, g->value_unit, "minimum") : ".";
}

static void put_lines(struct str *o, const struct pprof_list *l, const struct pprof_listed *f)
{
	char flat[PPROF_VALUE_MAX], cum[PPROF_VALUE_MAX];

	for (uint32_t i = 0; i < f->n; i++) {
		const struct pprof_listed_line *n = &l->lines.v[f->first + i];

		str_printf(o, "%10s %10s %6" PRId64 ":", figure(flat, l->g, n->flat),
			   figure(cum, l->g, n->cum), n->line);
		if (n->text)
			text_code(o, n->text);
		str_put(o, "\n");
	}
}

void text_pprof_list(struct str *o, const struct pprof_list *l)
{
	char flat[PPROF_VALUE_MAX], cum[PPROF_VALUE_MAX], share[16];
	bool without = false;

	str_printf(o, "Total: %s\n", pprof_value(flat, l->g->total, l->g->value_unit, "minimum"));
	for (size_t i = 0; i < l->functions.n; i++) {
		const struct pprof_listed *f = &l->functions.v[i];

		if (!*f->file) {
			str_put(o, "No source information for ");
			text_clean(o, f->function);
			str_put(o, "\n");
			continue;
		}
		str_put(o, "ROUTINE ======================== ");
		text_clean(o, f->function);
		str_put(o, " in ");
		text_clean(o, f->file);
		pprof_value(flat, f->flat, l->g->value_unit, "minimum");
		pprof_value(cum, f->cum, l->g->value_unit, "minimum");
		str_printf(o, "\n%10s %10s (flat, cum) %s of Total\n", flat, cum,
			   pprof_percent(share, f->cum, l->g->total));
		put_lines(o, l, f);
		without = without || !f->source;
	}
	if (without)
		str_put(o,
			"(lines alone where there is no source: --source DIR is the folder that has it)\n");
}

void json_pprof_list(struct jw *j, const struct pprof_list *l)
{
	jw_key(j, "rows");
	jw_array(j);
	for (size_t i = 0; i < l->functions.n; i++) {
		const struct pprof_listed *f = &l->functions.v[i];

		jw_object(j);
		jw_kv_text(j, "name", f->function);
		jw_kv_text(j, "file", f->file);
		jw_kv_i64(j, "flat", f->flat);
		jw_kv_i64(j, "cum", f->cum);
		jw_kv_bool(j, "source", f->source);
		jw_key(j, "lines");
		jw_array(j);
		for (uint32_t k = 0; k < f->n; k++) {
			const struct pprof_listed_line *n = &l->lines.v[f->first + k];

			jw_object(j);
			jw_kv_i64(j, "line", n->line);
			jw_kv_i64(j, "flat", n->flat);
			jw_kv_i64(j, "cum", n->cum);
			jw_kv_text(j, "text", n->text);
			jw_end(j, '}');
		}
		jw_end(j, ']');
		jw_end(j, '}');
	}
	jw_end(j, ']');
}
