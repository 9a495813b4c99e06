/*
 * dump_types.c - what a heap dump knows of types: those of itabs, by name and size.
 *
 * An interface's first word leads to one, and so does a malloc header.  Whether a type has
 * pointers, and what is in it, is not in the file.  Functions are known by the frames in them.
 */
#include "snapshot/dump.h"

#include <stdio.h>

enum { KEY_DUMP_ONE = 100, KEY_DUMP_ROW, KEY_DUMP_POINTEE };
enum { RANK_POINTEE = SNAP_RANK_WEAK, RANK_BOX = SNAP_RANK_FLOW };

/* "github.com/a/b.T[int]" as a live program names it: "b.T[int]". */
static const char *short_name(const char *name)
{
	const char *end = name + strcspn(name, "["), *at = name;

	for (const char *p = name; p < end; p++)
		if (*p == '/')
			at = p + 1;
	return at;
}

/*
 * dumptype() writes package and name, and a pointer type has none: "main.".  So of the type behind
 * it only the package is known, and no size.
 */
static bool is_pointer(const struct dump_type *t)
{
	size_t n = strlen(t->name);

	return t->bytes == 8 && n && t->name[n - 1] == '.';
}

/* at: of the record; of a pointer type for KEY_DUMP_POINTEE. */
static bool make(struct snapshot *s, struct snap_type_key key, struct snap_type *ret)
{
	const struct dump_type *t = dump_type_at(s->dump->d, key.at);

	if (!t)
		return false;
	*ret = (struct snap_type){
		.kind = SNAP_TYPE_RTYPE,
		.rank = RANK_BOX,
		.array = key.what == KEY_DUMP_ROW,
		.rtype = t->addr,
		.bytes = t->bytes,
	};
	if (key.what == KEY_DUMP_POINTEE) {
		ret->rank = RANK_POINTEE;
		ret->bytes = 0;
		ret->name = snap_textf(s->names, "%s?", short_name(t->name));
		return true;
	}
	ret->name = snap_textf(s->names, "%s%s", ret->array ? "[]" : "", short_name(t->name));
	return true;
}

static uint32_t number(struct snapshot *s, taddr at, uint32_t what)
{
	return snap_type_number(s, (struct snap_type_key){ at, what }, make);
}

void snap_dump_iface(struct snapshot *s, taddr word, struct snap_iface *ret)
{
	const struct dump *d = s->dump->d;
	const struct dump_itab *i = dump_itab_at(d, word);
	const struct dump_type *t = dump_type_at(d, i ? i->type : word);

	*ret = (struct snap_iface){ .either = true };
	if (!t)
		return;
	if (is_pointer(t)) {
		ret->at_least = true;
		ret->type = number(s, t->addr, KEY_DUMP_POINTEE);
	} else if (t->bytes > 16) {
		/* One word may be a func, chan or map; of two the block may be shared: malloc.go,
		 * tiny. */
		ret->slot_bytes = snap_slot_bytes(s->go->L, t->bytes, true);
		ret->type = number(s, t->addr, KEY_DUMP_ONE);
	}
}

uint32_t snap_dump_header(struct snapshot *s, taddr rtype, uint64_t data_bytes)
{
	const struct dump_type *t = dump_type_at(s->dump->d, rtype);

	/* Without headers (before Go 1.22, and in large objects) the word is the object's own. */
	if (!t || !go_has(s->go->L->mspan_largeType) || data_bytes > 32768)
		return 0;
	return number(s, rtype,
		      t->bytes && (data_bytes - 8) / t->bytes >= 2 ? KEY_DUMP_ROW : KEY_DUMP_ONE);
}

/* A pointer to a struct is also one to its first field: of all that it may be, the smallest is. */
struct err *snap_dump_settle(struct snapshot *s)
{
	_cleanup_(freep) uint64_t *least = zalloc(s->types.n + 1, sizeof(*least));
	const struct go_heap *h = &s->heap;

	if (!least)
		return &err_nomem;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < h->spans.n; i++) {
			const struct go_span *sp = &h->spans.v[i];

			for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++) {
				uint32_t t = s->type_of[id];

				if (!t || s->types.v[t].rank != RANK_POINTEE || s->types.v[t].bytes)
					continue;
				if (pass && sp->elem_bytes > least[t])
					s->type_of[id] = 0;
				else if (!pass && (!least[t] || sp->elem_bytes < least[t]))
					least[t] = sp->elem_bytes;
			}
		}
	}
	return NULL;
}

static struct err *known_functions(const struct dump *d, struct go_known_func **ret)
{
	struct go_known_func *f = zalloc(d->funcs.n + 1, sizeof(*f));

	if (!f)
		return &err_nomem;
	for (size_t i = 0; i < d->funcs.n; i++) {
		taddr end = d->funcs.v[i].last_pc + 1;

		if (i + 1 < d->funcs.n)
			end = MIN(end, d->funcs.v[i + 1].entry);
		f[i] = (struct go_known_func){ d->funcs.v[i].entry, end, d->funcs.v[i].name };
	}
	*ret = f;
	return NULL;
}

static struct trange range_of(const struct dump *d, size_t i)
{
	const struct dump_segment *m = &d->data.v[i];

	return (struct trange){ m->addr, m->addr + m->bytes };
}

struct err *snap_dump_go(struct target *t, struct go **ret)
{
	const struct dump *d = target_dump(t);
	struct go_file_facts f = {
		.version = d->version,
		.arch = d->arch,
		.nfuncs = d->funcs.n,
		.wait_reasons = d->wait_reasons.v,
		.nwait_reasons = (uint32_t)d->wait_reasons.n,
	};
	struct go_known_func *funcs;
	struct err *err = known_functions(d, &funcs);

	if (err)
		return err;
	f.funcs = funcs;
	if (d->ndata)
		f.data = range_of(d, 0);
	if (d->ndata < d->data.n)
		f.bss = range_of(d, d->ndata);
	err = go_open_file(t, &f, ret);
	free(funcs);
	return err;
}
