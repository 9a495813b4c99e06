/*
 * kept_types.c - which members of the answers stand in which tables.
 *
 * Knows nothing else.  A member that is left out here is not kept.  Sizes are bytes, times ns,
 * addresses text in hex; NULL is unknown.
 */
#include "report/kept_types.h"

static const struct store_column label_pair_columns[] = {
	STORE_MEMBER(struct ans_label_pair, key, "key", STORE_TEXT, "its key"),
	STORE_MEMBER(struct ans_label_pair, value, "value", STORE_WORD,
		     "its value, or a hash of it; NULL: withheld"),
	STORE_MEMBER(struct ans_label_pair, left_out, "left_out", STORE_BOOL,
		     "1: whoever made the core took the value out"),
	STORE_MEMBER(struct ans_label_pair, hashed, "hashed", STORE_BOOL,
		     "1: value is a hash of it"),
	{ 0 },
};
const struct kept_type kept_label_pair = {
	.table = { .name = "labels",
		   .parent = "label_sets",
		   .about = "a pprof label of a set",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_label_pair),
		   .columns = label_pair_columns },
	.bytes = sizeof(struct ans_label_pair),
};

static const struct store_column holder_columns[] = {
	STORE_MEMBER(struct ans_holder, what, "what", STORE_TEXT,
		     "global, goroutine, object, skipped …"),
	STORE_MEMBER(struct ans_holder, name, "name", STORE_TEXT, "of a root; empty for objects"),
	STORE_MEMBER(struct ans_holder, type, "type", STORE_TEXT, "Go type; empty: unknown"),
	STORE_MEMBER(struct ans_holder, field, "field", STORE_TEXT,
		     "through which the next one is held"),
	STORE_MEMBER(struct ans_holder, frame, "frame", STORE_TEXT,
		     "goroutine: function whose frame holds the next"),
	STORE_MEMBER(struct ans_holder, var, "var", STORE_TEXT,
		     "root: variable that holds the next"),
	STORE_MEMBER(struct ans_holder, key, "key", STORE_TEXT,
		     "of a map: a literal, or a hash of it"),
	STORE_MEMBER(struct ans_holder, expr, "expr", STORE_TEXT,
		     "the pointer to it as a Go expression"),
	STORE_MEMBER(struct ans_holder, addr, "addr", STORE_ADDR, "where it lies"),
	STORE_MEMBER(struct ans_holder, at, "at", STORE_ADDR, "where the pointer to the next lies"),
	STORE_MEMBER(struct ans_holder, to, "to", STORE_ADDR, "what that pointer is"),
	STORE_MEMBER(struct ans_holder, bytes, "bytes", STORE_UINT | STORE_ZERO, "of it alone"),
	STORE_MEMBER(struct ans_holder, retained, "retained_bytes", STORE_UINT | STORE_ZERO,
		     "what goes when it goes"),
	STORE_MEMBER(struct ans_holder, owner_retained, "owner_retained_bytes",
		     STORE_UINT | STORE_ZERO, "the same in the owner's tree"),
	STORE_MEMBER(struct ans_holder, count, "count", STORE_UINT | STORE_ZERO,
		     "skipped, map-value: how many nodes"),
	KEPT_ID(struct ans_holder, 0, "labels", "id in label_sets, 0: none"),
	{ 0 },
};
static const struct kept_part holder_parts[] = {
	{ KEPT_LABELS, offsetof(struct ans_holder, labels), &kept_labels },
	{ 0 },
};
const struct kept_type kept_path_node = {
	.table = { .name = "path_nodes",
		   .parent = "paths",
		   .about = "nodes of paths, the root first",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_holder) + 8,
		   .columns = holder_columns },
	.bytes = sizeof(struct ans_holder),
	.parts = holder_parts,
};

const struct kept_type kept_holder = {
	.table = { .name = "holders",
		   .about = "single nodes: ends of cuts, what was asked about",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_holder) + 8,
		   .columns = holder_columns },
	.bytes = sizeof(struct ans_holder),
	.parts = holder_parts,
};

static const struct store_column path_columns[] = {
	STORE_MEMBER(struct ans_path, expression, "expression", STORE_TEXT,
		     "the pointer to the last node as Go source says it"),
	STORE_MEMBER(struct ans_path, dlv, "dlv", STORE_TEXT, "as dlv evaluates it on a core"),
	STORE_MEMBER(struct ans_path, type, "type", STORE_TEXT, "of the expression"),
	STORE_MEMBER(struct ans_path, unsaid, "unsaid", STORE_UINT | STORE_ZERO,
		     "steps that dlv has no words for"),
	STORE_MEMBER(struct ans_path, why_unsaid, "why_unsaid", STORE_TEXT, "the last of them"),
	STORE_MEMBER(struct ans_path, inside, "inside", STORE_BOOL,
		     "1: the value is the object's own memory"),
	STORE_MEMBER(struct ans_path, at, "at", STORE_ADDR, "where the pointer word lies"),
	STORE_MEMBER(struct ans_path, to, "to", STORE_ADDR, "what it is"),
	STORE_MEMBER(struct ans_path, goroutine, "goroutine", STORE_UINT | STORE_ZERO,
		     "whose frame a local is looked up in"),
	STORE_MEMBER(struct ans_path, frame, "frame", STORE_UINT | STORE_ZERO, "as dlv counts"),
	{ 0 },
};
static const struct kept_part path_parts[] = {
	{ KEPT_ROWS, offsetof(struct ans_path, nodes), &kept_path_node },
	{ 0 },
};
const struct kept_type kept_path = {
	.table = { .name = "paths",
		   .about = "ways from roots, pointed at by other tables",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_path),
		   .columns = path_columns },
	.bytes = sizeof(struct ans_path),
	.parts = path_parts,
};

static const struct store_column frame_columns[] = {
	STORE_MEMBER(struct ans_frame, function, "function", STORE_TEXT, "Go function"),
	STORE_MEMBER(struct ans_frame, file, "file", STORE_TEXT, "source file"),
	STORE_MEMBER(struct ans_frame, line, "line", STORE_INT | STORE_ZERO, "in it"),
	STORE_MEMBER(struct ans_frame, inlined, "inlined", STORE_BOOL, "1: inlined into the next"),
	{ 0 },
};
const struct kept_type kept_origin_frame = {
	.table = { .name = "origin_frames",
		   .parent = "origins",
		   .about = "stack of an allocation, innermost first",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_frame),
		   .columns = frame_columns },
	.bytes = sizeof(struct ans_frame),
};

const struct kept_type kept_finding_frame = {
	.table = { .name = "finding_frames",
		   .parent = "findings",
		   .about = "stack of a finding's goroutine, innermost first",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_frame),
		   .columns = frame_columns },
	.bytes = sizeof(struct ans_frame),
};

const struct kept_type kept_stack_frame = {
	.table = { .name = "stack_frames",
		   .parent = "stacks",
		   .about = "frames of a stack, innermost first",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_frame),
		   .columns = frame_columns },
	.bytes = sizeof(struct ans_frame),
};

static const struct store_column origin_site_columns[] = {
	STORE_MEMBER(struct ans_origin_site, frame.function, "function", STORE_TEXT, "Go function"),
	STORE_MEMBER(struct ans_origin_site, frame.file, "file", STORE_TEXT, "source file"),
	STORE_MEMBER(struct ans_origin_site, frame.line, "line", STORE_INT | STORE_ZERO, "in it"),
	STORE_MEMBER(struct ans_origin_site, frame.inlined, "inlined", STORE_BOOL, "1: inlined"),
	STORE_MEMBER(struct ans_origin_site, count, "samples", STORE_UINT | STORE_ZERO,
		     "samples that end there"),
	STORE_MEMBER(struct ans_origin_site, site, "site", STORE_UINT | STORE_ZERO,
		     "number of a stack of the profile"),
	{ 0 },
};
const struct kept_type kept_origin_site = {
	.table = { .name = "origin_sites",
		   .parent = "origins",
		   .about = "lines where its like were allocated",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_origin_site),
		   .columns = origin_site_columns },
	.bytes = sizeof(struct ans_origin_site),
};

static const struct store_column origin_columns[] = {
	STORE_MEMBER(struct ans_origin, sampled, "sampled", STORE_BOOL,
		     "1: it is one of the runtime's samples itself"),
	STORE_MEMBER(struct ans_origin, by_code, "by_code", STORE_BOOL,
		     "1: no samples; lines are calls in the program's code that make such"),
	STORE_MEMBER(struct ans_origin, of, "samples", STORE_UINT | STORE_ZERO,
		     "samples that are like it"),
	STORE_MEMBER(struct ans_origin, others, "others", STORE_UINT | STORE_ZERO,
		     "of these, of lines that are not listed"),
	STORE_MEMBER(struct ans_origin, basis, "basis", STORE_TEXT, "what like it means"),
	STORE_MEMBER(struct ans_origin, like, "like_what", STORE_TEXT, "what they have in common"),
	STORE_MEMBER(struct ans_origin, why, "why", STORE_TEXT, "why nothing is known"),
	{ 0 },
};
static const struct kept_part origin_parts[] = {
	{ KEPT_ROWS, offsetof(struct ans_origin, stack), &kept_origin_frame },
	{ KEPT_ROWS, offsetof(struct ans_origin, sites), &kept_origin_site },
	{ 0 },
};
const struct kept_type kept_origin = {
	.table = { .name = "origins",
		   .about = "where objects were allocated, pointed at by other tables",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_origin),
		   .columns = origin_columns },
	.bytes = sizeof(struct ans_origin),
	.parts = origin_parts,
};

static const struct store_column cut_columns[] = {
	STORE_MEMBER(struct ans_cut, bytes, "bytes", STORE_UINT, "that would go"),
	STORE_MEMBER(struct ans_cut, objects, "objects", STORE_UINT, "that would go"),
	STORE_MEMBER(struct ans_cut, found, "found", STORE_BOOL, "1: there is one"),
	KEPT_ID(struct ans_cut, 0, "from_holder", "id in holders"),
	KEPT_ID(struct ans_cut, 1, "to_holder", "id in holders"),
	{ 0 },
};
static const struct kept_part cut_parts[] = {
	{ KEPT_ONE, offsetof(struct ans_cut, from), &kept_holder },
	{ KEPT_ONE, offsetof(struct ans_cut, to), &kept_holder },
	{ 0 },
};
const struct kept_type kept_cut = {
	.table = { .name = "cuts",
		   .about = "the one reference whose end would free something",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_cut) + 8 * 2,
		   .columns = cut_columns },
	.bytes = sizeof(struct ans_cut),
	.parts = cut_parts,
	.fix = kept_fix_cut,
};

static const struct store_column loss_columns[] = {
	STORE_MEMBER(struct ans_loss, what, "what", STORE_TEXT, "in words"),
	STORE_MEMBER(struct ans_loss, count, "count", STORE_UINT | STORE_ZERO, "how often"),
	STORE_MEMBER(struct ans_loss, bytes, "bytes", STORE_UINT | STORE_ZERO, "how much"),
	{ 0 },
};
const struct kept_type kept_loss = {
	.table = { .name = "losses",
		   .about = "what could not be read",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_loss),
		   .columns = loss_columns },
	.bytes = sizeof(struct ans_loss),
};

static const struct store_column cost_columns[] = {
	STORE_MEMBER(struct ans_cost, name, "name", STORE_TEXT, "kind of its findings"),
	STORE_MEMBER(struct ans_cost, ns, "ns", STORE_UINT | STORE_ZERO, "time"),
	STORE_MEMBER(struct ans_cost, skipped, "skipped", STORE_WORD, "why it was not asked"),
	{ 0 },
};
const struct kept_type kept_cost = {
	.table = { .name = "detectors",
		   .about = "what each detector cost",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_cost),
		   .columns = cost_columns },
	.bytes = sizeof(struct ans_cost),
};

static const struct store_column head_columns[] = {
	STORE_MEMBER(struct ans_head, kind, "kind", STORE_TEXT, "live, core, heapdump"),
	STORE_MEMBER(struct ans_head, pid, "pid", STORE_INT | STORE_ZERO, "of the process"),
	STORE_MEMBER(struct ans_head, ns_pid, "ns_pid", STORE_INT | STORE_ZERO,
		     "as it numbers itself"),
	STORE_MEMBER(struct ans_head, container, "container", STORE_TEXT, "its id"),
	STORE_MEMBER(struct ans_head, runtime, "runtime", STORE_TEXT, "of the container"),
	STORE_MEMBER(struct ans_head, pod, "pod", STORE_TEXT, "its id"),
	STORE_MEMBER(struct ans_head, unit, "unit", STORE_TEXT, "systemd unit"),
	STORE_MEMBER(struct ans_head, exe, "exe", STORE_TEXT, "executable"),
	STORE_MEMBER(struct ans_head, go, "go", STORE_TEXT, "version of Go"),
	STORE_MEMBER(struct ans_head, arch, "arch", STORE_TEXT, "GOARCH"),
	STORE_MEMBER(struct ans_head, experiments, "experiments", STORE_TEXT, "GOEXPERIMENT"),
	STORE_MEMBER(struct ans_head, file, "file", STORE_TEXT, "that it was made from"),
	STORE_MEMBER(struct ans_head, dwarf, "dwarf", STORE_BOOL, "1: it has DWARF"),
	STORE_MEMBER(struct ans_head, stripped, "stripped", STORE_BOOL, "1: it has no symbols"),
	STORE_MEMBER(struct ans_head, layout_exact, "layout_exact", STORE_BOOL,
		     "1: the table is of this version"),
	STORE_MEMBER(struct ans_head, layout, "layout", STORE_TEXT, "table of layouts"),
	STORE_MEMBER(struct ans_head, module, "module", STORE_TEXT, "main module"),
	STORE_MEMBER(struct ans_head, version, "version", STORE_TEXT, "of the module"),
	STORE_MEMBER(struct ans_head, revision, "revision", STORE_TEXT, "of the version control"),
	STORE_MEMBER(struct ans_head, started_unix_ns, "started_unix_ns", STORE_UINT | STORE_ZERO,
		     "when the process began"),
	STORE_MEMBER(struct ans_head, at_unix_ns, "at_unix_ns", STORE_UINT | STORE_ZERO,
		     "when it was looked at"),
	STORE_MEMBER(struct ans_head, method, "method", STORE_TEXT, "fork, freeze, file"),
	STORE_MEMBER(struct ans_head, pause_ns, "pause_ns", STORE_UINT | STORE_ZERO,
		     "how long it stood still"),
	STORE_MEMBER(struct ans_head, fork_ns, "fork_ns", STORE_UINT | STORE_ZERO,
		     "of it, inside clone"),
	STORE_MEMBER(struct ans_head, read_ns, "read_ns", STORE_UINT | STORE_ZERO,
		     "reading the heap's tables"),
	STORE_MEMBER(struct ans_head, extract_ns, "extract_ns", STORE_UINT | STORE_ZERO,
		     "the edges of all objects"),
	STORE_MEMBER(struct ans_head, names_ns, "names_ns", STORE_UINT | STORE_ZERO, "their types"),
	STORE_MEMBER(struct ans_head, type_conflicts, "type_conflicts", STORE_UINT | STORE_ZERO,
		     "claims of two types for one object"),
	{ 0 },
};
const struct kept_type kept_head = {
	.table = { .name = "target",
		   .about = "what was looked at, and how: one row",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_head),
		   .columns = head_columns },
	.bytes = sizeof(struct ans_head),
};

static const struct store_column lack_columns[] = {
	STORE_MEMBER(struct kept_text, text, "text", STORE_TEXT, "in words"),
	{ 0 },
};
const struct kept_type kept_lack = {
	.table = { .name = "lacks",
		   .about = "what evidence of this kind never has",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_text),
		   .columns = lack_columns },
	.bytes = sizeof(struct kept_text),
};

static const struct store_column difference_columns[] = {
	STORE_MEMBER(struct ans_difference, addr, "addr", STORE_ADDR, "of the object"),
	STORE_MEMBER(struct ans_difference, bytes, "bytes", STORE_UINT | STORE_ZERO, "of it"),
	STORE_MEMBER(struct ans_difference, side, "side", STORE_TEXT, "missing, extra"),
	STORE_MEMBER(struct ans_difference, reason, "reason", STORE_TEXT, "in words"),
	STORE_MEMBER(struct ans_difference, type, "type", STORE_TEXT, "Go type"),
	STORE_MEMBER(struct ans_difference, explained, "explained", STORE_BOOL,
		     "1: no contradiction"),
	{ 0 },
};
const struct kept_type kept_difference = {
	.table = { .name = "differences",
		   .parent = "exact",
		   .about = "objects on which limpet and the collector do not agree",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_difference),
		   .columns = difference_columns },
	.bytes = sizeof(struct ans_difference),
};

static const struct store_column exact_columns[] = {
	STORE_MEMBER(struct ans_exact, reachable_objects, "reachable_objects",
		     STORE_UINT | STORE_ZERO, "reached by limpet"),
	STORE_MEMBER(struct ans_exact, reachable_bytes, "reachable_bytes", STORE_UINT | STORE_ZERO,
		     "reached by limpet"),
	STORE_MEMBER(struct ans_exact, gc_objects, "gc_objects", STORE_UINT | STORE_ZERO,
		     "marked by the collector"),
	STORE_MEMBER(struct ans_exact, gc_bytes, "gc_bytes", STORE_UINT | STORE_ZERO,
		     "marked by the collector"),
	STORE_MEMBER(struct ans_exact, missing, "missing", STORE_UINT | STORE_ZERO,
		     "marked, alive, not reached"),
	STORE_MEMBER(struct ans_exact, extra, "extra", STORE_UINT | STORE_ZERO,
		     "reached, not allocated"),
	STORE_MEMBER(struct ans_exact, undecided, "undecided", STORE_UINT | STORE_ZERO,
		     "missing, may be garbage"),
	STORE_MEMBER(struct ans_exact, garbage_since, "garbage_since", STORE_UINT | STORE_ZERO,
		     "died since"),
	STORE_MEMBER(struct ans_exact, born_since, "born_since", STORE_UINT | STORE_ZERO,
		     "allocated since"),
	STORE_MEMBER(struct ans_exact, conservative_frames, "conservative_frames",
		     STORE_UINT | STORE_ZERO, "without stack maps"),
	STORE_MEMBER(struct ans_exact, typed_objects, "typed_objects", STORE_UINT | STORE_ZERO,
		     "of known type"),
	STORE_MEMBER(struct ans_exact, typed_bytes, "typed_bytes", STORE_UINT | STORE_ZERO,
		     "of known type"),
	STORE_MEMBER(struct ans_exact, spans_valid, "spans_valid", STORE_UINT | STORE_ZERO,
		     "spans whose marks count"),
	STORE_MEMBER(struct ans_exact, spans_undecidable, "spans_undecidable",
		     STORE_UINT | STORE_ZERO, "whose do not"),
	STORE_MEMBER(struct ans_exact, cycles, "cycles", STORE_UINT | STORE_ZERO,
		     "finished collections"),
	STORE_MEMBER(struct ans_exact, counter_bytes, "counter_bytes", STORE_UINT,
		     "the collector's own count"),
	STORE_MEMBER(struct ans_exact, phase, "phase", STORE_TEXT, "of the collector"),
	STORE_MEMBER(struct ans_exact, compared, "compared", STORE_TEXT, "what could be compared"),
	STORE_MEMBER(struct ans_exact, second, "second", STORE_BOOL, "1: a second look was taken"),
	STORE_MEMBER(struct ans_exact, no_marks, "no_marks", STORE_BOOL,
		     "1: the evidence has none"),
	STORE_MEMBER(struct ans_exact, holds, "holds", STORE_BOOL, "1: not contradicted"),
	{ 0 },
};
static const struct kept_part exact_parts[] = {
	{ KEPT_ROWS, offsetof(struct ans_exact, differences), &kept_difference },
	{ 0 },
};
const struct kept_type kept_exact = {
	.table = { .name = "exact",
		   .about = "our graph against the collector's marks: one row",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_exact),
		   .columns = exact_columns },
	.bytes = sizeof(struct ans_exact),
	.parts = exact_parts,
};

static const struct store_column mem_line_columns[] = {
	STORE_MEMBER(struct ans_mem_line, key, "key", STORE_TEXT, "word for programs"),
	STORE_MEMBER(struct ans_mem_line, name, "name", STORE_TEXT, "in words"),
	STORE_MEMBER(struct ans_mem_line, note, "note", STORE_TEXT, "what it means"),
	STORE_MEMBER(struct ans_mem_line, bytes, "bytes", STORE_INT | STORE_ZERO, "of it"),
	STORE_MEMBER(struct ans_mem_line, level, "level", STORE_INT | STORE_ZERO, "indentation"),
	STORE_MEMBER(struct ans_mem_line, summed, "summed", STORE_BOOL,
		     "1: one of those that add up to RSS"),
	{ 0 },
};
const struct kept_type kept_mem_line = {
	.table = { .name = "memory_lines",
		   .parent = "memory",
		   .about = "the memory table, line by line",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_mem_line),
		   .columns = mem_line_columns },
	.bytes = sizeof(struct ans_mem_line),
	.fix = kept_fix_mem_line,
};

static const struct store_column memory_columns[] = {
	STORE_MEMBER(struct ans_memory, sys, "sys", STORE_UINT | STORE_ZERO,
		     "sum where there is no RSS"),
	STORE_MEMBER(struct ans_memory, rss, "rss", STORE_UINT, "resident memory"),
	STORE_MEMBER(struct ans_memory, heap_live, "heap_live", STORE_UINT, "reachable"),
	STORE_MEMBER(struct ans_memory, heap_garbage, "heap_garbage", STORE_UINT,
		     "not yet collected"),
	STORE_MEMBER(struct ans_memory, heap_free, "heap_free", STORE_UINT, "free in the heap"),
	STORE_MEMBER(struct ans_memory, heap_released, "heap_released", STORE_UINT, "given back"),
	STORE_MEMBER(struct ans_memory, stacks, "stacks", STORE_UINT, "goroutine stacks"),
	STORE_MEMBER(struct ans_memory, runtime, "runtime", STORE_UINT, "the runtime itself"),
	STORE_MEMBER(struct ans_memory, off_heap, "off_heap", STORE_UINT, "outside of Go"),
	STORE_MEMBER(struct ans_memory, files, "files", STORE_UINT, "file mappings"),
	STORE_MEMBER(struct ans_memory, thread_stacks, "thread_stacks", STORE_UINT, "of threads"),
	STORE_MEMBER(struct ans_memory, globals, "globals", STORE_UINT, "variables"),
	STORE_MEMBER(struct ans_memory, heap_absent, "heap_absent", STORE_INT | STORE_ZERO,
		     "counted, not resident"),
	STORE_MEMBER(struct ans_memory, unexplained, "unexplained", STORE_INT | STORE_ZERO,
		     "the rest"),
	{ 0 },
};
static const struct kept_part memory_parts[] = {
	{ KEPT_ROWS, offsetof(struct ans_memory, lines), &kept_mem_line },
	{ 0 },
};
const struct kept_type kept_memory = {
	.table = { .name = "memory",
		   .about = "where the memory is: one row",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_memory),
		   .columns = memory_columns },
	.bytes = sizeof(struct ans_memory),
	.parts = memory_parts,
};

static const struct store_column row_columns[] = {
	STORE_MEMBER(struct ans_row, name, "name", STORE_TEXT, "of the group"),
	STORE_MEMBER(struct ans_row, count, "goroutines", STORE_UINT | STORE_ZERO,
		     "goroutines in it"),
	STORE_MEMBER(struct ans_row, objects, "objects", STORE_UINT | STORE_ZERO, "of it"),
	STORE_MEMBER(struct ans_row, shallow, "shallow_bytes", STORE_UINT | STORE_ZERO,
		     "of its objects alone"),
	STORE_MEMBER(struct ans_row, retained, "retained_bytes", STORE_UINT | STORE_ZERO,
		     "what would go with them"),
	STORE_MEMBER(struct ans_row, owner_retained, "owner_retained_bytes",
		     STORE_UINT | STORE_ZERO, "the same in the owner's tree"),
	STORE_MEMBER(struct ans_row, owner_objects, "owner_objects", STORE_UINT | STORE_ZERO,
		     "roots: held by it alone there"),
	STORE_MEMBER(struct ans_row, rest, "rest", STORE_BOOL, "1: a remainder"),
	STORE_MEMBER(struct ans_row, order, "number", STORE_UINT | STORE_ZERO,
		     "among rows that are equal otherwise"),
	STORE_MEMBER(struct ans_row, site.cum, "cum_bytes", STORE_UINT | STORE_ZERO,
		     "by site: allocated here or below"),
	STORE_MEMBER(struct ans_row, site.sampled, "sampled", STORE_UINT | STORE_ZERO,
		     "by site: samples"),
	STORE_MEMBER(struct ans_row, site.retained_guess, "retained_guess", STORE_UINT,
		     "by site: of all, from the samples"),
	STORE_MEMBER(struct ans_row, site.alloc_objects, "alloc_objects", STORE_UINT | STORE_ZERO,
		     "by site: ever"),
	STORE_MEMBER(struct ans_row, site.alloc_bytes, "alloc_bytes", STORE_UINT | STORE_ZERO,
		     "by site: ever"),
	STORE_MEMBER(struct ans_row, site.file, "file", STORE_WORD, "by site: source file"),
	STORE_MEMBER(struct ans_row, site.line, "line", STORE_INT | STORE_ZERO, "by site: in it"),
	STORE_MEMBER(struct ans_row, site.nested, "nested", STORE_BOOL,
		     "by site: 1: samples retain each other"),
	STORE_MEMBER(struct ans_row, shared, "shared_bytes", STORE_UINT | STORE_ZERO,
		     "by label: what no other label reaches"),
	STORE_MEMBER(struct ans_row, label_sets, "label_sets", STORE_UINT | STORE_ZERO,
		     "goroutines: sets that they carry"),
	KEPT_ID(struct ans_row, 0, "path", "id in paths: to the biggest one"),
	KEPT_ID(struct ans_row, 1, "origin", "id in origins: of that one"),
	KEPT_ID(struct ans_row, 2, "labels", "id in label_sets"),
	{ 0 },
};
static const struct kept_part row_parts[] = {
	{ KEPT_ONE, offsetof(struct ans_row, path), &kept_path },
	{ KEPT_ONE, offsetof(struct ans_row, origin), &kept_origin },
	{ KEPT_LABELS, offsetof(struct ans_row, labels), &kept_labels },
	{ 0 },
};
const struct kept_type kept_row = {
	.table = { .name = "top_rows",
		   .parent = "tops",
		   .about = "what takes the memory, largest first",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_row) + 8 * 3,
		   .columns = row_columns },
	.bytes = sizeof(struct ans_row),
	.parts = row_parts,
};

static const struct store_column rule_columns[] = {
	STORE_MEMBER(struct ans_owner_rule, name, "name", STORE_TEXT, "of the rule"),
	STORE_MEMBER(struct ans_owner_rule, reason, "reason", STORE_TEXT, "why"),
	STORE_MEMBER(struct ans_owner_rule, source, "source", STORE_TEXT, "where it stands"),
	STORE_MEMBER(struct ans_owner_rule, edges, "edges", STORE_UINT | STORE_ZERO,
		     "references that pass on"),
	{ 0 },
};
const struct kept_type kept_rule = {
	.table = { .name = "top_rules",
		   .parent = "tops",
		   .about = "rules of the owner's tree that found something",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_owner_rule),
		   .columns = rule_columns },
	.bytes = sizeof(struct ans_owner_rule),
};

static const struct store_column top_columns[] = {
	STORE_MEMBER(struct kept_top, t.by, "by", STORE_TEXT, "what a row is"),
	STORE_MEMBER(struct kept_top, t.trees, "trees", STORE_UINT | STORE_ZERO,
		     "1: exact tree, 2: owner's, 3: both"),
	STORE_MEMBER(struct kept_top, t.total_bytes, "total_bytes", STORE_UINT | STORE_ZERO,
		     "reachable"),
	STORE_MEMBER(struct kept_top, t.nrows, "rows", STORE_UINT | STORE_ZERO, "that there were"),
	STORE_MEMBER(struct kept_top, t.no_labels, "no_labels", STORE_WORD,
		     "by label: why there is none"),
	STORE_MEMBER(struct kept_top, t.profile.known, "profile_known", STORE_BOOL,
		     "by site: 1: it is of samples"),
	STORE_MEMBER(struct kept_top, t.profile.on, "profile_on", STORE_BOOL,
		     "by site: 1: it takes samples"),
	STORE_MEMBER(struct kept_top, t.profile.why, "profile_why", STORE_TEXT,
		     "by site: why there are none"),
	STORE_MEMBER(struct kept_top, t.profile.rate, "profile_rate", STORE_UINT,
		     "by site: bytes a sample"),
	STORE_MEMBER(struct kept_top, t.profile.rate_assumed, "profile_rate_assumed", STORE_BOOL,
		     "by site: 1: Go's default"),
	STORE_MEMBER(struct kept_top, t.profile.stacks, "profile_stacks", STORE_UINT | STORE_ZERO,
		     "by site"),
	STORE_MEMBER(struct kept_top, t.profile.samples, "profile_samples", STORE_UINT | STORE_ZERO,
		     "by site"),
	STORE_MEMBER(struct kept_top, t.profile.alive, "profile_alive", STORE_UINT | STORE_ZERO,
		     "by site: reachable samples"),
	STORE_MEMBER(struct kept_top, t.profile.bytes, "profile_bytes", STORE_UINT | STORE_ZERO,
		     "by site: that these stand for"),
	STORE_MEMBER(struct kept_top, dropped.count, "dropped_goroutines", STORE_UINT | STORE_ZERO,
		     "of the rows that are not kept"),
	STORE_MEMBER(struct kept_top, dropped.objects, "dropped_objects", STORE_UINT | STORE_ZERO,
		     "of the rows that are not kept"),
	STORE_MEMBER(struct kept_top, dropped.shallow, "dropped_shallow_bytes",
		     STORE_UINT | STORE_ZERO, "of the rows that are not kept"),
	STORE_MEMBER(struct kept_top, dropped.retained, "dropped_retained_bytes",
		     STORE_UINT | STORE_ZERO, "of the rows that are not kept"),
	STORE_MEMBER(struct kept_top, dropped.owner_retained, "dropped_owner_bytes",
		     STORE_UINT | STORE_ZERO, "of the rows that are not kept"),
	STORE_MEMBER(struct kept_top, dropped.owner_objects, "dropped_owner_objects",
		     STORE_UINT | STORE_ZERO, "of the rows that are not kept"),
	{ 0 },
};
static const struct kept_part top_parts[] = {
	{ KEPT_ROWS, offsetof(struct kept_top, t.rows), &kept_row },
	{ KEPT_ROWS, offsetof(struct kept_top, t.rules), &kept_rule },
	{ 0 },
};
const struct kept_type kept_top = {
	.table = { .name = "tops",
		   .about = "tables of what takes the memory: by type, by root …",
		   .since = 1,
		   .row_bytes = sizeof(struct kept_top),
		   .columns = top_columns },
	.bytes = sizeof(struct kept_top),
	.parts = top_parts,
};

static const struct store_column finding_columns[] = {
	STORE_MEMBER(struct ans_finding, kind, "kind", STORE_TEXT, "kind of finding"),
	STORE_MEMBER(struct ans_finding, verdict, "verdict", STORE_TEXT,
		     "leak, suspect, waste, info"),
	STORE_MEMBER(struct ans_finding, proof, "proof", STORE_TEXT, "proved, measured, inferred"),
	STORE_MEMBER(struct ans_finding, title, "title", STORE_TEXT, "one sentence"),
	STORE_MEMBER(struct ans_finding, type, "type", STORE_TEXT, "Go type"),
	STORE_MEMBER(struct ans_finding, signature, "signature", STORE_TEXT,
		     "the same for the same thing in other looks"),
	STORE_MEMBER(struct ans_finding, fix, "fix", STORE_TEXT, "what to change"),
	STORE_MEMBER(struct ans_finding, mitigate, "mitigate", STORE_TEXT, "what helps right now"),
	STORE_MEMBER(struct ans_finding, decide, "decide", STORE_TEXT,
		     "what tells whether it is one"),
	STORE_MEMBER(struct ans_finding, confirm, "confirm", STORE_TEXT,
		     "a command that shows it fixed"),
	STORE_MEMBER(struct ans_finding, detail, "detail", STORE_TEXT, "more of it"),
	STORE_MEMBER(struct ans_finding, bytes, "bytes", STORE_UINT | STORE_ZERO,
		     "retained on the heap"),
	STORE_MEMBER(struct ans_finding, objects, "objects", STORE_UINT | STORE_ZERO, "of them"),
	STORE_MEMBER(struct ans_finding, stack_bytes, "stack_bytes", STORE_UINT | STORE_ZERO,
		     "on stacks"),
	STORE_MEMBER(struct ans_finding, owner_bytes, "owner_bytes", STORE_UINT,
		     "in the owner's tree"),
	STORE_MEMBER(struct ans_finding, count, "count", STORE_UINT | STORE_ZERO, "how many"),
	STORE_MEMBER(struct ans_finding, holder_text, "holder", STORE_TEXT, "who holds it"),
	STORE_MEMBER(struct ans_finding, site_text, "site", STORE_TEXT, "where it was allocated"),
	STORE_MEMBER(struct ans_finding, has_goroutine, "has_goroutine", STORE_BOOL,
		     "1: an example stands here"),
	STORE_MEMBER(struct ans_finding, goroutine.id, "goroutine", STORE_UINT | STORE_ZERO,
		     "example: id"),
	STORE_MEMBER(struct ans_finding, goroutine.count, "goroutine_count",
		     STORE_UINT | STORE_ZERO, "of its stack"),
	STORE_MEMBER(struct ans_finding, goroutine.since_ns, "goroutine_since_ns", STORE_UINT,
		     "example: waits at least"),
	STORE_MEMBER(struct ans_finding, goroutine.function, "goroutine_function", STORE_WORD,
		     "example: started with"),
	STORE_MEMBER(struct ans_finding, goroutine.creator, "goroutine_creator", STORE_WORD,
		     "example: started by"),
	STORE_MEMBER(struct ans_finding, goroutine.wait, "goroutine_wait", STORE_WORD,
		     "example: waits for"),
	STORE_MEMBER(struct ans_finding, own_frame, "own_frame", STORE_UINT | STORE_ZERO,
		     "of its stack: the first of the program's own"),
	KEPT_ID(struct ans_finding, 0, "path", "id in paths"),
	KEPT_ID(struct ans_finding, 1, "cut", "id in cuts"),
	KEPT_ID(struct ans_finding, 2, "origin", "id in origins"),
	{ 0 },
};
static const struct kept_part finding_parts[] = {
	{ KEPT_ONE, offsetof(struct ans_finding, holder), &kept_path },
	{ KEPT_ONE, offsetof(struct ans_finding, cut), &kept_cut },
	{ KEPT_ONE, offsetof(struct ans_finding, origin), &kept_origin },
	{ KEPT_ROWS, offsetof(struct ans_finding, stack), &kept_finding_frame },
	{ 0 },
};
const struct kept_type kept_finding = {
	.table = { .name = "findings",
		   .about = "what is wrong, largest first",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_finding) + 8 * 3,
		   .columns = finding_columns },
	.bytes = sizeof(struct ans_finding),
	.parts = finding_parts,
	.fix = kept_fix_finding,
};
