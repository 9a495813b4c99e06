/*
 * check_kinds.c - each kind of finding in a few words, for services that explain what they show.
 *
 * The long form is docs/findings/<kind>.md; a test holds the two lists against each other.
 */
#include "report/check_out.h"

static const struct check_kind_words table[] = {
	{ "goroutine-leak", "Goroutines that wait for ever",
	  "Goroutines wait on a channel or a lock that nothing which can still run reaches; their stacks and all that hangs from them are never freed.",
	  "Give the one who sends a way out: a buffered channel for one result, a select with <-ctx.Done(), close(ch) by who sends, Unlock and Done by defer." },
	{ "lock-contention", "Many goroutines wait for one lock",
	  "One mutex keeps many goroutines waiting, each with its stack and its request.",
	  "Hold the lock for less: no I/O under it, split it, or unlock by defer on every way out." },
	{ "limits-unset", "A server, client or pool without limits",
	  "A limit that is not set lets connections, goroutines or queues pile up.",
	  "Set the timeouts and sizes that the finding names." },
	{ "goroutine-hold", "A goroutine's stack keeps much memory alive",
	  "A goroutine that lives on holds much memory by variables of its stack alone.",
	  "End the goroutine, or set what it no longer needs to nil before it waits." },
	{ "global-growth", "A global container that only grows",
	  "A map, slice, list or sync.Map under a global gets entries and loses none.",
	  "Delete entries when they are done with, or bound the container: a limit, an age, an LRU." },
	{ "closure-capture", "A closure keeps a large variable alive",
	  "A func value that is kept captures more than it needs.",
	  "Copy the small part that is needed into a variable of its own before the closure." },
	{ "context-leak", "Contexts that are never cancelled",
	  "Contexts stay registered with a long-lived parent until it ends.",
	  "defer cancel() where the context is made." },
	{ "timer-leak", "Tickers or timers that are never stopped",
	  "A running ticker or AfterFunc keeps its function and all that it captures.",
	  "defer ticker.Stop(), or keep the timer and stop it." },
	{ "sync-pool-dirty", "Pooled objects keep foreign references",
	  "Objects in a sync.Pool still point to what their last user put in.",
	  "Clear an object before Put." },
	{ "sync-pool-large", "Pooled objects have grown too large",
	  "Buffers in a sync.Pool keep the size of the largest use.",
	  "Do not Put buffers above a size." },
	{ "channel-backlog", "Values queue in a channel that nobody drains",
	  "A channel's buffer is full of values that nobody receives.",
	  "Receive until it is closed, or drop and count what does not fit." },
	{ "unclosed-resource", "Bodies, connections, files or rows that are not closed",
	  "Something that has a Close is kept open: a descriptor, goroutines and buffers stay.",
	  "defer Close() behind the check of the error." },
	{ "finalizer-cycle", "A cycle with a finalizer",
	  "Objects of a cycle that a finalizer hangs on are never freed by Go.",
	  "Break the cycle, or move what is finalized into an object of its own; better runtime.AddCleanup." },
	{ "finalizer-backlog", "Finalizers or cleanups do not keep up",
	  "The queue of finalizers or cleanups is stuck behind one that does not return.",
	  "Do not block in a finalizer: start a goroutine there." },
	{ "substring-pin", "A small string keeps a large one alive",
	  "Only a part of a large string is referred to, and all of it stays.",
	  "strings.Clone the part." },
	{ "subslice-pin", "A small slice keeps a large array alive",
	  "Only a part of a large array is referred to, and all of it stays.",
	  "slices.Clone the part." },
	{ "slice-waste", "Slices with much more capacity than content",
	  "Memory that was reserved and holds nothing.",
	  "make with the right capacity, or slices.Clip." },
	{ "map-bloat", "Maps with many more slots than entries",
	  "A map never gives back what it grew to.", "Make a new map when most entries are gone." },
	{ "duplicate-strings", "Equal strings stored many times", "One copy would do.",
	  "Intern them: unique.Make, or a map of seen strings." },
	{ "pointer-chain", "One owner through several levels",
	  "A structure of several levels keeps the memory alive.",
	  "Look at the chain: the level that should let go is named." },
	{ "off-heap", "Memory that Go does not know",
	  "Resident memory outside of Go's heap: cgo, mmap, fragmentation.",
	  "Free what C allocated; look at the mappings that the finding names." },
	{ "gc-tuning", "GOGC, GOMEMLIMIT and the container's limit do not fit",
	  "The collector works too often, or memory is used up before it does.",
	  "Set GOMEMLIMIT somewhat below the container's limit." },
	{ "runtime-metadata", "The runtime's own tables grow",
	  "Spans, specials, profile buckets or itabs take much memory.",
	  "Fewer finalizers, fewer distinct allocation stacks, fewer types made at run time." },
	{ "heap-growth", "The heap grows, and nothing says who holds it",
	  "A log of the collector, or two heap profiles, show more in use later than before.",
	  "Look at the process: limpet report PID, with the same files behind it." },
	{ "growth", "Memory that stays from round to round",
	  "After each round of the same load more objects of this kind are alive, and they stay.",
	  "Look at who holds them and at the line that allocates them." },
	{ "limit", "A limit that was set is passed",
	  "A figure of the run is above its limit or its baseline.",
	  "See the figure; update the baseline if the change is meant: --update-baseline." },
	{ "unsure", "Neither can be said",
	  "The rounds that there were do not tell growth from warming up.",
	  "More rounds: --repeat, --warmup, a larger --max-time." },
	{ "broken", "The program did not do its part",
	  "It crashed, was never ready, or the load failed.", "See its last lines." },
};

const struct check_kind_words *check_kind(size_t i)
{
	return i < ARRAY_LEN(table) ? &table[i] : NULL;
}

const struct check_kind_words *check_kind_of(const char *kind, size_t *ret_i)
{
	size_t other = 0;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (!strcmp(table[i].kind, "growth"))
			other = i;
		if (kind && !strcmp(table[i].kind, kind)) {
			*ret_i = i;
			return &table[i];
		}
	}
	*ret_i = other;
	return &table[other];
}
