/*
 * cont_pool.c - sync.Pool: for each P a private value and a chain of rings, and the same of the
 * last cycle (victim).
 *
 * Source: sync/pool.go (poolLocal), sync/poolqueue.go (poolChain, poolDequeue).  Fields by the
 * rtypes of package sync, which every program has that puts something into a pool.
 */
#include "goruntime/cont_priv.h"

#include "base/cycle.h"

#define MAX_P	 (1U << 20)
#define MAX_RING (1ULL << 30) /* poolqueue.go, dequeueLimit */

struct pool {
	const struct cont *c;
	struct cont_out *o; /* NULL: count */
	const struct go_type *local;
	const struct go_type *any;
	bool parts;
	uint64_t n, bytes;
};

static struct err *slot(struct pool *p, const char *label, uint64_t i, taddr at)
{
	uint64_t w[2];
	struct err *err = go_io_read(p->c->io, at, w, sizeof(w));

	if (err || !w[0])
		return err;
	p->n++;
	if (p->parts) {
		const struct go_type *t = go_type_at(p->c->ts, w[0]);

		/* in the ring it is an unsafe.Pointer beside its type */
		if (t)
			cont_part(p->o, GO_PART_VALUE, w[1], 1, t->direct_iface ? t->elem : t->addr,
				  t->bytes);
	} else if (p->o) {
		cont_value(p->o, label, i, (struct go_place){ at, p->any });
	}
	return NULL;
}

/* poolDequeue: head in the high half, tail in the low, of indexes modulo len(vals). */
static struct err *ring(struct pool *p, const char *label, uint64_t i, struct go_place elt)
{
	struct go_place f, vals;
	uint64_t ht, s[3];
	struct err *err = cont_field_of(p->c, elt, "headTail", &f);

	if (!err)
		err = cont_field_of(p->c, elt, "vals", &vals);
	if (!err && (!f.at || !vals.at))
		return err_unsupported("the rings of sync.Pool are not known");
	if (!err)
		err = cont_int(p->c, f, &ht);
	if (!err)
		err = go_io_read(p->c->io, vals.at, s, sizeof(s));
	if (err)
		return err;
	uint32_t head = (uint32_t)(ht >> 32), tail = (uint32_t)ht;

	if (!s[1] || s[1] > MAX_RING || s[1] & (s[1] - 1) || head - tail > s[1])
		return err_bad_data("a ring of %" PRIu64 " from %u to %u", s[1], tail, head);
	for (uint32_t k = tail; k != head && !err && !(p->o && p->o->stopped); k++)
		err = slot(p, label, i, s[0] + 16 * (k & (s[1] - 1)));
	return err;
}

static struct err *chain(struct pool *p, const char *label, uint64_t i, struct go_place local)
{
	struct cycle round = { 0 };
	struct go_place elt;
	struct err *err = cont_field_of(p->c, local, "shared.tail", &elt);

	if (!err && !elt.at)
		return err_unsupported("the chains of sync.Pool are not known");
	if (!err)
		err = cont_follow(p->c, elt, &elt);
	while (!err && elt.at && !(p->o && p->o->stopped)) {
		if (cycle_closed(&round, elt.at))
			return err_bad_data("the chain of P %" PRIu64 " comes round", i);
		err = ring(p, label, i, elt);
		if (!err)
			err = cont_field_of(p->c, elt, "next", &elt);
		if (!err)
			err = cont_follow(p->c, elt, &elt);
	}
	return err;
}

static struct err *locals(struct pool *p, const char *base, const char *size,
			  const char *const labels[2])
{
	uint64_t at, n;
	struct err *err = cont_words_field(p->c, base, &at, 1);

	if (!err)
		err = cont_int_field(p->c, size, &n);
	if (err || !at || !n)
		return err;
	if (n > MAX_P)
		return err_bad_data("%" PRIu64 " Ps", n);
	if (p->parts)
		cont_part(p->o, GO_PART_LOCALS, at, n, p->local->addr, p->local->bytes);
	for (uint64_t i = 0; i < n && !err && !(p->o && p->o->stopped); i++) {
		struct go_place local = { at + i * p->local->bytes, p->local }, f;

		err = cont_field_of(p->c, local, "private", &f);
		if (!err && f.at) {
			p->any = f.type;
			err = slot(p, labels[0], i, f.at);
		}
		if (!err)
			err = chain(p, labels[1], i, local);
	}
	return err;
}

static struct err *walk(struct pool *p)
{
	static const char *const now[] = { "private", "shared" };
	static const char *const old[] = { "victim private", "victim shared" };
	struct err *err;
	uint64_t any[2];

	err = cont_words_field(p->c, "local", any, 1);
	if (!err)
		err = cont_words_field(p->c, "victim", any + 1, 1);
	if (err || !(any[0] | any[1])) /* never used */
		return err;
	p->local = go_type_at(p->c->ts, go_type_named(p->c->ts, "sync.poolLocal"));
	if (!p->local)
		return err_unsupported("sync.poolLocal is not known");
	err = locals(p, "local", "localSize", now);
	return err ? err : locals(p, "victim", "victimSize", old);
}

static struct err *facts(const struct cont *c, struct cont_out *o)
{
	struct pool p = { .c = c };
	uint64_t n = 0;
	struct err *err = walk(&p);

	if (!err)
		err = cont_int_field(c, "localSize", &n);
	if (err)
		return err;
	cont_fact(o, "len", GO_FACT_NUMBER, p.n);
	cont_fact(o, "ps", GO_FACT_NUMBER, n);
	return NULL;
}

static struct err *each(const struct cont *c, struct cont_out *o)
{
	struct pool p = { .c = c, .o = o };

	return walk(&p);
}

static struct err *parts(const struct cont *c, struct cont_out *o)
{
	struct pool p = { .c = c, .o = o, .parts = true };

	return walk(&p);
}

const struct go_cont cont_pool = {
	.word = "pool",
	.names = "sync.Pool",
	.kind = GO_STRUCT,
	.holds = true,
	.facts = facts,
	.each = each,
	.parts = parts,
};
