/*
 * json_mix.c - pieces of evidence and what is missing, as JSON.
 */
#include "report/answer_mix.h"

#include "report/answer_escape.h"

static void put_beside(struct jw *j, const struct ans_beside *x)
{
	jw_object(j);
	jw_kv_text(j, "kind", x->kind);
	jw_kv_text(j, "file", x->file);
	jw_kv_text(j, "what", x->what);
	jw_key(j, "at");
	jw_time(j, x->at_unix_ns);
	jw_kv_text(j, "same_program", x->same);
	jw_kv_text(j, "why", x->why);
	if (x->damage)
		jw_kv_text(j, "damaged", x->damage);
	jw_end(j, '}');
}

void json_mix(struct jw *j, const struct ans_mix *a)
{
	jw_key(j, "evidence");
	jw_array(j);
	for (size_t i = 0; i < a->beside.n; i++)
		put_beside(j, &a->beside.v[i]);
	jw_end(j, ']');
	jw_key(j, "missing");
	jw_array(j);
	for (size_t i = 0; i < a->missing.n; i++) {
		jw_object(j);
		jw_kv_text(j, "what", a->missing.v[i].what);
		jw_kv_text(j, "command", a->missing.v[i].command);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_doc_report_alone(struct str *o, const struct ans_report *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_head(&j, &a->head);
	json_mix(&j, a->mix);
	jw_key(&j, "findings");
	json_findings(&j, &a->findings);
	jw_kv_u64(&j, "total_findings", a->findings.total);
	if (a->njoined) {
		jw_key(&j, "joined");
		json_joined(&j, a->joined, a->njoined);
	}
	if (a->findings.ignored.n) {
		jw_key(&j, "ignored");
		json_ignored(&j, &a->findings);
	}
	jw_end(&j, '}');
}
