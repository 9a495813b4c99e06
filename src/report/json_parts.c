/*
 * json_parts.c - the values that several documents share: head, exactness, paths, rows.
 *
 * Keys are those of the contract; more keys may stand beside them.
 */
#include "report/json.h"

/* "a,b" -> ["a","b"] */
static void put_list(struct json *j, const char *list)
{
	char one[128];

	json_array(j);
	while (*list) {
		size_t n = strcspn(list, ",");

		if (n && n < sizeof(one)) {
			memcpy(one, list, n);
			one[n] = 0;
			json_text(j, one);
		}
		list += n + (list[n] == ',');
	}
	json_end(j, ']');
}

static void put_target(struct json *j, const struct ans_head *a)
{
	json_key(j, "target");
	json_object(j);
	json_kv_text(j, "kind", a->kind);
	json_kv_i64(j, "pid", a->pid);
	json_kv_text(j, "exe", a->exe);
	json_kv_text(j, "go", a->go);
	json_kv_text(j, "arch", a->arch);
	json_key(j, "experiments");
	put_list(j, a->experiments);
	json_kv_bool(j, "dwarf", a->dwarf);
	json_kv_bool(j, "stripped", a->stripped);
	json_kv_text(j, "layout", a->layout);
	json_kv_bool(j, "layout_exact", a->layout_exact);
	json_end(j, '}');
}

static void put_build(struct json *j, const struct ans_head *a)
{
	json_key(j, "build");
	json_object(j);
	json_kv_text(j, "module", a->module);
	json_kv_text(j, "version", a->version);
	json_kv_text(j, "vcs_revision", a->revision);
	json_key(j, "started");
	json_time(j, a->started_unix_ns);
	json_end(j, '}');
}

static void put_capture(struct json *j, const struct ans_head *a)
{
	json_key(j, "capture");
	json_object(j);
	json_key(j, "at");
	json_time(j, a->at_unix_ns);
	json_kv_text(j, "method", a->method);
	json_kv_u64(j, "pause_ns", a->pause_ns);
	json_key(j, "losses");
	json_array(j);
	for (size_t i = 0; i < a->losses.n; i++) {
		json_object(j);
		json_kv_text(j, "what", a->losses.v[i].what);
		json_kv_u64(j, "count", a->losses.v[i].count);
		json_kv_u64(j, "bytes", a->losses.v[i].bytes);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_end(j, '}');
}

void json_head(struct json *j, const struct ans_head *a)
{
	json_kv_u64(j, "schema", 1);
	json_kv_text(j, "limpet", LIMPET_VERSION);
	put_target(j, a);
	put_build(j, a);
	put_capture(j, a);
}

void json_exact(struct json *j, const struct ans_exact *a)
{
	json_kv_u64(j, "reachable_objects", a->reachable_objects);
	json_kv_u64(j, "reachable_bytes", a->reachable_bytes);
	json_kv_u64(j, "gc_objects", a->gc_objects);
	json_kv_u64(j, "gc_bytes", a->gc_bytes);
	json_kv_u64(j, "missing", a->missing);
	json_kv_u64(j, "extra", a->extra);
	json_kv_u64(j, "conservative_frames", a->conservative_frames);
	json_kv_u64(j, "typed_objects", a->typed_objects);
	json_kv_u64(j, "typed_bytes", a->typed_bytes);
	json_kv_u64(j, "undecided", a->undecided);
	json_kv_u64(j, "garbage_since", a->garbage_since);
	json_kv_u64(j, "born_since", a->born_since);
	json_kv_text(j, "gc_phase", a->phase);
	json_kv_u64(j, "gc_cycles", a->cycles);
	json_kv_u64(j, "spans_valid", a->spans_valid);
	json_kv_u64(j, "spans_partial", a->spans_partial);
	json_kv_u64(j, "spans_undecidable", a->spans_undecidable);
	json_kv_bool(j, "second_observation", a->second);
	json_kv_bool(j, "holds", a->holds);
}

static void put_if(struct json *j, const char *key, const char *text)
{
	if (text && *text)
		json_kv_text(j, key, text);
}

void json_holder(struct json *j, const struct ans_holder *h)
{
	bool object = !strcmp(h->what, "object");

	json_object(j);
	json_kv_text(j, "what", h->what);
	put_if(j, "name", h->name);
	put_if(j, "type", h->type);
	put_if(j, "field", *h->field == '.' ? h->field + 1 : h->field);
	put_if(j, "frame", h->frame);
	if (h->addr)
		json_kv_addr(j, "addr", h->addr);
	if (object || h->bytes)
		json_kv_u64(j, "bytes", h->bytes);
	if (h->retained)
		json_kv_u64(j, "retained_bytes", h->retained);
	if (h->count)
		json_kv_u64(j, "count", h->count);
	json_end(j, '}');
}

void json_path(struct json *j, const struct ans_path *p)
{
	json_array(j);
	for (size_t i = 0; i < p->nodes.n; i++)
		json_holder(j, &p->nodes.v[i]);
	json_end(j, ']');
}

void json_top(struct json *j, const struct ans_top *a)
{
	json_array(j);
	for (size_t i = 0; i < a->rows.n; i++) {
		const struct ans_row *r = &a->rows.v[i];

		json_object(j);
		json_kv_text(j, "name", r->name);
		json_kv_u64(j, "objects", r->objects);
		json_kv_u64(j, "shallow_bytes", r->shallow);
		json_kv_u64(j, "retained_bytes", r->retained);
		if (r->count)
			json_kv_u64(j, "count", r->count);
		if (r->rest)
			json_kv_bool(j, "remainder", true);
		if (r->path.nodes.n) {
			json_key(j, "holder");
			json_path(j, &r->path);
		}
		json_end(j, '}');
	}
	json_end(j, ']');
}

void json_memory(struct json *j, const struct ans_memory *a)
{
	json_object(j);
	json_kv_u64(j, "rss", a->rss);
	json_kv_u64(j, "heap_live", a->heap_live);
	json_kv_u64(j, "heap_garbage", a->heap_garbage);
	json_kv_u64(j, "heap_free", a->heap_free);
	json_kv_u64(j, "heap_released", a->heap_released);
	json_kv_i64(j, "heap_absent", a->heap_absent);
	json_kv_u64(j, "stacks", a->stacks);
	json_kv_u64(j, "runtime", a->runtime);
	json_kv_u64(j, "globals", a->globals);
	json_kv_u64(j, "thread_stacks", a->thread_stacks);
	json_kv_u64(j, "off_heap", a->off_heap);
	json_kv_u64(j, "files", a->files);
	json_kv_i64(j, "unexplained", a->unexplained);
	json_key(j, "lines");
	json_array(j);
	for (size_t i = 0; i < a->lines.n; i++) {
		const struct ans_mem_line *l = &a->lines.v[i];

		json_object(j);
		json_kv_text(j, "key", l->key);
		json_kv_i64(j, "bytes", l->bytes);
		json_kv_text(j, "name", l->name);
		json_kv_text(j, "note", l->note);
		json_kv_bool(j, "part_of_rss", l->summed);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_end(j, '}');
}
