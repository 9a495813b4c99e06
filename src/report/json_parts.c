/*
 * json_parts.c - the values that several documents share: head, exactness, paths, rows.
 *
 * Keys are those of the contract; more keys may stand beside them.
 */
#include "report/json.h"

/* "a,b" -> ["a","b"] */
static void put_list(struct jw *j, const char *list)
{
	char one[128];

	jw_array(j);
	while (*list) {
		size_t n = strcspn(list, ",");

		if (n && n < sizeof(one)) {
			memcpy(one, list, n);
			one[n] = 0;
			jw_text(j, one);
		}
		list += n + (list[n] == ',');
	}
	jw_end(j, ']');
}

/* Of a live process, and what is not known left out. */
static void put_place(struct jw *j, const struct ans_head *a)
{
	if (a->ns_pid)
		jw_kv_i64(j, "ns_pid", a->ns_pid);
	if (a->container && *a->container)
		jw_kv_text(j, "container", a->container);
	if (a->runtime && *a->runtime)
		jw_kv_text(j, "container_runtime", a->runtime);
	if (a->pod && *a->pod)
		jw_kv_text(j, "pod_uid", a->pod);
	if (a->unit && *a->unit)
		jw_kv_text(j, "unit", a->unit);
}

static void put_target(struct jw *j, const struct ans_head *a)
{
	jw_key(j, "target");
	jw_object(j);
	jw_kv_text(j, "kind", a->kind);
	jw_kv_i64(j, "pid", a->pid);
	put_place(j, a);
	jw_kv_text(j, "exe", a->exe);
	if (a->file && *a->file)
		jw_kv_text(j, "file", a->file);
	if (a->of) {
		jw_kv_text(j, "of", a->of);
		if (a->of_file && *a->of_file)
			jw_kv_text(j, "of_file", a->of_file);
	}
	jw_kv_text(j, "go", a->go);
	jw_kv_text(j, "arch", a->arch);
	jw_key(j, "experiments");
	put_list(j, a->experiments);
	jw_kv_bool(j, "dwarf", a->dwarf);
	jw_kv_bool(j, "stripped", a->stripped);
	jw_kv_text(j, "layout", a->layout);
	jw_kv_bool(j, "layout_exact", a->layout_exact);
	jw_end(j, '}');
}

static void put_build(struct jw *j, const struct ans_head *a)
{
	jw_key(j, "build");
	jw_object(j);
	jw_kv_text(j, "module", a->module);
	jw_kv_text(j, "version", a->version);
	jw_kv_text(j, "vcs_revision", a->revision);
	jw_key(j, "started");
	jw_time(j, a->started_unix_ns);
	jw_end(j, '}');
}

/* What each detector cost; why one was not asked. */
static void put_detectors(struct jw *j, const struct ans_head *a)
{
	if (!a->ndetectors)
		return;
	jw_key(j, "detectors");
	jw_array(j);
	for (size_t i = 0; i < a->ndetectors; i++) {
		jw_object(j);
		jw_kv_text(j, "name", a->detectors[i].name);
		jw_kv_u64(j, "ns", a->detectors[i].ns);
		if (a->detectors[i].skipped)
			jw_kv_text(j, "not_run", a->detectors[i].skipped);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_capture(struct jw *j, const struct ans_head *a)
{
	jw_key(j, "capture");
	jw_object(j);
	jw_key(j, "at");
	jw_time(j, a->at_unix_ns);
	jw_kv_text(j, "method", a->method);
	jw_kv_u64(j, "pause_ns", a->pause_ns);
	jw_kv_u64(j, "fork_ns", a->fork_ns);
	jw_kv_u64(j, "read_ns", a->read_ns);
	jw_kv_u64(j, "extract_ns", a->extract_ns);
	jw_kv_u64(j, "names_ns", a->names_ns);
	jw_kv_u64(j, "type_conflicts", a->type_conflicts);
	jw_key(j, "losses");
	jw_array(j);
	for (size_t i = 0; i < a->losses.n; i++) {
		jw_object(j);
		jw_kv_text(j, "what", a->losses.v[i].what);
		jw_kv_u64(j, "count", a->losses.v[i].count);
		jw_kv_u64(j, "bytes", a->losses.v[i].bytes);
		jw_end(j, '}');
	}
	jw_end(j, ']');
	put_detectors(j, a);
	if (a->lacks && *a->lacks) {
		jw_key(j, "lacks");
		jw_array(j);
		for (size_t i = 0; a->lacks[i]; i++)
			jw_text(j, a->lacks[i]);
		jw_end(j, ']');
	}
	jw_end(j, '}');
}

void json_head(struct jw *j, const struct ans_head *a)
{
	jw_kv_u64(j, "schema", 1);
	jw_kv_text(j, "limpet", LIMPET_VERSION);
	put_target(j, a);
	put_build(j, a);
	put_capture(j, a);
}

void json_exact(struct jw *j, const struct ans_exact *a)
{
	jw_kv_u64(j, "reachable_objects", a->reachable_objects);
	jw_kv_u64(j, "reachable_bytes", a->reachable_bytes);
	jw_kv_known(j, "gc_objects", a->no_marks ? ANS_UNKNOWN : a->gc_objects);
	jw_kv_known(j, "gc_bytes", a->no_marks ? ANS_UNKNOWN : a->gc_bytes);
	jw_kv_known(j, "missing", a->no_marks ? ANS_UNKNOWN : a->missing);
	jw_kv_u64(j, "extra", a->extra);
	jw_kv_u64(j, "conservative_frames", a->conservative_frames);
	jw_kv_u64(j, "typed_objects", a->typed_objects);
	jw_kv_u64(j, "typed_bytes", a->typed_bytes);
	jw_kv_u64(j, "undecided", a->undecided);
	jw_kv_u64(j, "garbage_since", a->garbage_since);
	jw_kv_u64(j, "born_since", a->born_since);
	jw_kv_known(j, "gc_counter_bytes", a->counter_bytes);
	jw_kv_text(j, "gc_phase", a->phase);
	jw_kv_text(j, "compared", a->compared);
	jw_kv_u64(j, "gc_cycles", a->cycles);
	jw_kv_u64(j, "spans_valid", a->spans_valid);
	jw_kv_u64(j, "spans_undecidable", a->spans_undecidable);
	jw_kv_bool(j, "second_observation", a->second);
	jw_key(j, "holds");
	if (a->holds && !a->gc_objects)
		jw_null(j); /* nothing was compared: neither true nor false */
	else
		jw_bool(j, a->holds);
}

static void put_if(struct jw *j, const char *key, const char *text)
{
	if (text && *text)
		jw_kv_text(j, key, text);
}

void json_labels(struct jw *j, const struct ans_labels *l)
{
	if (l && (l->lost || l->unknown)) {
		jw_null(j);
		return;
	}
	jw_object(j);
	for (size_t i = 0; l && i < l->n; i++)
		jw_kv_text(j, l->v[i].key, l->v[i].value);
	jw_end(j, '}');
}

static void put_labels(struct jw *j, const struct ans_labels *l)
{
	if (!l || l->unknown)
		return;
	jw_key(j, "labels");
	json_labels(j, l);
}

void json_holder(struct jw *j, const struct ans_holder *h)
{
	bool object = !strcmp(h->what, "object");

	jw_object(j);
	jw_kv_text(j, "what", h->what);
	put_if(j, "name", h->name);
	put_labels(j, h->labels);
	put_if(j, "type", h->type);
	put_if(j, "field", *h->field == '.' ? h->field + 1 : h->field);
	put_if(j, "frame", h->frame);
	put_if(j, "var", h->var);
	put_if(j, "key", h->key);
	put_if(j, "expr", h->expr);
	if (h->addr)
		jw_kv_addr(j, "addr", h->addr);
	if (h->at)
		jw_kv_addr(j, "at", h->at);
	if (h->to)
		jw_kv_addr(j, "to", h->to);
	if (object || h->bytes)
		jw_kv_u64(j, "bytes", h->bytes);
	if (h->retained)
		jw_kv_u64(j, "retained_bytes", h->retained);
	if (h->owner_retained)
		jw_kv_u64(j, "owner_retained_bytes", h->owner_retained);
	if (h->count)
		jw_kv_u64(j, "count", h->count);
	jw_end(j, '}');
}

void json_path(struct jw *j, const struct ans_path *p)
{
	jw_array(j);
	for (size_t i = 0; i < p->nodes.n; i++)
		json_holder(j, &p->nodes.v[i]);
	jw_end(j, ']');
}

void json_top(struct jw *j, const struct ans_top *a)
{
	bool by_label = a->by && !strncmp(a->by, "label", 5);

	jw_array(j);
	for (size_t i = 0; i < a->rows.n; i++) {
		const struct ans_row *r = &a->rows.v[i];

		jw_object(j);
		jw_kv_text(j, "name", r->name);
		jw_kv_u64(j, "objects", r->objects);
		jw_kv_u64(j, "shallow_bytes", r->shallow);
		jw_kv_u64(j, "retained_bytes", r->retained);
		if (a->trees & AGG_TREE_OWNER)
			jw_kv_u64(j, "owner_retained_bytes", r->owner_retained);
		if ((a->trees & AGG_TREE_OWNER) && r->owner_objects)
			jw_kv_u64(j, "owner_objects", r->owner_objects);
		if (a->profile.known)
			json_site(j, r);
		if (r->count)
			jw_kv_u64(j, "count", r->count);
		if (by_label) {
			jw_kv_u64(j, "goroutines", r->count);
			jw_kv_u64(j, "stack_bytes", r->shallow);
			if (!r->rest)
				jw_kv_u64(j, "shared_bytes", r->shared);
		}
		put_labels(j, r->labels);
		if (r->label_sets > 1)
			jw_kv_u64(j, "label_sets", r->label_sets);
		if (r->rest)
			jw_kv_bool(j, "remainder", true);
		if (r->path.nodes.n) {
			jw_key(j, "holder");
			json_path(j, &r->path);
		}
		if (r->origin.sampled || r->origin.of)
			json_origin(j, &r->origin);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void json_if_rss(struct jw *j, const struct ans_memory *a, const char *key, int64_t n)
{
	jw_key(j, key);
	if (a->rss == ANS_UNKNOWN)
		jw_null(j);
	else
		jw_i64(j, n);
}

void json_memory(struct jw *j, const struct ans_memory *a)
{
	jw_object(j);
	jw_kv_known(j, "rss", a->rss);
	if (a->sys)
		jw_kv_u64(j, "sys", a->sys);
	jw_kv_u64(j, "heap_live", a->heap_live);
	jw_kv_u64(j, "heap_garbage", a->heap_garbage);
	jw_kv_u64(j, "heap_free", a->heap_free);
	jw_kv_u64(j, "heap_released", a->heap_released);
	json_if_rss(j, a, "heap_absent", a->heap_absent);
	jw_kv_u64(j, "stacks", a->stacks);
	jw_kv_known(j, "runtime", a->runtime);
	jw_kv_known(j, "globals", a->globals);
	jw_kv_known(j, "thread_stacks", a->thread_stacks);
	jw_kv_known(j, "off_heap", a->off_heap);
	jw_kv_known(j, "files", a->files);
	json_if_rss(j, a, "unexplained", a->unexplained);
	jw_key(j, "lines");
	jw_array(j);
	for (size_t i = 0; i < a->lines.n; i++) {
		const struct ans_mem_line *l = &a->lines.v[i];

		jw_object(j);
		jw_kv_text(j, "key", l->key);
		jw_kv_i64(j, "bytes", l->bytes);
		jw_kv_text(j, "name", l->name);
		jw_kv_text(j, "note", l->note);
		jw_kv_bool(j, a->sys ? "part_of_sys" : "part_of_rss", l->summed);
		jw_end(j, '}');
	}
	jw_end(j, ']');
	jw_end(j, '}');
}
