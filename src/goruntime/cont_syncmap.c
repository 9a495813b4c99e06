/*
 * cont_syncmap.c - sync.Map of two maps: read, and dirty with all that is not expunged.
 *
 * Source: sync/map.go up to 1.23, later with the experiment nosynchashtriemap.  To 1.19 read is an
 * atomic.Value and an entry's p an unsafe.Pointer.  From 1.24 on it is a trie (cont_trie.c), which
 * is then in its field m.  A deleted entry's p is nil; an expunged one's is a mark, and such
 * entries lie in read only while there is a dirty map without them.
 */
#include "goruntime/cont_priv.h"
#include "goruntime/map.h"

/* Both maps: header and type; at 0: nil. */
struct maps {
	struct go_place read, dirty;
};

/* The map value in p as its header. */
static struct err *map_of(const struct cont *c, struct go_place p, struct go_place *ret)
{
	uint64_t header = 0;
	struct err *err = NULL;

	if (p.at) {
		if (!p.type || p.type->kind != GO_MAP)
			return err_bad_data("%s is no map", p.type ? p.type->name : "a field");
		err = cont_word_at(c, p.at, &header);
	}
	if (!err)
		*ret = (struct go_place){ header, p.type };
	return err;
}

/* What read leads to: of an atomic.Pointer[readOnly], or in an atomic.Value; at 0: nothing yet. */
static struct err *read_of(const struct cont *c, struct go_place *ret)
{
	struct go_place p = { 0 }, v = { 0 };
	uint64_t word = 0;
	struct err *err = cont_field(c, "read", &p);

	if (!err)
		err = cont_field_of(c, p, "v", &v);
	if (err || !v.at || v.type->kind != GO_INTERFACE)
		return err ? err : cont_follow(c, p, ret);
	err = cont_word_at(c, v.at, &word);
	*ret = (struct go_place){ 0 };
	return err || !word ? err : go_iface_value(c->io, c->ts, v, ret);
}

static struct err *find(const struct cont *c, struct maps *m)
{
	struct go_place p = { 0 }, r = { 0 };
	struct err *err = cont_field(c, "dirty", &p);

	if (!err && !p.type)
		return err_bad_data("%s has no dirty map", c->type->name);
	if (!err)
		err = map_of(c, p, &m->dirty);
	if (!err)
		err = read_of(c, &r);
	if (!err && r.at)
		err = cont_field_of(c, r, "m", &p);
	else
		p = (struct go_place){ 0 };
	if (!err)
		err = map_of(c, p, &m->read);
	return err;
}

/* Where an entry keeps its *any. */
struct entry_of {
	const struct cont *c;
	struct cont_out *o;
	uint64_t live, dead, index;
	struct err *err;
};

static enum go_cont_go_on map_entry(void *arg, const struct go_cont_entry *e)
{
	struct entry_of *of = arg;
	struct go_place p = { 0 };

	of->err = cont_follow(of->c, e->elem, &p); /* *entry */
	if (!of->err && p.at)
		of->err = cont_field_of(of->c, p, "p", &p);
	if (!of->err && p.at)
		of->err = cont_follow(of->c, p, &p); /* atomic.Pointer[any] */
	if (!p.type)				     /* unsafe.Pointer to one: what keys are, too */
		p.type = e->key.type;
	if (of->err)
		return CONT_STOP;
	if (!p.at) {
		of->dead++;
		return CONT_ON;
	}
	of->live++;
	if (of->o)
		cont_entry(of->o, "", of->index++, e->key, p);
	return of->o && of->o->stopped ? CONT_STOP : CONT_ON;
}

static struct err *walk(struct entry_of *of, struct go_place map)
{
	struct err *err;

	if (!map.at)
		return NULL;
	err = go_map_each(of->c->io, of->c->ts, map.type, map.at, map_entry, of);
	return err ? err : of->err;
}

static struct err *len_of(const struct cont *c, struct go_place map, uint64_t *ret)
{
	struct go_map_facts f = { 0 };
	struct err *err = map.at ? go_map_facts(c->io, c->ts, map.type, map.at, &f) : NULL;

	*ret = f.len;
	return err;
}

static struct err *trie(const struct cont *c, struct go_place *ret)
{
	return cont_field(c, "m", ret);
}

static struct err *facts(const struct cont *c, struct cont_out *o)
{
	struct entry_of of = { .c = c };
	struct maps m = { 0 };
	uint64_t nread = 0, ndirty = 0;
	struct go_place t;
	struct err *err = trie(c, &t);

	if (err || t.at)
		return err ? err : go_cont_facts(&cont_trie, c->io, c->ts, t, o->fact, o->arg);
	err = find(c, &m);
	if (!err)
		err = len_of(c, m.read, &nread);
	if (!err)
		err = len_of(c, m.dirty, &ndirty);
	if (!err)
		err = walk(&of, m.dirty.at ? m.dirty : m.read);
	if (err)
		return err;
	cont_fact(o, "len", GO_FACT_NUMBER, of.live);
	cont_fact(o, "read", GO_FACT_NUMBER, nread);
	cont_fact(o, "dirty", GO_FACT_NUMBER, ndirty);
	cont_fact(o, "deleted", GO_FACT_NUMBER, of.dead);
	return NULL;
}

static struct err *each(const struct cont *c, struct cont_out *o)
{
	struct entry_of of = { .c = c, .o = o };
	struct maps m = { 0 };
	struct go_place t;
	struct err *err = trie(c, &t);

	if (err || t.at)
		return err ? err : go_cont_each(&cont_trie, c->io, c->ts, t, o->entry, o->arg);
	err = find(c, &m);
	return err ? err : walk(&of, m.dirty.at ? m.dirty : m.read);
}

static struct err *parts(const struct cont *c, struct cont_out *o)
{
	struct go_place t;
	struct err *err = trie(c, &t);

	/* The two maps tell theirs where they are met. */
	return err || !t.at ? err : go_cont_parts(&cont_trie, c->io, c->ts, t, o->part, o->arg);
}

const struct go_cont cont_sync_map = {
	.word = "sync.Map",
	.names = "sync.Map",
	.kind = GO_STRUCT,
	.holds = true,
	.facts = facts,
	.each = each,
	.parts = parts,
};
