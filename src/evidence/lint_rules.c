/*
 * lint_rules.c - which rules of which linters are about memory or goroutines that stay.
 *
 * A row's words say what is kept, not what the code looks like.  Sources: the linters' own
 * documentation; golang.org/x/tools/go/analysis/passes; staticcheck.dev/docs/checks.
 */
#include "evidence/lint.h"

static const struct lint_rule rules[] = {
	{ "lostcancel",
	  "a context that is never cancelled stays registered with its parent, with all that hangs "
	  "on it, until the parent ends",
	  "context-leak", NULL },
	{ "bodyclose",
	  "the body of an HTTP response that is not closed keeps its connection, two goroutines and "
	  "their buffers",
	  "unclosed-resource", "goroutine-leak" },
	{ "sqlclosecheck",
	  "rows or a statement that are not closed keep a connection of the pool, and its buffers",
	  "unclosed-resource", "limits-unset" },
	{ "rowserrcheck",
	  "rows that end with an error nobody asks for may stay open, and keep a connection of the "
	  "pool",
	  "unclosed-resource", NULL },
	{ "prealloc",
	  "a slice that grows by append is copied again and again, and ends with room that nobody "
	  "uses",
	  "slice-waste", NULL },
	{ "copylocks",
	  "a lock that was copied is another lock: who waits on the copy is never woken by the "
	  "original",
	  "lock-contention", "goroutine-leak" },
	{ "SA1015",
	  "time.Tick has no Stop: before Go 1.23 each call's ticker stays in the timers' heap for "
	  "ever",
	  "timer-leak", NULL },
	{ "SA6002", "what goes into a sync.Pool as a value is boxed anew each time",
	  "sync-pool-dirty", "sync-pool-large" },
	{ "SA9001", "defers in a loop over a channel are run when the function ends, not before",
	  "goroutine-hold", "unclosed-resource" },
	{ "SA5003", "a defer in an endless loop is never run: what it should free stays",
	  "goroutine-hold", "unclosed-resource" },
	{ "SA2000",
	  "a WaitGroup's Add inside the goroutine may come too late: Wait may wait for ever",
	  "goroutine-leak", NULL },
	{ "SA2002", "FailNow in a goroutine ends that goroutine alone: who waits for it may stay",
	  "goroutine-leak", NULL },
	{ "SA2003",
	  "a lock that is taken again in place of being released: nobody gets it any more",
	  "lock-contention", "goroutine-leak" },
	{ "waitgroup",
	  "a WaitGroup's Add inside the goroutine may come too late: Wait may wait for ever",
	  "goroutine-leak", NULL },
	{ "httpresponse",
	  "a response that is used before its error was looked at: where it is nil, Close is not "
	  "reached",
	  "unclosed-resource", NULL },
	{ "deferinloop",
	  "defers in a loop are run when the function ends: all they hold stays until then",
	  "goroutine-hold", "unclosed-resource" },
	{ "defers", "a deferred call's arguments are computed at once, and kept", "goroutine-hold",
	  NULL },
	{ "loopclosure",
	  "closures share one variable of the loop (before Go 1.22), which each of them keeps",
	  "closure-capture", NULL },
	{ "copyloopvar", "a copy for each closure, which it keeps", "closure-capture", NULL },
	{ "exportloopref", "a pointer to the loop's variable keeps its last value",
	  "closure-capture", NULL },
	{ "noctx", "a request without a context waits as long as the other side likes",
	  "goroutine-leak", "limits-unset" },
	{ "containedctx", "a context inside a struct lives, with its values, as long as the struct",
	  "context-leak", NULL },
	{ "fatcontext", "a context that is wrapped anew in a loop keeps all earlier ones",
	  "context-leak", "pointer-chain" },
	{ "contextcheck", "a new context is not ended with the caller's: what hangs on it stays",
	  "context-leak", "goroutine-leak" },
	{ "G112",
	  "a server without ReadHeaderTimeout keeps a goroutine and its buffers for every "
	  "client that says nothing",
	  "limits-unset", "goroutine-leak" },
	{ "G114",
	  "a server without timeouts keeps a goroutine and its buffers for every client that "
	  "says nothing",
	  "limits-unset", "goroutine-leak" },
	{ "G307", "a file whose Close is deferred without asking for its error",
	  "unclosed-resource", NULL },
	{ "spancheck", "a span that is not ended keeps its attributes and its parent",
	  "context-leak", NULL },
	{ "fieldalignment", "fields in an order that leaves gaps in every object", "", NULL },
};

const struct lint_rule *lint_rule_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (!strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}
