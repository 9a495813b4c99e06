/*
 * kept_types_rows.c - more of kept_types.c: totals, goroutines, trees, locks, limits, populations;
 * and what is made right of what a file says.
 */
#include "report/kept_types.h"
#include "goruntime/cont.h"

static const struct store_column totals_columns[] = {
	STORE_MEMBER(struct kept_totals, findings, "findings", STORE_UINT | STORE_ZERO,
		     "found in all"),
	STORE_MEMBER(struct kept_totals, goroutines, "goroutines", STORE_UINT | STORE_ZERO,
		     "alive"),
	STORE_MEMBER(struct kept_totals, retained_total, "goroutines_retained_bytes",
		     STORE_UINT | STORE_ZERO, "by one of them alone"),
	STORE_MEMBER(struct kept_totals, proved, "proved", STORE_UINT | STORE_ZERO,
		     "leaked goroutines"),
	STORE_MEMBER(struct kept_totals, suspect, "suspect", STORE_UINT | STORE_ZERO, "goroutines"),
	STORE_MEMBER(struct kept_totals, freed_bytes, "freed_bytes", STORE_UINT | STORE_ZERO,
		     "heap that would go with the proved ones"),
	STORE_MEMBER(struct kept_totals, freed_stack_bytes, "freed_stack_bytes",
		     STORE_UINT | STORE_ZERO, "stacks that would"),
	STORE_MEMBER(struct kept_totals, unproved, "unproved", STORE_WORD,
		     "what keeps proofs from being made"),
	STORE_MEMBER(struct kept_totals, leaked_known, "leaked_known", STORE_BOOL,
		     "1: it can be told who is leaked"),
	STORE_MEMBER(struct kept_totals, locks, "locks", STORE_UINT | STORE_ZERO,
		     "on which goroutines wait"),
	STORE_MEMBER(struct kept_totals, lock_waiters, "lock_waiters", STORE_UINT | STORE_ZERO,
		     "that wait"),
	STORE_MEMBER(struct kept_totals, deadlocks, "deadlocks", STORE_UINT | STORE_ZERO,
		     "circles of them"),
	STORE_MEMBER(struct kept_totals, lock_unknown, "lock_unknown", STORE_UINT | STORE_ZERO,
		     "goroutines whose lock was not found"),
	STORE_MEMBER(struct kept_totals, limits, "limits", STORE_UINT | STORE_ZERO,
		     "servers, clients, pools"),
	STORE_MEMBER(struct kept_totals, tree_bytes, "tree_bytes", STORE_UINT | STORE_ZERO,
		     "reachable"),
	STORE_MEMBER(struct kept_totals, trees, "trees", STORE_UINT | STORE_ZERO,
		     "1: exact tree, 3: both are kept"),
	STORE_MEMBER(struct kept_totals, values, "values_shown", STORE_UINT | STORE_ZERO,
		     "0: no values of the program, 1: hashes, 2: themselves"),
	STORE_MEMBER(struct kept_totals, limit_least_tree, "tree_least_bytes",
		     STORE_UINT | STORE_ZERO, "below it nodes of the tree are left out"),
	{ 0 },
};
const struct kept_type kept_totals = {
	.table = { .name = "totals",
		   .about = "sums of the answers: one row",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_totals),
		   .columns = totals_columns },
	.bytes = sizeof(struct kept_totals),
};

static const struct store_column wait_columns[] = {
	STORE_MEMBER(struct ans_wait, what, "what", STORE_TEXT, "channel, mutex …"),
	STORE_MEMBER(struct ans_wait, addr, "addr", STORE_ADDR, "where it lies"),
	{ 0 },
};
const struct kept_type kept_wait = {
	.table = { .name = "goroutine_waits",
		   .parent = "goroutines",
		   .about = "what goroutines wait for",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_wait),
		   .columns = wait_columns },
	.bytes = sizeof(struct ans_wait),
};

static const struct store_column stack_columns[] = {
	STORE_MEMBER(struct kept_stack, hash, "hash", STORE_INT | STORE_ZERO, "of its frames"),
	{ 0 },
};
static const struct kept_part stack_parts[] = {
	{ KEPT_ROWS, offsetof(struct kept_stack, frames), &kept_stack_frame },
	{ 0 },
};
const struct kept_type kept_stack = {
	.table = { .name = "stacks",
		   .about = "stacks of goroutines, each once",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_stack),
		   .columns = stack_columns },
	.bytes = sizeof(struct kept_stack),
	.parts = stack_parts,
};

static const struct store_column goroutine_columns[] = {
	STORE_MEMBER(struct kept_goroutine, g.index, "number", STORE_UINT | STORE_ZERO,
		     "in the look"),
	STORE_MEMBER(struct kept_goroutine, g.id, "goroutine", STORE_UINT | STORE_ZERO, "its id"),
	STORE_MEMBER(struct kept_goroutine, g.parent_id, "creator_id", STORE_UINT | STORE_ZERO,
		     "of who started it"),
	STORE_MEMBER(struct kept_goroutine, g.state, "state", STORE_TEXT, "waiting, running …"),
	STORE_MEMBER(struct kept_goroutine, g.wait, "wait", STORE_TEXT, "reason"),
	STORE_MEMBER(struct kept_goroutine, g.since_ns, "since_ns", STORE_UINT, "at least so long"),
	STORE_MEMBER(struct kept_goroutine, g.function, "function", STORE_TEXT, "started with"),
	STORE_MEMBER(struct kept_goroutine, g.creator, "creator", STORE_TEXT,
		     "function that started it"),
	STORE_MEMBER(struct kept_goroutine, g.created_at.function, "created_function", STORE_TEXT,
		     "where it was started"),
	STORE_MEMBER(struct kept_goroutine, g.created_at.file, "created_file", STORE_TEXT,
		     "where it was started"),
	STORE_MEMBER(struct kept_goroutine, g.created_at.line, "created_line",
		     STORE_INT | STORE_ZERO, "where it was started"),
	STORE_MEMBER(struct kept_goroutine, g.retained, "retained_bytes", STORE_UINT,
		     "by it alone"),
	STORE_MEMBER(struct kept_goroutine, g.stack_bytes, "stack_bytes", STORE_UINT | STORE_ZERO,
		     "of its stack"),
	STORE_MEMBER(struct kept_goroutine, g.thread, "thread", STORE_INT, "that runs it"),
	STORE_MEMBER(struct kept_goroutine, g.system, "system", STORE_BOOL, "1: the runtime's"),
	STORE_MEMBER(struct kept_goroutine, g.leaked, "leaked", STORE_WORD, "proved, suspect, no"),
	STORE_MEMBER(struct kept_goroutine, g.freed, "freed_bytes", STORE_UINT | STORE_ZERO,
		     "with all leaked ones of its stack"),
	STORE_MEMBER(struct kept_goroutine, stack, "stack", STORE_UINT | STORE_ZERO,
		     "id in stacks"),
	KEPT_ID(struct kept_goroutine, 0, "labels", "id in label_sets"),
	{ 0 },
};
static const struct kept_part goroutine_parts[] = {
	{ KEPT_LABELS, offsetof(struct kept_goroutine, g.labels), &kept_labels },
	{ KEPT_ROWS, offsetof(struct kept_goroutine, waits), &kept_wait },
	{ 0 },
};
const struct kept_type kept_goroutine = {
	.table = { .name = "goroutines",
		   .about = "goroutines, those that retain most first",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_goroutine) + 8 * 1,
		   .columns = goroutine_columns },
	.bytes = sizeof(struct kept_goroutine),
	.parts = goroutine_parts,
};

static const struct store_column tree_node_columns[] = {
	STORE_MEMBER(struct kept_node, up, "dominator", STORE_UINT | STORE_ZERO,
		     "id here, 0: the top"),
	STORE_MEMBER(struct kept_node, tree, "tree", STORE_UINT | STORE_ZERO,
		     "1: exact, 2: owner's"),
	STORE_MEMBER(struct kept_node, node.shallow, "shallow_bytes", STORE_UINT | STORE_ZERO,
		     "of it alone"),
	STORE_MEMBER(struct kept_node, node.retained, "retained_bytes", STORE_UINT | STORE_ZERO,
		     "what goes when it goes"),
	STORE_MEMBER(struct kept_node, node.owner_retained, "owner_retained_bytes",
		     STORE_UINT | STORE_ZERO, "the same in the owner's tree"),
	STORE_MEMBER(struct kept_node, children, "children", STORE_UINT | STORE_ZERO,
		     "that it has"),
	STORE_MEMBER(struct kept_node, children_bytes, "children_bytes", STORE_UINT | STORE_ZERO,
		     "that they retain, exact"),
	STORE_MEMBER(struct kept_node, children_owner, "children_owner_bytes",
		     STORE_UINT | STORE_ZERO, "that they retain in the owner's tree"),
	KEPT_ID(struct kept_node, 0, "holder", "id in holders"),
	{ 0 },
};
static const struct kept_part tree_node_parts[] = {
	{ KEPT_ONE, offsetof(struct kept_node, node.node), &kept_holder },
	{ 0 },
};
const struct kept_type kept_tree_node = {
	.table = { .name = "tree_nodes",
		   .about = "the dominator tree, the heavy nodes of it; depth first",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_node) + 8 * 1,
		   .columns = tree_node_columns },
	.bytes = sizeof(struct kept_node),
	.parts = tree_node_parts,
	.fix = kept_fix_node,
};

static const struct store_column why_path_columns[] = {
	KEPT_ID(struct ans_path, 0, "path", "id in paths"),
	{ 0 },
};
static const struct kept_part why_path_parts[] = {
	{ KEPT_ONE, 0, &kept_path },
	{ 0 },
};
const struct kept_type kept_why_path = {
	.table = { .name = "why_paths",
		   .parent = "why_items",
		   .about = "ways to what was asked about",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_path) + 8,
		   .columns = why_path_columns },
	.bytes = sizeof(struct ans_path),
	.parts = why_path_parts,
};

static const struct store_column why_item_columns[] = {
	STORE_MEMBER(struct ans_why_item, reachable, "reachable", STORE_BOOL,
		     "1: a root leads to it"),
	STORE_MEMBER(struct ans_why_item, note, "note", STORE_TEXT, "why there is no path"),
	STORE_MEMBER(struct ans_why_item, independent, "independent_paths", STORE_UINT | STORE_ZERO,
		     "that share no object"),
	STORE_MEMBER(struct ans_why_item, capped, "capped", STORE_BOOL, "1: at least so many"),
	KEPT_ID(struct ans_why_item, 0, "object", "id in holders: what was asked about"),
	KEPT_ID(struct ans_why_item, 1, "owner_path",
		"id in paths: the shortest in the owner's graph"),
	KEPT_ID(struct ans_why_item, 2, "cut", "id in cuts"),
	KEPT_ID(struct ans_why_item, 3, "origin", "id in origins"),
	{ 0 },
};
static const struct kept_part why_item_parts[] = {
	{ KEPT_ONE, offsetof(struct ans_why_item, what), &kept_holder },
	{ KEPT_ONE, offsetof(struct ans_why_item, owner), &kept_path },
	{ KEPT_ONE, offsetof(struct ans_why_item, cut), &kept_cut },
	{ KEPT_ONE, offsetof(struct ans_why_item, origin), &kept_origin },
	{ KEPT_ROWS, offsetof(struct ans_why_item, paths), &kept_why_path },
	{ 0 },
};
const struct kept_type kept_why_item = {
	.table = { .name = "why_items",
		   .about = "why things are alive, those that hold most first",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_why_item) + 8 * 4,
		   .columns = why_item_columns },
	.bytes = sizeof(struct ans_why_item),
	.parts = why_item_parts,
	.fix = kept_fix_why_item,
};

static const struct store_column locker_columns[] = {
	STORE_MEMBER(struct ans_locker, id, "goroutine", STORE_UINT | STORE_ZERO, "its id"),
	STORE_MEMBER(struct ans_locker, function, "function", STORE_TEXT, "started with"),
	STORE_MEMBER(struct ans_locker, state, "state", STORE_TEXT, "waiting, running …"),
	STORE_MEMBER(struct ans_locker, wait, "wait", STORE_TEXT, "reason"),
	STORE_MEMBER(struct ans_locker, since_ns, "since_ns", STORE_UINT, "at least so long"),
	STORE_MEMBER(struct ans_locker, how, "how", STORE_TEXT, "lock, rlock, wait"),
	STORE_MEMBER(struct ans_locker, at.function, "at_function", STORE_TEXT, "where it stands"),
	STORE_MEMBER(struct ans_locker, at.file, "at_file", STORE_TEXT, "where it stands"),
	STORE_MEMBER(struct ans_locker, at.line, "at_line", STORE_INT | STORE_ZERO,
		     "where it stands"),
	STORE_MEMBER(struct ans_locker, at.inlined, "at_inlined", STORE_BOOL, "where it stands"),
	STORE_MEMBER(struct ans_locker, locked_line, "locked_line", STORE_INT | STORE_ZERO,
		     "holder: line that locked"),
	STORE_MEMBER(struct ans_locker, sure, "sure", STORE_TEXT, "holder: how sure that is"),
	STORE_MEMBER(struct ans_locker, waits_on, "waits_on", STORE_ADDR,
		     "holder: the lock that it waits for"),
	{ 0 },
};
const struct kept_type kept_lock_waiter = {
	.table = { .name = "lock_waiters",
		   .parent = "locks",
		   .about = "goroutines that wait for a lock",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_locker),
		   .columns = locker_columns },
	.bytes = sizeof(struct ans_locker),
};

const struct kept_type kept_lock_holder = {
	.table = { .name = "lock_holders",
		   .parent = "locks",
		   .about = "goroutines that hold a lock",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_locker),
		   .columns = locker_columns },
	.bytes = sizeof(struct ans_locker),
};

static const struct store_column lock_columns[] = {
	STORE_MEMBER(struct kept_lock, l.addr, "addr", STORE_ADDR, "where it lies"),
	STORE_MEMBER(struct kept_lock, l.word, "kind", STORE_TEXT, "sync.Mutex …"),
	STORE_MEMBER(struct kept_lock, l.name, "name", STORE_TEXT, "as the program has it"),
	STORE_MEMBER(struct kept_lock, l.field, "field", STORE_TEXT, "in the object"),
	STORE_MEMBER(struct kept_lock, l.known, "known", STORE_BOOL, "1: its state is known"),
	STORE_MEMBER(struct kept_lock, l.locked, "locked", STORE_BOOL, "1: somebody holds it"),
	STORE_MEMBER(struct kept_lock, l.woken, "woken", STORE_BOOL, "1: a waiter is being woken"),
	STORE_MEMBER(struct kept_lock, l.starving, "starving", STORE_BOOL,
		     "1: it goes to who waits longest"),
	STORE_MEMBER(struct kept_lock, l.writer_waits, "writer_waits", STORE_BOOL,
		     "1: a writer waits for readers"),
	STORE_MEMBER(struct kept_lock, l.is_rw, "is_rw", STORE_BOOL, "1: RWMutex"),
	STORE_MEMBER(struct kept_lock, l.searched, "searched", STORE_BOOL,
		     "1: holders were looked for"),
	STORE_MEMBER(struct kept_lock, l.queued, "queued", STORE_UINT | STORE_ZERO,
		     "by its own count"),
	STORE_MEMBER(struct kept_lock, l.readers, "readers", STORE_UINT | STORE_ZERO,
		     "that hold it"),
	STORE_MEMBER(struct kept_lock, l.nwaiters, "waiters", STORE_UINT | STORE_ZERO,
		     "goroutines"),
	STORE_MEMBER(struct kept_lock, l.oldest_ns, "oldest_ns", STORE_UINT | STORE_ZERO,
		     "wait of the first one"),
	STORE_MEMBER(struct kept_lock, l.deadlock, "deadlock", STORE_UINT | STORE_ZERO,
		     "number of the circle it is in"),
	KEPT_ID(struct kept_lock, 0, "path", "id in paths: to the object"),
	{ 0 },
};
static const struct kept_part lock_parts[] = {
	{ KEPT_ONE, offsetof(struct kept_lock, l.holder), &kept_path },
	{ KEPT_ROWS, offsetof(struct kept_lock, waiters), &kept_lock_waiter },
	{ KEPT_ROWS, offsetof(struct kept_lock, holders), &kept_lock_holder },
	{ 0 },
};
const struct kept_type kept_lock = {
	.table = { .name = "locks",
		   .about = "locks on which goroutines wait, the most waiters first",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_lock) + 8 * 1,
		   .columns = lock_columns },
	.bytes = sizeof(struct kept_lock),
	.parts = lock_parts,
};

static const struct store_column setting_columns[] = {
	STORE_MEMBER(struct ans_setting, name, "name", STORE_TEXT, "of the setting"),
	STORE_MEMBER(struct ans_setting, form, "form", STORE_UINT | STORE_ZERO,
		     "of value: number, bytes, time"),
	STORE_MEMBER(struct ans_setting, value, "value", STORE_INT, "as it is in memory"),
	STORE_MEMBER(struct ans_setting, unset, "unset", STORE_BOOL, "1: the default"),
	STORE_MEMBER(struct ans_setting, meaning, "meaning", STORE_TEXT, "of that"),
	{ 0 },
};
const struct kept_type kept_process_setting = {
	.table = { .name = "process_settings",
		   .about = "limits of the process",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_setting),
		   .columns = setting_columns },
	.bytes = sizeof(struct ans_setting),
	.fix = kept_fix_setting,
};

const struct kept_type kept_limit_setting = {
	.table = { .name = "limit_settings",
		   .parent = "limits",
		   .about = "settings of a server, client, pool",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_setting),
		   .columns = setting_columns },
	.bytes = sizeof(struct ans_setting),
	.fix = kept_fix_setting,
};

static const struct store_column limited_columns[] = {
	STORE_MEMBER(struct kept_limited, l.type, "type", STORE_TEXT, "Go type"),
	STORE_MEMBER(struct kept_limited, l.name, "name", STORE_TEXT, "as the program has it"),
	STORE_MEMBER(struct kept_limited, l.addr, "addr", STORE_ADDR, "where it lies"),
	STORE_MEMBER(struct kept_limited, l.field, "field", STORE_TEXT, "in the object"),
	STORE_MEMBER(struct kept_limited, l.conns, "conns", STORE_UINT | STORE_ZERO, "connections"),
	STORE_MEMBER(struct kept_limited, l.idle, "idle", STORE_UINT | STORE_ZERO, "of them"),
	STORE_MEMBER(struct kept_limited, l.open_bodies, "open_bodies", STORE_UINT | STORE_ZERO,
		     "answers not read to their end"),
	STORE_MEMBER(struct kept_limited, l.dropped, "dropped", STORE_UINT | STORE_ZERO,
		     "answers dropped without Close"),
	STORE_MEMBER(struct kept_limited, l.waiting, "waiting", STORE_UINT | STORE_ZERO,
		     "goroutines"),
	STORE_MEMBER(struct kept_limited, l.headers, "headers", STORE_UINT | STORE_ZERO,
		     "wait for a header"),
	STORE_MEMBER(struct kept_limited, l.serving, "serving", STORE_UINT | STORE_ZERO,
		     "requests"),
	STORE_MEMBER(struct kept_limited, l.waited, "waited", STORE_UINT | STORE_ZERO,
		     "since it began"),
	STORE_MEMBER(struct kept_limited, l.oldest_ns, "oldest_ns", STORE_UINT | STORE_ZERO,
		     "of the longest wait"),
	STORE_MEMBER(struct kept_limited, l.says, "says", STORE_TEXT, "what of this matters"),
	KEPT_ID(struct kept_limited, 0, "path", "id in paths: to the object"),
	{ 0 },
};
static const struct kept_part limited_parts[] = {
	{ KEPT_ONE, offsetof(struct kept_limited, l.holder), &kept_path },
	{ KEPT_ROWS, offsetof(struct kept_limited, settings), &kept_limit_setting },
	{ 0 },
};
const struct kept_type kept_limited = {
	.table = { .name = "limits",
		   .about = "servers, clients, pools, and what hangs on them",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_limited) + 8 * 1,
		   .columns = limited_columns },
	.bytes = sizeof(struct kept_limited),
	.parts = limited_parts,
};

static const struct store_column pop_col_columns[] = {
	STORE_MEMBER(struct kept_col, key, "key", STORE_TEXT, "its name there"),
	STORE_MEMBER(struct kept_col, title, "title", STORE_TEXT, "in words"),
	STORE_MEMBER(struct kept_col, form, "form", STORE_UINT | STORE_ZERO,
		     "text, count, bytes …"),
	STORE_MEMBER(struct kept_col, flags, "flags", STORE_UINT | STORE_ZERO, "how it is shown"),
	{ 0 },
};
const struct kept_type kept_pop_col = {
	.table = { .name = "pop_columns",
		   .parent = "pop_tables",
		   .about = "columns of a population's table",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_col),
		   .columns = pop_col_columns },
	.bytes = sizeof(struct kept_col),
};

static const struct store_column pop_table_columns[] = {
	STORE_MEMBER(struct kept_pop_table, key, "key", STORE_TEXT, "in JSON"),
	STORE_MEMBER(struct kept_pop_table, title, "title", STORE_TEXT, "in words"),
	STORE_MEMBER(struct kept_pop_table, name, "name", STORE_TEXT, "of the table here"),
	STORE_MEMBER(struct kept_pop_table, sort, "sort", STORE_UINT | STORE_ZERO,
		     "column that it is sorted by"),
	STORE_MEMBER(struct kept_pop_table, total, "rows", STORE_UINT | STORE_ZERO,
		     "that there were"),
	STORE_MEMBER(struct kept_pop_table, most, "most", STORE_UINT,
		     "rows that are ever shown; NULL: as many as are asked for"),
	{ 0 },
};
static const struct kept_part pop_table_parts[] = {
	{ KEPT_ROWS, offsetof(struct kept_pop_table, cols), &kept_pop_col },
	{ 0 },
};
const struct kept_type kept_pop_table = {
	.table = { .name = "pop_tables",
		   .parent = "pops",
		   .about = "tables of the populations",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_pop_table),
		   .columns = pop_table_columns },
	.bytes = sizeof(struct kept_pop_table),
	.parts = pop_table_parts,
};

static const struct store_column pop_total_columns[] = {
	STORE_MEMBER(struct pop_total, key, "key", STORE_TEXT, "in JSON"),
	STORE_MEMBER(struct pop_total, title, "title", STORE_TEXT, "in words"),
	STORE_MEMBER(struct pop_total, form, "form", STORE_UINT | STORE_ZERO, "count, bytes …"),
	STORE_MEMBER(struct pop_total, n, "n", STORE_UINT, "the figure"),
	{ 0 },
};
const struct kept_type kept_pop_total = {
	.table = { .name = "pop_totals",
		   .parent = "pops",
		   .about = "figures of a whole population",
		   .since = 1,
		   .row_bytes = sizeof(struct pop_total),
		   .columns = pop_total_columns },
	.bytes = sizeof(struct pop_total),
};

static const struct store_column pop_note_columns[] = {
	STORE_MEMBER(struct kept_text, text, "text", STORE_TEXT, "a sentence"),
	{ 0 },
};
const struct kept_type kept_pop_note = {
	.table = { .name = "pop_notes",
		   .parent = "pops",
		   .about = "what the reader of a population must know",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_text),
		   .columns = pop_note_columns },
	.bytes = sizeof(struct kept_text),
};

static const struct store_column pop_columns[] = {
	STORE_MEMBER(struct kept_pop, what, "name", STORE_TEXT, "of the command"),
	STORE_MEMBER(struct kept_pop, refused, "refused", STORE_TEXT, "why this evidence has none"),
	{ 0 },
};
static const struct kept_part pop_parts[] = {
	{ KEPT_ROWS, offsetof(struct kept_pop, tables), &kept_pop_table },
	{ KEPT_ROWS, offsetof(struct kept_pop, totals), &kept_pop_total },
	{ KEPT_ROWS, offsetof(struct kept_pop, notes), &kept_pop_note },
	{ 0 },
};
const struct kept_type kept_pop = {
	.table = { .name = "pops",
		   .about = "populations: maps, strings, timers …",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_pop),
		   .columns = pop_columns },
	.bytes = sizeof(struct kept_pop),
	.parts = pop_parts,
};

void kept_fix_cut(void *v)
{
	struct ans_cut *c = v;

	if (!c->from.what || !c->to.what)
		c->found = false;
}

void kept_fix_finding(void *v)
{
	struct ans_finding *y = v;

	y->known = "";
	y->per_gc = y->per_hour = INT64_MIN;
	if (y->own_frame >= y->stack.n)
		y->own_frame = 0;
	if (!y->goroutine.function || !y->goroutine.creator || !y->goroutine.wait)
		y->has_goroutine = false;
	if (!y->origin.basis)
		y->origin = (struct ans_origin){ .basis = "", .like = "", .why = "" };
}

static void fix_holder(struct ans_holder *h)
{
	static const struct ans_holder empty = ANS_HOLDER_EMPTY;

	if (h->what)
		return;
	*h = empty;
	h->what = "";
}

void kept_fix_why_item(void *v)
{
	struct ans_why_item *it = v;

	it->asked = "";
	fix_holder(&it->what);
}

void kept_fix_node(void *v)
{
	struct kept_node *k = v;

	fix_holder(&k->node.node);
}

void kept_fix_mem_line(void *v)
{
	struct ans_mem_line *l = v;

	if (l->level < 0 || l->level > 8)
		l->level = 0;
}

void kept_fix_setting(void *v)
{
	struct ans_setting *s = v;

	if (s->form > GO_FACT_WORD)
		s->form = 0;
}
