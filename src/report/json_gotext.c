/*
 * json_gotext.c - goroutines out of texts, with the keys that those of a process have.
 */
#include "report/answer_gotext.h"

static void put_frame(struct jw *j, const struct ans_frame *f)
{
	jw_object(j);
	jw_kv_text(j, "function", f->function);
	jw_kv_text(j, "file", f->file);
	jw_kv_i64(j, "line", f->line);
	jw_end(j, '}');
}

static void put_stack(struct jw *j, const struct ans_gotext *a, const struct ans_gotext_g *g)
{
	jw_key(j, "stack");
	jw_array(j);
	for (size_t i = g->first_frame; i < g->first_frame + g->nframes; i++)
		put_frame(j, &a->frames.v[i]);
	jw_end(j, ']');
}

static void put_waits(struct jw *j, const struct ans_gotext_g *g)
{
	jw_key(j, "waits_on");
	jw_array(j);
	if (g->lock) {
		jw_object(j);
		jw_kv_text(j, "what", strcmp(g->lock, "sync.Mutex") ? "rwmutex" : "mutex");
		jw_kv_addr(j, "addr", g->lock_addr);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_goroutine(struct jw *j, const struct ans_gotext *a, size_t at)
{
	const struct ans_gotext_g *g = &a->gs.v[at];

	jw_object(j);
	jw_kv_u64(j, "id", g->id);
	jw_kv_text(j, "state", *g->state ? g->state : NULL);
	jw_kv_text(j, "wait", *g->wait ? g->wait : NULL);
	jw_kv_known(j, "since_ns", g->since_ns);
	jw_kv_text(j, "function", g->function);
	jw_kv_text(j, "creator", g->creator);
	jw_key(j, "created_at");
	put_frame(j, &g->created_at);
	jw_kv_u64(j, "parent_id", g->parent);
	jw_key(j, "labels");
	json_labels(j, g->labels);
	jw_kv_known(j, "retained_bytes", ANS_UNKNOWN);
	jw_kv_known(j, "stack_bytes", ANS_UNKNOWN);
	jw_kv_bool(j, "system", g->system);
	jw_kv_bool(j, "locked_to_thread", g->locked);
	jw_kv_u64(j, "count", g->count);
	if (g->panicked)
		jw_kv_bool(j, "panicked", true);
	jw_kv_text(j, "leaked", g->leaked);
	put_stack(j, a, g);
	if (g->elided)
		jw_kv_known(j, "frames_elided", g->elided);
	put_waits(j, g);
	jw_end(j, '}');
}

static void put_group(struct jw *j, const struct ans_gotext *a, const struct ans_gotext_group *k)
{
	jw_object(j);
	jw_kv_text(j, "name", k->name);
	jw_kv_u64(j, "count", k->count);
	jw_kv_known(j, "retained_bytes", ANS_UNKNOWN);
	jw_kv_known(j, "stack_bytes", ANS_UNKNOWN);
	jw_kv_u64(j, "leaked_proved", k->leaked);
	jw_kv_u64(j, "leaked_suspect", k->suspect);
	jw_kv_u64(j, "locked_to_thread", k->locked);
	if (k->labels) {
		jw_key(j, "labels");
		json_labels(j, k->labels);
	}
	jw_kv_known(j, "min_since_ns", k->max_since_ns ? k->min_since_ns : ANS_UNKNOWN);
	jw_kv_known(j, "max_since_ns", k->max_since_ns ? k->max_since_ns : ANS_UNKNOWN);
	jw_kv_text(j, "idle", k->idle);
	if (!strcmp(a->group_by, "stack")) {
		put_stack(j, a, &a->gs.v[k->example]);
		jw_kv_text(j, "creator", a->gs.v[k->example].creator);
	}
	jw_key(j, "ids");
	jw_array(j);
	for (size_t i = k->first_member; i < k->first_member + k->nmembers; i++)
		if (a->gs.v[a->members.v[i]].id)
			jw_u64(j, a->gs.v[a->members.v[i]].id);
	jw_end(j, ']');
	jw_end(j, '}');
}

static void put_dump(struct jw *j, const struct ans_gotext_dump *d)
{
	jw_object(j);
	jw_kv_text(j, "file", d->file);
	jw_kv_u64(j, "line", d->at_line);
	jw_key(j, "at");
	jw_time(j, d->no_year ? 0 : d->time_ns);
	jw_kv_bool(j, "zone_known", d->time_ns && !d->no_zone);
	jw_kv_u64(j, "goroutines", d->n);
	jw_kv_text(j, "form", d->form);
	jw_kv_u64(j, "process", d->process);
	jw_kv_bool(j, "shown", d->kept);
	jw_kv_bool(j, "cut", d->cut);
	jw_kv_u64(j, "other_lines", d->noise);
	jw_key(j, "panic");
	if (*d->how) {
		jw_object(j);
		jw_kv_text(j, "how", d->how);
		jw_kv_text(j, "kind", d->kind);
		jw_kv_u64(j, "goroutine", d->goroutine);
		jw_kv_text(j, "function", d->function);
		jw_kv_bool(j, "recovered", d->recovered);
		jw_kv_text(j, "message", d->message);
		jw_end(j, '}');
	} else {
		jw_null(j);
	}
	jw_end(j, '}');
}

static void put_dumps(struct jw *j, const struct ans_gotext *a)
{
	jw_key(j, "dumps");
	jw_array(j);
	for (size_t i = 0; i < a->dumps.n; i++)
		put_dump(j, &a->dumps.v[i]);
	jw_end(j, ']');
	jw_kv_u64(j, "lines_cut", a->cut_lines);
	jw_kv_u64(j, "lost", a->lost);
	jw_kv_text(j, "damage", a->damage);
}

static void put_locks(struct jw *j, const struct ans_gotext *a)
{
	jw_key(j, "locks");
	jw_array(j);
	for (size_t i = 0; i < a->locks.n; i++) {
		const struct ans_gotext_lock *l = &a->locks.v[i];

		jw_object(j);
		jw_kv_text(j, "kind", l->word);
		jw_kv_addr(j, "addr", l->addr);
		jw_kv_u64(j, "waiters", l->waiters);
		jw_kv_known(j, "oldest_ns", l->since_ns);
		jw_kv_text(j, "function", l->at.function);
		jw_key(j, "held_by");
		jw_array(j);
		for (size_t k = 0; k < l->nholders; k++) {
			const struct ans_gotext_g *g = &a->gs.v[l->holders[k]];

			jw_object(j);
			jw_kv_u64(j, "id", g->id);
			jw_kv_text(j, "function", g->function);
			jw_kv_text(j, "evidence", "maybe");
			jw_kv_text(j, "proof", "inferred");
			jw_end(j, '}');
		}
		jw_end(j, ']');
		jw_kv_known(j, "maybe_itself",
			    l->itself == SIZE_MAX ? ANS_UNKNOWN : a->gs.v[l->itself].id);
		jw_kv_bool(j, "maybe_deadlock", l->circle);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_growth(struct jw *j, const struct ans_gotext *a, const char *key)
{
	jw_kv_u64(j, "compared_dumps", a->ncompared);
	jw_kv_real(j, "hours", a->hours);
	jw_key(j, key);
	jw_array(j);
	for (size_t i = 0; i < a->growth.n && i < a->limit; i++) {
		const struct ans_gotext_growth *w = &a->growth.v[i];

		jw_object(j);
		jw_kv_text(j, "name", w->function);
		jw_kv_text(j, "creator", w->creator);
		jw_kv_text(j, "wait", *w->wait ? w->wait : NULL);
		jw_key(j, "at");
		put_frame(j, &w->at);
		jw_kv_u64(j, "old_count", w->first);
		jw_kv_u64(j, "new_count", w->last);
		jw_kv_u64(j, "most", w->most);
		jw_kv_known(j, "survived", w->stayed);
		jw_kv_known(j, "born", w->stayed == ANS_UNKNOWN ? w->stayed : w->last - w->stayed);
		jw_kv_known(j, "died", w->stayed == ANS_UNKNOWN ? w->stayed : w->first - w->stayed);
		jw_kv_i64(j, "growth", w->growth);
		jw_kv_real(j, "growth_per_hour", w->per_hour);
		jw_kv_bool(j, "suspect", w->suspect);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void open_doc(struct jw *j, struct str *o, const struct ans_gotext *a)
{
	jw_init(j, o);
	jw_object(j);
	json_head(j, &a->head);
	jw_kv_u64(j, "total", a->total);
	jw_kv_u64(j, "system", a->system);
}

static void put_groups(struct jw *j, const struct ans_gotext *a)
{
	if (!a->group_by)
		return;
	jw_kv_text(j, "group_by", a->group_by);
	jw_key(j, "groups");
	jw_array(j);
	for (size_t i = 0; i < a->groups.n; i++)
		put_group(j, a, &a->groups.v[i]);
	jw_end(j, ']');
}

void json_doc_gotext(struct str *o, const struct ans_gotext *a)
{
	struct jw j;
	size_t n = 0;

	open_doc(&j, o, a);
	jw_kv_u64(&j, "leaked_proved", a->leaked);
	jw_kv_u64(&j, "leaked_suspect", a->suspect);
	put_groups(&j, a);
	jw_key(&j, "goroutines");
	jw_array(&j);
	for (size_t i = 0; i < a->gs.n && !a->group_by && n < a->limit; i++)
		if (!a->leaked_only || strcmp(a->gs.v[i].leaked, "no") != 0) {
			put_goroutine(&j, a, i);
			n++;
		}
	jw_end(&j, ']');
	put_dumps(&j, a);
	put_locks(&j, a);
	put_growth(&j, a, "growth");
	jw_end(&j, '}');
}

void json_doc_gotext_report(struct str *o, const struct ans_gotext *a)
{
	struct jw j;

	open_doc(&j, o, a);
	jw_key(&j, "findings");
	json_findings(&j, &a->findings);
	put_groups(&j, a);
	put_dumps(&j, a);
	put_locks(&j, a);
	put_growth(&j, a, "growth");
	jw_end(&j, '}');
}

void json_doc_gotext_diff(struct str *o, const struct ans_gotext *a)
{
	struct jw j;

	open_doc(&j, o, a);
	put_growth(&j, a, "rows");
	put_dumps(&j, a);
	jw_end(&j, '}');
}

void json_doc_gotext_tree(struct str *o, const struct ans_gotext *a)
{
	struct jw j;

	open_doc(&j, o, a);
	jw_key(&j, "tree");
	jw_array(&j);
	for (size_t i = 0; i < a->tree.n; i++) {
		const struct ans_gotext_node *x = &a->tree.v[i];

		jw_object(&j);
		jw_kv_u64(&j, "depth", x->depth);
		jw_kv_text(&j, "function", x->function);
		jw_kv_u64(&j, "count", x->count);
		jw_kv_u64(&j, "below", x->below);
		jw_kv_known(&j, "max_since_ns", x->since_ns);
		jw_kv_bool(&j, "ended", x->ended);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
}

void json_doc_gotext_top(struct str *o, const struct ans_gotext *a, const struct ans_gotext_top *t)
{
	struct jw j;

	open_doc(&j, o, a);
	jw_kv_text(&j, "by", t->by);
	jw_kv_text(&j, "unit", "goroutines");
	jw_key(&j, "rows");
	jw_array(&j);
	for (size_t i = 0; i < t->rows.n; i++) {
		jw_object(&j);
		jw_kv_text(&j, "name", t->rows.v[i].name);
		jw_kv_u64(&j, "flat", t->rows.v[i].flat);
		jw_kv_u64(&j, "cum", t->rows.v[i].cum);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
}
