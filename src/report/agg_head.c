/*
 * agg_head.c - what was looked at, how, and how exact it is.
 *
 * Copies facts of target, Go runtime and verify; computes only the typed share.
 */
#include "report/agg.h"
#include "report/kept.h"

static const char *text_or(const char *s)
{
	return s ? s : "";
}

static const char *kind_name(enum target_kind k)
{
	switch (k) {
	case TARGET_LIVE:
		return "live";
	case TARGET_CORE:
		return "core";
	case TARGET_DUMP:
		return "heapdump";
	}
	return "unknown";
}

static const char *method_name(enum target_method m)
{
	switch (m) {
	case TARGET_BY_FORK:
		return "fork";
	case TARGET_BY_FREEZE:
		return "freeze";
	case TARGET_BY_FILE:
		return "file";
	case TARGET_BY_RUNNING:
		return "running";
	}
	return "unknown";
}

/* runtime/heapdump.go writes none of these. */
static const char *const dump_lacks[] = {
	"names of variables: a global is its place in data or bss; --exe has names",
	"mark bits: `verify` has nothing to compare with",
	"most types: values in interfaces are named, of what pointers in them lead to only the package",
	"lines: a stack is its functions, without inlined ones",
	"threads: no registers, no signal stacks",
	"waiting times: the runtime's clock is not in the file",
	"cleanups, weak handles: what they alone hold looks like garbage",
	"RSS: no cgroup, no files, nothing outside of Go",
	NULL,
};

/* Left out by wish of who took a core: it reads as zeroes. */
static const char *const bare_lacks[] = {
	"contents of pointer-free objects: they were left out, and read as zeroes",
	NULL,
};
static const char *const redacted_lacks[] = {
	"text and contents of pointer-free objects: they were left out, and read as zeroes",
	NULL,
};

static const char *const *lacks_of(const struct snapshot *s)
{
	static const char *const nothing[] = { NULL };
	unsigned out = target_left_out(s->t);

	if (s->dump)
		return dump_lacks + (s->go->symbols != NULL);
	if (out & TARGET_REDACTED)
		return redacted_lacks;
	return out & TARGET_NO_PAYLOAD ? bare_lacks : nothing;
}

static const char *keep_or(struct agg *a, const char *s)
{
	return s && *s ? keepf(&a->keep, "%s", s) : "";
}

static struct err *head_of_look(struct agg *a, struct ans_head *ret)
{
	const struct go *go = a->s->go;
	const struct target_capture *c = target_capture(a->s->t);
	const struct target_place *place = target_place(a->s->t);
	struct ans_head h = {
		.kind = kind_name(c->kind),
		.pid = c->pid,
		.ns_pid = place->ns_pid,
		.container = keep_or(a, place->container),
		.runtime = keep_or(a, place->runtime),
		.pod = keep_or(a, place->pod),
		.unit = keep_or(a, place->unit),
		.exe = keep_or(a, target_exe(a->s->t)),
		.go = keep_or(a, go->version),
		.arch = text_or(go->L->arch),
		.experiments = keep_or(a, go->experiments),
		.dwarf = go->dwarf,
		.stripped = go->stripped,
		.layout_exact = go->layout_exact,
		.layout = text_or(go->L->go),
		.module = keep_or(a, go->module_path),
		.version = keep_or(a, go->module_version),
		.revision = keep_or(a, go->vcs_revision),
		.started_unix_ns = target_started_unix_ns(a->s->t),
		.at_unix_ns = c->at_unix_ns,
		.method = method_name(c->method),
		.pause_ns = c->pause_ns,
		.fork_ns = c->fork_ns,
		.read_ns = a->s->read_ns,
		.extract_ns = a->s->extract_ns,
		.names_ns = a->s->names_ns,
		.type_conflicts = a->s->typing.conflicts,
	};

	h.file = keep_or(a, target_file(a->s->t));
	h.lacks = lacks_of(a->s);
	for (size_t i = 0; i < a->s->losses.n; i++) {
		const struct snap_loss *l = &a->s->losses.v[i];

		if (!vec_push(&h.losses, (struct ans_loss){ l->what, l->count, l->bytes }))
			return &err_nomem;
	}
	*ret = h;
	return NULL;
}

struct err *agg_head(struct agg *a, struct ans_head *ret)
{
	return a->asked ? kept_head_of(a, ret) : head_of_look(a, ret);
}

static void count_typed(const struct agg *a, struct ans_exact *x)
{
	const struct snapshot *s = a->s;

	if (!s->type_of)
		return;
	for (size_t i = 0; i < s->heap.spans.n; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++) {
			if (!snapshot_is_typed(s, id) ||
			    !graph_reached(a->g, graph_node_of_object(a->g, id)))
				continue;
			x->typed_objects++;
			x->typed_bytes += sp->elem_bytes;
		}
	}
}

static const char *phase_name(uint32_t gcphase)
{
	static const char *const name[] = { "idle", "marking", "mark termination" };

	return gcphase < ARRAY_LEN(name) ? name[gcphase] : "unknown";
}

static struct err *copy_difference(struct agg *a, const struct verify_diff *d, struct ans_exact *x)
{
	uint64_t id = go_heap_object_at(&a->s->heap, d->addr);
	struct ans_difference to = {
		.addr = d->addr,
		.bytes = d->bytes,
		.side = d->side == VERIFY_MISSING ? "missing" : "extra",
		.reason = text_or(d->reason),
		.type = "",
		.explained = d->explained,
	};
	char buf[256];

	if (id != GO_NO_OBJECT)
		to.type = keepf(&a->keep, "%s", snapshot_type_name(a->s, id, buf, sizeof(buf)));
	return vec_push(&x->differences, to) ? NULL : &err_nomem;
}

/* What is not explained first: a limit on the rows must not hide it. */
static struct err *copy_differences(struct agg *a, const struct verify_result *v,
				    struct ans_exact *x)
{
	for (int explained = 0; explained < 2; explained++) {
		for (size_t i = 0; i < v->diffs.n; i++) {
			struct err *err;

			if (v->diffs.v[i].explained != (explained == 1))
				continue;
			err = copy_difference(a, &v->diffs.v[i], x);
			if (err)
				return err;
		}
	}
	return NULL;
}

static struct err *exact_of_look(struct agg *a, const struct verify_result *v,
				 struct ans_exact *ret)
{
	struct ans_exact x = {
		.reachable_objects = v->reachable_objects,
		.reachable_bytes = v->reachable_bytes,
		.gc_objects = v->gc_objects,
		.gc_bytes = v->gc_bytes,
		.missing = v->missing - MIN(v->missing, v->undecided),
		.extra = v->extra,
		.undecided = v->undecided,
		.garbage_since = v->garbage_since,
		.born_since = v->born_since,
		.conservative_frames = v->conservative_frames,
		.spans_valid = v->spans_valid,
		.spans_undecidable = v->spans_undecidable,
		.cycles = v->cycles,
		.counter_bytes = v->counter_comparable ? v->counter_bytes : ANS_UNKNOWN,
		.phase = phase_name(v->gcphase),
		.compared = text_or(v->phase),
		.second = v->second,
		.holds = verify_holds(v),
		.no_marks = a->s->dump,
	};
	struct err *err;

	count_typed(a, &x);
	err = copy_differences(a, v, &x);
	if (err) {
		ans_exact_deinit(&x);
		return err;
	}
	*ret = x;
	return NULL;
}

struct err *agg_exact(struct agg *a, const struct verify_result *v, struct ans_exact *ret)
{
	return a->asked ? kept_exact_of(a, ret) : exact_of_look(a, v, ret);
}
