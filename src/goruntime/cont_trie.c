/*
 * cont_trie.c - HashTrieMap, a trie of hashes: sync.Map and the values of package unique.
 *
 * Source: internal/sync/hashtriemap.go (1.24 on), internal/concurrent/hashtriemap.go (1.23).  Inner
 * nodes (indirect) have 16 children, which are inner nodes or entries; entries of one hash are
 * chained.  An inner node is gone into only from its own parent and once, so that no lie makes
 * this longer than there is memory.
 */
#include "goruntime/cont_priv.h"

#include "base/cycle.h"

#define NCHILDREN 16
#define MAX_DEPTH 16 /* 64 bits of hash, 4 a level */

struct trie {
	const struct cont *c;
	struct cont_out *o;
	const struct go_type *indirect, *entry;
	uint64_t children_off, parent_off, key_off, elem_off, overflow_off;
	const struct go_type *key, *elem;
	uint64_t n, ninner;
	bool parts; /* o wants parts; else entries; NULL: count */
};

static bool field_at(const struct trie *t, const struct go_type *in, const char *name,
		     uint64_t *ret_off, const struct go_type **ret)
{
	return go_type_path(t->c->ts, in, name, ret_off, ret);
}

/* internal/sync.indirect[K,V] to internal/sync.entry[K,V] */
static const struct go_type *entry_type(struct go_types *ts, const struct go_type *indirect)
{
	const char *full = go_type_full(ts, indirect);
	const char *at = strstr(full, ".indirect[");
	_cleanup_(freep) char *name = at ? zalloc(strlen(full) + 1, 1) : NULL;

	if (!name)
		return NULL;
	memcpy(name, full, (size_t)(at - full));
	strcat(name, ".entry");
	strcat(name, at + strlen(".indirect"));
	return go_type_at(ts, go_type_named(ts, name));
}

static struct err *shapes(struct trie *t, const struct go_type *indirect)
{
	const struct go_type *unused;

	t->indirect = indirect;
	t->entry = indirect ? entry_type(t->c->ts, indirect) : NULL;
	if (!t->entry || !field_at(t, indirect, "children", &t->children_off, &unused) ||
	    !field_at(t, indirect, "parent", &t->parent_off, &unused) ||
	    !field_at(t, t->entry, "overflow", &t->overflow_off, &unused) ||
	    !field_at(t, t->entry, "key", &t->key_off, &t->key) ||
	    !field_at(t, t->entry, "value", &t->elem_off, &t->elem))
		return err_unsupported("the nodes of %s are not known", t->c->type->name);
	return NULL;
}

static struct err *entries(struct trie *t, taddr at)
{
	struct cycle round = { 0 };

	while (at && !(t->o && t->o->stopped)) {
		struct err *err;

		if (cycle_closed(&round, at))
			return err_bad_data("its chain of entries comes round");
		if (t->parts)
			cont_part(t->o, GO_PART_ENTRY, at, 1, t->entry->addr, t->entry->bytes);
		else if (t->o)
			cont_entry(t->o, "", t->n, (struct go_place){ at + t->key_off, t->key },
				   (struct go_place){ at + t->elem_off, t->elem });
		t->n++;
		err = cont_word_at(t->c, at + t->overflow_off, &at);
		if (err)
			return err;
	}
	return NULL;
}

struct level {
	taddr at;
	unsigned i;
	uint64_t children[NCHILDREN];
};

static struct err *enter(struct trie *t, struct level *l, taddr at, taddr parent)
{
	uint64_t up;
	struct err *err = cont_word_at(t->c, at + t->parent_off, &up);

	if (err)
		return err;
	if (up != parent)
		return err_bad_data("node " TADDR_FMT " is not the child of " TADDR_FMT, at,
				    parent);
	l->at = at;
	l->i = 0;
	t->ninner++;
	if (t->parts)
		cont_part(t->o, GO_PART_NODE, at, 1, t->indirect->addr, t->indirect->bytes);
	return go_io_read(t->c->io, at + t->children_off, l->children, sizeof(l->children));
}

static bool repeated(const struct level *l, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		if (l->children[k] == l->children[i])
			return true;
	}
	return false;
}

static struct err *walk(struct trie *t, taddr root)
{
	struct level levels[MAX_DEPTH + 1];
	unsigned depth = 0;
	struct err *err = root ? enter(t, &levels[0], root, 0) : NULL;

	while (root && !err && !(t->o && t->o->stopped)) {
		struct level *l = &levels[depth];
		taddr child;
		uint8_t is_entry;

		if (l->i == NCHILDREN) {
			if (!depth--)
				break;
			continue;
		}
		child = l->children[l->i++];
		if (!child)
			continue;
		if (repeated(l, l->i - 1))
			return err_bad_data("node " TADDR_FMT " has one child twice", l->at);
		err = go_io_read(t->c->io, child, &is_entry, 1); /* node.isEntry */
		if (err)
			break;
		if (is_entry)
			err = entries(t, child);
		else if (depth == MAX_DEPTH)
			err = err_bad_data("more levels than a hash has");
		else
			err = enter(t, &levels[++depth], child, l->at);
	}
	return err;
}

static struct err *run(struct trie *t)
{
	struct go_place root;
	struct err *err = cont_field(t->c, "root", &root);

	if (!err && !root.at)
		return err_bad_data("%s has no root", t->c->type->name);
	if (!err)
		err = cont_follow(t->c, root, &root);
	if (err || !root.at) /* not used yet */
		return err;
	err = shapes(t, root.type);
	return err ? err : walk(t, root.at);
}

static struct err *facts(const struct cont *c, struct cont_out *o)
{
	struct trie t = { .c = c };
	struct err *err = run(&t);

	if (err)
		return err;
	cont_fact(o, "len", GO_FACT_NUMBER, t.n);
	cont_fact(o, "nodes", GO_FACT_NUMBER, t.ninner);
	return NULL;
}

static struct err *each(const struct cont *c, struct cont_out *o)
{
	struct trie t = { .c = c, .o = o };

	return run(&t);
}

static struct err *parts(const struct cont *c, struct cont_out *o)
{
	struct trie t = { .c = c, .o = o, .parts = true };

	return run(&t);
}

const struct go_cont cont_trie = {
	.word = "trie map",
	.names = "internal/sync.HashTrieMap[|internal/concurrent.HashTrieMap[",
	.kind = GO_STRUCT,
	.holds = true,
	.facts = facts,
	.each = each,
	.parts = parts,
};
