/*
 * json_docs.c - one whole document a command.
 */
#include "report/json.h"

#include "report/answer_escape.h"
#include "report/answer_mix.h"

static void open_doc(struct jw *j, struct str *o, const struct ans_head *h)
{
	jw_init(j, o);
	jw_object(j);
	json_head(j, h);
}

/* What passes on, and how often that was so. */
static void put_rules(struct jw *j, const struct ans_top *a)
{
	if (!(a->trees & AGG_TREE_OWNER))
		return;
	jw_key(j, "owner_rules");
	jw_array(j);
	for (size_t i = 0; i < a->rules.n; i++) {
		jw_object(j);
		jw_kv_text(j, "rule", a->rules.v[i].name);
		jw_kv_u64(j, "references", a->rules.v[i].edges);
		jw_kv_text(j, "reason", a->rules.v[i].reason);
		jw_kv_text(j, "source", a->rules.v[i].source);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_doc_top(struct str *o, const struct ans_head *h, const struct ans_top *a)
{
	struct jw j;

	open_doc(&j, o, h);
	jw_kv_text(&j, "by", a->by);
	if (a->no_labels)
		jw_kv_text(&j, "no_labels", a->no_labels);
	jw_kv_text(&j, "sort", a->sort);
	jw_kv_text(&j, "tree", ans_trees_word(a->trees));
	jw_kv_u64(&j, "reachable_bytes", a->total_bytes);
	if (a->focused)
		jw_kv_u64(&j, "focused_bytes", a->focused_bytes);
	jw_kv_u64(&j, "total_rows", a->nrows);
	if (a->profile.known)
		json_profile(&j, &a->profile);
	jw_key(&j, "rows");
	json_top(&j, a);
	put_rules(&j, a);
	jw_end(&j, '}');
}

void json_doc_memory(struct str *o, const struct ans_head *h, const struct ans_memory *a)
{
	struct jw j;

	open_doc(&j, o, h);
	jw_key(&j, "memory");
	json_memory(&j, a);
	jw_end(&j, '}');
}

void json_cut(struct jw *j, const struct ans_cut *c)
{
	jw_key(j, "cut");
	if (!c->found) {
		jw_null(j);
		return;
	}
	jw_object(j);
	jw_key(j, "from");
	json_holder(j, &c->from);
	jw_key(j, "to");
	json_holder(j, &c->to);
	jw_kv_u64(j, "freed_bytes", c->bytes);
	jw_kv_known(j, "freed_objects", c->objects);
	jw_end(j, '}');
}

/* What the paths, one for one, are in Go. */
static void put_expression(struct jw *j, const struct ans_path *p)
{
	jw_object(j);
	jw_kv_text(j, "expression", p->expression);
	jw_kv_text(j, "type", p->type);
	jw_kv_text(j, "dlv", p->dlv);
	jw_kv_u64(j, "steps_not_expressible", p->unsaid);
	if (p->unsaid)
		jw_kv_text(j, "not_expressible", p->why_unsaid);
	jw_kv_bool(j, "value_is_object", p->inside);
	if (p->goroutine) {
		jw_kv_u64(j, "goroutine", p->goroutine);
		jw_kv_u64(j, "frame", p->frame);
	}
	if (p->at)
		jw_kv_addr(j, "at", p->at);
	if (p->to)
		jw_kv_addr(j, "to", p->to);
	jw_end(j, '}');
}

static void put_why(struct jw *j, const struct ans_why_item *it)
{
	jw_key(j, "object");
	json_holder(j, &it->what);
	jw_kv_bool(j, "reachable", it->reachable);
	if (*it->note)
		jw_kv_text(j, "note", it->note);
	jw_key(j, "paths");
	jw_array(j);
	for (size_t i = 0; i < it->paths.n; i++)
		json_path(j, &it->paths.v[i]);
	jw_end(j, ']');
	jw_key(j, "expressions");
	jw_array(j);
	for (size_t i = 0; i < it->paths.n; i++)
		put_expression(j, &it->paths.v[i]);
	jw_end(j, ']');
	jw_kv_u64(j, "independent_paths", it->independent);
	jw_kv_bool(j, "independent_is_lower_bound", it->capped);
	if (it->owner.nodes.n) {
		jw_key(j, "owner_path");
		json_path(j, &it->owner);
	}
	json_cut(j, &it->cut);
	json_origin(j, &it->origin);
}

/* The first one at the top level, as the contract has it; all of them under "objects". */
void json_doc_why(struct str *o, const struct ans_head *h, const struct ans_why *a)
{
	static const struct ans_why_item none = {
		.what = { .what = "none", .name = "", .type = "", .field = "", .frame = "" },
		.note = "no reachable object",
	};
	struct jw j;

	open_doc(&j, o, h);
	jw_kv_text(&j, "asked", a->asked);
	jw_kv_u64(&j, "matches", a->matches);
	put_why(&j, a->items.n ? &a->items.v[0] : &none);
	jw_key(&j, "objects");
	jw_array(&j);
	for (size_t i = 0; i < a->items.n; i++) {
		jw_object(&j);
		jw_kv_text(&j, "asked", a->items.v[i].asked);
		put_why(&j, &a->items.v[i]);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
}

static void put_refs(struct jw *j, const char *key, const struct ans_ref *v, size_t n)
{
	jw_key(j, key);
	jw_array(j);
	for (size_t i = 0; i < n; i++)
		json_holder(j, &v[i].node);
	jw_end(j, ']');
}

static void put_fields(struct jw *j, const struct ans_object *a)
{
	jw_key(j, "fields");
	jw_array(j);
	for (size_t i = 0; i < a->fields.n; i++) {
		const struct ans_field *f = &a->fields.v[i];

		jw_object(j);
		jw_kv_u64(j, "offset", f->offset);
		jw_kv_text(j, "name", *f->name == '.' ? f->name + 1 : f->name);
		jw_kv_text(j, "type", f->type);
		jw_kv_text(j, "value", f->value);
		if (f->to)
			jw_kv_addr(j, "to", f->to);
		if (*f->to_type)
			jw_kv_text(j, "to_type", f->to_type);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_raw(struct jw *j, const struct ans_object *a)
{
	static const char digit[] = "0123456789abcdef";
	_cleanup_(freep) char *hex = malloc(2 * a->nraw + 3);
	char *p = hex;

	if (!hex)
		return;
	*p++ = '"';
	for (size_t i = 0; i < a->nraw; i++) {
		*p++ = digit[a->raw[i] >> 4];
		*p++ = digit[a->raw[i] & 15];
	}
	*p++ = '"';
	*p = 0;
	jw_key(j, "raw");
	jw_number(j, hex); /* longer than texts may be */
}

void json_doc_object(struct str *o, const struct ans_head *h, const struct ans_object *a)
{
	struct jw j;

	open_doc(&j, o, h);
	jw_kv_text(&j, "what", a->what);
	if (*a->name)
		jw_kv_text(&j, "name", a->name);
	if (a->labels && !a->labels->unknown) {
		jw_key(&j, "labels");
		json_labels(&j, a->labels);
	}
	jw_kv_addr(&j, "addr", a->addr);
	if (*a->inside)
		jw_kv_text(&j, "asked_field", a->inside);
	jw_kv_text(&j, "type", a->type);
	jw_kv_text(&j, "type_from", a->type_from);
	jw_kv_u64(&j, "bytes", a->bytes);
	jw_kv_known(&j, "retained_bytes", a->retained);
	jw_kv_u64(&j, "span_class", a->span_class);
	jw_kv_bool(&j, "noscan", a->noscan);
	jw_kv_bool(&j, "allocated", a->allocated);
	jw_key(&j, "marked");
	if (a->no_marks)
		jw_null(&j);
	else
		jw_bool(&j, a->marked);
	jw_kv_bool(&j, "reachable", a->reached);
	jw_kv_text(&j, "marks", a->marks);
	jw_kv_bool(&j, "values_shown", a->values_shown);
	jw_kv_u64(&j, "total_fields", a->nfields);
	put_fields(&j, a);
	jw_key(&j, "values");
	json_values(&j, a->values.v, a->values.n);
	if (a->raw)
		put_raw(&j, a);
	if (a->raw_withheld)
		jw_kv_text(&j, "raw", NULL);
	jw_kv_u64(&j, "total_referrers", a->nreferrers);
	put_refs(&j, "referrers", a->referrers.v, a->referrers.n);
	jw_kv_u64(&j, "total_references", a->nreferences);
	put_refs(&j, "references", a->references.v, a->references.n);
	json_origin(&j, &a->origin);
	jw_end(&j, '}');
}

void json_doc_tree(struct str *o, const struct ans_head *h, const struct ans_tree *a)
{
	struct jw j;

	open_doc(&j, o, h);
	jw_kv_u64(&j, "reachable_bytes", a->total_bytes);
	jw_kv_text(&j, "tree", ans_trees_word(a->trees));
	jw_key(&j, "nodes");
	jw_array(&j);
	for (size_t i = 0; i < a->nodes.n; i++) {
		const struct ans_tree_node *t = &a->nodes.v[i];

		jw_object(&j);
		jw_kv_u64(&j, "depth", t->depth);
		jw_kv_u64(&j, "shallow_bytes", t->shallow);
		jw_kv_u64(&j, "retained_bytes", t->hidden ? t->hidden_bytes : t->retained);
		if (a->trees & AGG_TREE_OWNER)
			jw_kv_u64(&j, "owner_retained_bytes",
				  t->hidden ? t->owner_hidden_bytes : t->owner_retained);
		jw_key(&j, "node");
		json_holder(&j, &t->node);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
}

static void put_frame(struct jw *j, const struct ans_frame *f)
{
	jw_object(j);
	jw_kv_text(j, "function", f->function);
	jw_kv_text(j, "file", f->file);
	jw_kv_i64(j, "line", f->line);
	jw_end(j, '}');
}

static void put_stack(struct jw *j, const struct ans_goroutines *a, const struct ans_goroutine *g)
{
	jw_key(j, "stack");
	jw_array(j);
	for (size_t i = g->first_frame; i < g->first_frame + g->nframes; i++)
		put_frame(j, &a->frames.v[i]);
	jw_end(j, ']');
}

static void put_waits(struct jw *j, const struct ans_goroutines *a, const struct ans_goroutine *g)
{
	jw_key(j, "waits_on");
	jw_array(j);
	for (size_t i = g->first_wait; i < g->first_wait + g->nwaits; i++) {
		jw_object(j);
		jw_kv_text(j, "what", a->waits.v[i].what);
		jw_kv_addr(j, "addr", a->waits.v[i].addr);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_goroutine(struct jw *j, const struct ans_goroutines *a, const struct ans_goroutine *g)
{
	jw_object(j);
	jw_kv_u64(j, "id", g->id);
	jw_kv_text(j, "state", g->state);
	jw_kv_text(j, "wait", *g->wait ? g->wait : NULL);
	jw_kv_known(j, "since_ns", g->since_ns);
	jw_kv_text(j, "function", g->function);
	jw_kv_text(j, "creator", g->creator);
	jw_key(j, "created_at");
	put_frame(j, &g->created_at);
	jw_kv_u64(j, "parent_id", g->parent_id);
	jw_key(j, "labels");
	json_labels(j, g->labels);
	jw_kv_known(j, "retained_bytes", g->retained);
	jw_kv_u64(j, "stack_bytes", g->stack_bytes);
	jw_kv_bool(j, "system", g->system);
	if (g->thread >= 0)
		jw_kv_i64(j, "thread", g->thread);
	jw_kv_text(j, "leaked", g->leaked);
	put_stack(j, a, g);
	put_waits(j, a, g);
	jw_end(j, '}');
}

static void put_group(struct jw *j, const struct ans_goroutines *a, const struct ans_group *k)
{
	jw_object(j);
	jw_kv_text(j, "name", k->name);
	jw_kv_u64(j, "count", k->count);
	jw_kv_u64(j, "retained_bytes", k->retained);
	jw_kv_u64(j, "stack_bytes", k->stack_bytes);
	if (a->leaked_known) {
		jw_kv_u64(j, "leaked_proved", k->proved);
		jw_kv_u64(j, "leaked_suspect", k->suspect);
		jw_kv_u64(j, "leaked_bytes", k->freed);
	}
	if (k->labels) {
		jw_key(j, "labels");
		json_labels(j, k->labels);
	}
	jw_kv_known(j, "max_since_ns", k->max_since_ns ? k->max_since_ns : ANS_UNKNOWN);
	if (!strcmp(a->group_by, "stack"))
		put_stack(j, a, &a->gs.v[k->example]);
	jw_key(j, "ids");
	jw_array(j);
	for (size_t i = k->first_member; i < k->first_member + k->nmembers; i++)
		jw_u64(j, a->gs.v[a->members.v[i]].id);
	jw_end(j, ']');
	jw_end(j, '}');
}

void json_doc_goroutines(struct str *o, const struct ans_head *h, const struct ans_goroutines *a)
{
	struct jw j;

	open_doc(&j, o, h);
	jw_kv_u64(&j, "total", a->total);
	if (a->leaked_known) {
		jw_kv_u64(&j, "leaked_proved", a->proved);
		jw_kv_u64(&j, "leaked_suspect", a->suspect);
		jw_kv_u64(&j, "leaked_bytes", a->freed_bytes);
		jw_kv_u64(&j, "leaked_stack_bytes", a->freed_stack_bytes);
		jw_kv_text(&j, "unproved_because", a->unproved);
	}
	if (a->group_by) {
		jw_kv_text(&j, "group_by", a->group_by);
		jw_key(&j, "groups");
		jw_array(&j);
		for (size_t i = 0; i < a->groups.n; i++)
			put_group(&j, a, &a->groups.v[i]);
		jw_end(&j, ']');
	}
	jw_key(&j, "goroutines");
	jw_array(&j);
	for (size_t i = 0; i < a->gs.n && !a->group_by; i++)
		json_goroutine(&j, a, &a->gs.v[i]);
	jw_end(&j, ']');
	jw_end(&j, '}');
}

static void put_differences(struct jw *j, const struct ans_exact *a, size_t limit)
{
	jw_key(j, "differences");
	jw_array(j);
	for (size_t i = 0; i < a->differences.n && i < limit; i++) {
		const struct ans_difference *d = &a->differences.v[i];

		jw_object(j);
		jw_kv_addr(j, "addr", d->addr);
		jw_kv_u64(j, "bytes", d->bytes);
		jw_kv_text(j, "side", d->side);
		jw_kv_text(j, "reason", d->reason);
		jw_kv_text(j, "type", d->type);
		jw_kv_bool(j, "explained", d->explained);
		jw_end(j, '}');
	}
	jw_end(j, ']');
	jw_kv_u64(j, "total_differences", a->differences.n);
}

void json_doc_verify(struct str *o, const struct ans_head *h, const struct ans_exact *a,
		     size_t limit)
{
	struct jw j;

	open_doc(&j, o, h);
	json_exact(&j, a);
	put_differences(&j, a, limit);
	jw_end(&j, '}');
}

void json_doc_report(struct str *o, const struct ans_report *a)
{
	struct jw j;

	open_doc(&j, o, &a->head);
	jw_key(&j, "exactness");
	jw_object(&j);
	json_exact(&j, &a->exact);
	jw_end(&j, '}');
	jw_key(&j, "memory");
	json_memory(&j, &a->memory);
	if (a->since.file)
		json_since(&j, &a->since);
	if (a->mix)
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
	jw_key(&j, "top");
	jw_object(&j);
	jw_kv_text(&j, "tree", ans_trees_word(a->by_root.trees));
	jw_key(&j, "by_root");
	json_top(&j, &a->by_root);
	jw_key(&j, "by_type");
	json_top(&j, &a->by_type);
	jw_key(&j, "by_goroutine");
	json_top(&j, &a->by_goroutine);
	if (a->by_label.rows.n) {
		jw_key(&j, "by_label");
		json_top(&j, &a->by_label);
	}
	jw_key(&j, "by_site");
	json_top(&j, &a->by_site);
	jw_end(&j, '}');
	if (a->by_site.profile.known)
		json_profile(&j, &a->by_site.profile);
	jw_end(&j, '}');
}
