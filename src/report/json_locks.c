/*
 * json_locks.c - the document of `limpet locks`.
 */
#include "report/json.h"

static void put_place(struct jw *j, const struct ans_frame *f)
{
	jw_kv_text(j, "function", f->function);
	jw_kv_text(j, "file", f->file);
	jw_kv_u64(j, "line", (uint64_t)f->line);
}

static void put_goroutine(struct jw *j, const struct ans_locker *w)
{
	jw_key(j, "goroutine");
	jw_object(j);
	jw_kv_u64(j, "id", w->id);
	jw_kv_text(j, "function", w->function);
	jw_kv_text(j, "state", w->state);
	jw_kv_text(j, "wait", w->wait);
	jw_kv_known(j, "since_ns", w->since_ns);
	jw_end(j, '}');
	jw_kv_text(j, "how", w->how);
	put_place(j, &w->at);
}

static void put_holders(struct jw *j, const struct ans_locks *a, const struct ans_lock *k)
{
	jw_key(j, "held_by");
	jw_array(j);
	for (size_t i = k->first_holder; i < k->first_holder + k->nholders; i++) {
		const struct ans_locker *h = &a->lockers.v[i];

		jw_object(j);
		put_goroutine(j, h);
		jw_kv_text(j, "evidence", h->sure);
		jw_kv_text(j, "proof", "inferred");
		if (h->locked_line)
			jw_kv_u64(j, "locked_line", (uint64_t)h->locked_line);
		if (h->waits_on)
			jw_kv_addr(j, "waits_on", h->waits_on);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_state(struct jw *j, const struct ans_lock *k)
{
	jw_key(j, "lock_state");
	if (!k->known) {
		jw_null(j);
		return;
	}
	jw_object(j);
	jw_kv_bool(j, "locked", k->locked);
	jw_kv_bool(j, "woken", k->woken);
	jw_kv_bool(j, "starving", k->starving);
	jw_kv_u64(j, "waiters", k->queued);
	if (k->is_rw) {
		jw_kv_u64(j, "readers", k->readers);
		jw_kv_bool(j, "writer_waits", k->writer_waits);
	}
	jw_end(j, '}');
}

static void put_lock(struct jw *j, const struct ans_locks *a, const struct ans_lock *k)
{
	jw_object(j);
	jw_kv_text(j, "kind", k->word);
	jw_kv_text(j, "name", k->name);
	jw_kv_addr(j, "addr", k->addr);
	jw_key(j, "holder");
	json_path(j, &k->holder);
	jw_kv_text(j, "field", k->field);
	put_state(j, k);
	put_holders(j, a, k);
	jw_kv_u64(j, "waiters", k->nwaiters);
	jw_kv_known(j, "oldest_ns", k->oldest_ns);
	jw_key(j, "waiting");
	jw_array(j);
	for (size_t i = k->first_waiter; i < k->first_waiter + k->shown_waiters; i++) {
		jw_object(j);
		put_goroutine(j, &a->lockers.v[i]);
		jw_end(j, '}');
	}
	jw_end(j, ']');
	jw_key(j, "deadlock");
	if (k->deadlock)
		jw_u64(j, k->deadlock);
	else
		jw_null(j);
	jw_end(j, '}');
}

void json_doc_locks(struct str *o, const struct ans_head *h, const struct ans_locks *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_head(&j, h);
	jw_kv_u64(&j, "total_waiters", a->waiters);
	jw_kv_u64(&j, "deadlocks", a->deadlocks);
	jw_kv_u64(&j, "lock_not_found", a->unknown);
	jw_key(&j, "locks");
	jw_array(&j);
	for (size_t i = 0; i < a->locks.n; i++)
		put_lock(&j, a, &a->locks.v[i]);
	jw_end(&j, ']');
	jw_end(&j, '}');
	str_put(o, "\n");
}
