/*
 * agg_tree_cont.c - what containers hold, below their value: entries of maps, queues, pools.
 */
#include "report/agg_value.h"

#include "base/str.h"

#include <stdio.h>

struct facts {
	struct value_tree *v;
	struct str *s;
	uint64_t *len, *cap;
};

static void put_form(struct facts *f, const struct go_fact *x)
{
	struct go_func fn;

	switch (x->form) {
	case GO_FACT_NANOTIME: /* by the wall clock, as all times */
		str_printf(f->s, "%" PRId64, go_unix_of_nanotime(f->v->a->s->go, (int64_t)x->n));
		return;
	case GO_FACT_SIGNED:
	case GO_FACT_UNIX_NS:
		str_printf(f->s, "%" PRId64, (int64_t)x->n);
		return;
	case GO_FACT_BOOL:
		str_put(f->s, x->n ? "true" : "false");
		return;
	case GO_FACT_NS:
		str_printf(f->s, "%.9gs", (double)(int64_t)x->n / 1e9);
		return;
	case GO_FACT_ADDR:
	case GO_FACT_TYPE:
		str_printf(f->s, TADDR_FMT, (taddr)x->n);
		return;
	case GO_FACT_FUNC:
		str_put(f->s, go_func_at(f->v->a->s->go, x->n, &fn) ? fn.name : "?");
		return;
	case GO_FACT_WORD:
		str_put(f->s, x->word);
		return;
	default:
		str_printf(f->s, "%" PRIu64, x->n);
		return;
	}
}

static enum go_cont_go_on on_fact(void *arg, const struct go_fact *x)
{
	struct facts *f = arg;

	if (!strncmp(x->name, "unix", 4) && f->v->opts->values != ANS_VALUES_FULL)
		return CONT_ON; /* a time is a value, how much a container holds is not */
	if (!strcmp(x->name, "len"))
		*f->len = x->n;
	else if (!strcmp(x->name, "cap"))
		*f->cap = x->n;
	str_put(f->s, f->s->n ? ", " : "");
	str_put(f->s, x->name);
	str_put(f->s, " ");
	put_form(f, x);
	return CONT_ON;
}

const char *value_facts(struct value_tree *v, const struct go_cont *c, struct go_place p,
			uint64_t *ret_len, uint64_t *ret_cap)
{
	_cleanup_(str_deinit) struct str s = { 0 };
	struct facts f = { .v = v, .s = &s, .len = ret_len, .cap = ret_cap };
	struct err *err = go_cont_facts(c, &v->io, v->a->s->rtypes, p, on_fact, &f);

	if (err) {
		str_put(&s, s.n ? "; " : "");
		str_put(&s, err->msg);
		err_free(err);
	}
	return str_ok(&s) ? keepf(&v->a->keep, "%s", s.s) : "";
}

struct entries {
	struct value_tree *v;
	uint64_t n;
};

static void put_place(struct value_tree *v, const struct go_place *p, struct value_label l)
{
	v->base = value_base(v, p->at);
	if (p->type)
		value_put(v, p->type, p->at, l);
	else
		value_node(v, NULL, p->at, l);
}

static enum go_cont_go_on on_entry(void *arg, const struct go_cont_entry *en)
{
	struct entries *x = arg;
	struct value_tree *v = x->v;
	struct value_label l = { ANS_LABEL_WORD, "" };
	struct ans_value *n;

	if (x->n++ >= v->opts->width)
		return CONT_ON; /* only counted */
	if (!en->key.at) {
		l.name = *en->label ? keepf(&v->a->keep, "%s %" PRIu64, en->label, en->index)
				    : keepf(&v->a->keep, "%" PRIu64, en->index);
		l.label = *en->label ? ANS_LABEL_WORD : ANS_LABEL_INDEX;
		put_place(v, &en->elem, l);
		return CONT_ON;
	}
	n = value_node(v, NULL, 0, (struct value_label){ ANS_LABEL_KEY, en->label });
	if (!n)
		return CONT_ON;
	n->map_entry = true;
	n->offset = 0;
	v->depth++;
	put_place(v, &en->key, (struct value_label){ 0, "" });
	put_place(v, &en->elem, (struct value_label){ 0, "" });
	v->depth--;
	return CONT_ON;
}

void value_put_container(struct value_tree *v, const struct go_cont *c, struct go_place p,
			 size_t node)
{
	struct entries x = { .v = v };
	uint64_t len = ANS_UNKNOWN, cap = ANS_UNKNOWN, base = v->base;
	struct err *err;

	if (!*v->o->values.v[node].facts) {
		const char *facts = value_facts(v, c, p, &len, &cap);

		v->o->values.v[node].facts = facts;
		v->o->values.v[node].len = len;
		v->o->values.v[node].cap = cap;
	}
	if (v->nfollow > v->opts->depth || v->depth + 1 >= VALUE_NEST || v->nfollow >= VALUE_FOLLOW)
		return;
	v->follow[v->nfollow++] =
		(struct value_follow){ .at = p.at,
				       .object = go_heap_object_at(&v->a->s->heap, p.at) };
	v->depth++;
	err = go_cont_each(c, &v->io, v->a->s->rtypes, p, on_entry, &x);
	v->depth--;
	v->base = base;
	v->nfollow--;
	if (!x.n && !err)
		v->o->values.v[node].text = "";
	if (x.n > v->opts->width)
		v->o->values.v[node].more = x.n - v->opts->width;
	if (err)
		v->o->values.v[node].note = keepf(&v->a->keep, "%s", err->msg);
	err_free(err);
}

void value_put_header(struct value_tree *v, const struct go_type *t, taddr header)
{
	struct ans_value *n = value_node(v, t, header, (struct value_label){ 0, "" });
	const struct go_cont *c = go_cont_of(v->a->s->rtypes, t);

	if (!n || !c)
		return;
	n->to = header;
	v->nfollow = 0; /* it is what was asked for */
	value_put_container(v, c, (struct go_place){ .at = header, .type = t }, v->o->values.n - 1);
}
