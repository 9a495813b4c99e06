/*
 * pprof_making.c - which node a line of a location belongs to.
 *
 * Two functions of a profile with one name are one node: nodes are told apart by texts, as pprof
 * tells them apart.  Cost: a hash look-up a line.
 */
#include "evidence/pprof_graph_priv.h"

#include <assert.h>

enum { SLOTS_MIN = 1024 };

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}

static uint64_t hash_text(const char *s, size_t n)
{
	uint64_t h = n, w;

	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&w, s, 8);
		h = mix(h, w);
	}
	w = 0;
	memcpy(&w, s, n);
	return mix(mix(h, w), 0x51);
}

static uint64_t hash_key(const struct pprof_key *k)
{
	uint64_t h = mix(k->name, (uint64_t)k->file << 32 | k->object);

	h = mix(h, (uint64_t)k->line);
	h = mix(mix(h, k->address), (uint64_t)k->start_line);
	return mix(h, (uint64_t)k->column);
}

static bool same_key(const struct pprof_key *a, const struct pprof_key *b)
{
	return a->name == b->name && a->file == b->file && a->object == b->object &&
	       a->line == b->line && a->column == b->column && a->start_line == b->start_line &&
	       a->address == b->address;
}

/* Room for one more at a load of a half; what is there is put in again by its hash. */
static bool grow_texts(struct pprof_texts *t)
{
	size_t n = MAX((size_t)SLOTS_MIN, t->nslots * 2);
	uint32_t *slot;

	if (t->text.n * 2 < t->nslots)
		return true;
	slot = zalloc(n, sizeof(*slot));
	if (!slot)
		return false;
	for (size_t i = 0; i < t->text.n; i++) {
		size_t at = hash_text(t->text.v[i], strlen(t->text.v[i])) & (n - 1);

		while (slot[at])
			at = (at + 1) & (n - 1);
		slot[at] = (uint32_t)i + 1;
	}
	free(t->slot);
	t->slot = slot;
	t->nslots = n;
	return true;
}

/* made: the text is not the profile's, and is copied. */
enum text_is { TEXT_BORROWED, TEXT_MADE };

static uint32_t text_id(struct pprof_making *m, const char *s, size_t n, enum text_is is)
{
	struct pprof_texts *t = &m->texts;
	size_t at;

	if (!grow_texts(t)) {
		m->bad = true;
		return 0;
	}
	for (at = hash_text(s, n) & (t->nslots - 1); t->slot[at]; at = (at + 1) & (t->nslots - 1)) {
		const char *have = t->text.v[t->slot[at] - 1];

		if (!strncmp(have, s, n) && !have[n])
			return t->slot[at] - 1;
	}
	if (!vec_push(&t->text, is == TEXT_MADE ? keepn(t->keep, s, n) : s)) {
		m->bad = true;
		return 0;
	}
	t->slot[at] = (uint32_t)t->text.n;
	return (uint32_t)t->text.n - 1;
}

/* As filepath.Clean() of Go; buf holds strlen(s) + 2. */
static size_t clean_path(const char *s, char *buf)
{
	bool rooted = *s == '/';
	size_t n = 0, floor = rooted;

	if (rooted)
		buf[n++] = '/';
	while (*s) {
		size_t len = strcspn(s, "/");

		if (len == 2 && s[0] == '.' && s[1] == '.') {
			if (n > floor) {
				while (--n > floor && buf[n] != '/')
					;
			} else if (!rooted) {
				n += (size_t)(n ? (buf[n] = '/', 1) : 0);
				memcpy(buf + n, "..", 2);
				n += 2;
				floor = n;
			}
		} else if (len && !(len == 1 && *s == '.')) {
			if (n && buf[n - 1] != '/')
				buf[n++] = '/';
			memcpy(buf + n, s, len);
			n += len;
		}
		s += len + (s[len] == '/');
	}
	if (!n)
		buf[n++] = '.';
	buf[n] = 0;
	return n;
}

static uint32_t file_text(struct pprof_making *m, const char *s)
{
	static const char *const cut[] = { "/proc/self/cwd/./", "/proc/self/cwd/" };
	_cleanup_(freep) char *buf = NULL;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(cut); i++)
		if (!strncmp(s, cut[i], strlen(cut[i]))) {
			s += strlen(cut[i]);
			break;
		}
	if (!*s)
		return 0;
	if (!strstr(s, "//") && !strstr(s, "/.") && *s != '.' && s[strlen(s) - 1] != '/')
		return text_id(m, s, strlen(s), TEXT_BORROWED);
	buf = malloc(strlen(s) + 2);
	if (!buf) {
		m->bad = true;
		return 0;
	}
	n = clean_path(s, buf);
	return text_id(m, buf, n, TEXT_MADE);
}

size_t pprof_package(const char *name)
{
	size_t end = strcspn(name, "[("), slash = 0, dot;

	for (size_t i = 0; i < end; i++)
		if (name[i] == '/')
			slash = i + 1;
	/* "main.f", "net/http.(*conn).serve", "type:.eq.main.T" */
	dot = slash + strcspn(name + slash, ".");
	return name[dot] == '.' && dot <= end ? dot : 0;
}

static uint32_t name_text(struct pprof_making *m, uint32_t f)
{
	const char *s = pprof_text(m->p, m->p->functions.v[f].name);
	size_t n = m->q->by == PPROF_BY_PACKAGE ? pprof_package(s) : 0;

	if (m->q->by == PPROF_BY_FILE)
		return 0;
	return n ? text_id(m, s, n, TEXT_MADE) : text_id(m, s, strlen(s), TEXT_BORROWED);
}

static uint32_t memo(uint32_t *have, uint32_t made)
{
	*have = made + 1;
	return made;
}

static uint32_t object_text(struct pprof_making *m, uint32_t mapping)
{
	uint32_t *have;
	const char *s;

	if (mapping == PPROF_NONE || mapping >= m->p->mappings.n)
		return 0;
	have = &m->mapping_file[mapping];
	if (*have)
		return *have - 1;
	s = pprof_text(m->p, m->p->mappings.v[mapping].file);
	return memo(have, text_id(m, s, strlen(s), TEXT_BORROWED));
}

/* Function, file and line as far as they are told apart. */
static void key_of_function(struct pprof_making *m, const struct pprof_location *loc,
			    const struct pprof_line *line, struct pprof_key *k)
{
	enum pprof_by by = m->q->by;
	uint32_t f = line->function;
	const struct pprof_function *fn = &m->p->functions.v[f];

	k->name = m->function_name[f] ? m->function_name[f] - 1
				      : memo(&m->function_name[f], name_text(m, f));
	if (by != PPROF_BY_FUNCTION && by != PPROF_BY_PACKAGE)
		k->file = m->function_file[f] ? m->function_file[f] - 1
					      : memo(&m->function_file[f],
						     file_text(m, pprof_text(m->p, fn->file)));
	if (by == PPROF_BY_LINE || by == PPROF_BY_ADDRESS || by == PPROF_BY_SOURCE)
		k->line = line->line;
	if (by == PPROF_BY_ADDRESS)
		k->column = line->column;
	/* pprof's tables of files tell functions apart by their first lines, too: not here */
	if (by == PPROF_BY_SOURCE || (by != PPROF_BY_FILE && !k->name))
		k->start_line = fn->start_line;
	if (by == PPROF_BY_SOURCE || !(k->name || k->file))
		k->object = object_text(m, loc->mapping);
}

/* line NULL: the location has none. */
static struct pprof_key key_of(struct pprof_making *m, const struct pprof_location *loc,
			       const struct pprof_line *line)
{
	struct pprof_key k = { .address = m->q->by == PPROF_BY_ADDRESS ? loc->address : 0 };

	if (line && line->function < m->p->functions.n)
		key_of_function(m, loc, line, &k);
	else
		k.object = object_text(m, loc->mapping);
	return k;
}

static bool grow_keys(struct pprof_making *m)
{
	size_t n = MAX((size_t)SLOTS_MIN, m->nslots * 2);
	uint32_t *slot;

	if (m->keys.n * 2 < m->nslots)
		return true;
	slot = zalloc(n, sizeof(*slot));
	if (!slot)
		return false;
	for (size_t i = 0; i < m->keys.n; i++) {
		size_t at = hash_key(&m->keys.v[i]) & (n - 1);

		while (slot[at])
			at = (at + 1) & (n - 1);
		slot[at] = (uint32_t)i + 1;
	}
	free(m->slot);
	m->slot = slot;
	m->nslots = n;
	return true;
}

static uint32_t node_of(struct pprof_making *m, const struct pprof_key *k)
{
	size_t at;

	if (!grow_keys(m)) {
		m->bad = true;
		return 0;
	}
	for (at = hash_key(k) & (m->nslots - 1); m->slot[at]; at = (at + 1) & (m->nslots - 1))
		if (same_key(&m->keys.v[m->slot[at] - 1], k))
			return m->slot[at] - 1;
	if (!vec_push(&m->keys, *k)) {
		m->bad = true;
		return 0;
	}
	m->slot[at] = (uint32_t)m->keys.n;
	return (uint32_t)m->keys.n - 1;
}

static void add_location(struct pprof_making *m, uint32_t l)
{
	const struct pprof_location *loc = &m->p->locations.v[l];
	size_t n;
	const struct pprof_line *line = pprof_pick_lines(m->pick, l, &n);

	m->first[l] = (uint32_t)m->nodes_of.n;
	for (size_t i = 0; i < MAX(n, (size_t)1); i++) {
		struct pprof_key k = key_of(m, loc, n ? &line[i] : NULL);
		uint32_t node = node_of(m, &k);

		if (!vec_push(&m->nodes_of, node))
			m->bad = true;
	}
}

struct err *pprof_making_init(const struct pprof *p, const struct pprof_ask *q,
			      struct pprof_pick *pick, struct keep *keep, struct pprof_making *m)
{
	*m = (struct pprof_making){ .p = p, .q = q, .pick = pick, .keep = keep };
	m->texts.keep = keep;
	m->function_name = zalloc(p->functions.n + 1, sizeof(uint32_t));
	m->function_file = zalloc(p->functions.n + 1, sizeof(uint32_t));
	m->mapping_file = zalloc(p->mappings.n + 1, sizeof(uint32_t));
	m->first = zalloc(p->locations.n + 1, sizeof(uint32_t));
	if (!m->function_name || !m->function_file || !m->mapping_file || !m->first)
		return &err_nomem;
	text_id(m, "", 0, TEXT_BORROWED);
	for (uint32_t l = 0; l < p->locations.n && !m->bad; l++)
		add_location(m, l);
	m->first[p->locations.n] = (uint32_t)m->nodes_of.n;
	return m->bad ? &err_nomem : keep_err(keep);
}

void pprof_making_deinit(struct pprof_making *m)
{
	vec_free(&m->texts.text);
	free(m->texts.slot);
	free(m->function_name);
	free(m->function_file);
	free(m->mapping_file);
	vec_free(&m->keys);
	free(m->slot);
	free(m->first);
	vec_free(&m->nodes_of);
}

const uint32_t *pprof_making_nodes(const struct pprof_making *m, uint32_t location, size_t *ret_n)
{
	assert(location < m->p->locations.n);
	*ret_n = m->first[location + 1] - m->first[location];
	return m->nodes_of.v + m->first[location];
}
