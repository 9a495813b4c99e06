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
		"runtimefreegc,mapsplitgroup,nomapsplitgroup,heapminimum512kib,exectracer2";

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
 * Distance of a table: minors count most, then experiments it was not made with.
 * A table made with experiments that the binary does not have never fits.
 */
static unsigned distance(const struct go_layout *l, int minor, const char *exps)
{
	unsigned d = (unsigned)abs(minor_of(l) - minor) * 1000;

	/* A newer binary is more like the newest table than an older one: ties go up. */
	if (minor_of(l) < minor)
		d += 100;
	if (!all_words(l->experiments, exps))
		return UINT32_MAX;
	return d + 50 - (unsigned)MIN(count_words(l->experiments), 10U);
}

static bool exact(const struct go_layout *l, const char *version, int minor, const char *exps)
{
	return minor_of(l) == minor && go_version_is_release(version) &&
	       rest_harmless(exps, l->experiments);
}

const struct go_layout *go_layout_find(const char *version, const char *arch, bool *ret_exact)
{
	const struct go_layout *best = NULL;
	unsigned best_distance = UINT32_MAX;
	char exps[256];
	int minor;

	if (!go_version_parse(version, &minor, exps, sizeof(exps)) || minor < 18)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		unsigned d;

		if (strcmp(tables[i]->arch, arch))
			continue;
		d = distance(tables[i], minor, exps);
		if (d < best_distance) {
			best = tables[i];
			best_distance = d;
		}
	}
	if (best)
		*ret_exact = exact(best, version, minor, exps);
	return best;
}
