/*
 * json_pprof.c - profiles as JSON: figures in the profile's own unit, exact.
 */
#include "report/pprof_view.h"

static void put_period(struct jw *j, const struct pprof *p)
{
	jw_key(j, "period");
	jw_object(j);
	jw_kv_text(j, "type", pprof_text(p, p->period_type.type));
	jw_kv_text(j, "unit", pprof_text(p, p->period_type.unit));
	jw_kv_i64(j, "value", p->period);
	jw_end(j, '}');
}

void json_pprof_head(struct jw *j, const struct pprof *p, unsigned type, int64_t total)
{
	jw_kv_u64(j, "schema", 1);
	jw_kv_text(j, "limpet", LIMPET_VERSION);
	jw_key(j, "target");
	jw_object(j);
	jw_kv_text(j, "kind", "profile");
	jw_kv_text(j, "path", p->name);
	jw_kv_text(j, "exe", p->mappings.n ? pprof_text(p, p->mappings.v[0].file) : NULL);
	jw_end(j, '}');
	jw_kv_text(j, "type", pprof_text(p, p->types.v[type].type));
	jw_kv_text(j, "unit", pprof_text(p, p->types.v[type].unit));
	jw_kv_i64(j, "total", total);
	jw_key(j, "time");
	jw_time(j, p->time_ns > 0 ? (uint64_t)p->time_ns : 0);
	jw_kv_i64(j, "duration_ns", p->duration_ns);
	put_period(j, p);
	jw_kv_text(j, "damage", p->damage);
}

static void put_left_out(struct jw *j, const struct pprof_graph *g)
{
	jw_key(j, "left_out");
	jw_object(j);
	jw_kv_u64(j, "small", g->dropped_nodes);
	jw_kv_u64(j, "beyond_limit", g->all_nodes - g->nodes.n);
	jw_end(j, '}');
}

static void put_node(struct jw *j, const struct pprof_node *n)
{
	jw_kv_text(j, "name", n->text);
	jw_kv_i64(j, "flat", n->flat);
	jw_kv_i64(j, "cum", n->cum);
	if (*n->file) {
		jw_kv_text(j, "function", n->name);
		jw_kv_text(j, "file", n->file);
		jw_kv_i64(j, "line", n->line);
	}
}

static void put_edges(struct jw *j, const char *key, const struct pprof_graph *g,
		      const uint32_t *edge, uint32_t n, const struct pprof_node *of)
{
	jw_key(j, key);
	jw_array(j);
	for (uint32_t i = 0; i < n; i++) {
		const struct pprof_edge *e = &g->edges.v[edge[i]];
		uint32_t other = &g->nodes.v[e->from] == of ? e->to : e->from;

		jw_object(j);
		jw_kv_text(j, "name", g->nodes.v[other].text);
		jw_kv_i64(j, "value", e->weight);
		jw_kv_bool(j, "inlined", e->inlined);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_pprof_rows(struct jw *j, const struct pprof_graph *g)
{
	jw_key(j, "rows");
	jw_array(j);
	for (size_t i = 0; i < g->nodes.n; i++) {
		jw_object(j);
		put_node(j, &g->nodes.v[i]);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_doc_pprof(struct str *o, const struct pprof_graph *g)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_pprof_head(&j, g->p, g->type, g->total);
	put_left_out(&j, g);
	json_pprof_rows(&j, g);
	jw_end(&j, '}');
}

void json_doc_pprof_tree(struct str *o, const struct pprof_graph *g, struct pattern *only,
			 size_t *ret_n)
{
	struct jw j;

	*ret_n = 0;
	jw_init(&j, o);
	jw_object(&j);
	json_pprof_head(&j, g->p, g->type, g->total);
	put_left_out(&j, g);
	jw_key(&j, "rows");
	jw_array(&j);
	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pprof_node *n = &g->nodes.v[i];

		if (only && !pattern_matches(only, n->text))
			continue;
		++*ret_n;
		jw_object(&j);
		put_node(&j, n);
		put_edges(&j, "callers", g, g->in.v + n->first_in, n->nin, n);
		put_edges(&j, "callees", g, g->out.v + n->first_out, n->nout, n);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
}
