/*
 * check_out.c - formats by their words, the files beside the answer, and GitLab's Code Quality.
 */
#include "report/check_out.h"

#include "report/json.h"
#include "report/out.h"

const char *const check_format_words[CHECK_FORMATS + 1] = {
	[CHECK_TEXT] = "text",	 [CHECK_JSON] = "json",	    [CHECK_JUNIT] = "junit",
	[CHECK_SARIF] = "sarif", [CHECK_GITHUB] = "github", [CHECK_GITLAB] = "gitlab",
};

static void put_quality(struct jw *j, const struct ans_check *c, const struct ans_check_row *r)
{
	_cleanup_(str_deinit) struct str text = { 0 };
	bool placed = r->uri && *r->uri;

	if (r->known || !placed)
		return; /* it wants a line of a file */
	str_printf(&text, "%s: %s", c->name, r->title);
	jw_object(j);
	jw_kv_text(j, "description", str_ok(&text) ? text.s : r->title);
	jw_kv_text(j, "check_name", r->kind);
	jw_kv_text(j, "fingerprint", r->signature);
	jw_kv_text(j, "severity", strcmp(r->verdict, "suspect") ? "major" : "minor");
	jw_key(j, "location");
	jw_object(j);
	jw_kv_text(j, "path", r->uri);
	jw_key(j, "lines");
	jw_object(j);
	jw_kv_i64(j, "begin", r->uri_line > 0 ? r->uri_line : 1);
	jw_end(j, '}');
	jw_end(j, '}');
	jw_end(j, '}');
}

void gitlab_check(struct str *o, const struct ans_checks *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_array(&j);
	for (size_t i = 0; i < a->v.n; i++)
		for (size_t k = 0; k < a->v.v[i].rows.n; k++)
			if (!ans_check_told(a, &a->v.v[i], &a->v.v[i].rows.v[k]))
				put_quality(&j, &a->v.v[i], &a->v.v[i].rows.v[k]);
	jw_end(&j, ']');
}

void check_render(struct str *o, enum check_format f, enum text_style st,
		  const struct ans_checks *a)
{
	switch (f) {
	case CHECK_JSON:
		json_doc_check(o, a);
		break;
	case CHECK_JUNIT:
		junit_check(o, a);
		break;
	case CHECK_SARIF:
		sarif_check(o, a);
		break;
	case CHECK_GITHUB:
		github_check(o, a);
		break;
	case CHECK_GITLAB:
		gitlab_check(o, a);
		break;
	default:
		text_check(o, st, a);
	}
}

static struct err *write_one(const char *path, enum check_format f, const struct ans_checks *a)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	if (!path)
		return NULL;
	check_render(&o, f, TEXT_PLAIN, a);
	return out_write(path, &o);
}

struct err *check_write_files(const struct check_files *f, const struct ans_checks *a)
{
	struct err *err = write_one(f->junit, CHECK_JUNIT, a);

	if (!err)
		err = write_one(f->sarif, CHECK_SARIF, a);
	if (!err)
		err = write_one(f->gitlab, CHECK_GITLAB, a);
	return err;
}
