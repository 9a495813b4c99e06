/*
 * doctor.c - one line a check: OK, a note or a failure, and below it what to do.
 */
#include "report/doctor.h"

#include "report/json.h"

#define INDENT "                     "

static void put_level(struct str *o, enum text_style st, enum doctor_verdict v)
{
	static const char *const word[] = { "OK  ", "note", "FAIL" };
	static const char *const color[] = { "\x1b[32m", "\x1b[33m", "\x1b[31m" };

	if (st == TEXT_COLOR)
		str_printf(o, "%s%s\x1b[0m", color[v], word[v]);
	else
		str_put(o, word[v]);
}

static void put_todo(struct str *o, const char *todo)
{
	const char *mark = "-> ";

	for (const char *l = todo; *l;) {
		size_t n = strcspn(l, "\n");

		str_put(o, INDENT);
		str_put(o, mark);
		str_put_clean(o, l, n);
		str_put(o, "\n");
		mark = "   ";
		l += n + (l[n] == '\n');
	}
}

static void put_verdict(struct str *o, const struct doctor *d)
{
	size_t bad = 0;

	for (size_t i = 0; i < d->checks.n; i++)
		bad += d->checks.v[i].verdict == DOCTOR_FAIL;
	if (!bad && d->pid)
		str_printf(o, "\nlimpet can look into process %d.\n", d->pid);
	else if (!bad)
		str_put(o, "\nlimpet can work here; `limpet doctor PID` asks about one process.\n");
	else
		str_printf(o, "\nlimpet cannot work %s: %zu of %zu checks fail.\n",
			   d->pid ? "on that process as things are" : "here as things are", bad,
			   d->checks.n);
}

void text_doctor(struct str *o, enum text_style st, const struct doctor *d)
{
	for (size_t i = 0; i < d->checks.n; i++) {
		const struct doctor_check *c = &d->checks.v[i];

		put_level(o, st, c->verdict);
		str_printf(o, "  %-13s  ", c->name);
		str_put_clean(o, c->detail, strlen(c->detail));
		str_put(o, "\n");
		put_todo(o, c->todo);
	}
	put_verdict(o, d);
}

void json_doc_doctor(struct str *o, const struct doctor *d)
{
	static const char *const level[] = { "ok", "note", "fail" };
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_u64(&j, "schema", 1);
	jw_kv_text(&j, "limpet", LIMPET_VERSION);
	jw_key(&j, "pid");
	if (d->pid)
		jw_i64(&j, d->pid);
	else
		jw_null(&j);
	jw_kv_bool(&j, "ok", !doctor_exit_code(d));
	jw_key(&j, "checks");
	jw_array(&j);
	for (size_t i = 0; i < d->checks.n; i++) {
		const struct doctor_check *c = &d->checks.v[i];

		jw_object(&j);
		jw_kv_text(&j, "name", c->name);
		jw_kv_bool(&j, "ok", c->verdict != DOCTOR_FAIL);
		jw_kv_text(&j, "level", level[c->verdict]);
		jw_kv_text(&j, "detail", c->detail);
		jw_kv_text(&j, "todo", *c->todo ? c->todo : NULL);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
	str_put(o, "\n");
}
