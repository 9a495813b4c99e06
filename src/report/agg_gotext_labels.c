/*
 * agg_gotext_labels.c - labels as tracebacks and profiles write them.
 *
 * Go 1.26: "k": "v", …; Go 1.27: k: v, with quotes only where they are needed; debug=1: "k":"v", ….
 * A key in a text may have been made at run time or not: it is shown.  Values go by the policy.
 * Source: runtime/traceback.go (goroutineheader), runtime/pprof/label.go (labelMap.String).
 */
#include "report/agg_gotext.h"

#include <inttypes.h>
#include <stdio.h>

enum { LABELS_MAX = 1024 };

static void put_rune(struct str *o, unsigned c)
{
	char b[3] = { (char)(0xe0 | (c >> 12 & 0x0f)), (char)(0x80 | (c >> 6 & 0x3f)),
		      (char)(0x80 | (c & 0x3f)) };

	if (c < 0x80) {
		b[0] = (char)c;
		str_putn(o, b, 1);
	} else if (c < 0x800) {
		b[1] = (char)(0xc0 | c >> 6);
		str_putn(o, b + 1, 2);
	} else {
		str_putn(o, b, 3);
	}
}

/* Behind a backslash; returns how many characters of s that was. */
static size_t escape(struct str *o, const char *s)
{
	static const char from[] = "nrtabfv", to[] = "\n\r\t\a\b\f\v";
	const char *at = *s ? strchr(from, *s) : NULL;
	char hex[5] = "";
	size_t n = *s == 'x' ? 2 : *s == 'u' ? 4 : 0;

	if (n && strnlen(s + 1, n) == n) {
		memcpy(hex, s + 1, n);
		put_rune(o, (unsigned)strtoul(hex, NULL, 16));
		return 1 + n;
	}
	str_putn(o, at ? to + (at - from) : s, *s ? 1 : 0);
	return *s ? 1 : 0;
}

/* A word, quoted or bare until one of stop. */
static const char *word(struct str *o, const char *s, const char *stop)
{
	if (*s != '"') {
		size_t n = strcspn(s, stop);

		str_putn(o, s, n);
		return s + n;
	}
	for (s++; *s && *s != '"';) {
		if (*s == '\\') {
			s++;
			s += escape(o, s);
		} else {
			str_putn(o, s++, 1);
		}
	}
	return *s ? s + 1 : s;
}

/* As value_hash() of agg_value.h, so that equal ones are equal there and here. */
static const char *hash_of(struct keep *k, const struct str *v)
{
	uint64_t h = 14695981039346656037U;

	for (size_t i = 0; i < v->n; i++)
		h = (h ^ (uint8_t)v->s[i]) * 1099511628211U;
	return keepf(k, "\xe2\x80\xa6%04" PRIx64, h & 0xffff);
}

static const char *shown(struct keep *k, const struct str *v, unsigned values)
{
	if (values == ANS_VALUES_NONE)
		return NULL;
	return values == ANS_VALUES_HASH ? hash_of(k, v) : keepn(k, v->s ? v->s : "", v->n);
}

const struct ans_labels *gotext_labels(struct keep *k, const char *text, unsigned values)
{
	VEC(struct ans_label_pair) pairs = { 0 };
	struct ans_labels l = { 0 };

	if (!*text)
		return NULL;
	while (*text && pairs.n < LABELS_MAX) {
		_cleanup_(str_deinit) struct str key = { 0 }, value = { 0 };
		struct ans_label_pair p = { .hashed = values == ANS_VALUES_HASH };

		text = word(&key, text, ":");
		text += strspn(text, ": ");
		text = word(&value, text, ",");
		text += strspn(text, ", ");
		p.key = keepn(k, key.s ? key.s : "", key.n);
		p.value = shown(k, &value, values);
		if (!vec_push(&pairs, p))
			k->bad = true;
	}
	l.n = pairs.n;
	l.v = keep_bytes(k, pairs.v, pairs.n * sizeof(*pairs.v));
	vec_free(&pairs);
	return keep_bytes(k, &l, sizeof(l));
}
