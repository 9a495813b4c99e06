/*
 * text_labels.c - labels of a goroutine, and the rows of top --by label.
 *
 * Labels are written as Go's own tracebacks write them: {route: /cart}.  Source:
 * runtime/traceback.go (goroutineheader, tracebackStringNeedsQuoting), Go 1.27.
 */
#include "report/text.h"

#include "base/clean.h"

/* As there, and "-". */
static bool is_plain(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-",
			    *p))
			return false;
	return *s != 0;
}

static void put_quoted(struct str *o, const char *s)
{
	if (is_plain(s)) {
		str_put(o, s);
		return;
	}
	str_put(o, "\"");
	for (size_t i = 0, n = MIN(strlen(s), (size_t)TEXT_NAME_MAX), k; i < n; i += k) {
		k = clean_char(s + i, n - i);
		if (s[i] == '"' || s[i] == '\\')
			str_printf(o, "\\%c", s[i]);
		else if (!k)
			str_printf(o, "\\x%02x", (unsigned char)s[i]);
		else
			str_putn(o, s + i, k);
		k = k ? k : 1;
	}
	str_put(o, "\"");
}

static void put_value(struct str *o, const struct ans_label_pair *p)
{
	if (!p->value)
		str_put(o, p->left_out ? "(left out)" : "\xe2\x80\xa6");
	else if (p->hashed)
		str_put(o, p->value);
	else
		put_quoted(o, p->value);
}

void text_label_words(struct str *o, const struct ans_labels *l)
{
	for (size_t i = 0; i < l->n; i++) {
		str_put(o, i ? ", " : "");
		put_quoted(o, l->v[i].key);
		str_put(o, ": ");
		put_value(o, &l->v[i]);
	}
}

void text_labels(struct str *o, const struct ans_labels *l)
{
	if (!l || l->unknown)
		return;
	str_put(o, " {");
	if (l->lost)
		str_put(o, "labels not readable");
	else
		text_label_words(o, l);
	str_put(o, "}");
}

void text_label_columns(struct str *o, const struct ans_row *r)
{
	char n[32], s[2][16];

	str_printf(o, "%10s %10s %11s ", r->rest ? "" : str_bytes(s[0], r->shared),
		   r->count ? str_bytes(s[1], r->shallow) : "",
		   r->count ? text_count(n, r->count) : "");
}
