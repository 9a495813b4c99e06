/*
 * text_head.c - head, losses and the line on exactness, as text.
 */
#include "report/text.h"

#include <inttypes.h>
#include <time.h>

static void put_time(struct str *o, uint64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / 1000000000U);
	struct tm tm;
	char buf[40];

	if (!gmtime_r(&s, &tm) || !strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S UTC", &tm))
		return;
	str_put(o, buf);
}

/* Only where it is not simply a process of this machine. */
static void put_place(struct str *o, const struct ans_head *a)
{
	bool inner = a->ns_pid && a->ns_pid != a->pid;
	const char *between = "place   ";

	if (inner) {
		str_printf(o, "%spid %" PRId64 " in its own pid namespace", between, a->ns_pid);
		between = ", ";
	}
	if (a->container && *a->container) {
		str_printf(o, "%scontainer ", between);
		text_clean(o, a->container);
		if (a->runtime && *a->runtime)
			str_printf(o, " (%s)", a->runtime);
		between = ", ";
	}
	if (a->pod && *a->pod) {
		str_printf(o, "%spod ", between);
		text_clean(o, a->pod);
		between = ", ";
	}
	if (a->unit && *a->unit) {
		str_put(o, between);
		text_clean(o, a->unit);
		between = ", ";
	}
	if (*between == ',')
		str_put(o, "\n");
}

/* One line: module, version, revision, since when it runs. */
static void put_build(struct str *o, const struct ans_head *a)
{
	char buf[32];

	if (!*a->module && !a->started_unix_ns)
		return;
	str_put(o, "build   ");
	text_clean(o, a->module);
	if (*a->version) {
		str_put(o, " ");
		text_clean(o, a->version);
	}
	if (*a->revision) {
		str_put(o, ", revision ");
		text_clean(o, a->revision);
	}
	if (a->started_unix_ns) {
		str_put(o, *a->module ? "; started " : "started ");
		put_time(o, a->started_unix_ns);
		if (a->at_unix_ns > a->started_unix_ns)
			str_printf(o, ", up %s", text_ns(buf, a->at_unix_ns - a->started_unix_ns));
	}
	str_put(o, "\n");
}

static void put_capture(struct str *o, const struct ans_head *a)
{
	char buf[32];

	str_put(o, "taken   ");
	put_time(o, a->at_unix_ns);
	str_printf(o, " by %s", a->method);
	if (strcmp(a->method, "file"))
		str_printf(o, ", stopped for %s", text_ns(buf, a->pause_ns));
	str_put(o, "\n");
	if (a->of) {
		str_put(o, "store   ");
		text_clean(o, a->file);
		str_printf(o, ", made from a %s", strcmp(a->of, "live") ? "" : "process");
		if (strcmp(a->of, "live"))
			text_clean(o, a->of);
		if (a->of_file && *a->of_file) {
			str_put(o, " ");
			text_clean(o, a->of_file);
		}
		str_put(o, "\n");
	}
	if (!a->layout_exact)
		str_printf(o,
			   "layout  no table for this Go version: that of go%s is used, and the "
			   "collector's marks agree with it\n",
			   a->layout);
}

static void put_file(struct str *o, const struct ans_head *a)
{
	str_put(o, strcmp(a->kind, "heapdump") ? a->kind : "heap dump");
	if (*a->file) {
		str_put(o, " ");
		text_clean(o, a->file);
	}
}

/* One word or two of each; JSON has them in full. */
static void put_lacks(struct str *o, const struct ans_head *a)
{
	for (size_t i = 0; a->lacks && a->lacks[i]; i++)
		str_printf(o, "%s%.*s%s", i ? "; " : "lacks   ", (int)strcspn(a->lacks[i], ":"),
			   a->lacks[i], a->lacks[i + 1] ? "" : "\n");
}

void text_head(struct str *o, enum text_style st, const struct ans_head *a)
{
	if (st == TEXT_COLOR)
		str_put(o, "\x1b[1m");
	if (a->pid)
		str_printf(o, "pid %" PRId64 "  ", a->pid);
	if (*a->exe)
		text_clean(o, a->exe);
	else
		put_file(o, a);
	if (st == TEXT_COLOR)
		str_put(o, "\x1b[0m");
	str_put(o, "  ");
	text_clean(o, a->go);
	str_printf(o, " %s%s%s\n", a->arch, a->stripped ? ", stripped" : "",
		   a->dwarf ? ", DWARF" : "");
	put_place(o, a);
	put_build(o, a);
	put_capture(o, a);
	put_lacks(o, a);
}

void text_losses(struct str *o, const struct ans_head *a)
{
	char n[32], size[16];

	for (size_t i = 0; i < a->losses.n; i++) {
		const struct ans_loss *l = &a->losses.v[i];

		str_put(o, i ? "        " : "losses  ");
		text_clean(o, l->what);
		str_printf(o, ": %s, %s\n", text_count(n, l->count), str_bytes(size, l->bytes));
	}
	if (!a->losses.n)
		str_put(o, "losses  none\n");
}

void text_exact_line(struct str *o, const struct ans_exact *a)
{
	char n[3][32], size[16];

	str_printf(o, "exact   %s objects reached (%s)", text_count(n[0], a->reachable_objects),
		   str_bytes(size, a->reachable_bytes));
	if (a->no_marks) {
		str_printf(o, "; extra %s; %s\n", text_count(n[0], a->extra), a->compared);
		return;
	}
	str_printf(o, ", %s marked by the collector, %s born since its cycle",
		   text_count(n[0], a->gc_objects), text_count(n[1], a->born_since));
	str_printf(o, "; missing %s, extra %s", text_count(n[0], a->missing),
		   text_count(n[1], a->extra));
	if (a->garbage_since)
		str_printf(o, "; %s became garbage since its cycle",
			   text_count(n[2], a->garbage_since));
	if (a->undecided)
		str_printf(o, "; %s marked ones not reached: garbage since, or missed",
			   text_count(n[2], a->undecided));
	if (strcmp(a->phase, "idle") && *a->compared) {
		str_put(o, "; ");
		str_put(o, a->compared);
	}
	str_put(o, "\n");
}
