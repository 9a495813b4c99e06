/*
 * gotext_join.c - lines that a container's runtime cut at 16 KiB, whole again.
 *
 * CRI says so: "TIME stderr P …" goes on in the next line of that stream, the last one has "F".
 * docker's json-file says nothing: a "log" of 16 KiB that does not end its line goes on.  (moby
 * daemon/logger/copier.go: defaultBufSize; Kubernetes CRI logging: LogTagPartial.)
 * Memory: a line of GOTEXT_LINE_MAX for each of the two streams.
 */
#include "evidence/gotext_priv.h"

enum { DOCKER_PIECE = 16384 };

/* A line in pieces: what stands before its text, the text, what stands behind. */
struct piece {
	struct bit before, text, after;
	bool err;   /* of stderr, else of stdout */
	bool ended; /* no more of it follows */
	size_t tag; /* in before: of CRI its "P" or "F" */
	bool docker;
};

/* "2026-01-02T03:04:05.678Z stderr P " */
static bool cri_piece(struct bit raw, struct piece *ret)
{
	size_t n, at;
	struct bit p;
	uint64_t ns;
	uint32_t flags;

	if (raw.n < 28 || raw.s[10] != 'T' || raw.s[4] != '-')
		return false;
	n = gotext_time(raw, &ns, &flags);
	p = bit_from(raw, n);
	ret->err = bit_starts(p, " stderr ");
	if (!n || (!ret->err && !bit_starts(p, " stdout ")))
		return false;
	at = n + 8;
	if (at >= raw.n || (raw.s[at] != 'P' && raw.s[at] != 'F'))
		return false;
	ret->ended = raw.s[at] == 'F';
	ret->tag = at;
	while (at < raw.n && raw.s[at] != ' ') /* more tags may stand behind colons */
		at++;
	at = MIN(at + 1, raw.n);
	ret->before = (struct bit){ raw.s, at };
	ret->text = bit_from(raw, at);
	ret->after = (struct bit){ raw.s, 0 };
	ret->docker = false;
	return true;
}

/* Could that be 16 KiB of text?  A byte that is no UTF-8 is written as "\ufffd". */
static bool is_full(struct bit text)
{
	size_t least = 0, most = 0;

	for (size_t i = 0; i < text.n; i++) {
		bool wide = false;

		if (text.s[i] == '\\') {
			wide = i + 2 < text.n && text.s[i + 1] == 'u' && text.s[i + 2] != '0';
			i += i + 1 < text.n && text.s[i + 1] == 'u' ? 5 : 1;
		}
		least++;
		most += wide ? 3 : 1;
	}
	return least <= DOCKER_PIECE && DOCKER_PIECE <= most;
}

/* "…\n", and the backslash is none of a pair. */
static bool ends_line(struct bit text)
{
	size_t n = 0;

	if (!text.n || text.s[text.n - 1] != 'n')
		return false;
	while (n + 1 < text.n && text.s[text.n - 2 - n] == '\\')
		n++;
	return n % 2 == 1;
}

/* {"log":"…","stream":"stderr",… */
static bool docker_piece(struct bit raw, struct piece *ret)
{
	struct gotext_field f;
	size_t at;

	if (!bit_starts(raw, "{\"log\":") ||
	    !gotext_field_named(raw, (struct bit){ "log", 3 }, true, &f))
		return false;
	at = (size_t)(f.value.s - raw.s);
	ret->before = (struct bit){ raw.s, at };
	ret->text = f.value;
	ret->after = bit_from(raw, at + f.value.n);
	ret->err = memmem(ret->after.s, ret->after.n, "\"stderr\"", 8) != NULL;
	ret->ended = ends_line(f.value) || !is_full(f.value);
	ret->docker = true;
	return true;
}

/* What is more than a line may be long is dropped. */
static bool add(struct gotext_reader *r, struct gotext_part *p, struct bit text)
{
	size_t n = p->text.n < GOTEXT_LINE_MAX ? MIN(text.n, GOTEXT_LINE_MAX - p->text.n) : 0;

	if (!vec_reserve(&p->text, p->text.n + n + 1)) {
		r->all->nomem = true;
		return false;
	}
	memcpy(p->text.v + p->text.n, text.s, n);
	p->text.n += n;
	return true;
}

bool gotext_join(struct gotext *g, struct bit *raw)
{
	struct gotext_reader *r = g->r;
	struct gotext_part *p;
	struct piece x;
	bool open = r->all->parts[0].text.n || r->all->parts[1].text.n;

	if (!raw->n || (raw->s[0] != '{' && (raw->s[0] < '0' || raw->s[0] > '9')))
		return true;
	if (raw->s[0] == '{' && !open && raw->n < DOCKER_PIECE)
		return true;
	if (!cri_piece(*raw, &x) && !docker_piece(*raw, &x))
		return true;
	p = &r->all->parts[x.err];
	if (p->text.n && p->docker != x.docker)
		p->text.n = 0;
	if (!p->text.n && x.ended)
		return true;
	if (!p->text.n) {
		if (!add(r, p, x.before))
			return false;
		if (!x.docker) /* whole, it looks like its neighbours */
			p->text.v[x.tag] = 'F';
	}
	p->docker = x.docker;
	if (!add(r, p, x.text) || (x.ended && !add(r, p, x.after)))
		return false;
	if (!x.ended)
		return false;
	*raw = (struct bit){ p->text.v, p->text.n };
	p->text.n = 0; /* the bytes stay until the next piece */
	return true;
}

bool gotext_join_rest(struct gotext *g, struct bit *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(g->r->all->parts); i++) {
		struct gotext_part *p = &g->r->all->parts[i];

		if (!p->text.n)
			continue;
		*ret = gotext_sure((struct bit){ p->text.v, p->text.n });
		p->text.n = 0;
		return true;
	}
	return false;
}
