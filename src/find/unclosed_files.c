/*
 * unclosed_files.c - files and sockets: dropped and open until a finalizer runs, kept open in great
 * numbers, closed by the other side alone.
 *
 * os.File and net's connections have a finalizer that closes them (os/file_unix.go,
 * net/fd_posix.go): a dropped one costs its descriptor until the next collection, that is waste and
 * no leak.  That the other side has closed (CLOSE_WAIT) only the kernel says: live processes.
 */
#include "find/look_special.h"
#include "find/unclosed.h"

enum { MANY_DROPPED = 64, MANY_KEPT = 256, MANY_GONE = 16 };

/* --- dropped --- */

struct dropped {
	uint64_t n, bytes;
};

static void see_dropped(struct find *f, struct go_io *io, const struct look_special *sp,
			const char *type, struct dropped *d)
{
	const struct look *l = &f->l;
	taddr t = go_type_named(l->s->rtypes, type);
	struct go_place p = { sp->sp->object, t ? go_type_at(l->s->rtypes, t) : NULL };
	uint64_t fd, bytes = 0;

	if (!p.type || !look_field_u64(l, io, p, "pfd.Sysfd", &fd) || (int64_t)fd < 0)
		return;
	go_heap_address(&l->s->heap, sp->id, &bytes);
	d->n++;
	d->bytes += bytes;
	if (sp->root < l->s->roots.n)
		d->bytes += l->g->retained[1 + sp->root];
}

static struct err *say_dropped(struct find *f, const struct dropped *d, const char *type,
			       const char *what)
{
	struct finding y = unclosed_begin(FIND_WASTE, FIND_MEASURED);

	if (d->n < MANY_DROPPED)
		return NULL;
	y.title = keepf(&f->keep,
			"%" PRIu64
			" %s were dropped without Close: their descriptors are open until the "
			"collector finds them",
			d->n, what);
	y.type = type;
	y.key = keepf(&f->keep, "dropped %s", type);
	y.bytes = d->bytes;
	y.objects = y.count = d->n;
	y.fix = keepf(
		&f->keep,
		"Close each one where it is opened: `f, err := …; if err != nil { return err }; "
		"defer f.Close()`; in a loop close at the end of each round, defer waits for the "
		"function's end.");
	y.mitigate =
		"A higher limit of open files (LimitNOFILE, ulimit -n) until then; a collection "
		"closes them, so a rare one lets them grow.";
	y.confirm = "limpet fds TARGET";
	return find_say(f, &y);
}

static struct err *look_for_dropped(struct find *f, struct go_io *io)
{
	struct look_specials at = { 0 };
	struct look_special sp;
	struct dropped files = { 0 }, conns = { 0 };
	struct err *err;

	while (look_special_next(&f->l, &at, &sp)) {
		const char *name;

		if (sp.sp->kind != GO_SPECIAL_FINALIZER || sp.id == GO_NO_OBJECT ||
		    !snapshot_is_object(f->l.s, sp.id) || look_reached(&f->l, sp.id))
			continue;
		name = look_special_function(&f->l, sp.sp);
		if (!strcmp(name, "os.(*file).close"))
			see_dropped(f, io, &sp, "os.file", &files);
		else if (!strcmp(name, "net.(*netFD).Close"))
			see_dropped(f, io, &sp, "net.netFD", &conns);
	}
	err = say_dropped(f, &files, "os.File", "files");
	return err ? err : say_dropped(f, &conns, "net.Conn", "connections");
}

/* --- kept --- */

struct kept {
	uint64_t id;
	uint64_t fd;
	gnode owner;
	bool in_frame;
};

struct keeper {
	struct find *f;
	struct go_io *io;
	VEC(struct kept) v;
};

static struct err *see_kept(const struct look *l, void *arg, uint64_t id)
{
	struct keeper *k = arg;
	struct kept x = { .id = id, .owner = look_owner(l, graph_node_of_object(l->g, id)) };

	if (!look_field_u64(l, k->io, unclosed_place(l, id), "pfd.Sysfd", &x.fd) ||
	    (int64_t)x.fd < 0)
		return NULL;
	return vec_push(&k->v, x) ? NULL : &err_nomem;
}

static int by_owner(const void *x, const void *y)
{
	const struct kept *p = x, *q = y;

	if (p->owner != q->owner)
		return p->owner < q->owner ? -1 : 1;
	return (p->id > q->id) - (p->id < q->id);
}

static bool is_lasting(const struct look *l, gnode owner)
{
	return owner && owner != GRAPH_NONE && owner <= l->g->nroots &&
	       l->s->roots.v[owner - 1].kind == SNAP_ROOT_GLOBAL;
}

static struct err *say_kept(struct find *f, const struct kept *v, size_t n)
{
	struct finding y = unclosed_begin(FIND_SUSPECT, FIND_MEASURED);

	y.title = keepf(&f->keep, "%zu open files are kept in {holder}", n);
	y.type = "os.File";
	y.node = graph_node_of_object(f->l.g, v[0].id);
	y.key = keepf(&f->keep, "kept %s", find_root_key(f, (uint32_t)(v[0].owner - 1)));
	for (size_t i = 0; i < n; i++)
		y.bytes += f->l.g->retained[graph_node_of_object(f->l.g, v[i].id)];
	y.objects = y.count = n;
	y.fix = "Give {holder} a bound, and Close what leaves it; where a file is read once, close it "
		"there and keep what was read.";
	y.mitigate = "A higher limit of open files (LimitNOFILE, ulimit -n).";
	y.decide = "A second look: their number has grown (limpet report --since).";
	y.confirm = "limpet fds TARGET";
	return find_say(f, &y);
}

static struct err *each_of(struct keeper *k, const char *type)
{
	size_t n;
	_cleanup_(freep) uint8_t *want = look_want_type(&k->f->l, type, &n);

	k->v.n = 0;
	if (!want)
		return &err_nomem;
	return n ? look_each_of(&k->f->l, want, see_kept, k) : NULL;
}

static struct err *look_for_kept(struct keeper *k)
{
	struct err *err = each_of(k, "os.file");

	if (err || k->v.n < MANY_KEPT)
		return err;
	qsort(k->v.v, k->v.n, sizeof(k->v.v[0]), by_owner);
	for (size_t i = 0, end; i < k->v.n && !err; i = end) {
		for (end = i; end < k->v.n && k->v.v[end].owner == k->v.v[i].owner; end++)
			;
		if (end - i >= MANY_KEPT && is_lasting(&k->f->l, k->v.v[i].owner))
			err = say_kept(k->f, k->v.v + i, end - i);
	}
	return err;
}

/* --- the other side has closed --- */

static bool peer_gone(const struct find *f, uint64_t fd)
{
	size_t lo = 0, hi = f->nfds;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->fds[mid].fd < fd)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < f->nfds && f->fds[lo].fd == fd && f->fds[lo].peer_gone;
}

static int by_id(const void *x, const void *y)
{
	const struct kept *p = x, *q = y;

	return (p->id > q->id) - (p->id < q->id);
}

/* Who reads or writes has the netFD in its frames. */
static void see_frames(struct keeper *k)
{
	const struct look *l = &k->f->l;
	const struct go_stacks *st = &l->s->stacks;

	for (size_t i = 0; i < st->slots.n; i++) {
		struct kept key = { .id = go_heap_object_at(&l->s->heap, st->slots.v[i].value) };
		struct kept *x = key.id == GO_NO_OBJECT
					 ? NULL
					 : bsearch(&key, k->v.v, k->v.n, sizeof(key), by_id);

		if (x)
			x->in_frame = true;
	}
}

static struct err *look_for_gone(struct keeper *k)
{
	struct finding y = unclosed_begin(FIND_SUSPECT, FIND_MEASURED);
	struct find *f = k->f;
	struct err *err = f->fds ? each_of(k, "net.netFD") : NULL;
	size_t n = 0;

	if (err || !f->fds)
		return err;
	for (size_t i = 0; i < k->v.n; i++)
		if (peer_gone(f, k->v.v[i].fd))
			k->v.v[n++] = k->v.v[i];
	k->v.n = n;
	if (n < MANY_GONE)
		return NULL;
	qsort(k->v.v, n, sizeof(k->v.v[0]), by_id);
	see_frames(k);
	for (size_t i = 0; i < n; i++) {
		gnode v = graph_node_of_object(f->l.g, k->v.v[i].id);

		if (k->v.v[i].in_frame)
			continue;
		if (!y.count++)
			y.node = v;
		y.bytes += f->l.g->retained[v];
	}
	if (y.count < MANY_GONE)
		return NULL;
	y.objects = y.count;
	y.type = "net.Conn";
	y.key = "peer gone";
	y.certainty = 200; /* often what a goroutine that is stuck leaves behind: that one first */
	y.title = keepf(&f->keep,
			"%" PRIu64
			" connections are closed by the other side (CLOSE_WAIT) and held open "
			"here, with no goroutine that reads them",
			y.count);
	y.fix = "Close a connection when it is taken out of use, and when a read says io.EOF; what {holder} "
		"keeps needs somebody who reads it, or a deadline.";
	y.mitigate = "None from outside: the other side has done its part.";
	y.decide = "A second look: the same connections are still there (limpet report --since).";
	y.confirm = "limpet fds TARGET";
	return find_say(f, &y);
}

struct err *unclosed_files(struct find *f)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct keeper k = { .f = f, .io = &io };
	struct err *err = go_io_init_sparse(&io, f->l.s->go);

	if (!err)
		err = look_for_dropped(f, &io);
	if (!err)
		err = look_for_kept(&k);
	if (!err)
		err = look_for_gone(&k);
	vec_free(&k.v);
	return err;
}
