/*
 * text_tables.c - top, memory, tree and the report, as text.
 */
#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { RULES_SHOWN = 4 };

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void put_retained(struct str *o, const struct ans_top *a, uint64_t bytes)
{
	char s[16];

	str_printf(o, "%10s %5.1f%% ", str_bytes(s, bytes), percent(bytes, a->total_bytes));
}

static bool by_label(const struct ans_top *a)
{
	return !strncmp(a->by, "label", 5);
}

static void put_row(struct str *o, const struct ans_top *a, const struct ans_row *r)
{
	char n[32], s[16];

	if (a->trees != AGG_TREE_OWNER)
		put_retained(o, a, r->retained);
	if (a->trees & AGG_TREE_OWNER)
		put_retained(o, a, r->owner_retained);
	if (by_label(a))
		text_label_columns(o, r);
	else
		str_printf(o, "%10s ", str_bytes(s, r->shallow));
	str_printf(o, "%12s  ", text_count(n, r->objects));
	text_clean(o, r->name);
	if (r->label_sets)
		text_labels(o, r->labels);
	if (r->label_sets > 1)
		str_printf(o, " {%s sets of labels}", text_count(n, r->label_sets));
	if (r->count > 1 && !by_label(a))
		str_printf(o, "  \xc3\x97 %s", text_count(n, r->count));
	str_put(o, "\n");
	if (a->brief)
		return;
	text_path(o, &r->path, "                                            ");
	if (r->origin.sampled || r->origin.of)
		text_origin(o, &r->origin, "                                            ", 1);
}

/* Which rules the owner's column follows, the ones that matter most. */
static void put_rules(struct str *o, const struct ans_top *a)
{
	char n[32];

	if (!(a->trees & AGG_TREE_OWNER))
		return;
	for (size_t i = 0; i < a->rules.n && i < RULES_SHOWN; i++) {
		str_printf(o, "%s %s references of ", i ? "            " : "owner's tree:",
			   text_count(n, a->rules.v[i].edges));
		text_clean(o, a->rules.v[i].name);
		str_put(o, " pass on: ");
		text_clean(o, a->rules.v[i].reason);
		str_put(o, "\n");
	}
	if (a->rules.n > RULES_SHOWN)
		str_printf(o, "              and %zu more rules; --json has all\n",
			   a->rules.n - RULES_SHOWN);
}

void text_top(struct str *o, enum text_style st, const struct ans_top *a)
{
	char head[128], s[2][16];
	int n = 0;

	if (a->profile.known) {
		text_sites(o, st, a);
		put_rules(o, a);
		return;
	}
	if (a->trees != AGG_TREE_OWNER)
		n += snprintf(head, sizeof(head), "%17s ", "retained (exact)");
	if (a->trees & AGG_TREE_OWNER)
		n += snprintf(head + n, sizeof(head) - (size_t)n, "%17s ", "retained (owner)");
	snprintf(head + n, sizeof(head) - (size_t)n, "%s %12s  %.40s",
		 by_label(a) ? TEXT_LABEL_COLUMNS : "   shallow", "objects", a->by);
	if (a->focused)
		str_printf(o, "focus   %s of %s reachable\n", str_bytes(s[0], a->focused_bytes),
			   str_bytes(s[1], a->total_bytes));
	text_title(o, st, head);
	for (size_t i = 0; i < a->rows.n; i++)
		put_row(o, a, &a->rows.v[i]);
	put_rules(o, a);
	if (a->no_labels)
		str_printf(o, "%s\n", a->no_labels);
}

static void put_mem_line(struct str *o, const struct ans_mem_line *l)
{
	char size[16], name[64];
	uint64_t abs = l->bytes < 0 ? 0 - (uint64_t)l->bytes : (uint64_t)l->bytes;

	snprintf(name, sizeof(name), "%*s%s", 2 * l->level, "", l->name);
	str_bytes(size, abs);
	str_printf(o, " %-28s %c%10s  %s\n", name, l->bytes < 0 ? '-' : ' ', size, l->note);
}

void text_memory(struct str *o, enum text_style st, const struct ans_memory *a)
{
	int64_t sum = 0;
	char s[2][16];

	text_title(o, st, "memory");
	for (size_t i = 0; i < a->lines.n; i++) {
		const struct ans_mem_line *l = &a->lines.v[i];

		if (l->summed)
			sum += l->bytes;
		if (l->bytes || !strcmp(l->key, "unexplained"))
			put_mem_line(o, l);
	}
	if (a->sys) {
		str_printf(o, " sum of the indented lines: %s, Sys: %s; RSS is not in the file\n",
			   str_bytes(s[0], sum > 0 ? (uint64_t)sum : 0), str_bytes(s[1], a->sys));
		return;
	}
	if (a->rss == ANS_UNKNOWN) {
		str_put(o,
			" A file does not say what was resident: RSS, page cache, cgroup, files and "
			"memory outside of Go\n need the live process; these are Go's own counts "
			"and need not add up.\n");
		return;
	}
	str_printf(o, " sum of the indented lines below RSS: %s, RSS: %s\n",
		   str_bytes(s[0], sum > 0 ? (uint64_t)sum : 0), str_bytes(s[1], a->rss));
}

static void put_held(struct str *o, const struct ans_tree *a, uint64_t bytes)
{
	char s[16];

	str_printf(o, "%10s %5.1f%% ", str_bytes(s, bytes), percent(bytes, a->total_bytes));
}

void text_tree(struct str *o, enum text_style st, const struct ans_tree *a)
{
	bool owner = a->trees == AGG_TREE_OWNER;

	text_title(o, st,
		   owner ? " retained (owner)   shallow  owned by dominance"
		   : a->trees == AGG_TREE_BOTH
			   ? " retained (exact)  retained (owner)   shallow  held by dominance"
			   : " retained (exact)   shallow  held by dominance");
	for (size_t i = 0; i < a->nodes.n; i++) {
		const struct ans_tree_node *t = &a->nodes.v[i];
		char s[16];

		if (!owner)
			put_held(o, a, t->hidden ? t->hidden_bytes : t->retained);
		if (a->trees & AGG_TREE_OWNER)
			put_held(o, a, t->hidden ? t->owner_hidden_bytes : t->owner_retained);
		str_printf(o, "%9s  %*s", t->hidden ? "" : str_bytes(s, t->shallow),
			   2 * (int)t->depth, "");
		if (*t->node.field || *t->node.frame) {
			text_clean(o, *t->node.field ? t->node.field : t->node.frame);
			str_put(o, " = ");
		}
		text_holder(o, &t->node);
		str_put(o, "\n");
	}
}
