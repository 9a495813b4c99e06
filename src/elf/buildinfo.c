/*
 * buildinfo.c - the blob that `go version -m` prints, from bytes.
 *
 * Source: debug/buildinfo (readRawBuildInfo), cmd/link/internal/ld/data.go (buildinfo).
 * Knows the inline form of Go 1.18 and later only.  Hostile bytes: lengths are bounded.
 */
#include "elf/exe.h"

#include "base/bytes.h"

#define MAGIC	     "\xff Go buildinf:"
#define MAGIC_BYTES  14
#define ALIGN	     16
#define HEADER_BYTES 32
#define FLAG_INLINE  2
#define FRAME_BYTES  16 /* runtime/debug: infoStart and infoEnd around the module text */
#define MAX_TEXT     (1U << 20)

static bool text(struct bytes *b, const char **ret, size_t *ret_n)
{
	uint64_t n = bytes_uvarint(b);

	if (b->bad || n > MAX_TEXT || n > bytes_left(b))
		return false;
	*ret = (const char *)b->p;
	*ret_n = (size_t)n;
	bytes_skip(b, (size_t)n);
	return true;
}

static void set(char **to, const char *s, size_t n)
{
	char *copy = strndup(s, n);

	if (!copy)
		return;
	free(*to);
	*to = copy;
}

/* key=value of a "build" line; values may be quoted as Go strings, which is kept. */
static void setting(struct go_buildinfo *b, const char *s, size_t n)
{
	static const char *const keys[] = { "vcs.revision=", "-ldflags=", "-buildmode=",
					    "CGO_ENABLED=" };
	char **const to[] = { &b->vcs_revision, &b->ldflags, &b->buildmode, &b->cgo_enabled };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t k = strlen(keys[i]);

		if (n >= k && !memcmp(s, keys[i], k))
			set(to[i], s + k, n - k);
	}
}

/* "path\tversion\tsum": packages keep that path, whatever a "=>" line behind it replaces it by. */
static void dependency(struct go_buildinfo *b, const char *s, size_t n)
{
	const char *tab = memchr(s, '\t', n);
	size_t k = tab ? (size_t)(tab - s) : n;

	if (!b->modules)
		return;
	memcpy(b->modules + b->nmodules, s, k);
	b->nmodules += k;
	b->modules[b->nmodules++] = '\n';
	b->modules[b->nmodules] = 0;
}

static void line(struct go_buildinfo *b, const char *s, size_t n)
{
	if (n > 5 && !memcmp(s, "path\t", 5)) {
		set(&b->path, s + 5, n - 5);
	} else if (n > 4 && !memcmp(s, "mod\t", 4)) {
		const char *p = s + 4, *end = s + n;
		const char *tab = memchr(p, '\t', (size_t)(end - p));

		set(&b->module_path, p, (size_t)((tab ? tab : end) - p));
		if (tab) {
			p = tab + 1;
			tab = memchr(p, '\t', (size_t)(end - p));
			set(&b->module_version, p, (size_t)((tab ? tab : end) - p));
		}
	} else if (n > 4 && !memcmp(s, "dep\t", 4)) {
		dependency(b, s + 4, n - 4);
	} else if (n > 6 && !memcmp(s, "build\t", 6)) {
		setting(b, s + 6, n - 6);
	}
}

static void lines(struct go_buildinfo *b, const char *s, size_t n)
{
	/* Each path is shorter than its line. */
	free(b->modules);
	b->modules = zalloc(n + 2, 1);
	while (n) {
		const char *nl = memchr(s, '\n', n);
		size_t k = nl ? (size_t)(nl - s) : n;

		line(b, s, k);
		k += nl ? 1 : 0;
		s += k;
		n -= k;
	}
}

static bool parse_at(const uint8_t *p, size_t n, struct go_buildinfo *b)
{
	struct bytes c = bytes_of(p, n);
	const char *version, *mod;
	size_t nversion, nmod;

	if (n < HEADER_BYTES || !(p[15] & FLAG_INLINE))
		return false;
	bytes_skip(&c, HEADER_BYTES);
	if (!text(&c, &version, &nversion) || nversion < 2)
		return false;
	set(&b->version, version, nversion);
	/* The module text is framed; a program built outside modules has none. */
	if (text(&c, &mod, &nmod) && nmod >= 2 * FRAME_BYTES)
		lines(b, mod + FRAME_BYTES, nmod - 2 * FRAME_BYTES);
	return true;
}

static bool fill_empty(struct go_buildinfo *b)
{
	char **const all[] = { &b->version,	   &b->path,	     &b->module_path,
			       &b->module_version, &b->vcs_revision, &b->ldflags,
			       &b->buildmode,	   &b->cgo_enabled,  &b->modules };
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (!*all[i])
			*all[i] = strdup("");
		ok = ok && *all[i];
	}
	return ok;
}

bool go_buildinfo_parse(const void *bytes, size_t nbytes, struct go_buildinfo *ret)
{
	const uint8_t *p = bytes;
	struct go_buildinfo b = { 0 };

	for (size_t at = 0; at + HEADER_BYTES <= nbytes; at += ALIGN) {
		if (memcmp(p + at, MAGIC, MAGIC_BYTES) || !parse_at(p + at, nbytes - at, &b))
			continue;
		if (!fill_empty(&b))
			break;
		*ret = b;
		return true;
	}
	go_buildinfo_deinit(&b);
	return false;
}

void go_buildinfo_deinit(struct go_buildinfo *b)
{
	free(b->version);
	free(b->path);
	free(b->module_path);
	free(b->module_version);
	free(b->vcs_revision);
	free(b->ldflags);
	free(b->buildmode);
	free(b->cgo_enabled);
	free(b->modules);
	*b = (struct go_buildinfo){ 0 };
}
