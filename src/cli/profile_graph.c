/*
 * profile_graph.c - `limpet profile --format heapsnapshot|hprof`: files of the graph itself.
 *
 * They are written while the graph is walked, not made first: report/graphfile.h.
 */
#include "cli/profile_out.h"
#include "report/graphfile.h"
#include "report/out.h"

#include <stdio.h>

typedef struct err *write_fn(struct agg *a, const char *path, struct graphfile *ret);

static void say_json(struct str *o, const struct args *a, const char *format,
		     const struct graphfile *f)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_u64(&j, "schema", 1);
	jw_kv_text(&j, "limpet", LIMPET_VERSION);
	jw_kv_text(&j, "file", a->out);
	jw_kv_text(&j, "format", format);
	jw_kv_u64(&j, "objects", f->objects);
	jw_kv_u64(&j, "references", f->references);
	jw_kv_u64(&j, "bytes", f->bytes);
	jw_kv_u64(&j, "file_bytes", f->file_bytes);
	jw_key(&j, "address_base");
	if (f->by_node)
		jw_null(&j);
	else
		jw_addr(&j, f->base);
	jw_end(&j, '}');
	str_put(o, "\n");
}

static void say_words(struct str *o, const struct args *a, const struct graphfile *f)
{
	char size[16], file[16];

	str_printf(o, "limpet: %.200s: %" PRIu64 " objects, %s; the file has %s", a->out,
		   f->objects, str_bytes(size, f->bytes), str_bytes(file, f->file_bytes));
	if (f->by_node)
		str_put(o, "; ids are no addresses\n");
	else
		str_printf(o, "; address = " TADDR_FMT " + id\n", f->base);
}

static struct err *put(struct session *s, const struct args *a, const char *format, write_fn *write)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	const char *path = a->out ? a->out : "-";
	bool to_stdout = !strcmp(path, "-") || !strcmp(path, "/dev/stdout");
	struct graphfile f;
	struct err *err = session_stage(s, "writing objects");

	if (!err)
		err = write(&s->agg, path, &f);
	if (!err)
		err = session_stage(s, "");
	if (err || to_stdout)
		return err;
	if (args_has(a, OPT_JSON)) {
		say_json(&o, a, format, &f);
		return out_write(NULL, &o);
	}
	say_words(&o, a, &f);
	if (!args_has(a, OPT_QUIET) && str_ok(&o))
		fputs(o.s, stderr);
	return NULL;
}

struct err *profile_heapsnapshot(struct session *s, const struct args *a)
{
	return put(s, a, "heapsnapshot", heapsnapshot_write);
}

struct err *profile_hprof(struct session *s, const struct args *a)
{
	return put(s, a, "hprof", hprof_write);
}
