/*
 * json_docs.c - one whole document a command.
 */
#include "report/json.h"

static void open_doc(struct json *j, struct str *o, const struct ans_head *h)
{
	json_init(j, o);
	json_object(j);
	json_head(j, h);
}

void json_doc_top(struct str *o, const struct ans_head *h, const struct ans_top *a)
{
	struct json j;

	open_doc(&j, o, h);
	json_kv_text(&j, "by", a->by);
	json_kv_text(&j, "sort", a->sort);
	json_kv_u64(&j, "reachable_bytes", a->total_bytes);
	json_kv_u64(&j, "total_rows", a->nrows);
	json_key(&j, "rows");
	json_top(&j, a);
	json_end(&j, '}');
}

void json_doc_memory(struct str *o, const struct ans_head *h, const struct ans_memory *a)
{
	struct json j;

	open_doc(&j, o, h);
	json_key(&j, "memory");
	json_memory(&j, a);
	json_end(&j, '}');
}

static void put_cut(struct json *j, const struct ans_cut *c)
{
	json_key(j, "cut");
	if (!c->found) {
		json_null(j);
		return;
	}
	json_object(j);
	json_key(j, "from");
	json_holder(j, &c->from);
	json_key(j, "to");
	json_holder(j, &c->to);
	json_kv_u64(j, "freed_bytes", c->bytes);
	json_kv_u64(j, "freed_objects", c->objects);
	json_end(j, '}');
}

static void put_why(struct json *j, const struct ans_why_item *it)
{
	json_key(j, "object");
	json_holder(j, &it->what);
	json_kv_bool(j, "reachable", it->reachable);
	if (*it->note)
		json_kv_text(j, "note", it->note);
	json_key(j, "paths");
	json_array(j);
	for (size_t i = 0; i < it->paths.n; i++)
		json_path(j, &it->paths.v[i]);
	json_end(j, ']');
	json_kv_u64(j, "independent_paths", it->independent);
	json_kv_bool(j, "independent_is_lower_bound", it->capped);
	put_cut(j, &it->cut);
}

/* The first one at the top level, as the contract has it; all of them under "objects". */
void json_doc_why(struct str *o, const struct ans_head *h, const struct ans_why *a)
{
	static const struct ans_why_item none = {
		.what = { .what = "none", .name = "", .type = "", .field = "", .frame = "" },
		.note = "no reachable object",
	};
	struct json j;

	open_doc(&j, o, h);
	json_kv_text(&j, "asked", a->asked);
	json_kv_u64(&j, "matches", a->matches);
	put_why(&j, a->items.n ? &a->items.v[0] : &none);
	json_key(&j, "objects");
	json_array(&j);
	for (size_t i = 0; i < a->items.n; i++) {
		json_object(&j);
		put_why(&j, &a->items.v[i]);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
}

static void put_refs(struct json *j, const char *key, const struct ans_ref *v, size_t n)
{
	json_key(j, key);
	json_array(j);
	for (size_t i = 0; i < n; i++)
		json_holder(j, &v[i].node);
	json_end(j, ']');
}

static void put_fields(struct json *j, const struct ans_object *a)
{
	json_key(j, "fields");
	json_array(j);
	for (size_t i = 0; i < a->fields.n; i++) {
		const struct ans_field *f = &a->fields.v[i];

		json_object(j);
		json_kv_u64(j, "offset", f->offset);
		json_kv_text(j, "name", *f->name == '.' ? f->name + 1 : f->name);
		json_kv_text(j, "type", f->type);
		json_kv_text(j, "value", f->value);
		if (f->to)
			json_kv_addr(j, "to", f->to);
		if (*f->to_type)
			json_kv_text(j, "to_type", f->to_type);
		json_end(j, '}');
	}
	json_end(j, ']');
}

void json_doc_object(struct str *o, const struct ans_head *h, const struct ans_object *a)
{
	struct json j;

	open_doc(&j, o, h);
	json_kv_addr(&j, "addr", a->addr);
	json_kv_text(&j, "type", a->type);
	json_kv_text(&j, "type_from", a->type_from);
	json_kv_u64(&j, "bytes", a->bytes);
	json_kv_known(&j, "retained_bytes", a->retained);
	json_kv_u64(&j, "span_class", a->span_class);
	json_kv_bool(&j, "noscan", a->noscan);
	json_kv_bool(&j, "allocated", a->allocated);
	json_kv_bool(&j, "marked", a->marked);
	json_kv_bool(&j, "reachable", a->reached);
	json_kv_text(&j, "marks", a->marks);
	json_kv_bool(&j, "values_shown", a->values_shown);
	json_kv_u64(&j, "total_fields", a->nfields);
	put_fields(&j, a);
	json_kv_u64(&j, "total_referrers", a->nreferrers);
	put_refs(&j, "referrers", a->referrers.v, a->referrers.n);
	json_kv_u64(&j, "total_references", a->nreferences);
	put_refs(&j, "references", a->references.v, a->references.n);
	json_end(&j, '}');
}

void json_doc_tree(struct str *o, const struct ans_head *h, const struct ans_tree *a)
{
	struct json j;

	open_doc(&j, o, h);
	json_kv_u64(&j, "reachable_bytes", a->total_bytes);
	json_key(&j, "nodes");
	json_array(&j);
	for (size_t i = 0; i < a->nodes.n; i++) {
		const struct ans_tree_node *t = &a->nodes.v[i];

		json_object(&j);
		json_kv_u64(&j, "depth", t->depth);
		json_kv_u64(&j, "shallow_bytes", t->shallow);
		json_kv_u64(&j, "retained_bytes", t->hidden ? t->hidden_bytes : t->retained);
		json_key(&j, "node");
		json_holder(&j, &t->node);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
}

static void put_frame(struct json *j, const struct ans_frame *f)
{
	json_object(j);
	json_kv_text(j, "function", f->function);
	json_kv_text(j, "file", f->file);
	json_kv_i64(j, "line", f->line);
	json_end(j, '}');
}

static void put_stack(struct json *j, const struct ans_goroutines *a, const struct ans_goroutine *g)
{
	json_key(j, "stack");
	json_array(j);
	for (size_t i = g->first_frame; i < g->first_frame + g->nframes; i++)
		put_frame(j, &a->frames.v[i]);
	json_end(j, ']');
}

/* "leaked" is a claim that needs a proof, which this version cannot make: null. */
void json_goroutine(struct json *j, const struct ans_goroutines *a, const struct ans_goroutine *g)
{
	json_object(j);
	json_kv_u64(j, "id", g->id);
	json_kv_text(j, "state", g->state);
	json_kv_text(j, "wait", *g->wait ? g->wait : NULL);
	json_kv_known(j, "since_ns", g->since_ns);
	json_kv_text(j, "function", g->function);
	json_kv_text(j, "creator", g->creator);
	json_key(j, "created_at");
	put_frame(j, &g->created_at);
	json_kv_u64(j, "parent_id", g->parent_id);
	json_key(j, "labels");
	json_object(j);
	json_end(j, '}');
	json_kv_known(j, "retained_bytes", g->retained);
	json_kv_u64(j, "stack_bytes", g->stack_bytes);
	json_kv_bool(j, "system", g->system);
	if (g->thread >= 0)
		json_kv_i64(j, "thread", g->thread);
	json_key(j, "leaked");
	json_null(j);
	put_stack(j, a, g);
	json_key(j, "waits_on");
	json_array(j);
	json_end(j, ']');
	json_end(j, '}');
}

static void put_group(struct json *j, const struct ans_goroutines *a, const struct ans_group *k)
{
	json_object(j);
	json_kv_text(j, "name", k->name);
	json_kv_u64(j, "count", k->count);
	json_kv_u64(j, "retained_bytes", k->retained);
	json_kv_u64(j, "stack_bytes", k->stack_bytes);
	json_kv_known(j, "max_since_ns", k->max_since_ns ? k->max_since_ns : ANS_UNKNOWN);
	if (!strcmp(a->group_by, "stack"))
		put_stack(j, a, &a->gs.v[k->example]);
	json_key(j, "ids");
	json_array(j);
	for (size_t i = k->first_member; i < k->first_member + k->nmembers; i++)
		json_u64(j, a->gs.v[a->members.v[i]].id);
	json_end(j, ']');
	json_end(j, '}');
}

void json_doc_goroutines(struct str *o, const struct ans_head *h, const struct ans_goroutines *a)
{
	struct json j;

	open_doc(&j, o, h);
	json_kv_u64(&j, "total", a->total);
	if (a->group_by) {
		json_kv_text(&j, "group_by", a->group_by);
		json_key(&j, "groups");
		json_array(&j);
		for (size_t i = 0; i < a->groups.n; i++)
			put_group(&j, a, &a->groups.v[i]);
		json_end(&j, ']');
	}
	json_key(&j, "goroutines");
	json_array(&j);
	for (size_t i = 0; i < a->gs.n && !a->group_by; i++)
		json_goroutine(&j, a, &a->gs.v[i]);
	json_end(&j, ']');
	json_end(&j, '}');
}

static void put_differences(struct json *j, const struct ans_exact *a, size_t limit)
{
	json_key(j, "differences");
	json_array(j);
	for (size_t i = 0; i < a->differences.n && i < limit; i++) {
		const struct ans_difference *d = &a->differences.v[i];

		json_object(j);
		json_kv_addr(j, "addr", d->addr);
		json_kv_u64(j, "bytes", d->bytes);
		json_kv_text(j, "side", d->side);
		json_kv_text(j, "reason", d->reason);
		json_kv_text(j, "type", d->type);
		json_kv_bool(j, "explained", d->explained);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_kv_u64(j, "total_differences", a->differences.n);
}

void json_doc_verify(struct str *o, const struct ans_head *h, const struct ans_exact *a,
		     size_t limit)
{
	struct json j;

	open_doc(&j, o, h);
	json_exact(&j, a);
	put_differences(&j, a, limit);
	json_end(&j, '}');
}

void json_doc_report(struct str *o, const struct ans_report *a)
{
	struct json j;

	open_doc(&j, o, &a->head);
	json_key(&j, "exactness");
	json_object(&j);
	json_exact(&j, &a->exact);
	json_end(&j, '}');
	json_key(&j, "memory");
	json_memory(&j, &a->memory);
	json_key(&j, "findings");
	json_array(&j);
	json_end(&j, ']');
	json_key(&j, "top");
	json_object(&j);
	json_key(&j, "by_root");
	json_top(&j, &a->by_root);
	json_key(&j, "by_type");
	json_top(&j, &a->by_type);
	json_key(&j, "by_goroutine");
	json_top(&j, &a->by_goroutine);
	json_end(&j, '}');
	json_end(&j, '}');
}
