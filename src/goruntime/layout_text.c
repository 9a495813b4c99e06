/*
 * layout_text.c - a table as text and as C source.
 *
 * Text form, one "key value" a line, absent fields left out:
 *   limpet-layout 1 / go 1.26 / arch amd64 / experiments x,y / made_from go1.26.8
 *   size mspan 160 / field mspan.next 0 8 / const Gidle 0
 *   class 1 8 / reason 2 chan receive
 */
#include "goruntime/layout_make.h"

#include "base/files.h"

#include <errno.h>

#define MAX_CLASSES 256
#define MAX_REASONS 256

/* Owned form: the arrays that the table points to are its own. */
static const char **reasons_of(struct go_layout *l)
{
	return (const char **)(uintptr_t)l->wait_reasons;
}

void go_layout_free(struct go_layout *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; l->wait_reasons && i < l->nwait_reasons; i++)
		free((char *)(uintptr_t)l->wait_reasons[i]);
	free(reasons_of(l));
	free((uint16_t *)(uintptr_t)l->class_to_size);
	free((char *)(uintptr_t)l->go);
	free((char *)(uintptr_t)l->arch);
	free((char *)(uintptr_t)l->experiments);
	free((char *)(uintptr_t)l->made_from);
	free(l);
}

static void layout_freep(struct go_layout **l)
{
	go_layout_free(*l);
}

struct go_layout *go_layout_new(void)
{
	struct go_layout *l = zalloc(1, sizeof(*l));

	if (!l)
		return NULL;
#define LAYOUT_STRUCT(s, type)	   l->s##_bytes = 0;
#define LAYOUT_FIELD(s, f, path)   l->s##_##f.off = -1;
#define LAYOUT_CONST(name, symbol) l->c_##name = -1;
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
	return l;
}

bool go_layout_set_reason(struct go_layout *l, uint32_t i, const char *text, size_t n)
{
	const char **r = reasons_of(l);

	if (i >= MAX_REASONS)
		return true;
	if (i >= l->nwait_reasons) {
		r = realloc(r, (i + 1) * sizeof(*r));
		if (!r)
			return false;
		for (uint32_t k = l->nwait_reasons; k <= i; k++)
			r[k] = NULL;
		l->wait_reasons = r;
		l->nwait_reasons = i + 1;
	}
	free((char *)(uintptr_t)r[i]);
	r[i] = strndup(text, n);
	return r[i] != NULL;
}

bool go_layout_set_class(struct go_layout *l, uint32_t i, uint16_t bytes)
{
	uint16_t *c = (uint16_t *)(uintptr_t)l->class_to_size;

	if (i >= MAX_CLASSES)
		return true;
	if (i >= l->nclasses) {
		c = realloc(c, (i + 1) * sizeof(*c));
		if (!c)
			return false;
		memset(c + l->nclasses, 0, (i + 1 - l->nclasses) * sizeof(*c));
		l->class_to_size = c;
		l->nclasses = i + 1;
	}
	c[i] = bytes;
	return true;
}

struct err *go_layout_write_text(const struct go_layout *l, FILE *out)
{
	fprintf(out, "limpet-layout 1\ngo %s\narch %s\nexperiments %s\nmade_from %s\n", l->go,
		l->arch, l->experiments, l->made_from);
#define LAYOUT_STRUCT(s, type)                                                                     \
	if (l->s##_bytes)                                                                          \
		fprintf(out, "size " #s " %u\n", l->s##_bytes);
#define LAYOUT_FIELD(s, f, path)                                                                   \
	if (l->s##_##f.off >= 0)                                                                   \
		fprintf(out, "field " #s "." #f " %d %u\n", l->s##_##f.off, l->s##_##f.bytes);
#define LAYOUT_CONST(name, symbol)                                                                 \
	if (l->c_##name != -1)                                                                     \
		fprintf(out, "const " #name " %" PRId64 "\n", l->c_##name);
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
	for (uint32_t i = 0; i < l->nclasses; i++)
		fprintf(out, "class %u %u\n", i, l->class_to_size[i]);
	for (uint32_t i = 0; i < l->nwait_reasons; i++)
		fprintf(out, "reason %u %s\n", i, l->wait_reasons[i] ? l->wait_reasons[i] : "");
	return ferror(out) ? err_os(errno, "writing the layout") : NULL;
}

static void write_tables_c(const struct go_layout *l, FILE *out)
{
	fprintf(out, "static const char *const wait_reasons[] = {\n");
	for (uint32_t i = 0; i < l->nwait_reasons; i++)
		fprintf(out, "\t\"%s\",\n", l->wait_reasons[i] ? l->wait_reasons[i] : "");
	fprintf(out, "};\n\nstatic const uint16_t class_to_size[] = {");
	for (uint32_t i = 0; i < l->nclasses; i++)
		fprintf(out, "%s%u,", i % 12 ? " " : "\n\t", l->class_to_size[i]);
	fprintf(out, "\n};\n\n");
}

struct err *go_layout_write_c(const struct go_layout *l, const char *ident, FILE *out)
{
	fprintf(out,
		"/* layout_%s.c - written by tools/gen-layout from DWARF of %s; data only. */\n",
		ident, l->made_from);
	fprintf(out, "#include \"goruntime/layout_list.h\"\n\n");
	write_tables_c(l, out);
	fprintf(out,
		"#ifndef LAYOUT_NAME /* a table of changes includes this one */\n"
		"#define LAYOUT_NAME layout_%s\n#define LAYOUT_CHANGES\n#endif\n\n"
		"const struct go_layout LAYOUT_NAME = {\n\t.go = \"%s\",\n\t.arch = \"%s\",\n"
		"\t.experiments = \"%s\",\n\t.made_from = \"%s\",\n",
		ident, l->go, l->arch, l->experiments, l->made_from);
#define LAYOUT_STRUCT(s, type) fprintf(out, "\t." #s "_bytes = %u,\n", l->s##_bytes);
#define LAYOUT_FIELD(s, f, path)                                                                   \
	fprintf(out, "\t." #s "_" #f " = { %d, %u },\n", l->s##_##f.off, l->s##_##f.bytes);
#define LAYOUT_CONST(name, symbol) fprintf(out, "\t.c_" #name " = %" PRId64 ",\n", l->c_##name);
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
	fprintf(out,
		"\t.wait_reasons = wait_reasons,\n\t.nwait_reasons = %u,\n"
		"\t.class_to_size = class_to_size,\n\t.nclasses = %u,\n\tLAYOUT_CHANGES\n};\n",
		l->nwait_reasons, l->nclasses);
	return ferror(out) ? err_os(errno, "writing the layout") : NULL;
}

static bool same_tables(const struct go_layout *a, const struct go_layout *b)
{
	bool same = a->nclasses == b->nclasses && a->nwait_reasons == b->nwait_reasons &&
		    !strcmp(a->go, b->go) && !strcmp(a->experiments, b->experiments) &&
		    !strcmp(a->made_from, b->made_from);

	for (uint32_t i = 0; same && i < a->nclasses; i++)
		same = a->class_to_size[i] == b->class_to_size[i];
	for (uint32_t i = 0; same && i < a->nwait_reasons; i++)
		same = !strcmp(a->wait_reasons[i] ? a->wait_reasons[i] : "",
			       b->wait_reasons[i] ? b->wait_reasons[i] : "");
	return same;
}

struct err *go_layout_write_c_changes(const struct go_layout *l, const char *ident,
				      const struct go_layout *base, const char *base_ident,
				      FILE *out)
{
	if (!same_tables(l, base))
		return err_unsupported("%s has other size classes, wait reasons or experiments "
				       "than %s",
				       ident, base_ident);
	fprintf(out,
		"/* layout_%s.c - written by tools/gen-layout from DWARF of %s; what differs from\n"
		" * layout_%s.c. */\n"
		"#pragma GCC diagnostic ignored \"-Woverride-init\"\n"
		"#define LAYOUT_NAME layout_%s\n#define LAYOUT_CHANGES \\\n\t.arch = \"%s\", \\\n",
		ident, l->made_from, base_ident, ident, l->arch);
#define LAYOUT_STRUCT(s, type)                                                                     \
	if (l->s##_bytes != base->s##_bytes)                                                       \
		fprintf(out, "\t." #s "_bytes = %u, \\\n", l->s##_bytes);
#define LAYOUT_FIELD(s, f, path)                                                                   \
	if (memcmp(&l->s##_##f, &base->s##_##f, sizeof(l->s##_##f)))                               \
		fprintf(out, "\t." #s "_" #f " = { %d, %u }, \\\n", l->s##_##f.off,                \
			l->s##_##f.bytes);
#define LAYOUT_CONST(name, symbol)                                                                 \
	if (l->c_##name != base->c_##name)                                                         \
		fprintf(out, "\t.c_" #name " = %" PRId64 ", \\\n", l->c_##name);
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
	fprintf(out, "\n#include \"goruntime/layouts/layout_%s.c\"\n", base_ident);
	return ferror(out) ? err_os(errno, "writing the layout") : NULL;
}

/* "size mspan 160": unknown names are passed over, so that files outlive a field. */
static bool read_size(struct go_layout *l, const char *name, long long value)
{
	if (value < 0 || value > (1 << 24))
		return false;
#define LAYOUT_STRUCT(s, type)                                                                     \
	if (!strcmp(name, #s))                                                                     \
		l->s##_bytes = (uint32_t)value;
#define LAYOUT_FIELD(s, f, path)
#define LAYOUT_CONST(name, symbol)
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
	return true;
}

static bool read_field(struct go_layout *l, const char *name, long long off, long long bytes)
{
	if (off < 0 || off > (1 << 24) || bytes < 0 || bytes > (1 << 24))
		return false;
#define LAYOUT_STRUCT(s, type)
#define LAYOUT_FIELD(s, f, path)                                                                   \
	if (!strcmp(name, #s "." #f))                                                              \
		l->s##_##f = (struct go_field){ (int32_t)off, (uint32_t)bytes };
#define LAYOUT_CONST(name, symbol)
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
	return true;
}

static bool read_const(struct go_layout *l, const char *what, long long value)
{
#define LAYOUT_STRUCT(s, type)
#define LAYOUT_FIELD(s, f, path)
#define LAYOUT_CONST(name, symbol)                                                                 \
	if (!strcmp(what, #name))                                                                  \
		l->c_##name = value;
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
	return true;
}

static bool read_text(const char **to, const char *s)
{
	free((char *)(uintptr_t)*to);
	*to = strdup(s);
	return *to != NULL;
}

static bool read_line(struct go_layout *l, char *s)
{
	char name[128];
	long long a, b;
	unsigned i;
	int at;

	if (!*s || *s == '#')
		return true;
	if (!strncmp(s, "go ", 3))
		return !strncmp(s + 3, "1.", 2) && read_text(&l->go, s + 3);
	if (!strncmp(s, "arch ", 5))
		return read_text(&l->arch, s + 5);
	if (!strncmp(s, "experiments", 11))
		return read_text(&l->experiments, s[11] ? s + 12 : "");
	if (!strncmp(s, "made_from ", 10))
		return read_text(&l->made_from, s + 10);
	if (sscanf(s, "size %127s %lld", name, &a) == 2)
		return read_size(l, name, a);
	if (sscanf(s, "field %127s %lld %lld", name, &a, &b) == 3)
		return read_field(l, name, a, b);
	if (sscanf(s, "const %127s %lld", name, &a) == 2)
		return read_const(l, name, a);
	if (sscanf(s, "class %u %lld", &i, &a) == 2)
		return i < MAX_CLASSES && a >= 0 && a <= UINT16_MAX &&
		       go_layout_set_class(l, i, (uint16_t)a);
	if (sscanf(s, "reason %u %n", &i, &at) == 1)
		return i < MAX_REASONS && go_layout_set_reason(l, i, s + at, strlen(s + at));
	return false;
}

static void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static struct err *check_loaded(const struct go_layout *l, const char *path)
{
	if (!l->go || !l->arch || !l->experiments || !l->made_from)
		return err_bad_data("%s: not a whole layout: go, arch, experiments, made_from",
				    path);
	if (!l->mspan_bytes || !l->g_bytes || !l->m_bytes || !l->mheap_bytes ||
	    !l->moduledata_bytes || !l->nclasses)
		return err_bad_data(
			"%s: sizes of mspan, g, m, mheap, moduledata or classes missing", path);
	return NULL;
}

static FILE *open_text(const char *path)
{
	int fd = file_open(path);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (!f && fd >= 0)
		close(fd);
	return f;
}

struct err *go_layout_load(const char *path, struct go_layout **ret)
{
	_cleanup_(layout_freep) struct go_layout *l = go_layout_new();
	_cleanup_(fclosep) FILE *f = open_text(path);
	_cleanup_(freep) char *line = NULL;
	size_t cap = 0;
	struct err *err;

	if (!l)
		return &err_nomem;
	if (!f)
		return err_os(errno, "%s", path);
	for (unsigned no = 1; getline(&line, &cap, f) > 0; no++) {
		line[strcspn(line, "\n")] = 0;
		if (no == 1 && strcmp(line, "limpet-layout 1"))
			return err_bad_data("%s: no layout file (\"limpet-layout 1\" expected)",
					    path);
		if (no > 1 && !read_line(l, line))
			return err_bad_data("%s:%u: not understood: %.60s", path, no, line);
	}
	err = check_loaded(l, path);
	if (err)
		return err;
	*ret = STEAL(l);
	return NULL;
}
