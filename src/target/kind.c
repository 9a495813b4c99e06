/*
 * kind.c - from the text that the user typed to a kind of evidence.
 *
 * Files are recognised by their first bytes, looked at through gzip and zstd.  Cost: one read
 * of 64 KiB.  Knows how no kind is read.
 */
#include "target/kind.h"

#include "base/bytes.h"
#include "base/files.h"
#include "target/target.h"

#include <elf.h>
#include <errno.h>
#include <sys/stat.h>

/* A block of zstd comes out whole or not at all, and holds up to 128 KiB. */
#define HEAD_BYTES (192U << 10)

struct text {
	const char *s;
	size_t n;
};

static bool starts(struct text t, const char *with)
{
	size_t n = strlen(with);

	return t.n >= n && !memcmp(t.s, with, n);
}

static bool has(struct text t, const char *what)
{
	return memmem(t.s, t.n, what, strlen(what)) != NULL;
}

/* "<prefix>123<suffix>" at the start of some line. */
static bool has_line(struct text t, const char *prefix, const char *suffix)
{
	while (t.n) {
		const char *nl = memchr(t.s, '\n', t.n);
		size_t k = nl ? (size_t)(nl - t.s) + 1 : t.n;
		struct text l = { t.s, k };

		if (starts(l, prefix)) {
			size_t at = strlen(prefix), from = at;

			while (at < k && l.s[at] >= '0' && l.s[at] <= '9')
				at++;
			if (at > from && starts((struct text){ l.s + at, k - at }, suffix))
				return true;
		}
		t.s += k;
		t.n -= k;
	}
	return false;
}

static bool varint(struct text t, size_t *at, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 64 && *at < t.n; shift += 7) {
		uint8_t c = (uint8_t)t.s[(*at)++];

		*ret |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return true;
	}
	return false;
}

/* A field of proto/profile.proto: which, as far as its type is right; 0: it is none. */
static unsigned profile_field(struct text t, size_t *at, size_t *ret_value)
{
	enum {
		NUMBERS = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15
	};
	unsigned field = (uint8_t)t.s[*at] >> 3, wire = t.s[*at] & 7;
	uint64_t n;

	++*at;
	if (field < 1 || field > 15 || !varint(t, at, &n))
		return 0;
	*ret_value = *at;
	if (!wire)
		return NUMBERS & 1U << field ? field : 0;
	if (wire != 2 || (field != 13 && (NUMBERS & 1U << field)))
		return 0;
	*at = n < t.n - *at ? *at + n : t.n;
	return field;
}

/*
 * proto/profile.proto: fields of no fixed order; one of the first is sample_type (1) or period_type
 * (11), a ValueType of two small varints.
 */
static bool is_profile(struct text t)
{
	size_t at = 0, value = 0;

	for (int i = 0; i < 16 && at < t.n; i++) {
		unsigned field = profile_field(t, &at, &value);

		if (!field)
			return false;
		if ((field == 1 || field == 11) && at - value >= 2 && at - value <= 12)
			return t.s[value] == 0x08 || t.s[value] == 0x10;
	}
	return false;
}

/* debug=1 of /debug/pprof; runtime/pprof/pprof.go. */
static bool is_legacy_profile(struct text t)
{
	return starts(t, "heap profile: ") || starts(t, "threadcreate profile: total ") ||
	       starts(t, "--- mutex:") || starts(t, "--- contention:") ||
	       starts(t, "--- contentionz ");
}

/*
 * runtime/traceback.go, goroutineheader: "goroutine 7 gp=0x… m=0 mp=0x… [running, 3 minutes]:",
 * behind whatever a logger puts before it.
 */
static bool is_header(struct text t)
{
	size_t at = 10, end = at;

	while (end < t.n && t.s[end] >= '0' && t.s[end] <= '9')
		end++;
	if (end == at)
		return false;
	t = (struct text){ t.s + end, MIN(t.n - end, (size_t)300) };
	if (starts(t, " gp=")) {
		const char *open = memmem(t.s, t.n, " [", 2);

		t.n -= open ? (size_t)(open - t.s) : t.n;
		t.s = open ? open : t.s;
	}
	return starts(t, " [") && (has(t, "]:") || has(t, "] {"));
}

static bool has_goroutines(struct text t)
{
	const char *end = t.s + t.n, *at = t.s;

	while ((at = memmem(at, (size_t)(end - at), "goroutine ", 10))) {
		if (is_header((struct text){ at, (size_t)(end - at) }))
			return true;
		at += 10;
	}
	return false;
}

/* cmd/compile: -m, -m=2; -json=0,DIR (internal/logopt) */
static bool is_escape(struct text t)
{
	if (starts(t, "{\"version\":0,\"package\":") && has(t, "\"gc_version\":"))
		return true;
	return has(t, ".go:") &&
	       (has(t, "escapes to heap") || has(t, "does not escape") || has(t, "can inline ") ||
		has(t, "moved to heap: ") || has(t, "leaking param"));
}

/* A text of JSON at the beginning of t, with the colon behind it, is a key; t loses it. */
static bool takes_key(struct text *t)
{
	const char *end = memchr(t->s + 1, '"', t->n - 1);
	size_t k = end ? (size_t)(end - t->s) + 1 : t->n;

	t->s += k;
	t->n -= k;
	return starts(*t, ":");
}

/*
 * go vet -json that has nothing to say: "# package" lines, {} for each, or {"package": {}}.
 */
static bool is_clean_vet(struct text t)
{
	bool any = false;

	while (t.n) {
		if (*t.s == '"') {
			if (!takes_key(&t))
				return false;
			continue;
		}
		if (*t.s == '#') {
			const char *nl = memchr(t.s, '\n', t.n);
			size_t k = nl ? (size_t)(nl - t.s) : t.n;

			t.s += k;
			t.n -= k;
			continue;
		}
		if (!memchr("{},: \t\r\n", *t.s, 8))
			return false;
		any |= *t.s == '{';
		t.s++;
		t.n--;
	}
	return any;
}

/* golangci-lint that has nothing to say. */
static bool is_clean_golangci(struct text t)
{
	return has(t, "\"Issues\":[]") || has(t, "\"Issues\":null") ||
	       has(t, "\"Issues\": []") || has(t, "\"Issues\": null");
}

/* go vet -json, staticcheck -f json, golangci-lint's JSON, SARIF */
static bool is_lint(struct text t)
{
	if (!memchr(t.s, '{', t.n))
		return false;
	if (is_clean_golangci(t) || is_clean_vet(t))
		return true;
	return has(t, "\"posn\": \"") || has(t, "\"posn\":\"") || has(t, "\"FromLinter\":") ||
	       (has(t, "\"code\":\"") && has(t, "\"location\":{\"file\":")) ||
	       ((has(t, "sarif") || has(t, "\"2.1.0\"")) && has(t, "\"runs\":"));
}

static enum kind kind_of_elf(struct text t)
{
	return t.n >= 18 && load_u16(t.s + 16) == ET_CORE ? KIND_CORE : KIND_EXE;
}

enum kind kind_of_bytes(const void *head, size_t nbytes)
{
	struct text t = { head, nbytes };

	if (!nbytes)
		return KIND_EMPTY;
	if (starts(t, ELFMAG))
		return kind_of_elf(t);
	/* runtime/heapdump.go, dumphdr: "go1.7 heap dump\n" ever since. */
	if (starts(t, "go1.") && has((struct text){ t.s, MIN(t.n, 24) }, " heap dump\n"))
		return KIND_HEAPDUMP;
	if (t.n >= 16 && !memcmp(t.s, "SQLite format 3", 16))
		return KIND_STORE;
	/* runtime/trace.go: "go 1.22 trace\x00\x00\x00" */
	if (starts(t, "go 1.") && has((struct text){ t.s, MIN(t.n, 16) }, " trace"))
		return KIND_TRACE;
	if (is_profile(t) || is_legacy_profile(t))
		return KIND_PROFILE;
	if (starts(t, "goroutine profile: total ") || starts(t, "goroutineleak profile: total ") ||
	    has_goroutines(t))
		return KIND_GOROUTINES;
	if (has_line(t, "gc ", " @"))
		return KIND_GCLOG;
	if (is_escape(t))
		return KIND_ESCAPE;
	if (is_lint(t))
		return KIND_LINT;
	return KIND_UNKNOWN;
}

static struct err *look_at_file(const char *path, struct kind_found *ret)
{
	_cleanup_(freep) uint8_t *buf = malloc(2 * HEAD_BYTES);
	_cleanup_(closep) int fd = -1;
	struct stat st;
	size_t n;

	if (!buf)
		return &err_nomem;
	if (file_stat(path, &st))
		return err_os(errno, "%.200s%s", path,
			      errno == ENOENT ? ": no process and no file" : "");
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return err_unsupported("%.200s: not a regular file; save it to one first", path);
	fd = file_open(path);
	if (fd < 0 && S_ISDIR(st.st_mode))
		return err_unsupported(
			"%.200s: a folder, and none of `go build -gcflags=-json=0,DIR`; give "
			"a process or a file",
			path);
	if (fd < 0)
		return err_os(errno, "%.200s", path);
	ssize_t got = pread(fd, buf, HEAD_BYTES, 0);

	if (got < 0)
		return err_os(errno, "%.200s", path);
	ret->wrap = wrap_of(buf, (size_t)got);
	wrap_peek(ret->wrap, buf, (size_t)got, buf + HEAD_BYTES, HEAD_BYTES, &n);
	ret->kind = kind_of_bytes(buf + HEAD_BYTES, n);
	if (ret->kind == KIND_EMPTY && got)
		ret->kind = KIND_UNKNOWN;
	ret->path = path;
	return NULL;
}

static struct err *parse_pid(const char *text, pid_t *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n <= 0 || n > INT32_MAX)
		return err_usage("pid:%.100s: want a process id", text);
	*ret = (pid_t)n;
	return NULL;
}

struct err *kind_recognise(const char *text, struct kind_found *ret)
{
	*ret = (struct kind_found){ .kind = KIND_LIVE };
	if (!strncmp(text, "pid:", 4))
		return parse_pid(text + 4, &ret->pid);
	if (!strncmp(text, "name:", 5))
		return target_find_by_name(text + 5, 0, TARGET_WORDS_BARE, &ret->pid);
	if (*text && strspn(text, "0123456789") == strlen(text))
		return parse_pid(text, &ret->pid);
	if (!strcmp(text, "-") && !files_given(text)) {
		ret->kind = KIND_STDIN;
		return NULL;
	}
	if (strstr(text, "://") && !files_given(text)) {
		ret->kind = KIND_URL;
		return NULL;
	}
	return look_at_file(text, ret);
}

const char *kind_words(enum kind k)
{
	switch (k) {
	case KIND_LIVE:
		return "a process";
	case KIND_URL:
		return "a profile over HTTP";
	case KIND_STDIN:
		return "standard input";
	case KIND_CORE:
		return "an ELF core";
	case KIND_HEAPDUMP:
		return "a heap dump (debug.WriteHeapDump)";
	case KIND_STORE:
		return "an SQLite database (a .limpet store?)";
	case KIND_PROFILE:
		return "a pprof profile";
	case KIND_GOROUTINES:
		return "a text dump of goroutines";
	case KIND_TRACE:
		return "an execution trace";
	case KIND_GCLOG:
		return "a gctrace log";
	case KIND_ESCAPE:
		return "escape analysis output";
	case KIND_LINT:
		return "a linter's report";
	case KIND_EXE:
		return "an executable or object file, not a core";
	case KIND_EMPTY:
		return "an empty file";
	case KIND_UNKNOWN:
		return "no kind of file that limpet knows";
	}
	return "?";
}
