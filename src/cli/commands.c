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
	"or a file of runtime/debug.WriteHeapDump.\n"

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
		.args = "TARGET",
		.about = "is it leaking, what, who holds it, what to change",
		.help = WHERE
		"`limpet TARGET` is the same as `limpet report TARGET`.  A leak is proved, or measured by\n"
		"two looks: --since SNAPSHOT (limpet snapshot PID -o SNAPSHOT) raises suspects that grew\n"
		"and clears those that did not.  Findings that are known are left out by --ignore, by\n"
		"--known FILE, or by limpet.conf: docs/report.md, docs/config.md.",
		.example = "limpet report 1234 --since before.core",
		.opts = OPTS_COMMON | OPT_TREES | OPT_FINDINGS,
		.min_args = 1,
		.max_args = 1,
		.facts = TARGET_FACTS_FDS,
		.run = cmd_report,
	},
	{
		.name = "top",
		.args = "TARGET",
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
		"--ignore look at the names of all that hold an object: docs/attribution.md.",
		.example = "limpet top name:server --by field --tree both --focus main.Session",
		.opts = OPTS_COMMON | OPT_BY | OPT_SORT | OPT_TREES,
		.min_args = 1,
		.max_args = 1,
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
		.about = "the dominator tree, from all roots or from WHAT down",
		.help = WHERE "WHAT as in `limpet why`.  --limit counts children a node.",
		.example = "limpet tree 1234 --depth 3",
		.opts = OPTS_COMMON | OPT_DEPTH | OPT_TREES,
		.min_args = 1,
		.max_args = 2,
		.run = cmd_tree,
	},
	{
		.name = "goroutines",
		.args = "TARGET",
		.about = "goroutines: state, wait reason, creator, stack, what each alone retains",
		.help = WHERE
		"Waiting times are lower bounds: the runtime notes them at the first collection.\n"
		"Values of pprof labels are shown on a terminal, elsewhere hashed (--values).\n"
		"Leaked, proved: what it waits for is reached by nothing that can still run.  Suspect:\n"
		"many of one stack wait, each for a thing of its own, which someone could still use.",
		.example = "limpet goroutines 1234 --leaked --group-by stack",
		.opts = OPTS_COMMON | OPT_GROUP_BY | OPT_LEAKED,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_goroutines,
	},
	{
		.name = "memory",
		.args = "TARGET",
		.about = "where the memory is: cgroup, RSS, Go heap, runtime, outside of Go",
		.help = WHERE "The lines below RSS add up to it.",
		.example = "limpet memory 1234",
		.opts = OPTS_COMMON,
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
		.about = "an ELF core, taken in milliseconds of pause",
		.help = WHERE
		"The core opens in limpet, gdb, dlv and readelf.  It holds all values of the program;\n"
		"--no-payload leaves out what lies in pointer-free objects (strings, byte slices), and\n"
		"--redact also text in all other memory: what holds what remains, in both.",
		.example = "limpet snapshot 1234 -o core.1234 --zstd",
		.opts = (OPTS_COMMON & ~(uint64_t)(OPT_LIMIT | OPT_NO_COLOR | OPT_VALUES)) |
			OPT_ZSTD | OPT_NO_PAYLOAD | OPT_REDACT,
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
	{ .name = "diff", .about = "what grew between two snapshots" },
	{ .name = "sql", .about = "SQL over all of it" },
	{ .name = "profile", .about = "a pprof file of what is retained" },
	{ .name = "gc", .about = "is the collector the problem" },
	{ .name = "watch", .about = "follow processes for days" },
	{ .name = "check", .about = "the gate for CI" },
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
