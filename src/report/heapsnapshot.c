/*
 * heapsnapshot.c - the graph as V8 writes heaps: nodes, then edges in the order of their nodes,
 * then the table of names.
 *
 *   0 ""  1 "(GC roots)"  2 "globals"  3 "goroutines"  4 .. one node a root  then objects
 *
 * Readers number nodes by place and keep each figure in 32 bits: sizes beyond are cut to that.
 * Nodes need no memory of the program, edges (their fields) one read of it.  Ids are objwalk.h's.
 *
 * Source: v8/src/profiler/heap-snapshot-generator.cc, HeapSnapshotJSONSerializer.
 */
#include "report/bigout.h"
#include "report/graphfile.h"
#include "report/json.h"
#include "report/objwalk.h"

enum node_type { NODE_ARRAY = 1, NODE_OBJECT = 3, NODE_SYNTHETIC = 9 };
enum edge_type { EDGE_ELEMENT = 1, EDGE_PROPERTY = 2 };
enum { NODE_FIELDS = 7, TOP_NODES = 4 }; /* node 0 and the three that roots hang from */

struct writer {
	struct agg *a;
	struct bigout o;
	struct objnames names;
	struct obj_ranks ranks;
	struct obj_ids ids;
	struct graphfile f;
	const char *between; /* "" before the first of a list, then "," */
	uint32_t root;
	uint64_t nth; /* edge of the node at hand */
};

static const char head[] =
	"{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\","
	"\"edge_count\",\"trace_node_id\",\"detachedness\"],\"node_types\":[[\"hidden\",\"array\","
	"\"string\",\"object\",\"code\",\"closure\",\"regexp\",\"number\",\"native\",\"synthetic\","
	"\"concatenated string\",\"sliced string\",\"symbol\",\"bigint\",\"object shape\"],"
	"\"string\",\"number\",\"number\",\"number\",\"number\",\"number\"],\"edge_fields\":["
	"\"type\",\"name_or_index\",\"to_node\"],\"edge_types\":[[\"context\",\"element\","
	"\"property\",\"internal\",\"hidden\",\"shortcut\",\"weak\"],\"string_or_number\",\"node\"],"
	"\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\",\"script_id\","
	"\"line\",\"column\"],\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\","
	"\"size\",\"children\"],\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],"
	"\"location_fields\":[\"object_index\",\"script_id\",\"line\",\"column\"]},";

static const char tail[] = "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n"
			   "\"locations\":[],\n\"strings\":[";

/* Which of the nodes 1 .. 3 a root hangs from. */
static unsigned top_of(const struct snap_root *r)
{
	return r->kind == SNAP_ROOT_GLOBAL ? 2 : r->kind == SNAP_ROOT_GOROUTINE ? 3 : 1;
}

static uint64_t index_of(const struct writer *w, gnode v)
{
	return (uint64_t)obj_rank(&w->ranks, v) + TOP_NODES - 1;
}

static void put_node(struct writer *w, enum node_type type, uint32_t name, uint32_t id,
		     uint64_t bytes, uint64_t edges)
{
	struct bigout *o = &w->o;

	bigout_text(o, w->between);
	w->between = ",\n";
	bigout_number(o, type);
	bigout_put(o, ",", 1);
	bigout_number(o, name);
	bigout_put(o, ",", 1);
	bigout_number(o, id);
	bigout_put(o, ",", 1);
	bigout_number(o, MIN(bytes, (uint64_t)UINT32_MAX));
	bigout_put(o, ",", 1);
	bigout_number(o, edges);
	bigout_put(o, ",0,0", 4);
}

static void put_edge(struct writer *w, enum edge_type type, uint64_t name, uint64_t node)
{
	struct bigout *o = &w->o;

	bigout_text(o, w->between);
	w->between = ",\n";
	bigout_number(o, type);
	bigout_put(o, ",", 1);
	bigout_number(o, name);
	bigout_put(o, ",", 1);
	bigout_number(o, node * NODE_FIELDS);
}

static struct err *put_top_nodes(struct writer *w)
{
	static const char *const name[TOP_NODES] = { "", "(GC roots)", "globals", "goroutines" };
	uint64_t n[TOP_NODES] = { TOP_NODES - 1 };
	const struct snapshot *s = w->a->s;
	struct err *err = NULL;
	uint32_t text;

	for (size_t r = 0; r < s->roots.n; r++)
		n[top_of(&s->roots.v[r])]++;
	for (uint32_t i = 0; i < TOP_NODES && !err; i++) {
		err = objnames_add(&w->names, name[i], &text);
		if (!err)
			put_node(w, i < 2 ? NODE_SYNTHETIC : NODE_OBJECT, text, obj_other_id(i), 0,
				 n[i]);
	}
	return err;
}

static struct err *put_roots(struct writer *w)
{
	const struct graph *g = w->a->g;
	struct err *err = NULL;
	uint32_t text;

	for (uint32_t r = 0; r < g->nroots && !err; r++) {
		err = objnames_add(&w->names, objnames_root(w->a, r), &text);
		if (!err)
			put_node(w, NODE_OBJECT, text, obj_other_id(TOP_NODES + r), 0,
				 graph_last(g, r + 1) - graph_first(g, r + 1));
	}
	return err;
}

/* Those of one span: all that their nodes say, the graph and the span know. */
static struct err *put_span(struct writer *w, const struct go_span *sp)
{
	const struct snapshot *s = w->a->s;
	const struct graph *g = w->a->g;

	for (uint32_t i = 0; i < sp->nelems; i++) {
		struct obj o = { .id = sp->first + i, .span = sp, .bytes = sp->elem_bytes };
		uint32_t name;
		struct err *err;

		o.node = graph_node_of_object(g, o.id);
		if (!graph_reached(g, o.node))
			continue;
		o.type = s->type_of && s->type_of[o.id] < s->types.n ? s->type_of[o.id] : 0;
		o.addr = sp->base + i * sp->elem_bytes;
		err = objnames_type(&w->names, &o, &name);
		if (err)
			return err;
		put_node(w, o.type && s->types.v[o.type].array ? NODE_ARRAY : NODE_OBJECT, name,
			 obj_id(&w->ids, w->a, o.node, o.addr), o.bytes,
			 graph_last(g, o.node) - graph_first(g, o.node));
		w->f.objects++;
		w->f.bytes += o.bytes;
		w->f.references += graph_last(g, o.node) - graph_first(g, o.node);
	}
	return w->o.err ? STEAL(w->o.err) : NULL;
}

static struct err *put_nodes(struct writer *w)
{
	const struct go_heap *h = &w->a->s->heap;
	struct err *err = put_top_nodes(w);

	if (!err)
		err = put_roots(w);
	for (size_t i = 0; i < h->spans.n && !err; i++)
		err = put_span(w, &h->spans.v[i]);
	return err;
}

static void put_top_edges(struct writer *w)
{
	const struct snapshot *s = w->a->s;

	for (unsigned i = 1; i < TOP_NODES; i++)
		put_edge(w, EDGE_ELEMENT, i, i);
	for (unsigned top = 1; top < TOP_NODES; top++)
		for (uint32_t r = 0, n = 0; r < s->roots.n; r++)
			if (top_of(&s->roots.v[r]) == top)
				put_edge(w, EDGE_ELEMENT, ++n, index_of(w, r + 1));
}

static struct err *put_root_edge(void *arg, const struct snap_slot *sl, gnode to)
{
	struct writer *w = arg;
	const char *text = objnames_slot(w->a, w->root, sl);
	uint32_t name;
	struct err *err;

	w->nth++;
	if (!*text) {
		put_edge(w, EDGE_ELEMENT, w->nth, index_of(w, to));
		return NULL;
	}
	err = objnames_add(&w->names, text, &name);
	if (!err)
		put_edge(w, EDGE_PROPERTY, name, index_of(w, to));
	return err;
}

static struct err *put_object_edges(void *arg, const struct obj *x)
{
	struct writer *w = arg;

	for (size_t i = 0; i < x->n; i++) {
		uint64_t index = i;
		uint32_t name = 0;
		struct err *err = NULL;

		if (x->refs[i].off != OBJWALK_NO_OFF)
			err = objnames_field(&w->names, x, x->refs[i].off, &name, &index);
		if (err)
			return err;
		if (*w->names.text.v[name]) /* 0 is "" */
			put_edge(w, EDGE_PROPERTY, name, index_of(w, x->refs[i].to));
		else
			put_edge(w, EDGE_ELEMENT, index, index_of(w, x->refs[i].to));
	}
	return w->o.err ? STEAL(w->o.err) : NULL;
}

static struct err *put_edges(struct writer *w)
{
	struct err *err = NULL;

	put_top_edges(w);
	for (w->root = 0; w->root < w->a->g->nroots && !err; w->root++) {
		w->nth = 0;
		err = objwalk_root(w->a, w->root, put_root_edge, w);
	}
	return err ? err : objwalk(w->a, put_object_edges, w);
}

static struct err *put_names(struct writer *w)
{
	_cleanup_(str_deinit) struct str text = { 0 };
	struct jw j;

	for (size_t i = 0; i < w->names.text.n; i++) {
		const char *s = w->names.text.v[i];

		text.n = 0;
		jw_init(&j, &text);
		jw_text(&j, *s == '.' ? s + 1 : s);
		if (!str_ok(&text))
			return &err_nomem;
		bigout_text(&w->o, i ? ",\n" : "\n");
		bigout_put(&w->o, text.s, text.n);
	}
	return NULL;
}

/* Edges of the top nodes are those to the others, and one to each root. */
static struct err *write_all(struct writer *w)
{
	const struct graph *g = w->a->g;
	uint64_t edges = TOP_NODES - 1 + g->nroots;
	struct err *err;

	for (gnode v = 1; v < g->n; v++)
		if (graph_reached(g, v))
			edges += graph_last(g, v) - graph_first(g, v);
	bigout_text(&w->o, head);
	bigout_text(&w->o, "\"node_count\":");
	bigout_number(&w->o, w->ranks.n + TOP_NODES - 1);
	bigout_text(&w->o, ",\"edge_count\":");
	bigout_number(&w->o, edges);
	bigout_text(&w->o, ",\"trace_function_count\":0},\n\"nodes\":[");
	w->between = "";
	err = put_nodes(w);
	if (err)
		return err;
	bigout_text(&w->o, "],\n\"edges\":[");
	w->between = "";
	err = put_edges(w);
	if (err)
		return err;
	bigout_text(&w->o, tail);
	err = put_names(w);
	bigout_text(&w->o, "]}\n");
	return err;
}

struct err *heapsnapshot_write(struct agg *a, const char *path, struct graphfile *ret)
{
	struct writer w = { .a = a };
	struct err *err = obj_ids_choose(a, &w.ids);

	if (!err)
		err = obj_ranks_create(a->g, &w.ranks);
	if (!err)
		err = objnames_create(a, &w.names);
	if (!err)
		err = bigout_open(path, &w.o);
	if (!err)
		err = write_all(&w);
	w.f.base = w.ids.base;
	w.f.by_node = w.ids.by_node;
	w.f.file_bytes = bigout_bytes(&w.o);
	if (!err)
		err = bigout_commit(&w.o);
	bigout_deinit(&w.o);
	objnames_deinit(&w.names);
	obj_ranks_deinit(&w.ranks);
	if (!err)
		*ret = w.f;
	return err;
}
