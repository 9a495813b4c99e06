/*
 * drawn.c - spans of all sizes, from empty to full, by a generator that is started anew.
 */
#include "drawn.h"

#include <stdio.h>
#include <string.h>

static uint64_t next_number(struct drawn *d)
{
	d->state = d->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return d->state >> 17;
}

static struct err *rewind_drawn(struct ident *x)
{
	struct drawn *d = (struct drawn *)x;

	d->next = 0;
	d->at = 0xc000000000;
	d->state = d->seed;
	return NULL;
}

static void fill(struct drawn *d, uint32_t n)
{
	unsigned how = d->dense ? 1 : (unsigned)next_number(d) % 4; /* empty, full, mixed */

	memset(d->alive, 0, sizeof(d->alive));
	memset(d->old, 0, sizeof(d->old));
	memset(d->stay, 0, sizeof(d->stay));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t r = next_number(d), bit = 1ULL << (i & 63);

		if (!how || (how > 1 && r & 1))
			continue;
		d->alive[i / 64] |= bit;
		d->old[i / 64] |= r & 2 ? bit : 0;
		d->stay[i / 64] |= r & 4 ? bit : 0;
		for (int k = 0; k < IDENT_COLUMNS; k++)
			d->group[k][i] = (uint32_t)(next_number(d) % d->x.head.ngroups[k]);
	}
}

static struct err *next_drawn(struct ident *x, const struct ident_span **ret)
{
	struct drawn *d = (struct drawn *)x;
	uint32_t n = 1 + (uint32_t)(next_number(d) % 200);
	uint64_t elem = 8 * (1 + next_number(d) % 64);

	*ret = NULL;
	if (d->next == d->nspans)
		return NULL;
	if (d->next++ % 100 == 7)
		n = d->big;
	fill(d, n);
	d->span =
		(struct ident_span){ .base = d->at,
				     .bytes = n * elem + 8,
				     .elem_bytes = elem,
				     .nelems = n,
				     .spanclass = (uint8_t)next_number(d),
				     .old_known = next_number(d) & 1,
				     .alive = d->alive,
				     .old = d->old,
				     .stayed = d->stayed && d->next != d->lacking ? d->stay : NULL,
				     .group = { d->group[0], d->group[1], d->group[2] } };
	d->at += d->span.bytes + 8192 * (next_number(d) & 1);
	*ret = &d->span;
	return NULL;
}

static const char *name_drawn(struct ident *x, enum ident_column column, uint32_t group)
{
	struct drawn *d = (struct drawn *)x;

	snprintf(d->name, sizeof(d->name), "%d.%u", (int)column, group);
	return d->name;
}

void drawn_init(struct drawn *d, uint32_t seed, size_t nspans, const uint32_t *ngroups)
{
	memset(d, 0, sizeof(*d));
	d->seed = seed;
	d->nspans = nspans;
	d->big = 5000;
	d->x.rewind = rewind_drawn;
	d->x.next = next_drawn;
	d->x.name = name_drawn;
	d->x.head.process.go = "go1.27";
	d->x.head.process.module = "example/m";
	d->x.head.process.pid = 17;
	d->x.head.cycles = 5;
	d->x.head.has_cycles = true;
	d->x.head.rss = UINT64_MAX;
	d->x.head.followed_from = UINT32_MAX;
	d->x.head.objects = 4711;
	memcpy(d->x.head.ngroups, ngroups, sizeof(d->x.head.ngroups));
	(void)rewind_drawn(&d->x);
}
