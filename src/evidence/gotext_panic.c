/*
 * gotext_panic.c - of what a panic or a fatal error says, the kind: that is Go's own wording and no
 * value of the program.
 *
 * Source: runtime/panic.go, runtime/error.go, runtime/map.go, internal/runtime/maps,
 * runtime/chan.go, runtime/proc.go (checkdead), runtime/stack.go, sync.
 */
#include "evidence/gotext.h"
#include "evidence/gotext_line.h"

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
