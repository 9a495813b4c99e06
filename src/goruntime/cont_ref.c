/*
 * cont_ref.c - what points: atomic.Pointer, weak.Pointer, reflect.Value.
 *
 * Source: sync/atomic/type.go, weak/pointer.go (a handle that the collector clears),
 * reflect/value.go (flagIndir, flagKindMask).
 */
#include "goruntime/cont_priv.h"

enum { FLAG_INDIR = 1 << 7 };

static struct err *pointer_each(const struct cont *c, struct cont_out *o)
{
	struct go_place p;
	struct err *err = cont_field(c, "v", &p);

	if (!err && p.at)
		err = cont_word_at(c, p.at, &p.at);
	if (!err && p.at)
		cont_value(o, "", 0, (struct go_place){ p.at, cont_type_arg(c->ts, c->type) });
	return err;
}

static struct err *pointer_parts(const struct cont *c, struct cont_out *o)
{
	const struct go_type *t = cont_type_arg(c->ts, c->type);
	uint64_t at;
	struct err *err = cont_words_field(c, "v", &at, 1);

	if (!err && t)
		cont_part(o, GO_PART_VALUE, at, 1, t->addr, t->bytes);
	return err;
}

const struct go_cont cont_atomic_pointer = {
	.word = "atomic pointer",
	.names = "sync/atomic.Pointer[",
	.kind = GO_STRUCT,
	.holds = true,
	.each = pointer_each,
	.parts = pointer_parts,
};

/* *ret: what it points to now; 0: collected, or made of nil. */
static struct err *weak_target(const struct cont *c, taddr *ret)
{
	uint64_t handle;
	struct err *err = cont_words_field(c, "u", &handle, 1);

	*ret = 0;
	return err || !handle ? err : cont_word_at(c, handle, ret);
}

static struct err *weak_facts(const struct cont *c, struct cont_out *o)
{
	taddr at;
	struct err *err = weak_target(c, &at);

	if (!err)
		cont_fact(o, "alive", GO_FACT_BOOL, !!at);
	return err;
}

static struct err *weak_each(const struct cont *c, struct cont_out *o)
{
	taddr at;
	struct err *err = weak_target(c, &at);

	if (!err && at)
		cont_value(o, "", 0, (struct go_place){ at, cont_type_arg(c->ts, c->type) });
	return err;
}

const struct go_cont cont_weak = {
	.word = "weak pointer",
	.names = "weak.Pointer[|internal/weak.Pointer[",
	.kind = GO_STRUCT,
	.holds = true,
	.facts = weak_facts,
	.each = weak_each,
};

/* The value, and its type; at 0: the zero Value. */
static struct err *reflected(const struct cont *c, struct go_place *ret)
{
	uint64_t type, flag;
	struct go_place ptr;
	struct err *err = cont_words_field(c, "typ_", &type, 1);

	*ret = (struct go_place){ 0 };
	if (!err && !type) /* to 1.20 */
		err = cont_words_field(c, "typ", &type, 1);
	if (!err)
		err = cont_int_field(c, "flag", &flag);
	if (!err)
		err = cont_field(c, "ptr", &ptr);
	if (err || !type || !ptr.at)
		return err;
	ret->type = go_type_at(c->ts, type);
	if (!ret->type)
		return err_bad_data("no type at " TADDR_FMT, type);
	ret->at = ptr.at;
	return flag & FLAG_INDIR ? cont_word_at(c, ptr.at, &ret->at) : NULL;
}

static struct err *reflect_facts(const struct cont *c, struct cont_out *o)
{
	struct go_place p;
	struct err *err = reflected(c, &p);

	if (!err && p.type)
		cont_fact(o, "type", GO_FACT_TYPE, p.type->addr);
	return err;
}

static struct err *reflect_each(const struct cont *c, struct cont_out *o)
{
	struct go_place p;
	struct err *err = reflected(c, &p);

	if (!err && p.at)
		cont_value(o, "", 0, p);
	return err;
}

static struct err *reflect_parts(const struct cont *c, struct cont_out *o)
{
	uint64_t word = 0;
	struct go_place p;
	struct err *err = reflected(c, &p);

	if (!err)
		err = cont_words_field(c, "ptr", &word, 1);
	if (err || !p.type || !word)
		return err;
	if (p.at == word)
		cont_part(o, GO_PART_VALUE, word, 1, p.type->addr, p.type->bytes);
	else if (p.type->kind == GO_POINTER)
		cont_part(o, GO_PART_VALUE, word, 1, p.type->elem, 0);
	return NULL;
}

const struct go_cont cont_reflect_value = {
	.word = "reflect.Value",
	.names = "reflect.Value",
	.kind = GO_STRUCT,
	.holds = true,
	.facts = reflect_facts,
	.each = reflect_each,
	.parts = reflect_parts,
};
