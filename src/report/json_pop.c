/*
 * json_pop.c - populations as JSON: the first table under "rows", further ones by name.
 *
 * Each row has its columns' keys and "holder", the way from a root to it.
 */
#include "report/json.h"
#include "report/pop.h"

#include <stdio.h>

static void put_share(struct jw *j, uint64_t permille)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03u", permille / 1000,
		 (unsigned)(permille % 1000));
	jw_number(j, text);
}

static void put_cell(struct jw *j, uint8_t form, const struct pop_cell *c)
{
	if (form == POP_TEXT)
		jw_text(j, c->s);
	else if (c->n == POP_NONE || (form == POP_ADDR && !c->n))
		jw_null(j);
	else if (form == POP_ADDR)
		jw_addr(j, c->n);
	else if (form == POP_NS)
		jw_i64(j, (int64_t)c->n);
	else if (form == POP_UNIX_NS)
		jw_time(j, c->n);
	else if (form == POP_SHARE)
		put_share(j, c->n);
	else if (form == POP_YES)
		jw_bool(j, c->n != 0);
	else
		jw_u64(j, c->n);
}

static void put_row(struct jw *j, const struct pop_table *t, const struct pop_row *r)
{
	jw_object(j);
	for (size_t k = 0; k < POP_COLS && t->cols[k].form != POP_END; k++) {
		if (t->cols[k].flags & POP_TEXT_ONLY)
			continue;
		jw_key(j, t->cols[k].key);
		put_cell(j, t->cols[k].form, &r->c[k]);
	}
	if (r->path.nodes.n) {
		jw_key(j, "holder");
		json_path(j, &r->path);
	}
	jw_end(j, '}');
}

static void put_rest(struct jw *j, const struct pop_table *t)
{
	jw_object(j);
	jw_kv_u64(j, "rows", t->total - t->rows.n);
	for (size_t k = 0; k < POP_COLS && t->cols[k].form != POP_END; k++) {
		if (!(t->cols[k].flags & POP_SUM))
			continue;
		jw_key(j, t->cols[k].key);
		put_cell(j, t->cols[k].form, &t->rest.c[k]);
	}
	jw_end(j, '}');
}

static void put_rows(struct jw *j, const struct pop_table *t)
{
	jw_kv_text(j, "sort", t->cols[t->sort].key);
	jw_kv_u64(j, "total_rows", t->total);
	jw_key(j, "rows");
	jw_array(j);
	for (size_t i = 0; i < t->rows.n; i++)
		put_row(j, t, &t->rows.v[i]);
	jw_end(j, ']');
	jw_key(j, "rest");
	if (t->total > t->rows.n)
		put_rest(j, t);
	else
		jw_null(j);
}

static void put_totals(struct jw *j, const struct ans_pop *p)
{
	jw_key(j, "totals");
	jw_object(j);
	for (size_t i = 0; i < p->totals.n; i++) {
		struct pop_cell c = { .n = p->totals.v[i].n };

		jw_key(j, p->totals.v[i].key);
		put_cell(j, p->totals.v[i].form, &c);
	}
	jw_end(j, '}');
}

void json_doc_pop(struct str *o, const struct ans_head *h, const struct ans_pop *p)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_head(&j, h);
	jw_kv_text(&j, "population", p->what);
	put_totals(&j, p);
	for (size_t i = 0; i < p->ntables; i++) {
		if (i == 0) {
			put_rows(&j, &p->tables[0]);
			continue;
		}
		jw_key(&j, p->tables[i].key);
		jw_object(&j);
		put_rows(&j, &p->tables[i]);
		jw_end(&j, '}');
	}
	jw_key(&j, "notes");
	jw_array(&j);
	for (size_t i = 0; i < p->notes.n; i++)
		jw_text(&j, p->notes.v[i]);
	jw_end(&j, ']');
	jw_end(&j, '}');
}
