/*
 * dump_decode.c - the shape of each record of a heap dump, and whether one is likely.
 *
 * Source: runtime/heapdump.go; the same from Go 1.7 to 1.27.  Keeps nothing, allocates nothing.
 * Cost: one pass over the record.
 */
#include "target/dump_read.h"

/* i: number, m: length and bytes, f: field list; the two odd ones have code of their own. */
static const char *const shape[DUMP_NTAGS] = {
	[DUMP_EOF] = "",
	[DUMP_OBJECT] = "imf",
	[DUMP_OTHER_ROOT] = "mi",
	[DUMP_TYPE] = "iimi",
	[DUMP_GOROUTINE] = "iiiiiiiimiiii",
	[DUMP_FRAME] = "iiimiiimf",
	[DUMP_PARAMS] = "iiiimmi",
	[DUMP_FINALIZER] = "iiiii",
	[DUMP_ITAB] = "ii",
	[DUMP_THREAD] = "iii",
	[DUMP_MEMSTATS] = "iiiiiiiiiiiiiiiiiiiiiiiisi",
	[DUMP_QUEUED] = "iiiii",
	[DUMP_DATA] = "imf",
	[DUMP_BSS] = "imf",
	[DUMP_DEFER] = "iiiiiii",
	[DUMP_PANIC] = "iiiiii",
	[DUMP_MEMPROF] = "iikii",
	[DUMP_SAMPLE] = "ii",
};

/* What lies there cannot be, however much follows it. */
static void wrong(struct bytes *b, struct dump_rec *r)
{
	b->bad = true;
	r->need = 0;
}

/* bytes_uvarint, short numbers first. */
static inline uint64_t number(struct bytes *b, struct dump_rec *r)
{
	size_t left = bytes_left(b);
	uint64_t x;

	if (b->bad)
		return 0;
	if (left && *b->p < 0x80)
		return *b->p++;
	x = bytes_uvarint(b);
	if (b->bad && left >= 10)
		r->need = 0;
	return x;
}

static void take_mem(struct bytes *b, struct dump_rec *r)
{
	uint64_t n = number(b, r), left = bytes_left(b);

	if (b->bad)
		return;
	if (r->nm == ARRAY_LEN(r->mem)) {
		wrong(b, r);
		return;
	}
	if (n > left) {
		/* need was one byte more than there are */
		r->need = n - left < INT64_MAX ? r->need - 1 + (n - left) : UINT64_MAX;
		b->bad = true;
		return;
	}
	r->mem[r->nm].p = b->p;
	r->mem[r->nm++].n = n;
	b->p += n;
}

/*
 * Offsets ascend and lie in the bytes that the list is about: who walks it needs no room for more.
 * Not so in frames: dumpframe() may name the words between two frames twice, or beyond the frame.
 */
static void take_fields(struct bytes *b, uint64_t max, struct dump_rec *r)
{
	uint64_t room = r->mem[0].n, next = 0, kind;

	r->fields = *b;
	for (; (kind = number(b, r)) && !b->bad; r->has_fields = true) {
		uint64_t at = number(b, r), n = kind > 1 ? 16 : 8;

		if (b->bad)
			break;
		if (kind > 3 || at % 8 || r->steps++ >= max)
			wrong(b, r);
		else if (r->tag != DUMP_FRAME && (at < next || room < n || at > room - n))
			wrong(b, r);
		next = at + n;
	}
	r->fields.end = b->p;
}

static void take_stack(struct bytes *b, uint64_t max, struct dump_rec *r)
{
	uint64_t n = number(b, r);

	r->n[r->nn++] = n;
	r->stack = *b;
	for (uint64_t i = 0; i < n && !b->bad; i++) {
		struct dump_rec line = { .need = r->need };

		take_mem(b, &line);
		take_mem(b, &line);
		number(b, &line);
		r->need = line.need;
		if (!b->bad && r->steps++ >= max)
			wrong(b, r);
	}
	r->stack.end = b->p;
}

bool dump_decode(struct bytes *b, uint64_t max_steps, struct dump_rec *ret)
{
	struct dump_rec *r = ret;
	uint64_t tag;

	r->steps = 0;
	r->need = bytes_left(b) + 1;
	r->nn = r->nm = 0;
	r->has_fields = false;
	tag = number(b, r);
	if (tag >= DUMP_NTAGS)
		wrong(b, r);
	if (b->bad)
		return false;
	r->tag = (enum dump_tag)tag;
	for (const char *s = shape[tag]; *s && !b->bad; s++) {
		switch (*s) {
		case 'i':
			r->n[r->nn++] = number(b, r);
			break;
		case 'm':
			take_mem(b, r);
			break;
		case 'f':
			take_fields(b, max_steps, r);
			break;
		case 'k':
			take_stack(b, max_steps, r);
			break;
		case 's': /* MemStats.PauseNs */
			for (unsigned i = 0; i < 256; i++)
				number(b, r);
			break;
		}
	}
	return !b->bad;
}

static bool is_addr(uint64_t a)
{
	return a >= 4096 && a < DUMP_ADDR_END;
}

static bool is_text(const uint8_t *p, uint64_t n)
{
	if (n > 65536)
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (p[i] < ' ' || p[i] == 0x7f)
			return false;
	return true;
}

/* An object in the arenas, 8 bytes or a multiple. */
static bool likely_object(const struct dump *d, const struct dump_rec *r)
{
	uint64_t n = r->mem[0].n;

	if (r->n[0] % 8 || n % 8 || !n || n > DUMP_ADDR_END - r->n[0])
		return false;
	return !trange_bytes(d->arenas) || trange_has_all(d->arenas, r->n[0], n);
}

bool dump_plausible(const struct dump *d, const struct dump_rec *r)
{
	switch (r->tag) {
	case DUMP_EOF:
	case DUMP_PARAMS:
	case DUMP_MEMSTATS:
		return true;
	case DUMP_OBJECT:
		return is_addr(r->n[0]) && likely_object(d, r);
	case DUMP_OTHER_ROOT:
		return is_text(r->mem[0].p, r->mem[0].n);
	case DUMP_TYPE:
		return is_addr(r->n[0]) && r->n[1] < DUMP_ADDR_END &&
		       is_text(r->mem[0].p, r->mem[0].n);
	case DUMP_GOROUTINE:
		return is_addr(r->n[0]) && r->n[4] < 16 && r->n[5] < 2 &&
		       is_text(r->mem[0].p, r->mem[0].n);
	case DUMP_FRAME:
		return is_addr(r->n[0]) && r->n[0] % 8 == 0 &&
		       r->mem[0].n < DUMP_ADDR_END - r->n[0] && is_text(r->mem[1].p, r->mem[1].n);
	case DUMP_DATA:
	case DUMP_BSS:
		return is_addr(r->n[0]) && r->n[0] % 8 == 0 &&
		       r->mem[0].n < DUMP_ADDR_END - r->n[0];
	default:
		return is_addr(r->n[0]);
	}
}
