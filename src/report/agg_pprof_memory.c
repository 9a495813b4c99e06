/*
 * agg_pprof_memory.c - the memory table of a heap profile as text: the MemStats behind it.
 *
 * The lines add up to Sys.  What of the heap is reachable and what is garbage these counts do not
 * tell apart.
 */
#include "report/pprof_top.h"

#include "base/err.h"
#include "evidence/memstats.h"
#include "report/agg_pprof.h"

static int64_t get(const struct pprof *p, const char *name)
{
	int64_t v;

	return memstats_get(p, name, &v) && v > 0 && v < INT64_MAX / 16 ? v : 0;
}

struct err *agg_pprof_memory(const struct pprof *p, struct ans_memory *ret)
{
	int64_t inuse = get(p, "HeapInuse"), alloc = get(p, "HeapAlloc");
	int64_t idle = get(p, "HeapIdle"), released = get(p, "HeapReleased");
	const struct ans_mem_line lines[] = {
		{ "sys", "from the system (Sys)", "address space, by the runtime's own count",
		  get(p, "Sys"), 0, false },
		{ "heap_objects", "Go heap: objects",
		  "reachable, and garbage that is not swept yet (HeapAlloc)", alloc, 1, true },
		{ "heap_free_slots", "Go heap: free slots",
		  "free places in spans that hold other objects", inuse - alloc, 1, true },
		{ "heap_idle", "Go heap: idle", "free spans, not yet returned to the kernel",
		  idle - released, 1, true },
		{ "heap_released", "Go heap: released", "returned to the kernel", released, 1,
		  true },
		{ "stacks", "stacks", "of goroutines, in use or kept; of the runtime's threads",
		  get(p, "Stack.sys"), 1, true },
		{ "runtime", "Go runtime", "span tables, caches, profiles, GC metadata, the rest",
		  get(p, "MSpan.sys") + get(p, "MCache.sys") + get(p, "BuckHashSys") +
			  get(p, "GCSys") + get(p, "OtherSys"),
		  1, true },
	};

	if (!lines[0].bytes && p->damage)
		return err_unsupported("%.200s: its end is missing, and with it MemStats", p->name);
	if (!lines[0].bytes)
		return err_unsupported("%.200s: without MemStats; a heap profile as text "
				       "(/debug/pprof/heap?debug=1) has them",
				       p->name);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (!vec_push(&ret->lines, lines[i]))
			return &err_nomem;
	ret->rss = ANS_UNKNOWN;
	ret->sys = (uint64_t)lines[0].bytes;
	return NULL;
}

void json_doc_pprof_memory(struct str *o, const struct pprof *p, const struct ans_memory *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_u64(&j, "schema", 1);
	jw_kv_text(&j, "limpet", LIMPET_VERSION);
	jw_key(&j, "target");
	jw_object(&j);
	jw_kv_text(&j, "kind", "profile");
	jw_kv_text(&j, "path", p->name);
	jw_end(&j, '}');
	jw_key(&j, "memory");
	jw_object(&j);
	jw_kv_u64(&j, "sys", a->sys);
	jw_key(&j, "lines");
	jw_array(&j);
	for (size_t i = 0; i < a->lines.n; i++) {
		const struct ans_mem_line *l = &a->lines.v[i];

		jw_object(&j);
		jw_kv_text(&j, "key", l->key);
		jw_kv_i64(&j, "bytes", l->bytes);
		jw_kv_text(&j, "name", l->name);
		jw_kv_text(&j, "note", l->note);
		jw_kv_bool(&j, "part_of_sys", l->summed);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_key(&j, "memstats"); /* as the runtime names them */
	jw_object(&j);
	for (size_t i = 0; i < p->memstats.n; i++) {
		int64_t v = p->memstats.v[i].value;

		jw_kv_known(&j, pprof_text(p, p->memstats.v[i].name),
			    v < 0 || v > INT64_MAX / 2 ? ANS_UNKNOWN : (uint64_t)v);
	}
	jw_end(&j, '}');
	jw_end(&j, '}');
	jw_end(&j, '}');
}
