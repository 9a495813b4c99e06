/*
 * growth_rule.c - what two looks at one process say of what one look left open.
 *
 * A suspect that grew while its old objects stayed is a leak (measured); one that did not, while
 * the program went on, is none.  Knows figures alone: of a look in memory, of one in a store.
 */
#include "find/priv.h"

#define GREW_MIN    (256ULL << 10)
#define STEADY_SLOP (64ULL << 10)
#define YOUNG_NS    (1800ULL * 1000000000) /* the load may have begun just now */
#define FAR_LARGER  10

/* Kinds whose bytes or number tell, when there are two figures. */
static const char *const growing[] = {
	"global-growth",     "pointer-chain",	  "context-leak",   "timer-leak",
	"channel-backlog",   "goroutine-leak",	  "goroutine-hold", "closure-capture",
	"unclosed-resource", "finalizer-backlog", "off-heap",	    "runtime-metadata",
};

static bool is_growing_kind(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(growing); i++)
		if (!strcmp(growing[i], kind))
			return true;
	return false;
}

bool find_since_is_open(const struct find_since *x, const char *kind, uint8_t verdict)
{
	return verdict == FIND_SUSPECT && x->same == FIND_SAME_PROCESS && is_growing_kind(kind);
}

enum trend { TREND_STEADY, TREND_SLOW, TREND_GREW };

static enum trend trend_of(const struct since_case *x)
{
	uint64_t now = x->bytes, then = x->then_bytes;
	bool many = x->then_count && x->count >= x->then_count + MAX(x->then_count / 20, 8ULL);

	if (now > then && now - then >= MAX(GREW_MIN, then / 20))
		return TREND_GREW;
	if (many)
		return TREND_GREW;
	if (now <= then + MAX(STEADY_SLOP, then / 50))
		return TREND_STEADY;
	return TREND_SLOW;
}

bool find_since_grew(const struct since_case *x)
{
	return trend_of(x) == TREND_GREW;
}

/*
 * What fills up and is cut, again and again (a log, a batch, a cache that is flushed), grows
 * between two looks that lie close together.  But had it always grown so, it would be far larger by
 * now.
 */
bool find_growth_fits(uint64_t now, uint64_t grown, uint64_t between_ns, uint64_t up_ns)
{
	if (!between_ns || up_ns < YOUNG_NS)
		return true;
	return (double)grown / (double)between_ns * (double)up_ns < (double)now * FAR_LARGER;
}

static bool fits_age(const struct find_since *since, const struct since_case *x)
{
	const struct find_process *p = &since->process;
	uint64_t up = p->started_ns && p->at_unix_ns > p->started_ns
			      ? p->at_unix_ns - p->started_ns + since->ns
			      : 0;

	return x->bytes <= x->then_bytes ||
	       find_growth_fits(x->bytes, x->bytes - x->then_bytes, since->ns, up);
}

static void raise(const struct find_since *since, struct since_case *x, struct keep *k)
{
	if (!since->cycles) {
		x->line = "no collection ran between the two looks: too early to tell";
		return;
	}
	if (x->survived >= 0 && x->survived < 0.75) {
		x->line = keepf(k,
				"it grew, but only %.0f %% of what was there stayed: its contents "
				"change",
				x->survived * 100);
		return;
	}
	if (!fits_age(since, x)) {
		x->line = "it grew, but had it grown so since the start it would be more than ten "
			  "times as large: something empties it, or this is new: look again later";
		return;
	}
	x->verdict = FIND_LEAK;
	x->decided = true;
	if (x->survived >= 0)
		x->line = "what was there at the earlier look still is, and more has come";
}

static void clear(const struct find_since *since, struct since_case *x, struct keep *k)
{
	if (!since->cycles) {
		x->line = "did not grow, but no collection ran between the two looks: that says "
			  "nothing";
		return;
	}
	x->verdict = FIND_INFO;
	x->decided = true;
	x->line = keepf(k, "did not grow while %u collections ran", since->cycles);
}

void find_since_judge(const struct find_since *since, struct since_case *x, struct keep *k)
{
	switch (trend_of(x)) {
	case TREND_GREW:
		raise(since, x, k);
		break;
	case TREND_STEADY:
		clear(since, x, k);
		break;
	default:
		break;
	}
}
