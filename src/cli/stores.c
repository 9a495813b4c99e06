/*
 * stores.c - opening stores, and making them of everything else.
 *
 * A store is opened through base/files.h: which files that may be was fixed by cli/walls.c.
 */
#include "cli/stores.h"

#include "base/files.h"
#include "target/kind.h"

#include <errno.h>

static struct err *open_store(const char *path, struct store **ret)
{
	int fd = file_open(path);

	return fd < 0 ? err_os(errno, "%.200s", path) : store_open(fd, path, ret);
}

struct err *session_is_store(const char *target, bool *ret)
{
	struct kind_found k;
	struct err *err = kind_recognise(target, &k);

	if (!err)
		*ret = k.kind == KIND_STORE && k.wrap == WRAP_NONE;
	return err;
}

struct err *session_store(const struct args *a, unsigned i, struct store **ret)
{
	struct kind_found k;
	struct err *err = kind_recognise(a->arg[i], &k);

	if (err)
		return err;
	if (k.kind == KIND_STORE && k.wrap != WRAP_NONE)
		return err_unsupported("%.200s: a packed store; unpack it first (zstd -d, gunzip)",
				       a->arg[i]);
	if (k.kind != KIND_STORE)
		return err_unsupported("%.200s: %s; want a store, as made by `limpet snapshot "
				       "TARGET -o FILE.limpet`",
				       a->arg[i], kind_words(k.kind));
	return open_store(k.path, ret);
}

struct err *session_into_store(struct session *s, struct ans_head *ret_head, struct store **ret)
{
	_cleanup_(verify_deinit) struct verify_result v = { 0 };
	_cleanup_(store_closep) struct store *w = NULL;
	struct err *err = verify_run(s->s, s->g, &v);

	if (!err)
		err = session_stage(s, "finding dominators");
	if (!err)
		err = agg_dominators(&s->agg);
	if (!err)
		err = session_stage(s, "adding up");
	if (!err)
		err = store_create_for(s->g->nreached_objects, &w);
	if (!err)
		err = analysed_put(&s->agg, &v, w);
	if (!err)
		err = session_stage(s, "");
	if (!err)
		err = session_head(s, ret_head);
	if (!err)
		err = analysed_put_head(ret_head, w);
	if (err)
		return err;
	*ret = STEAL(w);
	return NULL;
}

/* Any kind but a store. */
static struct err *look_at(const struct args *a, struct store **ret)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(store_closep) struct store *w = NULL;
	struct err *err = session_look(a, SESSION_KEPT, &s);

	if (!err)
		err = session_into_store(&s, &h, &w);
	if (!err)
		err = store_reopen(w);
	if (err)
		return err;
	*ret = STEAL(w);
	return NULL;
}

struct err *session_analyse(const struct args *a, const char *target, struct store **ret)
{
	_cleanup_(freep) struct args *b = malloc(sizeof(*b));
	bool is_store = false;
	struct err *err = b ? session_is_store(target, &is_store) : &err_nomem;

	if (err)
		return err;
	*b = *a;
	b->arg[0] = target;
	return is_store ? session_store(b, 0, ret) : look_at(b, ret);
}
