/*
 * gotext_read.c - lines of a log, one after the other, to goroutines.
 *
 * A goroutine begins with its header and is as long as lines look like its stack; whatever comes in
 * between is other output and skipped.  Knows nothing of what dumps mean.  Cost: a few searches a
 * line outside of dumps, one or two lookups a line inside.
 */
#include "evidence/gotext_priv.h"

enum {
	GAP_LINES = 2000,  /* so much other output ends a dump */
	GAP_SECONDS = 60,  /* so does such a pause */
	PANIC_LINES = 200, /* from what a panic says to the first goroutine */
};

static void push_link(struct gotext *g, const struct gotext_frame *f)
{
	struct gotext_reader *r = g->r;
	uint32_t id = gotext_intern_frame(g, f);

	if (id == GOTEXT_NONE || r->cur_links.n >= GOTEXT_FRAMES_MAX)
		return;
	if (!vec_push(&r->cur_links, id))
		r->all->nomem = true;
}

static void push_arg(struct gotext_reader *r, const struct gotext_call *c)
{
	struct gotext_arg a = { c->arg, (uint32_t)r->cur_links.n, c->unsure };

	/* what is no pointer names no lock, and is none of our business */
	if (!c->has_arg || c->arg < 1 << 16 || (c->flags & GOTEXT_FRAME_CUT))
		return;
	if (!vec_push(&r->args, a))
		r->all->nomem = true;
	else
		r->cur.nargs++;
}

/* The call whose place did not come, or came: a frame. */
static void end_pending(struct gotext *g, const struct gotext_place *at)
{
	struct gotext_reader *r = g->r;
	struct gotext_frame f = { .flags = r->pending_call.flags };

	if (!r->has_pending)
		return;
	r->has_pending = false;
	if (!at && !memchr(r->pending.s, '.', r->pending.n))
		return; /* a word with parentheses: anything */
	f.function = gotext_intern(g, r->pending);
	if (at) {
		f.file = gotext_intern(g, at->file);
		f.line = at->line;
	}
	g->cut_lines += !at || (f.flags & GOTEXT_FRAME_CUT);
	push_arg(r, &r->pending_call);
	push_link(g, &f);
}

/* The runtime's own: outside of them it has none in a user's dump. */
static bool is_system(const struct gotext *g, const struct gotext_stack *s)
{
	const char *f = gotext_text(g, s->entry);

	return !strncmp(f, "runtime.", 8) && strcmp(f, "runtime.main") != 0;
}

void gotext_close_goroutine(struct gotext *g)
{
	struct gotext_reader *r = g->r;
	struct gotext_goroutine *c = &r->cur;
	const struct gotext_stack *s;

	end_pending(g, NULL);
	if (!c->count)
		return;
	c->stack = gotext_intern_stack(g, r->cur_links.v, r->cur_links.n, r->created, r->elided);
	if (c->stack != GOTEXT_NONE && r->gs.n >= GOTEXT_GS_MAX)
		g->lost_texts++;
	if (c->stack != GOTEXT_NONE && r->gs.n < GOTEXT_GS_MAX) {
		gotext_place_dump(g);
		s = &g->stacks.v[c->stack];
		c->flags |= is_system(g, s) ? GOTEXT_SYSTEM : 0;
		if (r->created == GOTEXT_NONE && c->id > 1 &&
		    !(c->flags & (GOTEXT_NO_STACK | GOTEXT_SYSTEM)))
			c->flags |= GOTEXT_WRAPPED;
		if (r->instead < r->gs.n)
			r->gs.v[r->instead] = *c;
		else if (!vec_push(&r->gs, *c))
			r->all->nomem = true;
		r->dump.n += r->instead == GOTEXT_NONE ? c->count : 0;
	}
	r->cur = (struct gotext_goroutine){ 0 };
	r->instead = GOTEXT_NONE;
	r->cur_links.n = 0;
	r->where = AT_NOTHING;
}

static void begin(struct gotext *g, enum gotext_where where)
{
	struct gotext_reader *r = g->r;

	r->where = where;
	r->cur_links.n = 0;
	r->created = GOTEXT_NONE;
	r->elided = 0;
	r->created_open = r->has_pending = r->blank = false;
	r->nplain = 0;
	r->cur.first_arg = (uint32_t)r->args.n;
	r->gap = 0;
}

/* Does that header begin another dump? */
static bool is_new_dump(struct gotext_reader *r, const struct gotext_header *h)
{
	bool running = bit_is(h->state, "running");
	uint64_t s = r->timed && (r->dump.flags & GOTEXT_TIMED) && r->time_ns > r->dump.time_ns
			     ? (r->time_ns - r->dump.time_ns) / 1000000000U
			     : 0;

	if (!r->open || (r->breaks && (!r->soft || running)) || (r->dump.flags & GOTEXT_PROFILE))
		return true;
	if (r->breaks)
		r->has_panic = false; /* somebody wrote of a panic */
	if (r->relay)
		return false;
	if (r->gap > GAP_LINES || (r->gap && s > GAP_SECONDS))
		return true;
	/*
	 * Who asks for stacks is running, and the world stands: a second one is of a second
	 * request. Of a death there are others that run, on other threads.
	 */
	return running && (r->gap || !r->blank) && !(r->dump.flags & GOTEXT_FINAL);
}

/* A goroutine that ran on another thread, which comes to write its stack in the end. */
static bool had_no_stack(const struct gotext_reader *r, uint64_t id, uint32_t at)
{
	return at < r->gs.n && r->gs.v[at].id == id && (r->gs.v[at].flags & GOTEXT_NO_STACK);
}

static void begin_goroutine(struct gotext *g, const struct gotext_header *h)
{
	struct gotext_reader *r = g->r;
	uint32_t at = 0;
	bool again, instead;

	gotext_close_goroutine(g);
	if (is_new_dump(r, h))
		gotext_open_dump(g);
	if (!h->id) { /* the scheduler's own stack on some thread: no goroutine */
		r->breaks = r->soft = false;
		gotext_take_panic(g);
		begin(g, AT_ELSEWHERE);
		return;
	}
	again = gotext_seen(r, h->id, (uint32_t)r->gs.n, &at);
	instead =
		again && (r->relay || (r->dump.flags & GOTEXT_FINAL)) && had_no_stack(r, h->id, at);
	if (again && !instead && r->relay) { /* it was there with its stack */
		begin(g, AT_ELSEWHERE);
		return;
	}
	if (again && !instead) {
		gotext_open_dump(g);
		gotext_seen(r, h->id, 0, &at);
	}
	r->instead = instead ? at : GOTEXT_NONE;
	r->breaks = r->soft = false;
	r->cur = (struct gotext_goroutine){
		.id = h->id,
		.state = gotext_intern(g, h->state),
		.labels = gotext_intern(g, h->labels),
		.minutes = (uint32_t)MIN(h->minutes, (uint64_t)UINT32_MAX),
		.count = 1,
		.flags = h->flags,
	};
	begin(g, AT_GOROUTINE);
	gotext_take_panic(g);
}

static void keep_pending(struct gotext_reader *r, const struct gotext_call *c)
{
	memcpy(r->pending_text, c->name.s, c->name.n);
	r->pending = (struct bit){ r->pending_text, c->name.n };
	r->pending_call = *c;
	r->has_pending = true;
	r->blank = false;
}

static void take_place(struct gotext *g, const struct gotext_place *at)
{
	struct gotext_reader *r = g->r;

	if (r->has_pending) {
		end_pending(g, at);
	} else if (r->created_open) {
		struct gotext_frame f = g->frames.v[r->created];
		uint32_t id;

		f.file = gotext_intern(g, at->file);
		f.line = at->line;
		id = gotext_intern_frame(g, &f);
		r->created = id == GOTEXT_NONE ? r->created : id;
		r->created_open = false;
		r->where = AT_END;
	} else if (at->only_pc && r->nplain) {
		struct gotext_frame f = { gotext_intern(g, (struct bit){ r->plain, r->nplain }),
					  gotext_intern(g, at->file), at->line, GOTEXT_FRAME_C };

		push_link(g, &f);
	}
	r->nplain = 0;
}

/* "...23 frames elided...", "...additional frames elided..." */
static bool take_elided(struct gotext *g, struct bit line)
{
	uint64_t n = 0;

	if (!bit_starts(line, "...") || !memmem(line.s, line.n, "frames elided...", 16))
		return false;
	g->r->elided = bit_number(bit_from(line, 3), &n)
			       ? (uint32_t)MIN(n, (uint64_t)UINT32_MAX - 1)
			       : GOTEXT_NONE;
	return true;
}

static bool take_created(struct gotext *g, struct bit line)
{
	struct gotext_reader *r = g->r;
	struct gotext_frame f = { 0 };
	struct bit name;
	uint64_t parent;

	if (!gotext_created(line, &name, &parent))
		return false;
	end_pending(g, NULL);
	f.function = gotext_intern(g, name);
	r->created = gotext_intern_frame(g, &f);
	r->created_open = r->created != GOTEXT_NONE;
	r->cur.parent = parent;
	return true;
}

static bool take_c(struct gotext *g, struct bit line)
{
	struct gotext_frame f = { .flags = GOTEXT_FRAME_C };

	if (!bit_starts(line, "non-Go function at pc="))
		return false;
	end_pending(g, NULL);
	f.function = gotext_intern(g, (struct bit){ line.s, 15 });
	push_link(g, &f);
	return true;
}

static void keep_plain(struct gotext_reader *r, struct bit line)
{
	bool word = line.n && line.n < sizeof(r->plain) && line.s[0] != ' ' && line.s[0] != '\t';

	r->nplain = word ? line.n : 0;
	if (word)
		memcpy(r->plain, line.s, line.n);
}

/* A line of a stack: false: it is none. */
static bool stack_line(struct gotext *g, struct bit line)
{
	struct gotext_reader *r = g->r;
	struct gotext_place at;
	struct gotext_call c;

	if (take_created(g, line) || take_elided(g, line) || take_c(g, line))
		return true;
	if (gotext_call(line, &c)) {
		end_pending(g, NULL);
		keep_pending(r, &c);
		return true;
	}
	if (memmem(line.s, line.n, "stack unavailable", 17)) {
		r->cur.flags |= GOTEXT_NO_STACK;
		return true;
	}
	if ((r->has_pending || r->created_open || r->nplain) && gotext_place(line, &at)) {
		take_place(g, &at);
		return true;
	}
	return bit_starts(line, "\tpc=0x") || bit_is(line, "non-Go function");
}

static bool profile_line(struct gotext *g, struct bit line)
{
	struct gotext_reader *r = g->r;
	struct gotext_symbol y;
	uint64_t n;

	if (gotext_record(line, &n)) {
		gotext_close_goroutine(g);
		begin(g, AT_PROFILE);
		r->cur.count = (uint32_t)MIN(n, (uint64_t)INT32_MAX);
		return true;
	}
	if (bit_starts(line, "# labels: {")) {
		struct bit l = bit_trim(bit_from(line, 11));

		r->cur.labels =
			gotext_intern(g, (struct bit){ l.s, l.n - (l.n && l.s[l.n - 1] == '}') });
		return true;
	}
	if (!gotext_symbol(line, &y))
		return bit_is(line, "#");
	struct gotext_frame f = { gotext_intern(g, y.name), gotext_intern(g, y.file), y.line, 0 };

	if (r->cur.count)
		push_link(g, &f);
	return true;
}

/* Registers and what else a dying program writes between stacks. */
static bool is_crash_talk(struct bit line)
{
	static const char *const words[] = {
		"PC=",	"[signal ", "exit status ", "stack: frame=", "rax ", "rbx ", "rcx ",
		"rdx ", "rdi ",	    "rsi ",	    "rbp ",	     "rsp ", "rip ", "rflags ",
		"cs  ", "fs  ",	    "gs  ",	    "r8 ",	     "r9 ",  "r1"
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (bit_starts(line, words[i]))
			return true;
	return false;
}

static void begin_profile(struct gotext *g, const struct gotext_anchor *a)
{
	struct gotext_reader *r = g->r;

	gotext_close_goroutine(g);
	r->has_panic = r->panic_final = false;
	gotext_open_dump(g);
	r->dump.flags |= GOTEXT_PROFILE | (a->profile == 2 ? GOTEXT_LEAKS : 0U);
	r->total = a->total;
	gotext_place_dump(g);
	begin(g, AT_PROFILE);
	r->cur.count = 0;
}

/* Something of the open dump, or not; true: it was. */
static bool dump_line(struct gotext *g, struct bit line)
{
	struct gotext_reader *r = g->r;

	if (!r->open)
		return false;
	if (bit_is(line, "-----")) {
		gotext_close_goroutine(g);
		r->relay = true;
		r->where = AT_NOTHING;
		return true;
	}
	if (bit_starts(line, "runtime stack:") ||
	    bit_starts(line, "[originating from goroutine ")) {
		end_pending(g, NULL);
		r->where = line.s[0] == 'r' && !r->cur.count ? AT_ELSEWHERE : AT_ANCESTOR;
		return true;
	}
	if (r->where == AT_GOROUTINE)
		return stack_line(g, line);
	if (r->where == AT_PROFILE)
		return profile_line(g, line);
	if (r->where == AT_ANCESTOR || r->where == AT_ELSEWHERE) {
		struct gotext_call c;
		struct gotext_place at;
		struct bit name;
		uint64_t parent;

		return gotext_call(line, &c) || gotext_place(line, &at) ||
		       gotext_created(line, &name, &parent) || bit_starts(line, "...");
	}
	return is_crash_talk(line);
}

static void other_output(struct gotext_reader *r, struct bit line)
{
	if (!r->open)
		return;
	if (!line.n) {
		r->blank = true;
		return;
	}
	r->gap++;
	if (r->where == AT_GOROUTINE) {
		if (r->blank && !r->has_pending && !r->created_open)
			r->where = AT_END;
		keep_plain(r, line);
	}
}

bool gotext_is_said(const struct gotext *g, struct bit line, const struct gotext_anchor *a)
{
	const struct gotext_reader *r = g->r;

	if (bit_starts(line, "panic: "))
		return !memmem(line.s, a->at, "\\n", 2);
	return r->has_panic && r->tabbed && r->since_panic < PANIC_LINES && a->at &&
	       line.s[0] == '\t';
}

void gotext_begin(struct gotext *g, const struct gotext_anchor *a)
{
	if (a->profile)
		begin_profile(g, a);
	else
		begin_goroutine(g, &a->header);
}

void gotext_content(struct gotext *g, struct bit line)
{
	struct gotext_anchor a;

	if (gotext_anchor(line, &a))
		gotext_begin(g, &a);
	else
		gotext_content_plain(g, line);
}

void gotext_content_plain(struct gotext *g, struct bit line)
{
	struct gotext_reader *r = g->r;
	bool is_ours = false;

	while (line.n && line.s[line.n - 1] == '\r')
		line.n--;
	r->since_panic++;
	if (r->since_panic > PANIC_LINES)
		r->has_panic = false;
	if (gotext_mark(g, line)) {
		r->tabbed = bit_starts(line, "panic: ");
		is_ours = true;
	}
	if (is_ours || dump_line(g, line)) {
		if (r->open && r->gap) {
			r->noise += r->gap;
			r->gap = 0;
		}
		return;
	}
	other_output(r, line);
}
