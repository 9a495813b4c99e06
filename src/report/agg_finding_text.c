/*
 * agg_finding_text.c - what detectors wrote, in the reader's own names.
 *
 * {holder}, {type} and {site} are filled in from the finding's way and its allocation site.
 * Keys of maps never stand in them: they are values of the program.
 */
#include "report/agg_finding.h"

#include "base/str.h"

#include <stdio.h>

static bool is_plain(const char *s)
{
	return *s && !strstr(s, "(*") && !strstr(s, "unsafe") && !strstr(s, "0x") &&
	       !strchr(s, '\n') && !strstr(s, "/*") && strlen(s) < 120;
}

/* main.cache["…7f3a"].buf[17] -> main.cache[…].buf[…] */
static const char *without_keys(struct agg *a, const char *s)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	unsigned depth = 0;

	for (; *s; s++) {
		if (*s == ']' && depth && !--depth)
			str_put(&o, "\xe2\x80\xa6]");
		else if (*s == '[' && !depth++)
			str_put(&o, "[");
		else if (!depth)
			str_putn(&o, s, 1);
	}
	return keepn(&a->keep, o.s ? o.s : "", o.n);
}

/* "global used by main.f (data+0x1f20)" without the place, which says nothing to anybody. */
static const char *root_words(struct agg *a, const struct ans_holder *h)
{
	const char *at = strstr(h->name, " (data+"), *bss = strstr(h->name, " (bss+");
	size_t n = at ? (size_t)(at - h->name) : bss ? (size_t)(bss - h->name) : strlen(h->name);
	const char *comma = memchr(h->name, ',', n);

	if (!n)
		return h->what;
	if (comma && !strncmp(h->name, "global used by ", 15))
		n = (size_t)(comma - h->name);
	if (strncmp(h->name, "global used by ", 15) != 0)
		return keepn(&a->keep, h->name, n);
	if (*h->field == '.' && *h->type)
		return keepf(&a->keep, "(%s)%s, in a global that %.*s uses", h->type,
			     without_keys(a, h->field), (int)(n - 15), h->name + 15);
	return keepf(&a->keep, "the global %s%sthat %.*s uses", h->type, *h->type ? " " : "",
		     (int)(n - 15), h->name + 15);
}

static const char *goroutine_words(struct agg *a, const struct ans_holder *h)
{
	if (h->var && *h->var)
		return keepf(&a->keep, "the local %s of %s", h->var,
			     *h->frame ? h->frame : root_words(a, h));
	if (*h->frame && *h->frame != '(')
		return keepf(&a->keep, "a local of %s", h->frame);
	return root_words(a, h);
}

/* The last on the way that has a field for it: (*main.Server).sessions. */
static const char *field_words(struct agg *a, const struct ans_path *p)
{
	for (size_t i = p->nodes.n; i-- > 1;) {
		const struct ans_holder *h = &p->nodes.v[i - 1];

		if (!strcmp(h->what, "object") && *h->type && *h->type != '~' && *h->field == '.' &&
		    !strchr(h->type, '['))
			return keepf(&a->keep, "(*%s)%s", h->type, without_keys(a, h->field));
	}
	return NULL;
}

const char *finding_holder(struct agg *a, const struct ans_finding *y)
{
	const struct ans_path *p = &y->holder;
	const struct ans_holder *root = p->nodes.n ? &p->nodes.v[0] : NULL;
	const char *field;

	if (!root)
		return "";
	if (!strcmp(root->what, "goroutine") && p->nodes.n <= 2)
		return goroutine_words(a, root);
	if (!strcmp(root->what, "global") && p->expression && is_plain(p->expression) &&
	    strncmp(p->expression, "global ", 7) != 0)
		return without_keys(a, p->expression);
	if (!strcmp(root->what, "global") && p->nodes.n <= 2)
		return root_words(a, root);
	field = field_words(a, p);
	if (field)
		return field;
	return strcmp(root->what, "goroutine") ? root_words(a, root) : goroutine_words(a, root);
}

static const char *base_type(const char *type)
{
	return *type == '*' ? type + 1 : type;
}

/* "main.Cache" and ".items" are "main.Cache.items". */
static bool is_field(const char *name, const char *type, const char *field)
{
	size_t n = strlen(type);

	return *field == '.' && !strncmp(name, type, n) && !strcmp(name + n, field);
}

bool finding_names(const struct ans_finding *y, const char *name)
{
	if (!strcmp(name, y->holder_text) ||
	    (y->holder.expression && !strcmp(name, y->holder.expression)))
		return true;
	for (size_t i = 0; i < y->holder.nodes.n; i++) {
		const struct ans_holder *h = &y->holder.nodes.v[i];
		const char *type = base_type(h->type);

		if (!strcmp(name, h->name) || (*type && !strcmp(name, type)) ||
		    (*type && is_field(name, type, h->field)) ||
		    (*h->name && is_field(name, h->name, h->field)))
			return true;
	}
	return false;
}

static bool is_library(const char *function)
{
	const char *slash = strchr(function, '/'), *dot = strchr(function, '.');

	/* the standard library's paths have no dot before their first slash */
	return strncmp(function, "main.", 5) != 0 && !(dot && slash && dot < slash);
}

const struct ans_frame *finding_own_frame(const struct agg *a, const struct ans_frame *v, size_t n)
{
	const char *module = a->s->go->module_path;
	size_t len = module ? strlen(module) : 0;

	for (size_t i = 0; i < n; i++)
		if (!strncmp(v[i].function, "main.", 5) ||
		    (len && !strncmp(v[i].function, module, len)))
			return &v[i];
	for (size_t i = 0; i < n; i++)
		if (!is_library(v[i].function))
			return &v[i];
	return n ? v : NULL;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *finding_site(struct agg *a, const struct ans_origin *o)
{
	const struct ans_frame *f = finding_own_frame(a, o->stack.v, o->stack.n);

	if (!f)
		return "";
	return keepf(&a->keep, "%s (%s:%d)", f->function, file_name(f->file), f->line);
}

static const char *otherwise(const char *text, const char *if_none)
{
	return text && *text ? text : if_none;
}

const char *finding_fill(struct agg *a, const struct ans_finding *y, const char *text)
{
	const struct {
		const char *word, *text;
	} by[] = {
		{ "{holder}", otherwise(y->holder_text, "what holds it") },
		{ "{type}", otherwise(y->type, "the value") },
		{ "{site}", otherwise(y->site_text, "where it is made") },
	};
	_cleanup_(str_deinit) struct str o = { 0 };
	size_t k;

	if (!strchr(text, '{'))
		return keepf(&a->keep, "%s", text);
	for (; *text; text++) {
		for (k = 0; k < ARRAY_LEN(by); k++)
			if (!strncmp(text, by[k].word, strlen(by[k].word)))
				break;
		if (k == ARRAY_LEN(by)) {
			str_putn(&o, text, 1);
			continue;
		}
		str_put(&o, by[k].text);
		text += strlen(by[k].word) - 1;
	}
	return keepn(&a->keep, o.s ? o.s : "", o.n);
}
