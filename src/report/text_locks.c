/*
 * text_locks.c - `limpet locks` as text: a paragraph for each lock.
 */
#include "report/text.h"

#include <inttypes.h>

static void put_at(struct str *o, const struct ans_frame *f)
{
	text_clean(o, f->function);
	if (*f->file) {
		str_put(o, " ");
		text_clean(o, f->file);
		str_printf(o, ":%d", f->line);
	}
}

static void put_goroutine(struct str *o, const struct ans_locker *w)
{
	char t[32];

	str_printf(o, "goroutine %" PRIu64 " [", w->id);
	text_clean(o, *w->wait ? w->wait : w->state);
	if (w->since_ns != ANS_UNKNOWN)
		str_printf(o, ", %s or more", text_ns(t, w->since_ns));
	str_put(o, "] ");
	put_at(o, &w->at);
}

static void put_state(struct str *o, const struct ans_lock *k)
{
	char n[32];

	if (!k->known)
		return;
	str_put(o, "  state: ");
	str_put(o, k->is_rw    ? k->locked ? "locked by a writer" : "no writer inside"
		   : k->locked ? "locked"
			       : "not locked (being handed over)");
	if (k->is_rw)
		str_printf(o, ", %s reader%s inside%s", text_count(n, k->readers),
			   k->readers == 1 ? "" : "s",
			   k->writer_waits ? ", a writer waits for them and keeps later readers out"
					   : "");
	if (k->starving)
		str_put(o, ", starving (the oldest waited more than 1 ms: in order from now on)");
	if (k->woken)
		str_put(o, ", one is woken");
	str_put(o, "\n");
}

static const char *in_words(const struct ans_locker *h)
{
	if (!strcmp(h->sure, "deferred unlock"))
		return "its deferred Unlock of this lock is pending";
	if (!strcmp(h->sure, "inside"))
		return "stands between Lock and Unlock, with a pointer to it";
	return "perhaps: has a pointer to it and unlocks such a lock";
}

static void put_holders(struct str *o, const struct ans_locks *a, const struct ans_lock *k)
{
	if (!k->nholders && k->searched && (k->locked || k->readers))
		str_put(o, "  held by: not found (locked in a function that has returned?)\n");
	for (size_t i = k->first_holder; i < k->first_holder + k->nholders; i++) {
		const struct ans_locker *h = &a->lockers.v[i];

		str_put(o, !strcmp(h->how, "rlock") ? "  read-locked by: " : "  held by: ");
		put_goroutine(o, h);
		if (h->locked_line)
			str_printf(o, ", locked in line %d", h->locked_line);
		str_printf(o, " (inferred: %s)", in_words(h));
		if (h->waits_on)
			str_printf(o, ", and waits for the lock at 0x%" PRIx64, h->waits_on);
		str_put(o, "\n");
	}
}

static void put_lock(struct str *o, const struct ans_locks *a, const struct ans_lock *k)
{
	char n[32], t[32];

	str_put(o, "\n");
	text_clean(o, k->word);
	str_put(o, " ");
	text_clean(o, k->name);
	str_printf(o, " at 0x%" PRIx64 ": %s wait", k->addr, text_count(n, k->nwaiters));
	if (k->oldest_ns != ANS_UNKNOWN)
		str_printf(o, ", the longest %s or more", text_ns(t, k->oldest_ns));
	if (k->deadlock)
		str_printf(o, "; part of deadlock %" PRIu64, k->deadlock);
	str_put(o, "\n");
	put_state(o, k);
	put_holders(o, a, k);
	text_path(o, &k->holder, "  ");
	for (size_t i = k->first_waiter; i < k->first_waiter + k->shown_waiters; i++) {
		str_put(o, "  waits: ");
		put_goroutine(o, &a->lockers.v[i]);
		str_put(o, !strcmp(a->lockers.v[i].how, "rlock") ? " (to read)\n" : "\n");
	}
	if (k->nwaiters > k->shown_waiters)
		str_printf(o, "  %" PRIu64 " more (--limit)\n", k->nwaiters - k->shown_waiters);
}

static void put_deadlocks(struct str *o, const struct ans_locks *a)
{
	for (uint64_t d = 1; d <= a->deadlocks; d++) {
		str_printf(o, "\nDEADLOCK %" PRIu64 " (as far as holders are known):\n", d);
		for (size_t i = 0; i < a->locks.n; i++) {
			const struct ans_lock *k = &a->locks.v[i];

			if (k->deadlock != d || !k->nholders)
				continue;
			str_printf(o, "  goroutine %" PRIu64 " holds ",
				   a->lockers.v[k->first_holder].id);
			text_clean(o, k->name);
			str_printf(o, " and waits for the lock at 0x%" PRIx64 "\n",
				   a->lockers.v[k->first_holder].waits_on);
		}
	}
}

void text_locks(struct str *o, enum text_style st, const struct ans_locks *a)
{
	char n[32], m[32];
	struct str head = { 0 };

	str_printf(&head, "%s goroutine%s for %s lock%s", text_count(n, a->waiters),
		   a->waiters == 1 ? " waits" : "s wait", text_count(m, a->total),
		   a->total == 1 ? "" : "s");
	text_title(o, st, str_ok(&head) ? head.s : "locks");
	str_deinit(&head);
	put_deadlocks(o, a);
	for (size_t i = 0; i < a->locks.n; i++)
		put_lock(o, a, &a->locks.v[i]);
	if (a->unknown)
		str_printf(o, "\n%s more goroutines wait for a lock that could not be found\n",
			   text_count(n, a->unknown));
}
