/*
 * text_findings.c - findings for people: what, how sure, who holds it, what to change.
 *
 * Fifteen lines a finding, 100 columns: what the target wrote in is cleaned first, then
 * broken between words.
 */
#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { COLUMNS = 100, INDENT = 13, DETAILS_MAX = 5, NODES_HEAD = 7, NODES_TAIL = 5, FRAMES = 3 };

static const char *on(enum text_style st, const char *code)
{
	return st == TEXT_COLOR ? code : "";
}

static const char *color_of(const char *verdict)
{
	if (!strcmp(verdict, "leak"))
		return "\x1b[1;31m";
	return strcmp(verdict, "suspect") ? "\x1b[1m" : "\x1b[1;33m";
}

/* Characters, not bytes, of n bytes of clean text. */
static size_t columns_of(const char *s, size_t n)
{
	size_t c = 0;

	for (size_t i = 0; i < n; i++)
		c += ((unsigned char)s[i] & 0xc0) != 0x80;
	return c;
}

/* Bytes of the first word; a figure and its unit are one. */
static size_t word_length(const char *s)
{
	static const char *const units[] = { "%", "B", "KiB", "MiB", "GiB", "TiB" };
	size_t n = strcspn(s, " "), k;

	if (!n || s[n] != ' ' || s[n - 1] < '0' || s[n - 1] > '9')
		return n;
	k = strcspn(s + n + 1, " ,;:.)");
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strlen(units[i]) == k && !strncmp(units[i], s + n + 1, k))
			return n + 1 + strcspn(s + n + 1, " ");
	return n;
}

void text_wrapped(struct str *o, const char *text, size_t at, size_t indent)
{
	while (*text) {
		size_t n = word_length(text), c = columns_of(text, n);

		if (at > indent && at + 1 + c > COLUMNS) {
			str_printf(o, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			str_put(o, " ");
			at++;
		}
		str_putn(o, text, n);
		at += c;
		text += n;
		text += strspn(text, " ");
	}
	str_put(o, "\n");
}

/* "   fix       text …" */
static void put_line(struct str *o, const char *word, const char *text)
{
	_cleanup_(str_deinit) struct str clean = { 0 };

	if (!*text)
		return;
	text_clean(&clean, text);
	str_printf(o, "   %-10s", word);
	text_wrapped(o, str_ok(&clean) ? clean.s : "", INDENT, INDENT);
}

/* "global used by main.f (data+0x1f20 main.large)": what it is stands behind it anyhow. */
static void put_root_name(struct str *o, const char *name)
{
	const char *at = strstr(name, "+0x");
	char text[300];

	at = at ? strchr(at, ' ') : NULL;
	if (!at || (size_t)(at - name) >= sizeof(text)) {
		text_clean(o, name);
		return;
	}
	snprintf(text, sizeof(text), "%.*s)", (int)(at - name), name);
	text_clean(o, text);
}

static void put_root(struct str *o, const struct ans_holder *h)
{
	put_root_name(o, *h->name ? h->name : h->what);
	if (*h->frame && strcmp(h->what, "goroutine") == 0) {
		str_put(o, *h->frame == '(' ? " " : " in ");
		text_clean(o, h->frame);
	}
	if (h->var && *h->var && strcmp(h->what, "global") != 0) {
		str_put(o, ": ");
		text_clean(o, h->var);
	}
	text_clean(o, h->field);
}

static void put_node(struct str *o, const struct ans_holder *h, bool last)
{
	char size[16];

	if (!strcmp(h->what, "map-value") || !strcmp(h->what, "map-key")) {
		str_put(o, !strcmp(h->what, "map-key") ? "key " : "");
		str_put(o, "[");
		text_clean(o, h->key && *h->key ? h->key : "\xe2\x80\xa6");
		str_put(o, "]");
	} else if (!strcmp(h->what, "queued")) {
		str_put(o, "(queued)");
	} else if (!strcmp(h->what, "skipped")) {
		str_printf(o, "\xe2\x80\xa6 %" PRIu64 " more", h->count);
	} else if (!strcmp(h->what, "object")) {
		text_clean(o, *h->type ? h->type : h->what);
		if (*h->field == '+')
			str_put(o, " ");
		text_clean(o, last ? "" : h->field);
	} else {
		put_root(o, h);
	}
	if (last && h->retained)
		str_printf(o, " (%s)", str_bytes(size, h->retained));
}

static bool alike(const struct ans_holder *a, const struct ans_holder *b)
{
	return !strcmp(a->what, "object") && !strcmp(b->what, "object") &&
	       !strcmp(a->type, b->type) && !strcmp(a->field, b->field);
}

/* One line where it fits: main.srv.sessions → map[string]*main.Session → [key] → … */
static void put_chain(struct str *o, const struct ans_finding *f)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	const struct ans_path *p = &f->holder;
	size_t n = p->nodes.n;
	/* of a group one example */
	bool all = n && p->nodes.v[n - 1].retained >= f->bytes / 2;

	for (size_t i = 0; i < n; i++) {
		size_t same = 0;

		str_put(&line, i ? " \xe2\x86\x92 " : "");
		if (n > NODES_HEAD + NODES_TAIL + 1 && i == NODES_HEAD) {
			str_printf(&line, "\xe2\x80\xa6 %zu more", n - NODES_HEAD - NODES_TAIL);
			i = n - NODES_TAIL - 1;
			continue;
		}
		put_node(&line, &p->nodes.v[i], i + 1 == n);
		while (i + 2 < n && alike(&p->nodes.v[i], &p->nodes.v[i + 1])) {
			same++;
			i++;
		}
		if (same)
			str_printf(&line, " \xc3\x97 %zu", same + 1);
	}
	if (n) {
		str_printf(o, "   %-10s", all ? "held by" : "such as");
		text_wrapped(o, str_ok(&line) ? line.s : "", INDENT, INDENT);
	}
}

/* How the runtime parks it tells nobody anything. */
static size_t first_shown(const struct ans_finding *f)
{
	static const char *const packages[] = { "runtime.", "internal/sync.", "sync.",
						"internal/poll.", "time." };
	size_t i = 0;

	for (size_t k = 0; i < f->stack.n && k < ARRAY_LEN(packages); k++)
		if (!strncmp(f->stack.v[i].function, packages[k], strlen(packages[k]))) {
			i++;
			k = SIZE_MAX;
		}
	return i < f->stack.n ? i : 0;
}

static void put_frame(struct str *o, const struct ans_frame *f)
{
	const char *slash = strrchr(f->file, '/');

	text_clean(o, f->function);
	str_put(o, " ");
	text_clean(o, slash ? slash + 1 : f->file);
	str_printf(o, ":%d", f->line);
}

/* Three frames, and the first of the program's own where it is not among them. */
static void put_stack(struct str *o, const struct ans_finding *f)
{
	size_t from = first_shown(f), i;

	for (i = from; i < f->stack.n && i < from + FRAMES; i++) {
		if (!strcmp(f->stack.v[i].function, "runtime.goexit"))
			break;
		str_put(o, i > from ? " < " : " in ");
		put_frame(o, &f->stack.v[i]);
	}
	if (f->own_frame < i || f->own_frame >= f->stack.n)
		return;
	str_put(o, f->own_frame > i ? " < \xe2\x80\xa6 < " : " < ");
	put_frame(o, &f->stack.v[f->own_frame]);
}

static void put_goroutine(struct str *o, const struct ans_finding *f)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	char ns[32];

	if (!f->has_goroutine)
		return;
	str_printf(&line, "goroutine %" PRIu64 ": ", f->goroutine.id);
	text_clean(&line, *f->goroutine.wait ? f->goroutine.wait : "running");
	if (f->goroutine.since_ns != ANS_UNKNOWN && f->goroutine.since_ns)
		str_printf(&line, " for at least %s", text_ns(ns, f->goroutine.since_ns));
	put_stack(&line, f);
	if (*f->goroutine.creator) {
		str_put(&line, "; started by ");
		text_clean(&line, f->goroutine.creator);
	}
	str_printf(o, "   %-10s", f->goroutine.count > 1 ? "one" : "it");
	text_wrapped(o, str_ok(&line) ? line.s : "", INDENT, INDENT);
}

static void put_cut(struct str *o, const struct ans_finding *f)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	const struct ans_cut *c = &f->cut;
	size_t n = f->holder.nodes.n;
	char size[16];

	if (!c->found)
		return;
	if (n && f->holder.nodes.v[n - 1].addr == c->to.addr) {
		str_printf(o, "   %-10sthe last of these references: without it %s go\n", "cut",
			   str_bytes(size, c->bytes));
		return;
	}
	put_node(&line, &c->from, false);
	str_put(&line, " \xe2\x86\x92 ");
	text_clean(&line, *c->to.type ? c->to.type : c->to.what);
	str_printf(&line, ": without this one reference %s go", str_bytes(size, c->bytes));
	str_printf(o, "   %-10s", "cut");
	text_wrapped(o, str_ok(&line) ? line.s : "", INDENT, INDENT);
}

static void put_site(struct str *o, const struct ans_finding *f)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	const struct ans_origin *g = &f->origin;

	if (!*f->site_text)
		return;
	text_clean(&line, f->site_text);
	if (g->sampled && g->sites.n)
		str_printf(&line, ", %" PRIu64 " of %" PRIu64 " samples", g->sites.v[0].count,
			   g->of);
	else if (g->by_code && g->of == 1)
		str_put(&line, ", by the code: no other call makes such, reflection may");
	else if (g->by_code)
		str_printf(&line, ", by the code: one of %" PRIu64 " calls that make such", g->of);
	else if (!g->sampled)
		str_put(&line, ", inferred from its like");
	str_printf(o, "   %-10s", "made by");
	text_wrapped(o, str_ok(&line) ? line.s : "", INDENT, INDENT);
}

static void put_rate(struct str *o, int64_t n, const char *per)
{
	char size[16];

	if (n != INT64_MIN)
		str_printf(o, ", %s%s %s", n < 0 ? "-" : "+",
			   str_bytes(size, (uint64_t)(n < 0 ? -n : n)), per);
}

static void put_growth(struct str *o, const struct ans_finding *f)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	char a[16], b[16];

	if (f->fresh)
		str_put(&line, "new: the earlier look did not see it");
	else if (f->then_known)
		str_printf(&line, "%s then, %s now", str_bytes(a, f->then_bytes),
			   str_bytes(b, f->bytes + f->stack_bytes));
	else
		return;
	put_rate(&line, f->per_gc, "a collection");
	put_rate(&line, f->per_hour, "an hour");
	str_printf(o, "   %-10s", "since");
	text_wrapped(o, str_ok(&line) ? line.s : "", INDENT, INDENT);
}

static void put_source(struct str *o, const struct ans_finding *f)
{
	for (size_t i = 0; i < f->source.n; i++) {
		const struct ans_source *s = &f->source.v[i];

		str_printf(o, "   %-10s", i ? "" : "source");
		text_clean(o, s->file);
		str_printf(o, ":%d, where it is %s", s->line, s->what);
		if (*s->owner) {
			str_put(o, "; owned by ");
			text_clean(o, s->owner);
		}
		str_put(o, "\n");
		for (size_t k = 0; k < s->n; k++) {
			int line = s->first + (int)k;

			str_printf(o, "%14d%s ", line, line == s->line ? ">" : " ");
			text_code(o, s->text[k]);
			str_put(o, "\n");
		}
	}
}

static void put_evidence(struct str *o, const struct ans_finding *f)
{
	for (size_t i = 0; i < f->evidence.n; i++) {
		const struct ans_evidence *x = &f->evidence.v[i];
		_cleanup_(str_deinit) struct str line = { 0 };

		text_clean(&line, x->from);
		str_put(&line, !strcmp(x->supports, "yes")  ? ", for it: "
			       : !strcmp(x->supports, "no") ? ", against it: "
							    : ": ");
		text_clean(&line, x->says);
		str_printf(o, "   %-10s", i ? "" : "evidence");
		text_wrapped(o, str_ok(&line) ? line.s : "", INDENT, INDENT);
	}
}

static void put_details(struct str *o, const char *text)
{
	char one[600];

	for (int i = 0; *text && i < DETAILS_MAX; i++) {
		size_t n = strcspn(text, "\n");

		snprintf(one, sizeof(one), "%.*s", (int)MIN(n, sizeof(one) - 1), text);
		put_line(o, i ? "" : "more", one);
		text += n + (text[n] == '\n');
	}
}

/* By more than a per cent, so that the two figures can be told apart. */
static bool differs(uint64_t a, uint64_t b)
{
	return a != ANS_UNKNOWN && (a > b ? a - b : b - a) > b / 100;
}

static void put_head(struct str *o, enum text_style st, size_t number, const struct ans_finding *f)
{
	char size[16], n[32];

	str_printf(o, "%zu. %s%s (%s)%s  %s", number, on(st, color_of(f->verdict)), f->verdict,
		   f->proof, on(st, "\x1b[0m"), f->kind);
	if (f->bytes)
		str_printf(o, "  %s", str_bytes(size, f->bytes));
	if (f->stack_bytes)
		str_printf(o, "%s%s of stacks", f->bytes ? " + " : "  ",
			   str_bytes(size, f->stack_bytes));
	if (differs(f->owner_bytes, f->bytes))
		str_printf(o, "  (owner's tree: %s)", str_bytes(size, f->owner_bytes));
	if (f->count > 1)
		str_printf(o, "  \xc3\x97 %s", text_count(n, f->count));
	str_put(o, "\n");
}

static void put_finding(struct str *o, enum text_style st, size_t number,
			const struct ans_finding *f)
{
	_cleanup_(str_deinit) struct str title = { 0 };

	put_head(o, st, number, f);
	text_clean(&title, f->title);
	str_put(o, "   ");
	text_wrapped(o, str_ok(&title) ? title.s : "", 3, 3);
	put_chain(o, f);
	if (!strcmp(f->verdict, "info")) { /* no fault: no advice */
		put_growth(o, f);
		put_evidence(o, f);
		put_details(o, f->detail);
		put_line(o, "signature", f->signature);
		str_put(o, "\n");
		return;
	}
	put_goroutine(o, f);
	put_cut(o, f);
	put_site(o, f);
	put_source(o, f);
	put_growth(o, f);
	put_evidence(o, f);
	put_details(o, f->detail);
	put_line(o, "fix", f->fix);
	put_line(o, "now", f->mitigate);
	put_line(o, "decide", f->decide);
	put_line(o, "confirm", f->confirm);
	if (f->known)
		put_line(o, "known", f->known);
	put_line(o, "signature", f->signature);
	str_put(o, "\n");
}

static void put_ignored(struct str *o, const struct ans_ignored *x)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	char size[16];

	str_printf(&line, "%s %s %s: ", x->signature, x->verdict, x->kind);
	if (x->bytes)
		str_printf(&line, "%s, ", str_bytes(size, x->bytes));
	text_clean(&line, x->by);
	if (*x->why) {
		str_put(&line, " ");
		text_clean(&line, x->why);
	}
	str_put(o, "left out ");
	text_wrapped(o, str_ok(&line) ? line.s : "", 9, 9);
}

void text_findings(struct str *o, enum text_style st, const struct ans_findings *a)
{
	char n[32];

	for (size_t i = 0; i < a->rows.n; i++)
		put_finding(o, st, i + 1, &a->rows.v[i]);
	if (a->total > a->rows.n)
		str_printf(o, "%s more findings: --limit 0 has all\n\n",
			   text_count(n, a->total - a->rows.n));
	for (size_t i = 0; i < a->ignored.n; i++)
		put_ignored(o, &a->ignored.v[i]);
	if (a->ignored.n)
		str_put(o, "\n");
}
