/*
 * escape_reason.c - what is made, why it escapes, and whether anybody need care.
 *
 * Judged by the texts of the report alone: the form by the expression, the reason by the flow
 * (what its last step says), without a flow only where the expression tells.
 * Sources: cmd/compile/internal/escape for the notes, walk/convert.go (dataWord) for what a
 * conversion to an interface does not allocate.
 */
#include "evidence/escape_priv.h"

#include <ctype.h>

static const char *const reason_words[ESCAPE_REASONS] = {
	[ESCAPE_UNSAID] = "unsaid",
	[ESCAPE_RETURNED] = "returned",
	[ESCAPE_STORED] = "stored",
	[ESCAPE_IN_MAP] = "map",
	[ESCAPE_SENT] = "sent",
	[ESCAPE_BOXED] = "interface",
	[ESCAPE_CAPTURED_REF] = "captured-by-reference",
	[ESCAPE_CAPTURED_VALUE] = "captured-by-value",
	[ESCAPE_GO] = "go-or-defer",
	[ESCAPE_PASSED] = "passed",
	[ESCAPE_TOO_LARGE] = "too-large",
	[ESCAPE_SIZE_UNKNOWN] = "size-unknown",
	[ESCAPE_GROWS] = "append",
	[ESCAPE_PANICS] = "panic",
	[ESCAPE_PART] = "part",
	[ESCAPE_OUTLIVES] = "outlives",
	[ESCAPE_PARAM_CONTENT] = "leaking-param-content",
	[ESCAPE_PARAM_ITSELF] = "leaking-param",
	[ESCAPE_PARAM_RESULT] = "leaking-param-to-result",
};

static const char *const reason_clauses[ESCAPE_REASONS] = {
	[ESCAPE_UNSAID] = "the report does not say why (-gcflags=-m=2 does)",
	[ESCAPE_RETURNED] = "it is returned",
	[ESCAPE_STORED] = "it is stored where it outlives the call",
	[ESCAPE_IN_MAP] = "it goes into a map, or an element of a slice",
	[ESCAPE_SENT] = "it is sent on a channel",
	[ESCAPE_BOXED] = "it becomes an interface that escapes",
	[ESCAPE_CAPTURED_REF] = "a closure that escapes captures it by reference",
	[ESCAPE_CAPTURED_VALUE] = "a closure that escapes captures it by value",
	[ESCAPE_GO] = "a go statement, or a defer in a loop, keeps it",
	[ESCAPE_PASSED] = "it is passed to a call that lets it escape, or that the compiler "
			  "cannot see into",
	[ESCAPE_TOO_LARGE] = "it is too large for the stack",
	[ESCAPE_SIZE_UNKNOWN] = "its size is not a constant",
	[ESCAPE_GROWS] = "append makes a larger array whenever the old one is full",
	[ESCAPE_PANICS] = "it is what panic is called with",
	[ESCAPE_PART] = "it is part of something that escapes",
	[ESCAPE_OUTLIVES] = "a variable of further out keeps it beyond its loop or closure",
	[ESCAPE_PARAM_CONTENT] = "what the parameter points to escapes: callers' values behind "
				 "one pointer go to the heap",
	[ESCAPE_PARAM_ITSELF] = "the parameter escapes: what callers pass goes to the heap",
	[ESCAPE_PARAM_RESULT] = "the parameter is part of the result: it escapes where the result "
				"does",
};

static const char *const form_words[ESCAPE_FORMS] = {
	[ESCAPE_FORM_OTHER] = "other",
	[ESCAPE_FORM_VARIABLE] = "variable",
	[ESCAPE_FORM_COMPOSITE] = "object",
	[ESCAPE_FORM_SLICE] = "slice",
	[ESCAPE_FORM_MAP] = "map",
	[ESCAPE_FORM_CHAN] = "channel",
	[ESCAPE_FORM_CLOSURE] = "closure",
	[ESCAPE_FORM_METHOD] = "interface box, or a method as a value",
	[ESCAPE_FORM_BOX] = "interface box",
	[ESCAPE_FORM_STRING] = "string or bytes",
	[ESCAPE_FORM_SUM] = "string, or a number as an interface",
	[ESCAPE_FORM_APPEND] = "append",
	[ESCAPE_FORM_VARIADIC] = "arguments' slice",
};

const char *escape_reason_word(unsigned reason)
{
	return reason < ESCAPE_REASONS ? reason_words[reason] : "?";
}

const char *escape_reason_clause(unsigned reason)
{
	return reason < ESCAPE_REASONS ? reason_clauses[reason] : "";
}

const char *escape_form_word(unsigned form)
{
	return form < ESCAPE_FORMS ? form_words[form] : "?";
}

const char *escape_harmless_words(unsigned harmless)
{
	static const char *const words[ESCAPE_HARMLESS_BITS] = {
		"happens once, before main",
		"only on the way to a panic",
		"only where an error is made",
		"in a test",
		"takes no memory",
		"a constant: it lies in read-only data",
		"in code that the compiler made",
	};

	for (unsigned i = 0; i < ESCAPE_HARMLESS_BITS; i++)
		if (harmless >> i & 1)
			return words[i];
	return "";
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), k = strlen(with);

	return n >= k && !strcmp(s + n - k, with);
}

/* 1, -2.5, "text", 'c', true: what a conversion to an interface puts into read-only data. */
static bool is_constant(const char *s)
{
	if (*s == '"' || *s == '`')
		return strlen(s) >= 2 && ends(s, *s == '"' ? "\"" : "`") && !strstr(s, "\" + ");
	if (*s == '\'')
		return ends(s, "'");
	if (*s == '-')
		s++;
	return (isdigit((unsigned char)*s) && !strchr(s, ' ')) || !strcmp(s, "true") || !strcmp(s, "false");
}

/* "x.f": a field that becomes an interface looks as a method that is taken as a value. */
static bool is_selector(const char *s)
{
	const char *dot = strrchr(s, '.');

	return dot && dot > s && isalpha((unsigned char)*s) && isalpha((unsigned char)dot[1]) &&
	       !strpbrk(s, " ([{\"");
}

static unsigned form_of_make(const char *type)
{
	return begins(type, "map[")				? ESCAPE_FORM_MAP
	       : begins(type, "chan") || begins(type, "<-chan") ? ESCAPE_FORM_CHAN
								: ESCAPE_FORM_SLICE;
}

/* "flow: {heap} ← &x" of x: its address is taken; what is made for an expression is
 * "&{storage for x}". */
static bool is_addressed(const struct escape *e, const struct escape_row *r)
{
	const char *t = r->nsteps ? escape_text(e, e->steps.v[r->first_step].text) : "";
	const char *x = escape_text(e, r->expr), *at = strstr(t, " &");

	return at && *x && !strcmp(at + 2, x);
}

/* Behind the text that begins at s; its end, if that was cut off. */
static const char *past_quoted(const char *s)
{
	char quote = *s++;

	for (; *s && *s != quote; s++)
		if (*s == '\\' && quote != '`' && s[1])
			s++;
	return s + (*s != 0);
}

/* " * ": of numbers alone. */
static bool is_arithmetic(const char *s)
{
	static const char *const ops[] = { " - ", " * ", " / ",  " % ",  " & ",
					   " | ", " ^ ", " << ", " >> ", " &^ " };

	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (begins(s, ops[i]))
			return true;
	return false;
}

/*
 * "a + b": an operand that is a text or a number, or another operator, tells what is added.  Only
 * texts make something where they are added; numbers do where they become an interface.
 */
static unsigned form_of_sum(const char *s)
{
	bool sum = false, operand = true;
	unsigned form = ESCAPE_FORM_SUM;
	int depth = 0;

	while (*s) {
		bool quoted = *s == '"' || *s == '`' || *s == '\'';

		if (!depth && operand && (*s == '"' || *s == '`'))
			form = ESCAPE_FORM_STRING;
		if (!depth && ((operand && (isdigit((unsigned char)*s) || *s == '\'')) ||
			       is_arithmetic(s)))
			form = ESCAPE_FORM_BOX;
		operand = !depth && (begins(s, " + ") || (operand && *s == ' '));
		sum |= !depth && begins(s, " + ");
		depth += strchr("([{", *s) ? 1 : strchr(")]}", *s) ? -1 : 0;
		s = quoted ? past_quoted(s) : operand && *s == ' ' && s[1] == '+' ? s + 2 : s + 1;
	}
	return sum ? form : ESCAPE_FORM_OTHER;
}

static unsigned form_of(const struct escape *e, const struct escape_row *r)
{
	const char *s = escape_text(e, r->expr);
	unsigned sum;

	if (r->what == ESCAPE_MOVED || (r->what == ESCAPE_HEAP && is_addressed(e, r)))
		return ESCAPE_FORM_VARIABLE;
	if (r->what == ESCAPE_PARAM)
		return ESCAPE_FORM_OTHER;
	if (begins(s, "func literal"))
		return ESCAPE_FORM_CLOSURE;
	if (!strcmp(s, "append") || begins(s, "append("))
		return ESCAPE_FORM_APPEND;
	if (begins(s, "make("))
		return form_of_make(s + 5);
	if (begins(s, "new(") || *s == '&')
		return ESCAPE_FORM_COMPOSITE;
	if (begins(s, "... argument"))
		return ESCAPE_FORM_VARIADIC;
	if (begins(s, "[]") && ends(s, "}"))
		return ESCAPE_FORM_SLICE;
	if (begins(s, "map[") && ends(s, "}"))
		return ESCAPE_FORM_MAP;
	if (begins(s, "string(") || begins(s, "([]byte)(") || begins(s, "([]rune)("))
		return ESCAPE_FORM_STRING;
	sum = form_of_sum(s);
	if (sum != ESCAPE_FORM_OTHER)
		return sum;
	return is_selector(s) ? ESCAPE_FORM_METHOD : ESCAPE_FORM_BOX;
}

/* Everything that a row's explanation says, gathered. */
struct said {
	bool any, captured, by_ref, converted, too_large, unknown_size, panics;
	const char *last;   /* of its notes: "from x = y (assign)" without "from " */
	const char *to;	    /* of the last flow: "{heap}" */
	const char *errors; /* a note that goes through errors.New or fmt.Errorf */
	unsigned notes;
};

static struct said gather(const struct escape *e, const struct escape_row *r)
{
	struct said s = { .last = "", .to = "" };

	for (uint32_t i = 0; i < r->nsteps; i++) {
		const struct escape_step *p = &e->steps.v[r->first_step + i];
		const char *t = escape_text(e, p->text);

		s.any = true;
		if (p->flow) {
			s.to = t;
			s.notes = 0;
			s.last = "";
			continue;
		}
		s.notes += !ends(t, "(spill)");
		s.last = t;
		s.captured |= ends(t, "(captured by a closure)");
		s.by_ref |= ends(t, "(reference)");
		s.converted |= ends(t, "(interface-converted)");
		s.too_large |=
			ends(t, "(too large for stack)") || ends(t, "(too aligned for stack)");
		s.unknown_size |= ends(t, "(non-constant size)");
		s.panics |= begins(t, "panic(");
		if (begins(t, "fmt.Errorf(") || begins(t, "errors.New("))
			s.errors = t;
	}
	return s;
}

/* "x[k] = v (assign)", "x[k] (key of map put)" */
static bool into_map(const char *note)
{
	const char *eq = strstr(note, "] = ");

	return ends(note, "(key of map put)") || ends(note, "(map literal key)") ||
	       ends(note, "(map literal value)") || (eq && eq > note && strchr(note, '[') < eq);
}

static unsigned reason_by_end(const struct said *s)
{
	bool heap = begins(s->to, "{heap}"), part = begins(s->to, "{storage for ");

	if (ends(s->last, "(return)"))
		return ESCAPE_RETURNED;
	if (ends(s->last, "(send)"))
		return ESCAPE_SENT;
	if (heap && into_map(s->last))
		return ESCAPE_IN_MAP;
	if (ends(s->last, "(call parameter)"))
		return ESCAPE_PASSED;
	if (heap && !s->notes)
		return ESCAPE_GO;
	if (part)
		return ESCAPE_PART;
	if (heap || strstr(s->last, "appended slice") || strstr(s->last, "appendee slice"))
		return ESCAPE_STORED;
	return begins(s->to, "~") ? ESCAPE_RETURNED : ESCAPE_OUTLIVES;
}

static unsigned reason_of(const struct escape *e, const struct escape_row *r)
{
	struct said s = gather(e, r);

	if (r->what == ESCAPE_PARAM)
		return r->reason;
	if (s.too_large)
		return ESCAPE_TOO_LARGE;
	if (s.unknown_size)
		return ESCAPE_SIZE_UNKNOWN;
	if (s.panics)
		return ESCAPE_PANICS;
	if (r->form == ESCAPE_FORM_BOX)
		return ESCAPE_BOXED;
	if (r->form == ESCAPE_FORM_APPEND)
		return ESCAPE_GROWS;
	if (!s.any)
		return ESCAPE_UNSAID;
	if (s.captured)
		return s.by_ref ? ESCAPE_CAPTURED_REF : ESCAPE_CAPTURED_VALUE;
	return reason_by_end(&s);
}

static bool is_init(const char *function)
{
	return !strcmp(function, "init") || begins(function, "init.") || begins(function, "glob..");
}

static bool is_zero(const char *expr)
{
	return !strcmp(expr, "&struct {}{}") || !strcmp(expr, "struct {}{}") ||
	       !strcmp(expr, "new(struct {})") || !strcmp(expr, "&struct{}{}");
}

static unsigned harmless_of(const struct escape *e, const struct escape_row *r)
{
	struct said s = gather(e, r);
	const char *expr = escape_text(e, r->expr), *file = escape_text(e, r->file);
	unsigned bits = 0;

	if (is_init(escape_text(e, r->function)) && !r->function_guessed)
		bits |= ESCAPE_IN_INIT;
	if (s.panics)
		bits |= ESCAPE_IN_PANIC;
	if (s.errors || begins(expr, "&errors.errorString{") || begins(expr, "errors.New(") ||
	    begins(expr, "&fmt.wrapError"))
		bits |= ESCAPE_IN_ERROR;
	if (ends(file, "_test.go"))
		bits |= ESCAPE_IN_TEST;
	if (is_zero(expr))
		bits |= ESCAPE_ZERO_SIZE;
	if (r->form == ESCAPE_FORM_BOX && is_constant(expr))
		bits |= ESCAPE_CONSTANT;
	if (begins(file, "<autogenerated>"))
		bits |= ESCAPE_GENERATED;
	return bits;
}

void escape_classify(const struct escape *e, struct escape_row *r)
{
	r->form = (uint8_t)form_of(e, r);
	r->reason = (uint8_t)reason_of(e, r);
	r->harmless = (uint8_t)harmless_of(e, r);
}
