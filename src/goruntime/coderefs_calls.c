/*
 * coderefs_calls.c - functions whose arguments or results say what type something is of.
 *
 * Arguments are in AX, BX, CX, DI, SI … (cmd/compile/abi-internal.md).  Which of the runtime's
 * functions take a type: cmd/compile/internal/typecheck/builtin/runtime.go.  The receiver of a
 * method with a pointer receiver is in AX, and its name says the type.
 */
#include "goruntime/coderefs_priv.h"

#include <stdio.h>

#define CALLEE_SLOTS 4096U
#define MAX_NAME     1024
#define MAX_LINES    16
#define TRIE	     "internal/sync.(*HashTrieMap["

enum callee_kind {
	CALLEE_OTHER,
	CALLEE_BARRIER, /* gives R11, keeps all others */
	CALLEE_NEW,	/* (type) *type */
	CALLEE_MALLOC,	/* (size, type, …) *type */
	CALLEE_ROW,	/* (type, …) row of type */
	CALLEE_MAKE,	/* (type, …) a value of it */
	CALLEE_MAP,	/* (type, map, …) */
	CALLEE_ASSIGN,	/* as MAP, and may make room for an entry */
	CALLEE_GROW,	/* (slice's pointer, , , , type of element) */
	CALLEE_MOVE,	/* (type, to, from) */
	CALLEE_BOX,	/* (type, from) *type */
	CALLEE_METHOD,	/* (*type, …) */
	CALLEE_EQUAL,	/* (*type, *type) */
	CALLEE_TRIE,	/* (*HashTrieMap, …): a sync.Map begins with it */
};

struct callee_slot {
	taddr entry; /* 0: empty */
	taddr type;  /* METHOD, EQUAL; 0: it has none */
	uint8_t kind;
};

static const struct {
	const char *name; /* behind "runtime."; "…*" for all that begin so */
	uint8_t kind;
} known[] = {
	{ "gcWriteBarrier*", CALLEE_BARRIER },
	{ "newobject", CALLEE_NEW },
	{ "mallocgc*", CALLEE_MALLOC },
	{ "makeslice", CALLEE_ROW },
	{ "makeslice64", CALLEE_ROW },
	{ "makeslicecopy", CALLEE_ROW },
	{ "makemap", CALLEE_MAKE },
	{ "makemap64", CALLEE_MAKE },
	{ "makechan", CALLEE_MAKE },
	{ "makechan64", CALLEE_MAKE },
	{ "mapaccess1*", CALLEE_MAP },
	{ "mapaccess2*", CALLEE_MAP },
	{ "mapassign*", CALLEE_ASSIGN },
	{ "mapdelete*", CALLEE_MAP },
	{ "mapiterinit", CALLEE_MAP },
	{ "mapIterStart", CALLEE_MAP },
	{ "mapclear", CALLEE_MAP },
	{ "growslice*", CALLEE_GROW },
	{ "typedmemmove", CALLEE_MOVE },
	{ "typedmemclr", CALLEE_MOVE },
	{ "wbMove", CALLEE_MOVE },
	{ "wbZero", CALLEE_MOVE },
	{ "convT", CALLEE_BOX },
};

struct err *code_callees_init(struct code_worker *w)
{
	w->callees = zalloc(CALLEE_SLOTS, sizeof(*w->callees));
	return w->callees ? NULL : &err_nomem;
}

/* The linker's names escape what is not plain: "gopkg.in/yaml%2ev3" (cmd/internal/objabi). */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		unsigned x;

		if (s[0] == '%' && s[1] && s[2] && sscanf(s + 1, "%2x", &x) == 1) {
			*to++ = (char)x;
			s += 3;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

/* A method's own name: no closure in it, no wrapper of a method value. */
static bool plain(const char *s)
{
	return *s && !strpbrk(s, ".-[");
}

taddr code_receiver(const struct go_code *c, const char *function)
{
	const char *open = strstr(function, ".(*"), *close = open ? strchr(open, ')') : NULL;
	char path[MAX_NAME], full[2 * MAX_NAME];
	size_t npath = open ? (size_t)(open - function) : 0;

	if (!close || close[1] != '.' || !plain(close + 2) || npath >= sizeof(path) ||
	    close - open > MAX_NAME - 8)
		return 0;
	memcpy(path, function, npath);
	path[npath] = 0;
	unescape(path);
	snprintf(full, sizeof(full), "%s.%.*s", path, (int)(close - open - 3), open + 3);
	if (strchr(full, '['))
		return 0; /* shapes: one body for several types */
	return go_type_named(c->ts, full);
}

static void of_runtime(const char *name, struct callee_slot *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t n = strlen(known[i].name);
		bool all = known[i].name[n - 1] == '*';

		if (all ? strncmp(name, known[i].name, n - 1) == 0
			: strcmp(name, known[i].name) == 0) {
			ret->kind = known[i].kind;
			return;
		}
	}
}

/* "type:.eq.main.T", "type..eq.main.T" up to 1.2x (reflectdata/alg.go). */
static taddr equal_of(const struct go_code *c, const char *name)
{
	char full[MAX_NAME];

	if (strncmp(name, "type:.eq.", 9) != 0 || strlen(name) >= sizeof(full))
		return 0;
	strcpy(full, name + 9);
	unescape(full);
	return go_type_named(c->ts, full);
}

static void learn(const struct go_code *c, struct callee_slot *s)
{
	struct go_func f;

	if (!go_func_at(c->g, s->entry, &f)) {
		taddr to = code_through_plt(c->g, s->entry);

		if (!go_func_at(c->g, to, &f) || f.entry != to)
			return;
	} else if (f.entry != s->entry) {
		return;
	}
	if (!strncmp(f.name, "runtime.", 8) && f.name[8] != '(') {
		of_runtime(f.name + 8, s);
		return;
	}
	s->type = code_receiver(c, f.name);
	s->kind = s->type ? CALLEE_METHOD : CALLEE_OTHER;
	if (s->type)
		return;
	if (!strncmp(f.name, TRIE, strlen(TRIE))) {
		s->kind = CALLEE_TRIE;
		return;
	}
	s->type = equal_of(c, f.name);
	s->kind = s->type ? CALLEE_EQUAL : CALLEE_OTHER;
}

static struct callee_slot *callee_of(struct code_worker *w, taddr entry)
{
	struct callee_slot *s =
		&w->callees[(entry * 0x9e3779b97f4a7c15ULL >> 40) & (CALLEE_SLOTS - 1)];

	if (s->entry != entry) {
		*s = (struct callee_slot){ .entry = entry };
		learn(w->c, s);
	}
	return s;
}

/* The type in a register; 0: none. */
static taddr type_in(const struct code_worker *w, unsigned reg)
{
	const struct val *v = &w->now.r[reg];

	return v->kind == VAL_CONST && code_is_type(w->c, v->a) ? v->a : 0;
}

static struct err *place_in(struct code_worker *w, unsigned reg, taddr type)
{
	const struct val *v = &w->now.r[reg];

	return type && v->kind == VAL_GLOBAL ? code_fact(w, v->a, type, FACT_IS) : NULL;
}

static struct err *loaded_in(struct code_worker *w, unsigned reg, taddr type, enum fact_what what)
{
	const struct val *v = &w->now.r[reg];

	return type && v->kind == VAL_LOADED ? code_fact(w, v->a, type, what) : NULL;
}

/* The call is of a body that was inlined, of a function whose name begins so. */
static bool inlined(const struct go_code *c, taddr call, const char *prefix)
{
	struct go_line lines[MAX_LINES];
	size_t n = go_lines_at(c->g, call, lines, MAX_LINES);

	return n > 1 && !strncmp(lines[0].function, prefix, strlen(prefix));
}

/*
 * sync.(*Map).Load and its like are one call each, and inlined (sync/map.go since 1.24); of all
 * tries' methods these alone are called in their bodies, on the map itself.
 */
static struct err *of_sync_map(struct code_worker *w, taddr call)
{
	const struct val *v = &w->now.r[X86_AX];
	taddr type;

	if ((v->kind != VAL_GLOBAL && v->kind != VAL_LOADED) ||
	    !inlined(w->c, call, "sync.(*Map)."))
		return NULL;
	type = go_type_named(w->c->ts, "sync.Map");
	return v->kind == VAL_GLOBAL ? place_in(w, X86_AX, type)
				     : loaded_in(w, X86_AX, type, FACT_RECEIVER);
}

static struct err *arguments(struct code_worker *w, const struct callee_slot *s, taddr call)
{
	struct err *err;

	switch (s->kind) {
	case CALLEE_MAP:
	case CALLEE_ASSIGN:
		return loaded_in(w, X86_BX, type_in(w, X86_AX), FACT_IS);
	case CALLEE_GROW: /* up to 1.19 (slice.go): (type of element, slice's pointer, …) */
		if (type_in(w, X86_AX))
			return loaded_in(w, X86_BX, type_in(w, X86_AX), FACT_SLICE);
		return loaded_in(w, X86_AX, type_in(w, X86_SI), FACT_SLICE);
	case CALLEE_MOVE:
		err = place_in(w, X86_BX, type_in(w, X86_AX));
		return err ? err : place_in(w, X86_CX, type_in(w, X86_AX));
	case CALLEE_BOX:
		return place_in(w, X86_BX, type_in(w, X86_AX));
	case CALLEE_METHOD:
		err = place_in(w, X86_AX, s->type);
		return err ? err : loaded_in(w, X86_AX, s->type, FACT_RECEIVER);
	case CALLEE_EQUAL:
		err = place_in(w, X86_AX, s->type);
		return err ? err : place_in(w, X86_BX, s->type);
	case CALLEE_TRIE:
		return of_sync_map(w, call);
	default:
		return NULL;
	}
}

static struct val result(const struct code_worker *w, uint8_t kind)
{
	switch (kind) {
	case CALLEE_NEW:
	case CALLEE_BOX:
		return (struct val){ VAL_NEW, type_in(w, X86_AX) };
	case CALLEE_MALLOC:
		return (struct val){ VAL_NEW, type_in(w, X86_BX) };
	case CALLEE_ROW:
		return (struct val){ VAL_ROW, type_in(w, X86_AX) };
	case CALLEE_MAKE:
		return (struct val){ VAL_OF, type_in(w, X86_AX) };
	default:
		return (struct val){ VAL_NONE, 0 };
	}
}

/* What the call allocates. */
static struct err *allocates(struct code_worker *w, uint8_t kind, taddr call)
{
	switch (kind) {
	case CALLEE_NEW:
	case CALLEE_BOX:
		return code_alloc(w, call, type_in(w, X86_AX), GO_CODE_MAKE_ONE);
	case CALLEE_MALLOC:
		return code_alloc(w, call, type_in(w, X86_BX), GO_CODE_MAKE_ONE);
	case CALLEE_ROW:
		return code_alloc(w, call, type_in(w, X86_AX), GO_CODE_MAKE_ROW);
	case CALLEE_GROW: /* the element's type comes first up to 1.19 (slice.go) */
		return code_alloc(w, call,
				  type_in(w, X86_SI) ? type_in(w, X86_SI) : type_in(w, X86_AX),
				  GO_CODE_MAKE_ROW);
	case CALLEE_MAKE:
		return code_alloc(w, call, type_in(w, X86_AX), GO_CODE_MAKE_VALUE);
	case CALLEE_ASSIGN:
		return code_alloc(w, call, type_in(w, X86_AX), GO_CODE_MAKE_INSERT);
	default:
		return NULL;
	}
}

struct err *code_call(struct code_worker *w, taddr entry, taddr next)
{
	const struct callee_slot *s = callee_of(w, entry);
	struct err *err;
	struct val v;

	w->now.r[11] = (struct val){ 0 };
	if (s->kind == CALLEE_BARRIER)
		return NULL;
	err = arguments(w, s, next - 1);
	if (!err)
		err = allocates(w, s->kind, next - 1);
	v = result(w, s->kind);
	memset(w->now.r, 0, sizeof(w->now.r));
	if (v.a)
		w->now.r[X86_AX] = v;
	return err;
}
