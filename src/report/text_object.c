/*
 * text_object.c - why, object and verify, as text.
 */
#include "report/text.h"

#include <inttypes.h>

enum { ORIGIN_FRAMES = 32, ORIGIN_FRAMES_WHY = 4 };

static void put_cut(struct str *o, const struct ans_cut *c)
{
	char n[32], size[16];

	if (!c->found) {
		str_put(o, "  no single reference frees it: several hold it independently\n");
		return;
	}
	str_put(o, "  cut:  ");
	text_holder(o, &c->from);
	if (*c->from.frame) {
		str_put(o, " in frame of ");
		text_clean(o, c->from.frame);
	}
	str_put(o, "  ");
	text_clean(o, c->from.field);
	str_put(o, " -> ");
	text_holder(o, &c->to);
	str_printf(o, "\n        frees %s in %s objects\n", str_bytes(size, c->bytes),
		   text_count(n, c->objects));
}

/* main.cache["k7"].buf ([]uint8, 4.0 KiB) <- *main.Session <- map value <- global main.cache */
static void put_expression(struct str *o, const struct ans_path *p)
{
	char size[16];
	size_t n = p->nodes.n;

	str_put(o, "    ");
	text_clean(o, p->expression);
	if (n) {
		str_put(o, " (");
		text_clean(o, *p->type ? p->type : "of unknown type");
		str_printf(o, ", %s)", str_bytes(size, p->nodes.v[n - 1].bytes));
	}
	if (p->goroutine)
		str_printf(o, " in goroutine %" PRIu64 ", frame %u", p->goroutine, p->frame);
	str_put(o, "\n");
	if (p->unsaid) {
		str_printf(o, "    (%u step%s dlv cannot say: ", p->unsaid,
			   p->unsaid > 1 ? "s" : "");
		text_clean(o, p->why_unsaid);
		str_put(o, ")\n");
	}
}

static void put_why(struct str *o, const struct ans_why_item *it)
{
	char size[16];

	text_holder(o, &it->what);
	if (it->what.retained)
		str_printf(o, ", retains %s", str_bytes(size, it->what.retained));
	if (it->what.owner_retained)
		str_printf(o, " (exact), %s (owner)", str_bytes(size, it->what.owner_retained));
	str_put(o, "\n");
	if (*it->note) {
		str_printf(o, "  %s\n", it->note);
		return;
	}
	text_origin(o, &it->origin, "  ", ORIGIN_FRAMES_WHY);
	for (size_t p = 0; p < it->paths.n; p++) {
		str_printf(o, "  path %zu\n", p + 1);
		if (*it->paths.v[p].expression)
			put_expression(o, &it->paths.v[p]);
		text_path(o, &it->paths.v[p], "    ");
	}
	if (it->owner.nodes.n) {
		str_put(o, "  by the owner's tree\n");
		text_path(o, &it->owner, "    ");
	}
	str_printf(o, "  independent paths: %s%" PRIu64 "\n", it->capped ? "at least " : "",
		   it->independent);
	put_cut(o, &it->cut);
}

void text_why(struct str *o, enum text_style st, const struct ans_why *a)
{
	char n[32];

	(void)st;
	if (!a->items.n) {
		text_clean(o, a->asked);
		str_put(o, ": no reachable object\n");
		return;
	}
	if (a->nasked == 1 && a->matches > a->items.n)
		str_printf(o, "%s objects; the %zu that hold most:\n\n", text_count(n, a->matches),
			   a->items.n);
	for (size_t i = 0; i < a->items.n; i++) {
		if (i)
			str_put(o, "\n");
		put_why(o, &a->items.v[i]);
	}
}

static void put_node(struct str *o, const struct ans_holder *h)
{
	str_put(o, "  ");
	text_holder(o, h);
	if (*h->frame) {
		str_put(o, " in frame of ");
		text_clean(o, h->frame);
	}
	if (*h->field) {
		str_put(o, "  ");
		text_clean(o, h->field);
	}
	str_put(o, "\n");
}

static void put_head(struct str *o, const struct ans_object *a)
{
	char s[16];

	if (strcmp(a->what, "object")) {
		text_clean(o, a->name);
		text_labels(o, a->labels);
		str_put(o, " ");
		text_clean(o, a->type);
		str_printf(o, " " TADDR_FMT " (%s)\n", a->addr, str_bytes(s, a->bytes));
	} else {
		text_clean(o, a->type);
		str_printf(o, " " TADDR_FMT "\n", a->addr);
		str_printf(o, "  slot %" PRIu64 " B, span class %u%s, type from: %s\n", a->bytes,
			   a->span_class, a->noscan ? " (no pointers)" : "", a->type_from);
		str_printf(o, "  %s, %s", a->allocated ? "allocated" : "free",
			   a->reached ? "reachable" : "not reachable");
		if (!a->no_marks)
			str_printf(o, ", %s (mark bit %s)", a->marked ? "marked" : "not marked",
				   a->marks);
		str_put(o, "\n");
	}
	if (a->retained != ANS_UNKNOWN)
		str_printf(o, "  retains %s\n", str_bytes(s, a->retained));
	if (*a->inside) {
		str_printf(o, "  asked for " TADDR_FMT ": ", a->asked);
		text_clean(o, a->inside);
		str_put(o, "\n");
	}
}

static void put_links(struct str *o, const struct ans_object *a)
{
	char n[32];

	if (strcmp(a->what, "object"))
		return;
	str_printf(o, "referrers: %s\n", text_count(n, a->nreferrers));
	for (size_t i = 0; i < a->referrers.n; i++)
		put_node(o, &a->referrers.v[i].node);
	str_printf(o, "references: %s\n", text_count(n, a->nreferences));
	for (size_t i = 0; i < a->references.n; i++)
		put_node(o, &a->references.v[i].node);
}

void text_object(struct str *o, enum text_style st, const struct ans_object *a)
{
	put_head(o, a);
	text_origin(o, &a->origin, "  ", ORIGIN_FRAMES);
	if (a->values.n)
		text_title(o, st,
			   a->values_shown
				   ? "value"
				   : "value (numbers and text are not shown; --values full)");
	text_values(o, a->values.v, a->values.n);
	if (a->raw) {
		text_title(o, st, "bytes");
		text_raw(o, a->raw, a->nraw);
	}
	if (a->raw_withheld)
		text_title(o, st, "bytes (not shown; --values full)");
	put_links(o, a);
}

static void put_difference(struct str *o, const struct ans_difference *d)
{
	str_printf(o, "  %-8s " TADDR_FMT " %6" PRIu64 " B  ", d->side, d->addr, d->bytes);
	text_clean(o, d->type);
	str_put(o, d->explained ? "  explained: " : "  ");
	text_clean(o, d->reason);
	str_put(o, "\n");
}

void text_verify(struct str *o, enum text_style st, const struct ans_exact *a, size_t limit)
{
	char n[32];

	text_exact_line(o, a);
	str_printf(o, "collector: %" PRIu64 " cycles finished; %s; %s\n", a->cycles, a->compared,
		   a->second ? "a later cycle was looked at too" : "one snapshot only");
	if (a->counter_bytes != ANS_UNKNOWN)
		str_printf(o,
			   "collector's own count: %" PRIu64 " bytes marked, its bits: %" PRIu64
			   "\n",
			   a->counter_bytes, a->gc_bytes);
	str_printf(o, "spans: marks readable in %" PRIu64 ", not in %" PRIu64 "\n", a->spans_valid,
		   a->spans_undecidable);
	str_printf(o, "conservative frames: %s\n", text_count(n, a->conservative_frames));
	if (a->differences.n)
		text_title(o, st, "differences");
	for (size_t i = 0; i < a->differences.n && i < limit; i++)
		put_difference(o, &a->differences.v[i]);
	if (a->differences.n > limit)
		str_printf(o, "  %s in all (--limit)\n", text_count(n, a->differences.n));
	if (a->holds && !a->gc_objects)
		str_put(o, "not contradicted: there were no mark bits to compare with");
	else
		str_put(o, a->holds ? "holds" : "DOES NOT HOLD");
	if (a->undecided)
		str_printf(o, ", with %s undecided%s", text_count(n, a->undecided),
			   a->second ? "" : ": no later GC cycle was seen (--wait SECONDS)");
	str_put(o, "\n");
}
