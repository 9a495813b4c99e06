/*
 * github_check.c - a check as GitHub annotations: workflow commands, a line each.
 *
 * Escaping is that of the Actions toolkit (core/src/command.ts): '%', CR and LF in the message, and
 * ':' and ',' too in a property.  Text is clean before it is escaped: no second command can begin.
 */
#include "report/check_out.h"

#include <stdio.h>

enum place { IN_MESSAGE, IN_PROPERTY };

static void put(struct str *o, const char *raw, enum place place)
{
	_cleanup_(str_deinit) struct str clean = { 0 };

	text_clean(&clean, raw);
	for (const char *s = str_ok(&clean) ? clean.s : ""; *s; s++)
		if (*s == '%' || *s == '\r' || *s == '\n' ||
		    (place == IN_PROPERTY && (*s == ':' || *s == ',')))
			str_printf(o, "%%%02X", (unsigned char)*s);
		else
			str_putn(o, s, 1);
}

static void begin(struct str *o, const char *level, const char *uri, int line, const char *title)
{
	str_printf(o, "::%s ", level);
	if (uri && *uri && line > 0) { /* go.mod, which stands for no place, helps nobody here */
		str_put(o, "file=");
		put(o, uri, IN_PROPERTY);
		str_printf(o, ",line=%d,", line);
	}
	str_put(o, "title=");
	put(o, title, IN_PROPERTY);
	str_put(o, "::");
}

static void put_row(struct str *o, const struct ans_check *c, const struct ans_check_row *r)
{
	char title[120];
	size_t i;

	if (r->known)
		return;
	snprintf(title, sizeof(title), "limpet: %s", check_kind_of(r->kind, &i)->name);
	begin(o,
	      c->result == CHECK_UNSURE || !strcmp(r->verdict, "suspect")   ? "warning"
	      : !strcmp(r->verdict, "waste") || !strcmp(r->verdict, "info") ? "notice"
									    : "error",
	      r->uri, r->uri_line, title);
	put(o, c->name, IN_MESSAGE);
	str_put(o, ": ");
	put(o, r->title, IN_MESSAGE);
	if (r->holder && *r->holder) {
		str_put(o, "%0AHeld by ");
		put(o, r->holder, IN_MESSAGE);
	}
	if (r->fix && *r->fix) {
		str_put(o, "%0AFix: ");
		put(o, r->fix, IN_MESSAGE);
	}
	str_put(o, "%0ASignature ");
	put(o, r->signature, IN_MESSAGE);
	str_put(o, "\n");
}

/* A check that failed for what is no finding. */
static void put_check(struct str *o, const struct ans_check *c)
{
	bool said = false;

	for (size_t i = 0; i < c->rows.n; i++)
		said = said || !c->rows.v[i].known;
	if (said || c->result == CHECK_PASSED || c->result == CHECK_SKIPPED)
		return;
	begin(o, c->result == CHECK_UNSURE ? "warning" : "error", NULL, 0, "limpet check");
	put(o, c->name, IN_MESSAGE);
	str_printf(o, ": %s: ", ans_check_word(c->result));
	put(o, c->why, IN_MESSAGE);
	str_put(o, "\n");
}

void github_check(struct str *o, const struct ans_checks *a)
{
	for (size_t i = 0; i < a->v.n; i++) {
		for (size_t k = 0; k < a->v.v[i].rows.n; k++)
			if (!ans_check_told(a, &a->v.v[i], &a->v.v[i].rows.v[k]))
				put_row(o, &a->v.v[i], &a->v.v[i].rows.v[k]);
		put_check(o, &a->v.v[i]);
	}
	for (size_t i = 0; i < a->gone.n && !a->baseline_written; i++) {
		begin(o, "notice", NULL, 0, "limpet: fixed");
		put(o, a->gone.v[i].title, IN_MESSAGE);
		str_put(o, " is not there any more: remove ");
		put(o, a->gone.v[i].signature, IN_MESSAGE);
		str_put(o, " from ");
		put(o, a->baseline, IN_MESSAGE);
		str_put(o, "\n");
	}
	str_put(o, "");
}
