/*
 * text.c - words, figures and clean text: what all text renderers share.
 */
#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>

/* Somebody made a name of a megabyte: its begin is enough. */
void text_clean(struct str *o, const char *s)
{
	size_t n = s ? strlen(s) : 0, shown = MIN(n, (size_t)TEXT_NAME_MAX);

	while (shown < n && shown && ((unsigned char)s[shown] & 0xc0) == 0x80)
		shown--; /* not in the middle of a character */
	str_put_clean(o, s ? s : "", shown);
	if (shown < n)
		str_printf(o, "\xe2\x80\xa6 (%zu bytes)", n);
}

void text_code(struct str *o, const char *line)
{
	size_t n;

	for (; *line; line += n) {
		n = strcspn(line, "\t");
		str_put_clean(o, line, n);
		if (line[n] == '\t') {
			str_put(o, "    ");
			n++;
		}
	}
}

char *text_count(char buf[static 32], uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), k = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[k++] = ',';
		buf[k++] = digits[i];
	}
	buf[k] = 0;
	return buf;
}

char *text_ns(char buf[static 32], uint64_t ns)
{
	double s = (double)ns / 1e9;

	if (ns < 1000000)
		snprintf(buf, 32, "%.0f us", (double)ns / 1e3);
	else if (ns < 1000000000)
		snprintf(buf, 32, "%.1f ms", (double)ns / 1e6);
	else if (s < 120)
		snprintf(buf, 32, "%.0f s", s);
	else if (s < 7200)
		snprintf(buf, 32, "%.0f minutes", s / 60);
	else if (s < 172800)
		snprintf(buf, 32, "%.1f hours", s / 3600);
	else
		snprintf(buf, 32, "%.1f days", s / 86400);
	return buf;
}

void text_title(struct str *o, enum text_style st, const char *title)
{
	str_printf(o, st == TEXT_COLOR ? "\x1b[1m%s\x1b[0m\n" : "%s\n", title);
}

/* Names of goroutines begin with the word already. */
static void put_root(struct str *o, const struct ans_holder *h)
{
	if (strncmp(h->name, h->what, strlen(h->what)))
		str_put(o, h->what);
	if (*h->name) {
		if (strncmp(h->name, h->what, strlen(h->what)))
			str_put(o, " ");
		text_clean(o, h->name);
	}
	text_labels(o, h->labels);
}

static void put_object(struct str *o, const struct ans_holder *h)
{
	char size[16];

	text_clean(o, *h->type ? h->type : h->what);
	str_printf(o, " " TADDR_FMT " (%s)", h->addr, str_bytes(size, h->bytes));
}

static void put_entry(struct str *o, const struct ans_holder *h)
{
	str_put(o, !strcmp(h->what, "map-value") ? "map value"
		   : !strcmp(h->what, "map-key") ? "map key"
						 : "queued in it");
	if (h->key && *h->key) {
		str_put(o, " [");
		text_clean(o, h->key);
		str_put(o, "]");
	}
}

void text_holder(struct str *o, const struct ans_holder *h)
{
	char n[32];

	if (!strcmp(h->what, "skipped"))
		str_printf(o, "\xe2\x80\xa6 %s more", text_count(n, h->count));
	else if (!strcmp(h->what, "map-value") || !strcmp(h->what, "map-key") ||
		 !strcmp(h->what, "queued"))
		put_entry(o, h);
	else if (!strcmp(h->what, "object"))
		put_object(o, h);
	else
		put_root(o, h);
}

/* How a node holds the next one: ".field", "in frame of f". */
static void put_link(struct str *o, const struct ans_holder *h)
{
	if (*h->frame) {
		str_put(o, *h->frame == '(' ? " " : " in frame of ");
		text_clean(o, h->frame);
	}
	if (h->var && *h->var && *h->frame) {
		str_put(o, ": local ");
		text_clean(o, h->var);
	}
	if (*h->field) {
		str_put(o, "  ");
		text_clean(o, h->field);
	}
}

static bool alike(const struct ans_holder *a, const struct ans_holder *b)
{
	return !strcmp(a->what, "object") && !strcmp(b->what, "object") && a->bytes == b->bytes &&
	       !strcmp(a->type, b->type) && !strcmp(a->field, b->field);
}

/* How many nodes from i on only repeat node i (a list, a chain of contexts). */
static size_t repeats(const struct ans_path *p, size_t i)
{
	size_t n = 0;

	while (i + n + 1 < p->nodes.n && alike(&p->nodes.v[i], &p->nodes.v[i + n + 1]))
		n++;
	return n;
}

void text_path(struct str *o, const struct ans_path *p, const char *indent)
{
	for (size_t i = 0; i < p->nodes.n; i++) {
		const struct ans_holder *h = &p->nodes.v[i];
		size_t same = repeats(p, i);

		str_put(o, indent);
		str_put(o, i ? "-> " : "   ");
		text_holder(o, h);
		put_link(o, h);
		str_put(o, "\n");
		if (same < 3)
			continue;
		str_printf(o, "%s-> \xe2\x80\xa6 %zu more like it\n", indent, same);
		i += same;
	}
}
