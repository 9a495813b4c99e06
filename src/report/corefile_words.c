/*
 * corefile_words.c - what was written, as one line and as JSON.
 */
#include "report/corefile.h"
#include "report/json.h"
#include "report/text.h"

static const char *contents(enum core_detail d)
{
	switch (d) {
	case CORE_ALL:
		return "all values of the program are in it";
	case CORE_NO_PAYLOAD:
		return "without pointer-free objects";
	case CORE_REDACTED:
		return "without pointer-free objects and text";
	}
	return "";
}

static uint64_t size_of(const struct corefile_done *d)
{
	return d->disk_bytes ? MIN(d->disk_bytes, d->file_bytes) : d->file_bytes;
}

void corefile_text(struct str *o, const struct target *t, const struct corefile_opts *opts,
		   const struct corefile_done *d)
{
	const struct target_capture *c = target_capture(t);
	char size[2][16], ns[32];

	text_clean(o, opts->path);
	str_printf(o, ": %s of %s readable memory, %s", str_bytes(size[0], size_of(d)),
		   str_bytes(size[1], d->memory_bytes), contents(opts->detail));
	if (c->method != TARGET_BY_FILE)
		str_printf(o, "; stopped for %s", text_ns(ns, c->pause_ns));
	if (d->lost_bytes)
		str_printf(o, "; %s not readable", str_bytes(size[0], d->lost_bytes));
	str_put(o, "\n");
}

static void put_target(struct jw *j, const struct target *t)
{
	const struct target_capture *c = target_capture(t);

	jw_key(j, "target");
	jw_object(j);
	jw_kv_text(j, "kind", c->kind == TARGET_LIVE ? "live" : "core");
	jw_kv_i64(j, "pid", c->pid);
	jw_kv_text(j, "exe", target_exe(t));
	jw_end(j, '}');
	jw_key(j, "capture");
	jw_object(j);
	jw_key(j, "at");
	jw_time(j, c->at_unix_ns);
	jw_kv_text(j, "method",
		   c->method == TARGET_BY_FORK	   ? "fork"
		   : c->method == TARGET_BY_FREEZE ? "freeze"
						   : "file");
	jw_kv_u64(j, "pause_ns", c->pause_ns);
	jw_end(j, '}');
}

void corefile_json(struct str *o, const struct target *t, const struct corefile_opts *opts,
		   const struct corefile_done *d)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	jw_kv_u64(&j, "schema", 1);
	jw_kv_text(&j, "limpet", LIMPET_VERSION);
	put_target(&j, t);
	jw_key(&j, "snapshot");
	jw_object(&j);
	jw_kv_text(&j, "file", opts->path);
	jw_kv_text(&j, "format", opts->pack == CORE_ZSTD ? "core.zst" : "core");
	jw_kv_bool(&j, "payload", opts->detail == CORE_ALL);
	jw_kv_bool(&j, "redacted", opts->detail == CORE_REDACTED);
	jw_kv_u64(&j, "core_bytes", d->bytes);
	jw_kv_u64(&j, "file_bytes", d->file_bytes);
	jw_kv_u64(&j, "disk_bytes", d->disk_bytes);
	jw_kv_u64(&j, "memory_bytes", d->memory_bytes);
	jw_kv_u64(&j, "zero_bytes", d->zero_bytes);
	jw_kv_u64(&j, "dropped_bytes", d->dropped_bytes);
	jw_kv_u64(&j, "lost_bytes", d->lost_bytes);
	jw_kv_u64(&j, "segments", d->nloads);
	jw_end(&j, '}');
	jw_end(&j, '}');
}
