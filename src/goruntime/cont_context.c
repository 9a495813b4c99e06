/*
 * cont_context.c - contexts: parent, key and value, children that are cancelled with them.
 *
 * Source: context/context.go.  A context's type is one of its own there; others' are not known to
 * be contexts here.  Chains are followed by who asks: the parent is an entry.
 */
#include "goruntime/cont_priv.h"
#include "goruntime/map.h"

struct sub {
	const struct cont *c;
	struct cont_out *o;
};

/* children map[canceler]struct{}: the key is the child */
static enum go_cont_go_on child(void *arg, const struct go_cont_entry *e)
{
	struct sub *s = arg;

	cont_value(s->o, "child", e->index, e->key);
	return s->o->stopped ? CONT_STOP : CONT_ON;
}

static struct err *children(const struct cont *c, struct go_place *ret)
{
	uint64_t header;
	struct err *err = cont_field(c, "children", ret);

	if (err || !ret->at)
		return err;
	err = cont_word_at(c, ret->at, &header);
	ret->at = header;
	if (!err && ret->type->kind != GO_MAP)
		return err_bad_data("%s has no map of children", c->type->name);
	return err;
}

/* In 1.20 a timerCtx embeds its cancelCtx by a pointer: what it is told by; else itself. */
static struct err *cancel_of(const struct cont *c, struct cont *ret)
{
	struct go_place p = { 0 };
	struct err *err = cont_field(c, "cancelCtx", &p);

	*ret = *c;
	if (err || !p.type || p.type->kind != GO_POINTER)
		return err;
	err = cont_follow(c, p, &p);
	if (!err && p.at && p.type) {
		ret->at = p.at;
		ret->type = p.type;
	}
	return err;
}

static struct err *facts(const struct cont *c, struct cont_out *o)
{
	struct go_map_facts f = { 0 };
	struct go_place p = { 0 };
	struct cont in = *c;
	uint64_t w = 0;
	struct err *err = cancel_of(c, &in);

	if (!err)
		err = children(&in, &p);
	if (!err && p.type) { /* one that can be cancelled */
		if (p.at)
			err = go_map_facts(c->io, c->ts, p.type, p.at, &f);
		if (!err) /* an error to 1.24, then an atomic.Value: a type first either way */
			err = cont_words_field(&in, "err", &w, 1);
		if (err)
			return err;
		cont_fact(o, "cancelled", GO_FACT_BOOL, !!w);
		cont_fact(o, "children", GO_FACT_NUMBER, f.len);
	}
	if (!err)
		err = cont_field(c, "deadline", &p);
	return err || !p.at ? err : go_cont_facts(&cont_time, c->io, c->ts, p, o->fact, o->arg);
}

static struct err *each(const struct cont *c, struct cont_out *o)
{
	struct sub s = { c, o };
	struct go_place parent = { 0 }, cause = { 0 }, key, val, kids = { 0 };
	struct cont in = *c;
	struct err *err = cancel_of(c, &in);

	if (!err)
		err = cont_field(&in, "Context", &parent);
	if (!err && in.at != c->at)
		err = cont_field(&in, "cause", &cause);
	if (!err && !parent.at) /* withoutCancelCtx */
		err = cont_field(c, "c", &parent);
	if (!err)
		err = cont_field(c, "key", &key);
	if (!err)
		err = cont_field(c, "val", &val);
	if (!err)
		err = children(&in, &kids);
	if (err)
		return err;
	if (cause.at)
		cont_value(o, "cause", 0, cause);
	if (parent.at)
		cont_value(o, "parent", 0, parent);
	if (key.at && val.at)
		cont_entry(o, "value", 0, key, val);
	return kids.at ? go_map_each(c->io, c->ts, kids.type, kids.at, child, &s) : NULL;
}

static const struct cont_field fields[] = {
	{ "cause", "cause", CONT_FIELD_ENTRY, 0 },
	{ 0 },
};

const struct go_cont cont_context = {
	.word = "context",
	.names = "context.cancelCtx|context.timerCtx|context.valueCtx|context.withoutCancelCtx|"
		 "context.afterFuncCtx|context.stopCtx|context.backgroundCtx|context.todoCtx",
	.kind = GO_STRUCT,
	.fields = fields,
	.facts = facts,
	.each = each,
};
