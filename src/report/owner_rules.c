/*
 * owner_rules.c - the one table of what passes on what it does not own.
 *
 * Only what is certain: each row is a structure whose own source says that it is an index, a
 * register or a store of what others use.  docs/attribution.md has the same rows.
 */
#include "report/owner.h"

#include "snapshot/snapshot.h"

#include <stdio.h>

#define FIELD(h, f, why, from)                                                                     \
	{                                                                                          \
		.what = OWNER_FIELD, .how = OWNER_PLAIN, .holder = h, .field = f, .reason = why,   \
		.source = from                                                                     \
	}
#define CHAIN(h, f, why, from)                                                                     \
	{                                                                                          \
		.what = OWNER_FIELD, .how = OWNER_CHAIN, .holder = h, .field = f, .reason = why,   \
		.source = from                                                                     \
	}
#define BACK(h, f, why, from)                                                                      \
	{                                                                                          \
		.what = OWNER_FIELD, .how = OWNER_BACK, .holder = h, .field = f, .reason = why,    \
		.source = from                                                                     \
	}
#define LINK(h, f, why, from)                                                                      \
	{                                                                                          \
		.what = OWNER_FIELD, .how = OWNER_LINK, .holder = h, .field = f, .reason = why,    \
		.source = from                                                                     \
	}
#define OBJECT(h, why, from)                                                                       \
	{                                                                                          \
		.what = OWNER_OBJECT, .how = OWNER_PLAIN, .holder = h, .reason = why,              \
		.source = from                                                                     \
	}
#define ROOTS(kind, why, from)                                                                     \
	{                                                                                          \
		.what = OWNER_ROOTS, .how = OWNER_PLAIN, .root_kind = kind, .reason = why,         \
		.source = from                                                                     \
	}
#define GLOBAL(w, h, why, from)                                                                    \
	{                                                                                          \
		.what = w, .how = OWNER_PLAIN, .holder = h, .reason = why, .source = from          \
	}

static const char pool[] = "a pool keeps what nobody uses";
static const char thread[] = "an element is not the list";
static const char list[] = "a list has its elements, whichever way they are threaded";
static const char index_[] = "a cache keeps what others may use";
static const char tracker[] = "a register of what is under way, kept to end it";
static const char timers[] = "the clock waits for it, it does not need it";
static const char sched[] = "the scheduler knows it, it does not need it";
static const char special[] = "kept for when the object dies";

static const struct owner_rule table[] = {
	/* pools */
	FIELD("sync.Pool", "local", pool, "sync/pool.go, Pool"),
	FIELD("sync.Pool", "victim", pool, "sync/pool.go, Pool"),
	{ .what = OWNER_POOL,
	  .how = OWNER_PLAIN,
	  .holder = "sync.Pool",
	  .reason = pool,
	  .source = "sync/pool.go, Pool: by the shape of a global without a type" },
	GLOBAL(OWNER_GLOBAL, "sync.allPools", "all pools, for the collector to empty them",
	       "sync/pool.go, poolCleanup"),
	GLOBAL(OWNER_GLOBAL, "sync.oldPools", "all pools, for the collector to empty them",
	       "sync/pool.go, poolCleanup"),
	FIELD("database/sql.DB", "freeConn", pool, "database/sql/sql.go, DB"),
	FIELD("net/http.Transport", "idleConn", pool, "net/http/transport.go, Transport"),
	FIELD("net/http.Transport", "idleLRU", pool, "net/http/transport.go, connLRU"),
	/* lists and caches */
	CHAIN("container/list.Element", "next", thread, "container/list/list.go, Element"),
	CHAIN("container/list.Element", "prev", thread, "container/list/list.go, Element"),
	BACK("container/list.Element", "list", list, "container/list/list.go, Element"),
	{ .what = OWNER_LRU,
	  .how = OWNER_PLAIN,
	  .holder = "container/list.List",
	  .reason = "a list beside a map of its elements is a cache",
	  .source = "a struct with a list.List and a map[K]*list.Element" },
	FIELD("github.com/golang/groupcache/lru.entry", "key", index_,
	      "groupcache lru/lru.go, entry"),
	FIELD("github.com/golang/groupcache/lru.entry", "value", index_,
	      "groupcache lru/lru.go, entry"),
	FIELD("github.com/hashicorp/golang-lru/simplelru.entry", "key", index_,
	      "golang-lru simplelru/lru.go, entry"),
	FIELD("github.com/hashicorp/golang-lru/simplelru.entry", "value", index_,
	      "golang-lru simplelru/lru.go, entry"),
	FIELD("github.com/hashicorp/golang-lru/v2/internal.Entry[", "Key", index_,
	      "golang-lru/v2 internal/list.go, Entry"),
	FIELD("github.com/hashicorp/golang-lru/v2/internal.Entry[", "Value", index_,
	      "golang-lru/v2 internal/list.go, Entry"),
	CHAIN("github.com/hashicorp/golang-lru/v2/internal.Entry[", "next", thread,
	      "golang-lru/v2 internal/list.go, Entry"),
	CHAIN("github.com/hashicorp/golang-lru/v2/internal.Entry[", "prev", thread,
	      "golang-lru/v2 internal/list.go, Entry"),
	BACK("github.com/hashicorp/golang-lru/v2/internal.Entry[", "list", list,
	     "golang-lru/v2 internal/list.go, Entry"),
	FIELD("github.com/patrickmn/go-cache.Item", "Object", index_, "go-cache cache.go, Item"),
	/* contexts */
	FIELD("context.cancelCtx", "children",
	      "a parent cancels its children, it does not use them",
	      "context/context.go, propagateCancel"),
	LINK("context.cancelCtx", "Context", "a context is not its parent",
	     "context/context.go, cancelCtx"),
	LINK("context.valueCtx", "Context", "a context is not its parent",
	     "context/context.go, valueCtx"),
	LINK("context.stopCtx", "Context", "a context is not its parent",
	     "context/context.go, stopCtx"),
	LINK("context.withoutCancelCtx", "c", "a context is not its parent",
	     "context/context.go, withoutCancelCtx"),
	/* timers */
	FIELD("runtime.timer", "arg", timers, "runtime/time.go, timer"),
	FIELD("runtime.timer", "f", timers, "runtime/time.go, timer"),
	FIELD("runtime.timer", "ts", timers, "runtime/time.go, timer (Go 1.23)"),
	FIELD("time.runtimeTimer", "arg", timers, "time/sleep.go, runtimeTimer (to Go 1.22)"),
	FIELD("time.runtimeTimer", "f", timers, "time/sleep.go, runtimeTimer (to Go 1.22)"),
	/* the runtime's own */
	OBJECT("runtime.p", sched, "runtime/runtime2.go, p: heaps of timers, caches"),
	OBJECT("runtime.m", sched, "runtime/runtime2.go, m"),
	OBJECT("runtime.g", sched, "runtime/runtime2.go, g; the stack is a root of its own"),
	OBJECT("runtime.sudog", sched, "runtime/runtime2.go, sudog: who waits in a queue"),
	GLOBAL(OWNER_GLOBALS, "runtime", sched, "runtime: allgs, allp, allm, sched …"),
	ROOTS(SNAP_ROOT_FINALIZER, special, "runtime/mheap.go, specialfinalizer"),
	ROOTS(SNAP_ROOT_CLEANUP, special, "runtime/mheap.go, specialCleanup"),
	ROOTS(SNAP_ROOT_WEAK, special, "runtime/mheap.go, specialWeakHandle"),
	ROOTS(SNAP_ROOT_FINALIZER_QUEUE, special, "runtime/mfinal.go, finq"),
	ROOTS(SNAP_ROOT_CLEANUP_QUEUE, special, "runtime/mcleanup.go, gcCleanups"),
	ROOTS(SNAP_ROOT_RUNTIME, "the allocator's own", "runtime/mcache.go, mcache.tiny"),
	/* registers */
	FIELD("net/http.Server", "activeConn", tracker, "net/http/server.go, trackConn"),
	FIELD("net/http.Server", "listeners", tracker, "net/http/server.go, trackListener"),
	FIELD("net/http.Transport", "reqCanceler", tracker, "net/http/transport.go, Transport"),
	FIELD("net/http.http2serverConn", "streams", tracker,
	      "net/http/h2_bundle.go, http2serverConn (to Go 1.26)"),
	FIELD("net/http.http2ClientConn", "streams", tracker,
	      "net/http/h2_bundle.go, http2ClientConn (to Go 1.26)"),
	FIELD("net/http/internal/http2.serverConn", "streams", tracker,
	      "net/http/internal/http2/server.go, serverConn"),
	FIELD("net/http/internal/http2.ClientConn", "streams", tracker,
	      "net/http/internal/http2/transport.go, ClientConn"),
	FIELD("golang.org/x/net/http2.serverConn", "streams", tracker, "x/net http2/server.go"),
	FIELD("golang.org/x/net/http2.ClientConn", "streams", tracker, "x/net http2/transport.go"),
	FIELD("database/sql.DB", "dep", tracker, "database/sql/sql.go, addDep"),
	FIELD("google.golang.org/grpc.Server", "conns", tracker, "grpc server.go, Server"),
	FIELD("google.golang.org/grpc.Server", "lis", tracker, "grpc server.go, Server"),
	FIELD("google.golang.org/grpc/internal/transport.http2Server", "activeStreams", tracker,
	      "grpc internal/transport/http2_server.go"),
	FIELD("google.golang.org/grpc/internal/transport.http2Client", "activeStreams", tracker,
	      "grpc internal/transport/http2_client.go"),
	FIELD("golang.org/x/sync/singleflight.Group", "m", tracker,
	      "x/sync singleflight.go, Group"),
	FIELD("internal/singleflight.Group", "m", tracker, "internal/singleflight, Group"),
};

const struct owner_rule *owner_builtin(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(table);
	return table;
}

static const char *roots_name(uint8_t kind)
{
	switch (kind) {
	case SNAP_ROOT_FINALIZER:
		return "finalizers";
	case SNAP_ROOT_CLEANUP:
		return "cleanups";
	case SNAP_ROOT_WEAK:
		return "weak handles";
	case SNAP_ROOT_FINALIZER_QUEUE:
		return "finalizer queue";
	case SNAP_ROOT_CLEANUP_QUEUE:
		return "cleanup queue";
	default:
		return "tiny blocks";
	}
}

const char *owner_rule_name(const struct owner_rule *r, char *buf, size_t nbuf)
{
	size_t n = r->holder ? strlen(r->holder) : 0;

	switch (r->what) {
	case OWNER_ROOTS:
		snprintf(buf, nbuf, "%s", roots_name(r->root_kind));
		break;
	case OWNER_LRU:
		snprintf(buf, nbuf, "%s with a map", r->holder);
		break;
	case OWNER_POOL:
		snprintf(buf, nbuf, "%s by shape", r->holder);
		break;
	case OWNER_GLOBALS:
		snprintf(buf, nbuf, "globals of %s", r->holder);
		break;
	default:
		n -= n && r->holder[n - 1] == '[';
		snprintf(buf, nbuf, "%.*s%s%s", (int)n, r->holder, r->field ? "." : "",
			 r->field ? r->field : "");
	}
	return buf;
}

struct err *owner_rules_create(const char *path, struct owner_rules *ret)
{
	_cleanup_(owner_rules_deinit) struct owner_rules r = { 0 };
	struct err *err = NULL;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!vec_push(&r.v, table[i]))
			return &err_nomem;
	if (path)
		err = owner_rules_read(path, &r);
	if (err)
		return err;
	*ret = r;
	r = (struct owner_rules){ 0 };
	return NULL;
}

void owner_rules_deinit(struct owner_rules *r)
{
	for (size_t i = 0; i < r->texts.n; i++)
		free(r->texts.v[i]);
	vec_free(&r->texts);
	vec_free(&r->v);
}
