/*
 * cont_chan.c - channels: values in the ring, next to be received first, then those that senders
 * wait to hand over.
 *
 * Source: runtime/chan.go (hchan, chanbuf, waitq), runtime2.go (sudog).  A sender's value may lie
 * on its stack.  Queues of waiters end where they come round.
 */
#include "goruntime/cont_priv.h"

#include "base/cycle.h"

#define HEAD_MAX 256

struct head {
	uint64_t qcount, size, recvx, elem_bytes;
	taddr buf, recvq, sendq, timer;
	bool closed;
};

static struct err *read_head(const struct cont *c, struct head *h)
{
	const struct go_layout *L = c->io->g->L;
	const struct go_type *elem = go_type_at(c->ts, c->type->elem);
	uint8_t b[HEAD_MAX];
	struct err *err;

	if (L->hchan_bytes > sizeof(b) || !L->hchan_bytes)
		return err_unsupported("channels of go%s are not known", L->go);
	err = go_io_read(c->io, c->at, b, L->hchan_bytes);
	if (err)
		return err;
	*h = (struct head){
		.qcount = go_get(b, L->hchan_qcount),
		.size = go_get(b, L->hchan_dataqsiz),
		.recvx = go_get(b, L->hchan_recvx),
		.elem_bytes = go_get(b, L->hchan_elemsize),
		.buf = go_get(b, L->hchan_buf),
		.recvq = go_get(b, L->hchan_recvq_first),
		.sendq = go_get(b, L->hchan_sendq_first),
		.timer = go_get(b, L->hchan_timer),
		.closed = go_get(b, L->hchan_closed),
	};
	if (h->qcount > h->size || h->size >> 48 || (h->size ? h->recvx >= h->size : h->recvx) ||
	    (elem && elem->bytes != h->elem_bytes))
		return err_bad_data("%" PRIu64 " of %" PRIu64 " values of %" PRIu64
				    " bytes, the next at %" PRIu64,
				    h->qcount, h->size, h->elem_bytes, h->recvx);
	return NULL;
}

/* fn of struct sudog: one waiter's image. */
typedef void waiter_fn(struct cont_out *o, uint64_t i, const uint8_t *b, void *arg);

static struct err *waiters(const struct cont *c, taddr first, struct cont_out *o, waiter_fn *fn,
			   void *arg, uint64_t *ret_n)
{
	const struct go_layout *L = c->io->g->L;
	struct cycle round = { 0 };
	uint8_t b[HEAD_MAX];
	uint64_t n = 0;

	if (L->sudog_bytes > sizeof(b))
		return err_unsupported("waiters of go%s are not known", L->go);
	for (taddr at = first; at && !(o && o->stopped); n++) {
		struct err *err = go_io_read(c->io, at, b, L->sudog_bytes);

		if (err)
			return err;
		if (cycle_closed(&round, at) || n >= CONT_MAX_STEPS)
			return err_bad_data("its queue of waiters does not end");
		if (fn)
			fn(o, n, b, arg);
		at = go_get(b, L->sudog_next);
	}
	*ret_n = n;
	return NULL;
}

static struct err *facts(const struct cont *c, struct cont_out *o)
{
	struct head h = { 0 };
	uint64_t receivers = 0, senders = 0;
	struct err *err = c->at ? read_head(c, &h) : NULL;

	if (!err && c->at)
		err = waiters(c, h.recvq, NULL, NULL, NULL, &receivers);
	if (!err && c->at)
		err = waiters(c, h.sendq, NULL, NULL, NULL, &senders);
	if (err)
		return err;
	cont_fact(o, "len", GO_FACT_NUMBER, h.qcount);
	cont_fact(o, "cap", GO_FACT_NUMBER, h.size);
	cont_fact(o, "closed", GO_FACT_BOOL, h.closed);
	cont_fact(o, "receivers", GO_FACT_NUMBER, receivers);
	cont_fact(o, "senders", GO_FACT_NUMBER, senders);
	if (h.timer)
		cont_fact(o, "timer", GO_FACT_ADDR, h.timer);
	return NULL;
}

struct sender {
	const struct go_layout *L;
	const struct go_type *elem;
};

static void sender(struct cont_out *o, uint64_t i, const uint8_t *b, void *arg)
{
	const struct sender *s = arg;
	struct go_field f = s->L->sudog_elem;

	/* runtime2.go, maybeTraceablePtr (1.26): of the two words the second is the truth. */
	if (f.off >= 0 && f.bytes >= 8)
		cont_value(o, "sender", i,
			   (struct go_place){ load_u64(b + f.off + f.bytes - 8), s->elem });
}

static struct err *each(const struct cont *c, struct cont_out *o)
{
	struct sender s = { c->io->g->L, go_type_at(c->ts, c->type->elem) };
	struct head h = { 0 };
	uint64_t n;
	struct err *err = c->at ? read_head(c, &h) : NULL;

	if (err || !c->at)
		return err;
	for (uint64_t i = 0; i < MIN(h.qcount, CONT_MAX_STEPS) && !o->stopped; i++) {
		uint64_t k = (h.recvx + i) % h.size;

		cont_value(o, "queued", i, (struct go_place){ h.buf + k * h.elem_bytes, s.elem });
	}
	return waiters(c, h.sendq, o, sender, &s, &n);
}

static struct err *parts(const struct cont *c, struct cont_out *o)
{
	struct head h = { 0 };
	struct err *err = c->at ? read_head(c, &h) : NULL;

	if (err || !c->at)
		return err;
	cont_part(o, GO_PART_HEADER, c->at, 1, go_type_named(c->ts, "runtime.hchan"),
		  c->io->g->L->hchan_bytes);
	if (h.elem_bytes)
		cont_part(o, GO_PART_BUFFER, h.buf, h.size, c->type->elem, h.elem_bytes);
	return NULL;
}

const struct go_cont cont_chan = {
	.word = "chan",
	.kind = GO_CHAN,
	.holds = true,
	.facts = facts,
	.each = each,
	.parts = parts,
};
