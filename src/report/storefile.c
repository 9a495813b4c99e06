/*
 * storefile.c - the bytes of a store to a file, and the line that says so.
 */
#include "report/storefile.h"

#include "report/json.h"
#include "report/outfile.h"
#include "report/text.h"

struct err *storefile_write(const char *path, struct store *w, uint64_t *ret_bytes)
{
	_cleanup_(outfile_closep) struct outfile *f = NULL;
	const void *bytes;
	uint64_t n;
	struct err *err = store_bytes(w, &bytes, &n);

	if (!err)
		err = outfile_open(path, n, &f);
	if (!err)
		err = outfile_put(f, bytes, n);
	if (!err)
		err = outfile_commit(f, 0);
	if (!err)
		*ret_bytes = n;
	return err;
}

void storefile_text(struct str *o, const struct ans_head *h, const struct storefile_done *d)
{
	char size[2][16], ns[32];

	text_clean(o, d->path);
	str_printf(o, ": %s, %" PRIu64 " objects (%s) by address, and what they were found to be",
		   str_bytes(size[0], d->file_bytes), d->objects, str_bytes(size[1], d->bytes));
	if (strcmp(h->method, "file") != 0)
		str_printf(o, "; stopped for %s", text_ns(ns, h->pause_ns));
	str_put(o, "\n");
}

void storefile_json(struct str *o, const struct ans_head *h, const struct storefile_done *d)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_head(&j, h);
	jw_key(&j, "snapshot");
	jw_object(&j);
	jw_kv_text(&j, "file", d->path);
	jw_kv_text(&j, "format", "store");
	jw_kv_u64(&j, "store_version", STORE_VERSION);
	jw_kv_u64(&j, "file_bytes", d->file_bytes);
	jw_kv_u64(&j, "objects", d->objects);
	jw_kv_u64(&j, "bytes", d->bytes);
	jw_kv_u64(&j, "look_ns", d->look_ns);
	jw_kv_u64(&j, "analyse_ns", d->analyse_ns);
	jw_kv_u64(&j, "write_ns", d->write_ns);
	jw_end(&j, '}');
	jw_end(&j, '}');
}
