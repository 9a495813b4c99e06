/*
 * gotext_panic.c - of what a panic or a fatal error says, the kind: that is Go's own wording and no
 * value of the program; and where it was.
 *
 * Source: runtime/panic.go, runtime/error.go, runtime/map.go, internal/runtime/maps,
 * runtime/chan.go, runtime/proc.go (checkdead), runtime/stack.go, sync.
 */
#include "evidence/gotext.h"
#include "evidence/gotext_line.h"

/* First elements of import paths of GOROOT/src, Go 1.18 to 1.27; a module's may have no dot, too. */
static const char *const std[] = {
	"archive",  "arena",	 "bufio",   "bytes",  "cmp",	"compress", "container", "context",
	"crypto",   "database",	 "debug",   "embed",  "encoding", "errors", "expvar",	 "flag",
	"fmt",	    "go",	 "hash",    "html",   "image",	"index",    "internal",	 "io",
	"iter",	    "log",	 "maps",    "math",   "mime",	"net",	    "os",	 "path",
	"plugin",   "reflect",	 "regexp",  "runtime", "simd",	"slices",   "sort",	 "strconv",
	"strings",  "structs",	 "sync",    "syscall", "testing", "text",   "time",	 "unicode",
	"unique",   "unsafe",	 "uuid",    "vendor", "weak",
};

static const struct {
	const char *says, *kind;
} kinds[] = {
	{ "nil pointer dereference", "nil dereference" },
	{ "index out of range", "index out of range" },
	{ "slice bounds out of range", "slice bounds out of range" },
	{ "cannot convert slice with length", "slice bounds out of range" },
	{ "integer divide by zero", "division by zero" },
	{ "negative shift amount", "negative shift" },
	{ "interface conversion: ", "failed type assertion" },
	{ "hash of unhashable type", "unhashable map key" },
	{ "comparing uncomparable type", "comparison of uncomparable values" },
	{ "assignment to entry in nil map", "write to a nil map" },
	{ "makeslice: ", "make with a wrong length" },
	{ "makechan: size", "make with a wrong length" },
	{ "growslice: ", "make with a wrong length" },
	{ "send on closed channel", "send on a closed channel" },
	{ "close of closed channel", "second close of a channel" },
	{ "close of nil channel", "close of a nil channel" },
	{ "concurrent map ", "concurrent map access" },
	{ "all goroutines are asleep", "deadlock" },
	{ "all goroutines in bubble are blocked", "deadlock" },
	{ "deadlock: main bubble goroutine has exited", "deadlock" },
	{ "no goroutines (main called runtime.Goexit)", "deadlock" },
	{ "out of memory", "out of memory" },
	{ "cannot allocate memory", "out of memory" },
	{ "cannot allocate heap", "out of memory" },
	{ "stack overflow", "stack overflow" },
	{ "goroutine stack exceeds", "stack overflow" },
	{ "test timed out", "test timed out" },
	{ "unlock of unlocked", "unlock of an unlocked mutex" },
	{ "Unlock of unlocked", "unlock of an unlocked mutex" },
	{ "negative WaitGroup counter", "negative WaitGroup counter" },
	{ "WaitGroup misuse", "misuse of a WaitGroup" },
	{ "WaitGroup is reused", "misuse of a WaitGroup" },
	{ "called with nil function", "call of a nil function" },
	{ "go of nil func value", "call of a nil function" },
	{ "checkptr: ", "unsafe pointer" },
	{ "unexpected fault address", "fault" },
	{ "runtime error: ", "runtime error" },
	{ "unexpected signal", "signal" },
	{ "thread exhaustion", "too many threads" },
	{ "Goexit", "Goexit" },
};

static const char goexit_deadlock[] = "no goroutines (main called runtime.Goexit) - deadlock!";
static const char asleep_deadlock[] = "all goroutines are asleep - deadlock!";

/* Whole texts, with nothing of the program in them; of signals those that end it (sigtab_linux). */
static const char *const fixed[] = {
	goexit_deadlock,
	asleep_deadlock,
	"out of memory",
	"runtime: out of memory",
	"runtime: cannot allocate memory",
	"stack overflow",
	"fault",
	"unexpected signal during runtime execution",
	"concurrent map writes",
	"concurrent map read and map write",
	"concurrent map iteration and map write",
	"concurrent map clone and map write",
	"sync: unlock of unlocked mutex",
	"sync: Unlock of unlocked RWMutex",
	"sync: RUnlock of unlocked RWMutex",
	"sync: negative WaitGroup counter",
	"runtime error: invalid memory address or nil pointer dereference",
	"runtime error: integer divide by zero",
	"assignment to entry in nil map",
	"send on closed channel",
	"close of closed channel",
	"close of nil channel",
	"terminal line hangup",
	"interrupt",
	"quit",
	"illegal instruction",
	"trace trap",
	"abort",
	"bus error",
	"floating-point exception",
	"segmentation violation",
	"termination",
	"stack fault",
	"bad system call",
};

/* What the runtime and its next of kin say begins so; in other panics it has to be all that is
 * said. */
static bool of_runtime(struct bit how, struct bit message)
{
	return !bit_is(how, "panic") || bit_starts(message, "runtime error: ") ||
	       bit_starts(message, "sync: ") || bit_starts(message, "runtime: ");
}

const char *gotext_panic_kind(struct bit how, struct bit message)
{
	bool anywhere = of_runtime(how, message);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t n = strlen(kinds[i].says);

		if (anywhere ? memmem(message.s, message.n, kinds[i].says, n) != NULL
			     : bit_starts(message, kinds[i].says))
			return kinds[i].kind;
	}
	return bit_is(how, "panic") ? "a value of the program's own" : "fatal error";
}

const char *gotext_panic_fixed(const struct gotext *g, const struct gotext_panic *p)
{
	const char *message = gotext_text(g, p->message);
	/* lines of other output may have come between */
	struct bit first = bit_trim((struct bit){ message, strcspn(message, "\n") });

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (bit_is(first, fixed[i]))
			return fixed[i];
	return NULL;
}

bool gotext_is_deadlock(const struct gotext *g, size_t dump)
{
	uint32_t at = g->dumps.v[dump].panic;
	const struct gotext_panic *p = at < g->panics.n ? &g->panics.v[at] : NULL;
	const char *says = p ? gotext_panic_fixed(g, p) : NULL;

	return (says == goexit_deadlock || says == asleep_deadlock) &&
	       !strcmp(gotext_text(g, p->how), "fatal error");
}

/* Does it begin with one of those, and then a point or a slash? */
static bool is_std_path(const char *p)
{
	size_t n = strcspn(p, "./([");

	for (size_t i = 0; i < ARRAY_LEN(std); i++)
		if (strlen(std[i]) == n && !strncmp(p, std[i], n))
			return p[n] == '.' || p[n] == '/';
	return false;
}

/* With -trimpath files of the standard library begin with their package. */
static bool is_std_file(const char *file)
{
	const char *src = strstr(file, "/src/");

	if (*file != '/' && !strchr(file, ':'))
		return !*file || is_std_path(file);
	for (; src; src = strstr(src + 1, "/src/"))
		if (is_std_path(src + 5))
			return true;
	return false;
}

static bool is_panic(const char *function)
{
	return !strcmp(function, "panic") || !strcmp(function, "runtime.gopanic");
}

static bool is_own(const struct gotext *g, const struct gotext_frame *f)
{
	const char *name = gotext_text(g, f->function);

	return *name && !(f->flags & GOTEXT_FRAME_C) && !is_panic(name) &&
	       strncmp(name, "golang.org/x/sync/", 18) != 0 &&
	       !(is_std_path(name) && is_std_file(gotext_text(g, f->file)));
}

/* Frames above a recovered panic's are those of the deferred call that looks at the stack. */
static uint32_t first_below(const struct gotext *g, const struct gotext_stack *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (is_panic(gotext_text(g, gotext_frame_of(g, s, i)->function)))
			return i + 1;
	return 0;
}

/* Of the dump that is kept the goroutine is marked; of others there are stacks and states alone:
 * who panics is running, and with several the text does not say which of them it is. */
static uint32_t panic_stack(const struct gotext *g, size_t dump, const struct gotext_panic *p)
{
	const struct gotext_dump *d = &g->dumps.v[dump];
	uint32_t found = GOTEXT_NONE;

	if (dump == g->kept) {
		for (size_t i = 0; i < g->gs.n; i++)
			if (g->gs.v[i].id == p->goroutine && (g->gs.v[i].flags & GOTEXT_PANICKED))
				return g->gs.v[i].stack;
		return GOTEXT_NONE;
	}
	for (uint32_t t = d->first_tally; t < d->first_tally + d->ntallies; t++) {
		const struct gotext_tally *x = &g->tallies.v[t];

		if (d->n > 1 && strcmp(gotext_text(g, x->state), "running") != 0)
			continue;
		if (found != GOTEXT_NONE || x->count > 1)
			return GOTEXT_NONE;
		found = x->stack;
	}
	return found;
}

uint32_t gotext_panic_frame(const struct gotext *g, size_t dump)
{
	uint32_t at = g->dumps.v[dump].panic, stack;
	const struct gotext_panic *p = at < g->panics.n ? &g->panics.v[at] : NULL;
	const struct gotext_stack *s;

	if (!p || !strncmp(gotext_text(g, p->how), "SIG", 3))
		return GOTEXT_NONE;
	stack = panic_stack(g, dump, p);
	if (stack == GOTEXT_NONE)
		return GOTEXT_NONE;
	s = &g->stacks.v[stack];
	for (uint32_t i = p->recovered ? first_below(g, s) : 0; i < s->n; i++)
		if (is_own(g, gotext_frame_of(g, s, i)))
			return g->links.v[s->first + i];
	return s->user;
}
