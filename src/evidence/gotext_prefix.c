/*
 * gotext_prefix.c - what containers, journals and loggers put before a line, and around it.
 *
 * A prefix is learnt at a goroutine's header: later lines have the same, but for the time in it;
 * of several layers the inner ones may stand at the first line only.
 */
#include "evidence/gotext.h"
#include "evidence/gotext_line.h"

enum { NAME_MAX_BYTES = 300 };

/* n digits: their value; -1. */
static int digits(struct bit p, size_t at, size_t n)
{
	int x = 0;

	if (at + n > p.n)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (p.s[i] < '0' || p.s[i] > '9')
			return -1;
		x = x * 10 + (p.s[i] - '0');
	}
	return x;
}

/* Days since 1970-01-01 of the civil calendar. */
static int64_t days(int y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* "03:04:05", ".678" or ",678" behind it; length, 0: none. */
static size_t clock_part(struct bit p, uint64_t *ret_ns)
{
	int h = digits(p, 0, 2), m = digits(p, 3, 2), s = digits(p, 6, 2);
	uint64_t ns = 0, unit = 100000000;
	size_t n = 8;

	if (h < 0 || m < 0 || s < 0 || h > 23 || m > 59 || s > 60 || p.s[2] != ':' || p.s[5] != ':')
		return 0;
	if (n < p.n && (p.s[n] == '.' || p.s[n] == ',') && digits(p, n + 1, 1) >= 0)
		for (n++; digits(p, n, 1) >= 0; n++, unit /= 10)
			ns += (uint64_t)digits(p, n, 1) * unit;
	*ret_ns = ((uint64_t)h * 3600 + (uint64_t)m * 60 + (uint64_t)s) * 1000000000U + ns;
	return n;
}

/* "Z", "+02:00", "+0200"; length, 0: none. */
static size_t zone_part(struct bit p, int64_t *ret_s)
{
	int h = digits(p, 1, 2), m;
	size_t n;

	*ret_s = 0;
	if (bit_starts(p, "Z"))
		return 1;
	if (!p.n || (p.s[0] != '+' && p.s[0] != '-') || h < 0)
		return 0;
	n = p.n > 3 && p.s[3] == ':' ? 4 : 3;
	m = digits(p, n, 2);
	if (m < 0)
		return 0;
	*ret_s = (h * 3600 + m * 60) * (p.s[0] == '-' ? -1 : 1);
	return n + 2;
}

static uint64_t at_day(int64_t day, uint64_t ns, int64_t zone_s)
{
	int64_t s = day * 86400 - zone_s;

	return s < 0 ? ns : (uint64_t)s * 1000000000U + ns;
}

/* "2026-01-02T03:04:05.678Z", "2026/01/02 03:04:05" */
static size_t iso_time(struct bit p, uint64_t *ret_ns, uint32_t *ret_flags)
{
	int y = digits(p, 0, 4), m = digits(p, 5, 2), d = digits(p, 8, 2);
	uint64_t ns;
	int64_t zone;
	size_t n, z;

	if (y < 1970 || m < 1 || m > 12 || d < 1 || d > 31 || p.n < 19 || p.s[4] != p.s[7] ||
	    !strchr("-/.", p.s[4]) || (p.s[10] != 'T' && p.s[10] != ' '))
		return 0;
	n = clock_part(bit_from(p, 11), &ns);
	if (!n)
		return 0;
	n += 11;
	z = zone_part(bit_from(p, n), &zone);
	*ret_flags = z ? 0 : GOTEXT_NO_ZONE;
	*ret_ns = at_day(days(y, m, d), ns, zone);
	return n + z;
}

/* "Jan  2 03:04:05", as syslog and journalctl have it. */
static size_t syslog_time(struct bit p, uint64_t *ret_ns, uint32_t *ret_flags)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int m = 0, d;
	uint64_t ns;
	size_t n;

	if (p.n < 15 || p.s[3] != ' ')
		return 0;
	while (m < 12 && memcmp(months + 3 * m, p.s, 3) != 0)
		m++;
	d = p.s[4] == ' ' ? digits(p, 5, 1) : digits(p, 4, 2);
	if (m == 12 || d < 1 || d > 31 || p.s[6] != ' ')
		return 0;
	n = clock_part(bit_from(p, 7), &ns);
	*ret_flags = GOTEXT_NO_ZONE | GOTEXT_NO_YEAR;
	*ret_ns = at_day(days(1972, m + 1, d), ns, 0);
	return n ? 7 + n : 0;
}

/* "I0102 03:04:05.678901": klog. */
static size_t klog_time(struct bit p, uint64_t *ret_ns, uint32_t *ret_flags)
{
	int m = digits(p, 1, 2), d = digits(p, 3, 2);
	uint64_t ns;
	size_t n;

	if (p.n < 14 || !strchr("IWEF", p.s[0]) || m < 1 || m > 12 || d < 1 || d > 31 ||
	    p.s[5] != ' ')
		return 0;
	n = clock_part(bit_from(p, 6), &ns);
	*ret_flags = GOTEXT_NO_ZONE | GOTEXT_NO_YEAR;
	*ret_ns = at_day(days(1972, m, d), ns, 0);
	return n ? 6 + n : 0;
}

size_t gotext_time(struct bit p, uint64_t *ret_ns, uint32_t *ret_flags)
{
	size_t n;

	if (!p.n)
		return 0;
	if (p.s[0] >= '0' && p.s[0] <= '9')
		return iso_time(p, ret_ns, ret_flags);
	n = syslog_time(p, ret_ns, ret_flags);
	return n ? n : klog_time(p, ret_ns, ret_flags);
}

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.@", c));
}

/* "web-1  | ": of docker compose, whose names are small letters; "INFO | " is no name. */
static size_t compose_source(struct bit line, struct bit *ret_name)
{
	size_t n = 0, at;

	while (n < line.n && n < NAME_MAX_BYTES && in_name(line.s[n]))
		n++;
	for (at = n; at < line.n && at < NAME_MAX_BYTES && line.s[at] == ' '; at++)
		;
	if (!n || at == n || at == line.n || line.s[at] != '|')
		return 0;
	*ret_name = (struct bit){ line.s, n };
	at++;
	return at < line.n && line.s[at] == ' ' ? at + 1 : at;
}

/* "[pod/web-7d4b/app] ": of kubectl logs --prefix. */
static size_t pod_source(struct bit line, struct bit *ret_name)
{
	const char *end = memchr(line.s, ']', MIN(line.n, (size_t)NAME_MAX_BYTES));
	size_t n = end ? (size_t)(end - line.s) : 0;

	if (!n || memchr(line.s, ' ', n))
		return 0;
	*ret_name = (struct bit){ line.s, n };
	n++;
	return n < line.n && line.s[n] == ' ' ? n + 1 : n;
}

/* Behind a time: "host app[12]: ", "app[12]: ". */
static size_t journal_source(struct bit line, struct bit *ret_name)
{
	uint64_t ns;
	uint32_t flags;
	size_t at = gotext_time(line, &ns, &flags), from, blanks = 0;

	if (!at || (line.s[0] <= '9' && line.s[10] != 'T') || at >= line.n || line.s[at] != ' ')
		return 0;
	for (from = ++at; at + 1 < line.n && at < from + NAME_MAX_BYTES && blanks < 2; at++) {
		blanks += line.s[at] == ' ';
		if (line.s[at] != ']' || line.s[at + 1] != ':')
			continue;
		*ret_name = (struct bit){ line.s + from, at - from };
		at += 2;
		return !memchr(ret_name->s, '[', ret_name->n) ? 0 :
		       at < line.n && line.s[at] == ' '	      ? at + 1 :
								at;
	}
	return 0;
}

size_t gotext_source(struct bit line, struct bit *ret_name)
{
	size_t n;

	if (!line.n)
		return 0;
	if (bit_starts(line, "[pod/"))
		return pod_source(line, ret_name);
	n = compose_source(line, ret_name);
	return n ? n : journal_source(line, ret_name);
}

/* Whatever fits of a long one: its end is what is nearest to the text. */
void gotext_prefix_learn(struct gotext_prefix *p, struct bit before)
{
	uint64_t ns;
	uint32_t flags;

	p->n = p->time_at = p->time_n = 0; /* the text is long, and headers are many */
	if (before.n > sizeof(p->text))
		return;
	p->n = before.n;
	memcpy(p->text, before.s, before.n);
	for (size_t i = 0; i < p->n && !p->time_n; i++)
		if (!i || strchr(" [\"=(|", p->text[i - 1])) {
			p->time_at = i;
			p->time_n = gotext_time((struct bit){ p->text + i, p->n - i }, &ns, &flags);
		}
}

/* Of two texts the length of what is "[123.456]" in both, as the kernel writes times; 0. */
static size_t seconds_part(struct bit p)
{
	size_t n = 0;

	while (n < p.n && ((p.s[n] >= '0' && p.s[n] <= '9') || p.s[n] == '.' || p.s[n] == ' '))
		n++;
	return n && memchr(p.s, '.', n) ? n : 0;
}

/* One step in both; false: they differ. */
static bool step(const struct gotext_prefix *p, struct bit line, size_t *i, size_t *j)
{
	uint64_t ns;
	uint32_t flags;
	size_t n, m;

	if (p->time_n && *i == p->time_at) {
		n = gotext_time(bit_from(line, *j), &ns, &flags);
		*i += p->time_n;
		*j += n;
		return n > 0;
	}
	if (p->text[*i] != line.s[*j])
		return false;
	(*i)++;
	(*j)++;
	if (p->text[*i - 1] == '[' && *i < p->n) {
		n = seconds_part((struct bit){ p->text + *i, p->n - *i });
		m = n ? seconds_part(bit_from(line, *j)) : 0;
		*i += m ? n : 0;
		*j += m;
	}
	return true;
}

size_t gotext_prefix_skip(const struct gotext_prefix *p, struct bit line)
{
	size_t i = 0, j = 0, last = 0;

	while (i < p->n && j < line.n) {
		if (!step(p, line, &i, &j))
			return last;
		if (p->text[i - 1] == ' ')
			last = j;
	}
	if (i == p->n)
		return j;
	/* an empty line may have lost the blank behind the prefix */
	while (i < p->n && p->text[i] == ' ')
		i++;
	return i == p->n ? j : last;
}

static size_t unquote_hex(struct bit in, size_t at, char *out)
{
	unsigned x = 0;

	for (size_t i = at; i < at + 4; i++) {
		char c = i < in.n ? in.s[i] : 0;

		if (c >= 'A' && c <= 'F')
			c = (char)(c | 0x20);
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return 0;
		x = x << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*out = x < 0x80 ? (char)x : '?';
	return 4;
}

size_t gotext_unquote(struct bit in, char quote, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.s[i];

		if (c == quote)
			break;
		if (c != '\\' || i + 1 == in.n) {
			out[n++] = c;
			continue;
		}
		c = in.s[++i];
		if (c == 'u') {
			i += unquote_hex(in, i + 1, &c);
			out[n++] = c;
		} else {
			out[n++] = (char)(c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c);
		}
	}
	return n;
}
