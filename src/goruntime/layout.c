/*
 * layout.c - which table fits a version string.
 *
 * Knows no target.  A few dozen string comparisons a call.
 */
#include "goruntime/layout.h"
#include "goruntime/layout_list.h"
#include "goruntime/layout_version.h"

static const struct go_layout *const tables[] = {
#define LAYOUT(ident) &layout_##ident,
#include "goruntime/layouts/list.h"
#undef LAYOUT
};

const struct go_layout *const *go_layouts(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(tables);
	return tables;
}

/* Minor of a table's "1.26". */
static int minor_of(const struct go_layout *l)
{
	return atoi(l->go + 2);
}

/* Patch release in "go1.18.6…"; 0: none, or before the first. */
static int patch_of(const char *version)
{
	const char *s = strstr(version, "go1.");

	s = s ? strchr(s + 4, '.') : NULL;
	return s && s[1] >= '0' && s[1] <= '9' ? atoi(s + 1) : 0;
}

/*
 * Where patch releases differ (mspan.freeIndexForScan came to 1.18 and 1.19 with one of them) there
 * are tables of several: the nearest one above is tried first, then the others.  0 to 31.
 */
static unsigned patch_distance(const struct go_layout *l, int patch)
{
	int ahead = patch_of(l->made_from) - patch;

	return ahead >= 0 ? (unsigned)MIN(ahead, 15) : 16 + (unsigned)MIN(-ahead, 15);
}

/* Is word one of the comma-separated list? */
static bool has_word(const char *list, const char *word, size_t n)
{
	while (*list) {
		size_t k = strcspn(list, ",");

		if (k == n && !memcmp(list, word, n))
			return true;
		list += k + (list[k] == ',');
	}
	return false;
}

/* Every word of a is in b. */
static bool all_words(const char *a, const char *b)
{
	while (*a) {
		size_t k = strcspn(a, ",");

		if (!has_word(b, a, k))
			return false;
		a += k + (a[k] == ',');
	}
	return true;
}

static size_t count_words(const char *s)
{
	size_t n = *s != 0;

	for (; *s; s++)
		n += *s == ',';
	return n;
}

/* Experiments that are known not to move any field that limpet reads. */
static bool harmless(const char *word, size_t n)
{
	static const char list[] =
		"aliastypeparams,noaliastypeparams,cacheprog,nocacheprog,coverageredesign,"
		"nocoverageredesign,dwarf5,nodwarf5,jsonv2,nojsonv2,loopvar,rangefunc,synctest,"
		"boringcrypto,fieldtrack,newinliner,regabiargs,regabiwrappers,synchashtriemap,"
		"nosynchashtriemap,goroutineleakprofile,simd,norandomizedheapbase64,"
		"sizespecializedmalloc,nosizespecializedmalloc,runtimesecret,arenas,"
		"runtimefreegc,mapsplitgroup,nomapsplitgroup,heapminimum512kib,exectracer2,"
		"unified,nounified,regabireflect,pacerredesign,nopacerredesign,cgocheck2,"
		"preemptibleloops";

	return has_word(list, word, n);
}

static bool rest_harmless(const char *exps, const char *known)
{
	while (*exps) {
		size_t k = strcspn(exps, ",");

		if (!has_word(known, exps, k) && !harmless(exps, k))
			return false;
		exps += k + (exps[k] == ',');
	}
	return true;
}

/*
 * Distance of a table: minors count most, then experiments.  A table made with an experiment that
 * the binary does not name comes behind all others.
 */
static unsigned distance(const struct go_layout *l, int minor, int patch, const char *exps)
{
	unsigned d = (unsigned)abs(minor_of(l) - minor) * 2000;

	/* A development build is more like the next minor than the one before. */
	if (minor_of(l) < minor)
		d += 1000;
	if (minor_of(l) == minor)
		d += patch_distance(l, patch);
	if (!all_words(l->experiments, exps))
		return d + 1000000 + (unsigned)count_words(l->experiments);
	return d + 500 - 32 * (unsigned)MIN(count_words(l->experiments), 10U);
}

static bool exact(const struct go_layout *l, const char *version, int minor, const char *exps)
{
	return minor_of(l) == minor && go_version_is_release(version) &&
	       rest_harmless(exps, l->experiments);
}

struct ranked {
	const struct go_layout *l;
	unsigned distance;
};

static int by_distance(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->distance < y->distance ? -1 : x->distance > y->distance;
}

/* Tables of that architecture, the nearest first; returns how many. */
static size_t rank(const char *version, const char *arch, struct ranked *ranked, int *ret_minor,
		   char *exps, size_t nexps)
{
	size_t n = 0;

	if (!go_version_parse(version, ret_minor, exps, nexps) || *ret_minor < 18)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		if (!strcmp(tables[i]->arch, arch))
			ranked[n++] =
				(struct ranked){ tables[i], distance(tables[i], *ret_minor,
								     patch_of(version), exps) };
	}
	qsort(ranked, n, sizeof(*ranked), by_distance);
	return n;
}

const struct go_layout *go_layout_nth(const char *version, const char *arch, size_t i)
{
	struct ranked ranked[ARRAY_LEN(tables)];
	char exps[256];
	int minor;

	return i < rank(version, arch, ranked, &minor, exps, sizeof(exps)) ? ranked[i].l : NULL;
}

const struct go_layout *go_layout_find(const char *version, const char *arch, bool *ret_exact)
{
	struct ranked ranked[ARRAY_LEN(tables)];
	char exps[256];
	int minor;

	if (!rank(version, arch, ranked, &minor, exps, sizeof(exps)))
		return NULL;
	*ret_exact = exact(ranked[0].l, version, minor, exps);
	return ranked[0].l;
}
