/*
 * cont.c - the table of containers, and the questions of cont.h.
 *
 * Knows no container itself: a row of the table does.  What a row shows of a type's own fields is
 * data (struct cont_field), what takes more than that is a decoder in cont_*.c.
 */
#include "goruntime/cont_priv.h"
#include "goruntime/map.h"

#include "base/str.h"

static struct err *map_facts(const struct cont *c, struct cont_out *o)
{
	struct go_map_facts f;
	struct err *err = go_map_facts(c->io, c->ts, c->type, c->at, &f);

	if (err)
		return err;
	cont_fact(o, "len", GO_FACT_NUMBER, f.len);
	cont_fact(o, "slots", GO_FACT_NUMBER, f.slots);
	if (f.swiss) {
		cont_fact(o, "tables", GO_FACT_NUMBER, f.tables);
	} else {
		cont_fact(o, "overflow", GO_FACT_NUMBER, f.overflow);
		cont_fact(o, "growing", GO_FACT_BOOL, f.growing);
	}
	return NULL;
}

static struct err *map_each(const struct cont *c, struct cont_out *o)
{
	return go_map_each(c->io, c->ts, c->type, c->at, o->entry, o->arg);
}

static struct err *map_parts(const struct cont *c, struct cont_out *o)
{
	return go_map_parts(c->io, c->ts, c->type, c->at, o->part, o->arg);
}

static const struct go_cont cont_map = {
	.word = "map",
	.kind = GO_MAP,
	.holds = true,
	.facts = map_facts,
	.each = map_each,
	.parts = map_parts,
};

static const struct go_cont *const table[] = {
	&cont_map,	&cont_chan,	      &cont_string, &cont_slice,
	&cont_sync_map, &cont_trie,	      &cont_pool,   &cont_list,
	&cont_timer,	&cont_heap_timer,     &cont_time,   &cont_context,
	&cont_buffer,	&cont_atomic_pointer, &cont_weak,   &cont_reflect_value,
};

/* One of "a|b[|c"? */
static bool among(const char *names, const char *name)
{
	for (const char *p = names; *p; p += *p == '|') {
		size_t n = strcspn(p, "|");
		bool generic = n && p[n - 1] == '[';

		if (!strncmp(p, name, n) && (generic || !name[n]))
			return true;
		p += n;
	}
	return false;
}

static bool is(const struct go_cont *c, struct go_types *ts, const struct go_type *t)
{
	return c->kind == t->kind &&
	       (!c->names || (t->named && among(c->names, go_type_full(ts, t))));
}

const struct go_cont *go_cont_of(struct go_types *ts, const struct go_type *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (is(table[i], ts, t))
			return table[i];
	}
	for (const struct go_cont *c = cont_plain; c->word; c++) {
		if (is(c, ts, t))
			return c;
	}
	return NULL;
}

const char *go_cont_word(const struct go_cont *c)
{
	return c->word;
}

bool go_cont_holds(const struct go_cont *c)
{
	return c->holds;
}

static struct err *field_fact(const struct cont *c, struct cont_out *o, const struct cont_field *f)
{
	struct go_place p;
	uint64_t n = 0;
	struct err *err = cont_field(c, f->path, &p);

	if (err || !p.at)
		return err;
	err = cont_int(c, p, &n);
	if (f->mask)
		n = (n & f->mask) >> __builtin_ctzll(f->mask);
	if (!err)
		cont_fact(o, f->name, f->form, f->form == GO_FACT_BOOL ? !!n : n);
	return err;
}

static struct err *field_entry(const struct cont *c, struct cont_out *o, const struct cont_field *f)
{
	struct go_place p;
	struct err *err = cont_field(c, f->path, &p);

	if (!err && p.at)
		cont_value(o, f->name, 0, p);
	return err;
}

struct err *go_cont_facts(const struct go_cont *k, struct go_io *io, struct go_types *ts,
			  struct go_place p, go_cont_fact_fn *fn, void *arg)
{
	struct cont c = { k, io, ts, p.at, p.type };
	struct cont_out o = { .fact = fn, .arg = arg };
	struct err *err = k->facts ? k->facts(&c, &o) : NULL;

	for (const struct cont_field *f = k->fields; !err && !o.stopped && f && f->name; f++) {
		if (f->form != CONT_FIELD_ENTRY)
			err = field_fact(&c, &o, f);
	}
	return err_prefix(err, "%s", k->word);
}

struct err *go_cont_each(const struct go_cont *k, struct go_io *io, struct go_types *ts,
			 struct go_place p, go_cont_entry_fn *fn, void *arg)
{
	struct cont c = { k, io, ts, p.at, p.type };
	struct cont_out o = { .entry = fn, .arg = arg };
	struct err *err = k->each ? k->each(&c, &o) : NULL;

	for (const struct cont_field *f = k->fields; !err && !o.stopped && f && f->name; f++) {
		if (f->form == CONT_FIELD_ENTRY)
			err = field_entry(&c, &o, f);
	}
	return err_prefix(err, "%s", k->word);
}

struct err *go_cont_parts(const struct go_cont *k, struct go_io *io, struct go_types *ts,
			  struct go_place p, go_cont_part_fn *fn, void *arg)
{
	struct cont c = { k, io, ts, p.at, p.type };
	struct cont_out o = { .part = fn, .arg = arg };

	return k->parts ? err_prefix(k->parts(&c, &o), "%s", k->word) : NULL;
}
