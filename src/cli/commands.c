/*
 * commands.c - the one table of commands.
 *
 * --help, manual pages and completion are made from it.
 */
#include "cli/cmds.h"
#include "target/target.h"

#define WHERE                                                                            \
	"TARGET is a process (PID, pid:PID or name:NAME, the exact name of the program;\n" \
	"name:NAME@ID is the one in the container, pod or unit whose id begins so), a core,\n" \
	"a file of runtime/debug.WriteHeapDump, or a store (snapshot -o x.limpet).\n"

#define POPULATION(n, what, more, eg, extra)                                  \
	{                                                                     \
		.name = n,                                                    \
		.args = "TARGET",                                             \
		.about = what,                                                \
		.help = WHERE more,                                           \
		.example = eg,                                                \
		.opts = OPTS_COMMON | OPT_SORT | (extra),                     \
		.min_args = 1,                                                \
		.max_args = 1,                                                \
		.run = cmd_pop,                                               \
	}

static const struct cmd table[] = {
	{
		.name = "report",
		.args = "TARGET [MORE…]",
		.about = "is it leaking, what, who holds it, what to change",
		.help = WHERE
		"`limpet TARGET` is the same as `limpet report TARGET`.  A leak is proved, or measured by\n"
		"two looks: --since SNAPSHOT (limpet snapshot PID -o SNAPSHOT) raises suspects that grew\n"
		"and clears those that did not.  Findings that are known are left out by --ignore, by\n"
		"--known FILE, or by limpet.conf: docs/report.md, docs/config.md.  MORE is other evidence\n"
		"of the same program, in any order, also without a TARGET: profiles (heap, goroutine, mutex),\n"
		"dumps of goroutines, a log with gctrace lines, what the compiler says of escapes\n"
		"(-gcflags=-m=2), JSON of linters.  Each finding says which piece supports or weakens it, the\n"
		"end which one is missing, and how to get it: docs/evidence.md.",
		.example = "limpet report 1234 server.log heap.pb.gz escape.txt",
		.opts = OPT_GOTEXT | OPTS_COMMON | OPT_TREES | OPT_FINDINGS | OPT_OUTPUTS | OPT_GCLOG,
		.min_args = 1,
		.max_args = ARGS_MAX,
		.targets = ARGS_MAX,
		.facts = TARGET_FACTS_FDS,
		.run = cmd_report,
	},
	{
		.name = "top",
		.args = "TARGET…",
		.about = "what takes the memory: by type, package, module, root, goroutine, label, field, site …",
		.help = WHERE
		"Retained bytes are what would be freed with a row's objects: each byte counts once in\n"
		"a row.  By root, goroutine and label all rows together are the reachable bytes.  By label\n"
		"(label:KEY: of that key alone) rows are what goroutines of equal pprof labels hold\n"
		"together: docs/labels.md; values are hashed but on a terminal (--values).  By site rows\n"
		"are functions (--granularity line: lines) that allocated, as `go tool pprof -top` has\n"
		"them, from the samples that the program takes itself: docs/sites.md.\n"
		"The exact tree has what would be freed; in the owner's tree pools, caches, timers and\n"
		"contexts pass on what they do not own (--tree, rules of your own with --owners:\n"
		"`pool main.bufs`, `cache main.lru`, `pass main.T.items`, `own main.x`).  --focus and\n"
		"--ignore look at the names of all that hold an object: docs/attribution.md.  With --watch a\n"
		"view that refreshes, by site, without stopping the program: docs/watch.md.\n"
		"A profile (pprof, packed or not; text of debug=1): functions by flat and cum, as `go tool\n"
		"pprof -top` has them, --value inuse_space, alloc_space, cpu …; several are added up:\n"
		"docs/pprof.md.",
		.example = "limpet top name:server --by field --tree both --focus main.Session",
		.opts = OPT_GOTEXT | OPTS_COMMON | OPT_WATCH | OPT_BY | OPT_SORT | OPT_TREES | OPT_PPROF |
			OPT_PPROF_DRAW,
		.min_args = 1,
		.max_args = ARGS_MAX,
		.targets = ARGS_MAX,
		.run = cmd_top,
	},
	{
		.name = "why",
		.args = "TARGET WHAT…",
		.about = "why is it alive: paths from roots, independent holders, the edge to cut",
		.help = WHERE
		"WHAT is an address (0xc000123, also inside an object), a type (main.Session), a\n"
		"global's name, or goroutine:17.  The first line of a path is a Go expression, to be\n"
		"pasted into source or into dlv on a core; keys of maps are hashed unless --values full.",
		.example = "limpet why 1234 main.Session --values full",
		.opts = OPTS_COMMON | OPT_PATHS | OPT_TREES,
		.min_args = 2,
		.max_args = ARGS_MAX,
		.run = cmd_why,
	},
	{
		.name = "object",
		.args = "TARGET WHAT",
		.about = "one object, global or goroutine's locals as Go source; who points at it",
		.help = WHERE
		"WHAT is an address (also inside an object), a global's name, a type's name (the object\n"
		"of it that holds most) or goroutine:17.  Pointers are followed --depth (2) deep, slices\n"
		"and maps show --width (16) elements, strings --bytes (128).  Values are shown on a\n"
		"terminal; elsewhere only with --values full.",
		.example = "limpet object 1234 main.cache --depth 3 --width 5",
		.opts = OPTS_COMMON | OPT_DEPTH | OPT_SHOWN,
		.min_args = 2,
		.max_args = 2,
		.run = cmd_object,
	},
	{
		.name = "tree",
		.args = "TARGET [WHAT]",
		.about = "the dominator tree, from all roots or from WHAT down; of a profile its calls",
		.help = WHERE "WHAT as in `limpet why`.  --limit counts children a node.\n"
			      "Of a profile: every function between its callers and its callees, as `go tool pprof\n"
			      "-tree`; with WHAT, a regular expression, those that match (`limpet peek`). --limit\n"
			      "counts functions; 0 leaves nothing out: docs/pprof.md.",
		.example = "limpet tree 1234 --depth 3",
		.opts = OPT_GOTEXT | OPTS_COMMON | OPT_DEPTH | OPT_TREES | OPT_PPROF | OPT_PPROF_NAMES |
			OPT_PPROF_ROWS | OPT_PPROF_DRAW,
		.min_args = 1,
		.max_args = 2,
		.run = cmd_tree,
	},
	{
		.name = "peek",
		.args = "PROFILE REGEX",
		.about = "of a profile: functions that match, who calls them, whom they call",
		.help = "As `go tool pprof -peek`.  A function's callers stand above it, with what comes through\n"
			"each; below it what it calls: docs/pprof.md.",
		.example = "limpet peek heap.pb.gz 'main\\.load'",
		.opts = OPTS_PPROF | OPT_PPROF_ROWS,
		.min_args = 2,
		.max_args = 2,
		.run = cmd_of_profiles,
	},
	{
		.name = "list",
		.args = "PROFILE REGEX",
		.about = "of a profile: functions that match, line by line, beside their source",
		.help = "As `go tool pprof -list`.  --source is the folder that has the source: a file is looked for\n"
			"below it by the longest end of its path; without, lines are told by their numbers.",
		.example = "limpet list heap.pb.gz 'main\\.load' --source .",
		.opts = OPTS_PPROF | OPT_PPROF_SOURCE,
		.min_args = 2,
		.max_args = 2,
		.run = cmd_of_profiles,
	},
	{
		.name = "goroutines",
		.args = "TARGET",
		.about = "goroutines: state, wait reason, creator, stack, what each alone retains",
		.help = WHERE
		"Waiting times are lower bounds: the runtime notes them at the first collection.\n"
		"Values of pprof labels are shown on a terminal, elsewhere hashed (--values).\n"
		"Leaked, proved: what it waits for is reached by nothing that can still run.  Suspect:\n"
		"many of one stack wait, each for a thing of its own, which someone could still use.\n"
		"A text (of a panic, SIGQUIT, runtime.Stack, /debug/pprof/goroutine?debug=1 or 2, in any log):\n"
		"groups, ages, growth from dump to dump, suspects, locks: docs/goroutine-dumps.md.",
		.example = "limpet goroutines 1234 --leaked --group-by stack",
		.opts = OPTS_COMMON | OPT_GROUP_BY | OPT_LEAKED | OPT_GOTEXT,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_goroutines,
	},
	{
		.name = "memory",
		.args = "TARGET",
		.about = "where the memory is: cgroup, RSS, Go heap, runtime, outside of Go",
		.help = WHERE
		"The lines below RSS add up to it.  With --watch a view that refreshes, from the program's\n"
		"own counters: it is neither stopped nor traced for that.  Not on a terminal: a line a\n"
		"refresh, or a JSON document: docs/watch.md.",
		.example = "limpet memory 1234 --watch=5s",
		.opts = OPTS_COMMON | OPT_WATCH,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_memory,
	},
	{
		.name = "verify",
		.args = "TARGET",
		.about = "is limpet right: its reachable set against the collector's mark bits",
		.help = WHERE
		"What one snapshot cannot decide (garbage since the last cycle) is looked at again after\n"
		"the next cycle, if one comes within --wait seconds (10).  Exit 1: it does not hold.",
		.example = "limpet verify 1234 --wait 130",
		.opts = OPTS_COMMON | OPT_WAIT,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_verify,
	},
	{
		.name = "snapshot",
		.args = "TARGET -o FILE",
		.about = "an ELF core, or a store of all answers, in milliseconds of pause",
		.help = WHERE
		"The core opens in limpet, gdb, dlv and readelf.  It holds all values of the program;\n"
		"--no-payload leaves out what lies in pointer-free objects (strings, byte slices), and\n"
		"--redact also text in all other memory: what holds what remains, in both.\n"
		"FILE with `.limpet` in its name: the analysed store, an SQLite file without the program's\n"
		"values, for later questions and for `limpet diff` (docs/store.md); of any TARGET.",
		.example = "limpet snapshot 1234 -o before.limpet",
		.opts = (OPTS_COMMON & ~(uint64_t)(OPT_LIMIT | OPT_NO_COLOR)) |
			OPT_ZSTD | OPT_NO_PAYLOAD | OPT_REDACT | OPT_DETAIL,
		.min_args = 1,
		.max_args = 1,
		.facts = TARGET_FACTS_FLOATS | TARGET_FACTS_FDS,
		.run = cmd_snapshot,
	},
	{
		.name = "core-handler",
		.args = "PID [SIGNAL]",
		.about = "for kernel.core_pattern: keep the report and a small core of who dies",
		.help = "The kernel starts it with the core on stdin when a program dies:\n"
			"    sysctl 'kernel.core_pattern=|/usr/local/bin/limpet core-handler %P %s'\n"
			"A Go program (GOTRACEBACK=crash) is analysed while it waits in the kernel; what is\n"
			"kept holds no text of the program unless --core no-payload or full says so.  One\n"
			"line goes to syslog.",
		.example = "limpet core-handler 1234 6 --dir /var/lib/limpet <core",
		.opts = OPT_HANDLER | OPT_JSON | OPT_LAYOUT | OPT_THREADS | OPT_MAX_MEMORY |
			OPT_HELP,
		.min_args = 1,
		.max_args = 2,
		.free = true,
		.run = cmd_core_handler,
	},
	{
		.name = "layout",
		.args = "--go PATH",
		.about = "make a layout table for a Go version from its toolchain",
		.help = "PATH is the go command.  The table goes to stdout or -o FILE, and is used by\n"
			"--layout FILE.",
		.example = "limpet layout --go /usr/local/go/bin/go -o go1.99.layout",
		.opts = OPT_GO | OPT_OUT | OPT_QUIET | OPT_HELP,
		.free = true,
		.run = cmd_layout,
	},
	POPULATION("types", "all types: objects, bytes, size, kind",
		   "Rows (of slices) are types of their own.  --all adds the types that the program has\n"
		   "and no object is of.  --sort takes bytes, objects, size, kind, package or name.",
		   "limpet types 1234 --sort objects", OPT_ALL),
	POPULATION("strings", "strings: duplicates, the longest, buffers pinned by small ones",
		   "Text is shown on a terminal, elsewhere as a short hash (--values full shows it).  Equal\n"
		   "strings that share their memory are no duplicates.  --sort takes waste_bytes, copies,\n"
		   "refs, len or bytes.",
		   "limpet strings 1234 --sort copies", 0),
	POPULATION("maps", "maps: entries, slots, load, waste; sparse and growing ones",
		   "sparse: 64 slots or more, at most an eighth of them filled: emptied by deletion (a map\n"
		   "never shrinks), or made too large.  --sort takes waste_bytes, bytes, len, slots, load.",
		   "limpet maps 1234 --sort len", 0),
	POPULATION("slices", "slices: capacity without content, small views of big arrays",
		   "One row for all slices of one type at one place.  A pinned array has no reference but\n"
		   "the views that show its small part.  --sort takes waste_bytes, used_bytes, arrays, cap.",
		   "limpet slices 1234", 0),
	POPULATION("chans", "channels: what is queued, who waits, who holds them",
		   "--sort takes len, cap, senders, receivers, bytes, retained_bytes or type.",
		   "limpet chans 1234 --sort senders", 0),
	POPULATION("timers", "timers, tickers, AfterFuncs: when, how often, what they keep",
		   "Stopped and fired ones too, while something holds them.  --sort takes retained_bytes,\n"
		   "when_ns, period_ns, kind or function.",
		   "limpet timers 1234 --sort period_ns", 0),
	POPULATION("contexts", "contexts: kind, depth, children, deadline, cancelled or not",
		   "--sort takes children, depth, retained_bytes, deadline_ns, kind or key_type.",
		   "limpet contexts 1234 --sort depth", 0),
	POPULATION("pools", "sync.Pools: private, shared, left over by the last cycle; New",
		   "Pools that are globals of a stripped program are known by their shape.  --sort takes\n"
		   "retained_bytes, bytes, values, private, shared, victims or largest_bytes.",
		   "limpet pools 1234 --sort largest_bytes", 0),
	POPULATION("finalizers", "finalizers, cleanups, weak pointers; what is queued",
		   "One row for all objects of one type with one function.  --sort takes count, bytes,\n"
		   "unreachable, kind, type or function.",
		   "limpet finalizers 1234", 0),
	{
		.name = "fds",
		.args = "TARGET",
		.about = "files and sockets: what each descriptor is, which object holds it, who holds that",
		.help = WHERE
			"Of a process the kernel's own list is joined with the objects in memory (os.File,\n"
			"net.TCPConn …); of a core only memory tells.  Paths and hosts are shown on a terminal,\n"
			"elsewhere as a short hash (--values full shows them).  --sort takes fd, kind, state,\n"
			"retained_bytes, type, path, local, peer or offset.  `limpet why TARGET fd:12` tells why\n"
			"one is alive.",
		.example = "limpet fds 1234 --sort retained_bytes",
		.opts = OPTS_COMMON | OPT_SORT,
		.min_args = 1,
		.max_args = 1,
		.facts = TARGET_FACTS_FDS,
		.run = cmd_pop,
	},
	{
		.name = "diff",
		.args = "OLD NEW [NEWER…] | PID --for TIME",
		.about = "what came, went and stayed between looks, object by object",
		.help = "Each is a store (limpet snapshot PID -o before.limpet), a core or a heap dump; the last\n"
			"may be a process, which is looked at now; up to 8, in the order of time.  Of one process\n"
			"objects are told apart by their addresses and the collector's marks: exact where at most\n"
			"one collection lies between two looks, else survivors that may be others are counted as\n"
			"\"maybe\".  Three looks (before, under load, settled) tell what stayed from what turned\n"
			"over and what was let go.  Looks at different processes or builds are compared by names,\n"
			"and per hour of uptime, or per request (--requests): docs/diff.md.\n"
			"PID --for 60s takes both looks itself and reads what every collection in between marked,\n"
			"while the program runs: exact, however many there are.\n"
			"Of two profiles: what grew, as `go tool pprof -diff_base` (totals since the start: what came\n"
			"between, as -base); of three and more a slope for each place: docs/pprof.md.",
		.example = "limpet diff before.limpet after.limpet",
		.opts = OPT_GOTEXT | (OPTS_COMMON & ~(uint64_t)OPT_VALUES) | OPT_DIFF | OPT_FOLLOW |
			OPT_PPROF | OPT_PPROF_NAMES | OPT_PPROF_DIFF,
		.min_args = 1,
		.max_args = 256, /* profiles; of heaps cmd_diff.c takes 8 */
		.targets = 256,
		.facts = TARGET_FACTS_FDS,
		.run = cmd_diff,
	},
	{ .name = "sql", .about = "SQL over all of it" },
	{
		.name = "gc",
		.args = "TARGET",
		.about = "is the collector the problem: GOGC, GOMEMLIMIT, pauses, CPU, growth; GC logs",
		.help = WHERE
		"Or what GODEBUG=gctrace=1 wrote, in any other output: each collection is found, told\n"
		"apart by process, and judged: leak, warming cache, steady, death spiral, starved\n"
		"(--limit N: a table of the newest; --svg FILE: a picture). Or a heap profile as text\n"
		"(/debug/pprof/heap?debug=1), behind which the runtime's MemStats stand: docs/gc.md.",
		.example = "limpet gc server.log --svg heap.svg",
		.opts = OPTS_COMMON | OPT_GCLOG,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_gc,
	},
	{
		.name = "profile",
		.args = "TARGET [PROFILE…]",
		.about = "a pprof file out of any process: heap, goroutines, mutexes",
		.help = WHERE
		"What the program's own /debug/pprof would have given, out of its memory: it needs no\n"
		"endpoint.  heap and allocs are the samples that every Go program takes, goroutine has the\n"
		"labels too (values as short hashes, --values full), goroutineleak those that are proved\n"
		"never to run again; mutex and block where the program counts them: docs/profile.md.\n"
		"Of the object graph: retention is who holds the memory (a root, types and fields; each\n"
		"byte once), retained where that was allocated which holds it; --format heapsnapshot and\n"
		"hprof are the graph for Chrome DevTools, memlab, Eclipse MAT: docs/formats.md.\n"
		"Of profiles (files, URLs) it makes one, in another --format.",
		.example = "limpet profile 1234 --kind heap -o heap.pb.gz && go tool pprof -top heap.pb.gz",
		.opts = OPTS_COMMON | OPT_PROFILE | OPT_TREES,
		.min_args = 1,
		.max_args = ARGS_MAX,
		.targets = ARGS_MAX,
		.run = cmd_profile,
	},
	{ .name = "watch", .about = "follow processes for days" },
	{
		.name = "check",
		.args = "-- COMMAND…",
		.about = "the gate for CI: run, load, settle, compare; fail when memory or goroutines stay",
		.help = "Starts COMMAND, waits until it is ready (it listens on a port; --ready-*), runs --load\n"
			"once (--warmup) and then again and again, as often as it takes to tell a leak from a cache\n"
			"that fills; between rounds it takes a look, object by object.  In the load's environment:\n"
			"LIMPET_PORT, LIMPET_PORTS, LIMPET_PID, LIMPET_ROUND, LIMPET_LOAD.  Without --load time is\n"
			"the load.  Whatever was started is ended.  Exit: 0 nothing stays; 1 memory or goroutines\n"
			"stay, a limit is broken, or neither can be said; 3 the program or the load failed; 4 it is\n"
			"no Go program that limpet can read: docs/check.md.  `check -- go test ./...`: what a package's\n"
			"tests leave is held against them, and which test it is.  --update-baseline accepts what\n"
			"is found: only new findings fail.  For CI: docs/ci.md.",
		.example = "limpet check --load 'curl -s localhost:$LIMPET_PORT/' -- ./server -listen :8080",
		.opts = OPT_JSON | OPT_NO_COLOR | OPT_QUIET | OPT_OUT | OPT_FREEZE | OPT_MAX_PAUSE |
			OPT_THREADS | OPT_MAX_MEMORY | OPT_LAYOUT | OPT_CHECK | OPT_OUTPUTS | OPT_HELP,
		.max_args = ARGS_MAX,
		.free = true,
		.run = cmd_check,
	},
	{ .name = "serve", .about = "all of it in a browser" },
	{
		.name = "locks",
		.args = "TARGET",
		.about = "which mutex, held by whom and where, keeps how many waiting",
		.help = WHERE
		"Every sync.Mutex and RWMutex (and wait group, semaphore) that a goroutine waits for:\n"
		"its way from a root, its state word, who waits where and at least how long.  Go notes no\n"
		"holder: it is inferred from stacks, and how is said (docs/locks.md).  Locks whose holders\n"
		"wait for each other are named as a deadlock.  --limit counts waiters a lock (5).",
		.example = "limpet locks 1234",
		.opts = OPTS_COMMON,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_locks,
	},
	{
		.name = "audit",
		.args = "TARGET",
		.about = "which limits are off: http.Server, Transport, Client, sql.DB, dialers, GOMEMLIMIT",
		.help = WHERE
		"Every one that is reachable: its settings as they are in memory, what an unset one means,\n"
		"and what hangs on it now: connections (idle, in use, with an answer that nobody read to\n"
		"its end), goroutines that wait, requests being served: docs/audit.md.",
		.example = "limpet audit 1234",
		.opts = OPTS_COMMON,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_audit,
	},
	{
		.name = "doctor",
		.args = "[TARGET]",
		.about = "can limpet work here, on that process; what is missing, how to get it",
		.help = WHERE
		"Looks from outside: the process is neither stopped nor traced.  Each line is OK, a note,\n"
		"or a failure with what to do.  --selftest takes a snapshot of a child of limpet's own\n"
		"(with --exe FILE: verifies that Go program too, which must print READY and wait).\n"
		"--reap PID takes away twins that a killed limpet left.  Exit: 0 it can work; else what\n"
		"another command would exit with: 3 no permission, 4 not Go or unknown, 5 a limit.",
		.example = "limpet doctor name:server",
		.opts = OPT_JSON | OPT_NO_COLOR | OPT_QUIET | OPT_OUT | OPT_EXE | OPT_LAYOUT | OPT_MAX_PAUSE |
			OPT_SELFTEST | OPT_REAP | OPT_HELP,
		.max_args = 1,
		.free = true,
		.run = cmd_doctor,
	},
};

const struct cmd *commands(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(table);
	return table;
}

const struct cmd *command_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}
