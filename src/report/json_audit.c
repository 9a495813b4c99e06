/*
 * json_audit.c - the document of `limpet audit`.
 */
#include "report/json.h"
#include "snapshot/look.h"

static void put_setting(struct jw *j, const struct ans_setting *s)
{
	jw_object(j);
	jw_kv_text(j, "name", s->name);
	jw_key(j, s->form == GO_FACT_NS	     ? "value_ns"
		  : s->form == GO_FACT_BYTES ? "bytes"
					     : "value");
	if (s->form == GO_FACT_BOOL)
		jw_bool(j, s->value != 0);
	else if (s->form == GO_FACT_BYTES && s->unset)
		jw_null(j);
	else
		jw_i64(j, s->value);
	jw_kv_bool(j, "unset", s->unset);
	if (*s->meaning)
		jw_kv_text(j, "meaning", s->meaning);
	jw_end(j, '}');
}

static void put_row(struct jw *j, const struct ans_limited *k)
{
	jw_object(j);
	jw_kv_text(j, "type", k->type);
	jw_kv_text(j, "name", k->name);
	jw_kv_addr(j, "addr", k->addr);
	jw_key(j, "holder");
	json_path(j, &k->holder);
	jw_kv_text(j, "field", k->field);
	jw_key(j, "settings");
	jw_array(j);
	for (size_t i = 0; i < k->nsettings; i++)
		put_setting(j, &k->settings[i]);
	jw_end(j, ']');
	jw_key(j, "hangs");
	jw_object(j);
	jw_kv_u64(j, "connections", k->conns);
	jw_kv_u64(j, "idle", k->idle);
	jw_kv_u64(j, "open_bodies", k->open_bodies);
	jw_kv_u64(j, "dropped_bodies", k->dropped);
	jw_kv_u64(j, "waiting", k->waiting);
	jw_kv_u64(j, "reading_headers", k->headers);
	jw_kv_u64(j, "serving", k->serving);
	jw_kv_u64(j, "waited", k->waited);
	jw_kv_u64(j, "oldest_ns", k->oldest_ns);
	jw_end(j, '}');
	jw_kv_text(j, "says", k->says);
	jw_end(j, '}');
}

void json_doc_audit(struct str *o, const struct ans_head *h, const struct ans_audit *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_head(&j, h);
	jw_key(&j, "process");
	jw_array(&j);
	for (size_t i = 0; i < a->process.n; i++)
		put_setting(&j, &a->process.v[i]);
	jw_end(&j, ']');
	jw_kv_u64(&j, "total", a->total);
	jw_key(&j, "instances");
	jw_array(&j);
	for (size_t i = 0; i < a->rows.n; i++)
		put_row(&j, &a->rows.v[i]);
	jw_end(&j, ']');
	jw_end(&j, '}');
	str_put(o, "\n");
}
