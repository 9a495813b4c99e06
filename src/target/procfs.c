/*
 * procfs.c - parsers and readers of /proc text; values only, no decisions.
 *
 * Every parser is one pass over its text, O(n).  Numbers that do not parse stay
 * "unknown"; nothing here trusts a program's name for itself.
 */
#include "target/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

ssize_t proc_read_small(char *buf, size_t cap, const char *fmt, ...)
{
	char path[512];
	va_list ap;
	size_t n = 0;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);

	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (n < cap - 1) {
		ssize_t got = read(fd, buf + n, cap - 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	buf[n] = '\0';
	return (ssize_t)n;
}

struct err *proc_slurp(const char *path, size_t max_bytes, char **ret, size_t *ret_n)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(freep) char *buf = NULL;
	size_t n = 0, cap = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ESRCH
			       ? err_new(ERR_GONE, "%s: no such process", path)
			       : err_os(errno, "%s", path);
	for (;;) {
		if (cap - n < 2) {
			size_t want = cap ? cap * 2 : 65536;
			char *p = realloc(buf, want);

			if (!p)
				return &err_nomem;
			buf = p;
			cap = want;
		}
		ssize_t got = read(fd, buf + n, cap - n - 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == ESRCH ? err_new(ERR_GONE, "%s: process is gone", path)
					      : err_os(errno, "%s", path);
		n += (size_t)got;
		if (got == 0 || n >= max_bytes)
			break;
	}
	buf[n] = '\0';
	*ret_n = n;
	*ret = STEAL(buf);
	return NULL;
}

/* Start of the value of the line "key:" or "key ", NULL when there is none. */
static const char *line_value(const char *text, const char *key)
{
	size_t klen = strlen(key);

	for (const char *p = text; p && *p;) {
		if (strncmp(p, key, klen) == 0 && (p[klen] == ':' || p[klen] == ' ')) {
			p += klen + 1;
			while (*p == ' ' || *p == '\t')
				p++;
			return p;
		}
		p = strchr(p, '\n');
		if (p)
			p++;
	}
	return NULL;
}

uint64_t proc_number(const char *text, const char *key)
{
	const char *p = line_value(text, key);

	if (!p || !isdigit((unsigned char)*p))
		return PROC_UNKNOWN;
	errno = 0;
	uint64_t v = strtoull(p, NULL, 10);

	return errno ? PROC_UNKNOWN : v;
}

uint64_t proc_kb(const char *text, const char *key)
{
	uint64_t v = proc_number(text, key);

	return v > UINT64_MAX / 1024 ? PROC_UNKNOWN : v * 1024;
}

static pid_t pid_value(const char *text, const char *key)
{
	uint64_t v = proc_number(text, key);

	return v > INT32_MAX ? 0 : (pid_t)v;
}

static void parse_ns_pid(const char *text, struct proc_status *s)
{
	const char *p = line_value(text, "NSpid");

	while (p && isdigit((unsigned char)*p)) {
		char *end;
		unsigned long v = strtoul(p, &end, 10);

		s->ns_pid = v > INT32_MAX ? 0 : (pid_t)v;
		if (s->ns_depth < ARRAY_LEN(s->ns_pids))
			s->ns_pids[s->ns_depth++] = s->ns_pid;
		for (p = end; *p == '\t' || *p == ' ';)
			p++;
	}
}

static void parse_name(const char *text, struct proc_status *s)
{
	const char *p = line_value(text, "Name");
	size_t n = p ? strcspn(p, "\n") : 0;

	if (n >= sizeof(s->name))
		n = sizeof(s->name) - 1;
	if (p)
		memcpy(s->name, p, n);
}

void proc_parse_status(const char *text, struct proc_status *ret)
{
	struct proc_status s = { 0 };
	const char *p;

	parse_name(text, &s);
	p = line_value(text, "State");
	s.state = p && isalpha((unsigned char)*p) ? *p : 0;
	s.tgid = pid_value(text, "Tgid");
	s.ppid = pid_value(text, "PPid");
	s.tracer = pid_value(text, "TracerPid");
	parse_ns_pid(text, &s);
	s.uid = s.euid = PROC_UNKNOWN;
	p = line_value(text, "Uid");
	if (p) {
		char *end;

		s.uid = strtoull(p, &end, 10);
		s.euid = strtoull(end, NULL, 10);
	}
	s.threads = proc_number(text, "Threads");
	s.vm_size = proc_kb(text, "VmSize");
	s.vm_data = proc_kb(text, "VmData");
	s.vm_pte = proc_kb(text, "VmPTE");
	s.vm_swap = proc_kb(text, "VmSwap");
	s.rss = proc_kb(text, "VmRSS");
	s.rss_anon = proc_kb(text, "RssAnon");
	s.rss_file = proc_kb(text, "RssFile");
	s.rss_shmem = proc_kb(text, "RssShmem");
	s.kernel_thread = s.vm_size == PROC_UNKNOWN;
	s.seccomp = proc_number(text, "Seccomp") == PROC_UNKNOWN
			    ? 0
			    : (unsigned)proc_number(text, "Seccomp");
	s.no_new_privs = proc_number(text, "NoNewPrivs") == 1;
	*ret = s;
}

/* No directory in /proc: gone, or hidden by hidepid, where kill(2) still knows it. */
static struct err *no_process(pid_t pid)
{
	if (access("/proc/self/status", F_OK))
		return err_new(ERR_OS, "/proc is not mounted here: mount -t proc proc /proc");
	if (kill(pid, 0) && errno == EPERM)
		return err_new(
			ERR_DENIED,
			"process %d is another user's, and /proc hides it (hidepid): run as root",
			pid);
	return err_new(ERR_GONE, "no process with pid %d", pid);
}

struct err *proc_read_status(pid_t pid, pid_t tid, struct proc_status *ret)
{
	char buf[8192];
	ssize_t n = tid ? proc_read_small(buf, sizeof(buf), "/proc/%d/task/%d/status", pid, tid)
			: proc_read_small(buf, sizeof(buf), "/proc/%d/status", pid);

	if (n == -ENOENT || n == -ESRCH)
		return no_process(pid);
	if (n < 0)
		return err_os((int)-n, "/proc/%d/status", pid);
	proc_parse_status(buf, ret);
	return NULL;
}

/*
 * The name is in parentheses and may hold any byte, ") R 1" too: only the last
 * ')' ends it.  Field n of proc(5) is then the (n - 2)nd word after it.
 */
bool proc_parse_stat(const char *text, struct proc_stat *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct proc_stat s = { .exit_signal = -1 };
	unsigned field = 2;

	if (!open || !close || close < open)
		return false;
	size_t n = MIN((size_t)(close - open - 1), sizeof(s.comm) - 1);

	memcpy(s.comm, open + 1, n);
	for (const char *p = close + 1; *p;) {
		while (*p == ' ')
			p++;
		if (!*p || *p == '\n')
			break;
		field++;
		if (field == 3)
			s.state = *p;
		else if (field == 4)
			s.ppid = (pid_t)strtol(p, NULL, 10);
		else if (field == 9)
			s.flags = strtoull(p, NULL, 10);
		else if (field == 20)
			s.nthreads = strtoull(p, NULL, 10);
		else if (field == 22)
			s.start_ticks = strtoull(p, NULL, 10);
		else if (field == 26)
			s.start_code = strtoull(p, NULL, 10);
		else if (field == 38)
			s.exit_signal = (int)strtol(p, NULL, 10);
		p += strcspn(p, " \n");
	}
	if (field < 38)
		return false;
	*ret = s;
	return true;
}

bool proc_read_stat(pid_t pid, struct proc_stat *ret)
{
	char buf[2048];

	return proc_read_small(buf, sizeof(buf), "/proc/%d/stat", pid) > 0 &&
	       proc_parse_stat(buf, ret);
}

/* "start-end perms offset dev inode path"; false when it is no such line. */
static bool parse_map_line(char *line, struct target_region *ret)
{
	struct target_region r = { .path = "" };
	char *p = line;

	if (!isxdigit((unsigned char)*p))
		return false;
	r.range.start = strtoull(p, &p, 16);
	if (*p++ != '-' || !isxdigit((unsigned char)*p))
		return false;
	r.range.end = strtoull(p, &p, 16);
	if (*p != ' ' || r.range.end <= r.range.start || strlen(p) < 6 || p[5] != ' ')
		return false;
	r.prot = (p[1] == 'r' ? REGION_READ : 0U) | (p[2] == 'w' ? REGION_WRITE : 0U) |
		 (p[3] == 'x' ? REGION_EXEC : 0U) | (p[4] == 's' ? REGION_SHARED : 0U);
	p += 6;
	if (!isxdigit((unsigned char)*p))
		return false;
	r.offset = strtoull(p, &p, 16);
	p += strspn(p, " ");
	p += strcspn(p, " "); /* device */
	p += strspn(p, " ");
	r.inode = strtoull(p, &p, 10);
	p += strspn(p, " ");
	if (*p)
		r.path = p;
	*ret = r;
	return true;
}

struct err *proc_parse_maps(char *text, struct target_region **ret, size_t *ret_n)
{
	VEC(struct target_region) v = { 0 };
	char *save = NULL;
	taddr last = 0;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct target_region r;

		if (!parse_map_line(l, &r) || r.range.start < last)
			continue;
		if (!vec_push(&v, r)) {
			vec_free(&v);
			return &err_nomem;
		}
		last = r.range.end;
	}
	*ret = v.v;
	*ret_n = v.n;
	return NULL;
}

static void smap_field(struct target_smap *s, const char *line)
{
	static const struct {
		const char *key;
		size_t at;
	} keys[] = {
		{ "Rss", offsetof(struct target_smap, rss) },
		{ "Pss", offsetof(struct target_smap, pss) },
		{ "Anonymous", offsetof(struct target_smap, anonymous) },
		{ "Swap", offsetof(struct target_smap, swap) },
		{ "Private_Dirty", offsetof(struct target_smap, private_dirty) },
		{ "AnonHugePages", offsetof(struct target_smap, huge) },
	};
	size_t n = strcspn(line, ":");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strlen(keys[i].key) == n && memcmp(line, keys[i].key, n) == 0) {
			uint64_t v = proc_kb(line, keys[i].key);

			memcpy((char *)s + keys[i].at, &v, sizeof(v));
		}
	}
}

struct err *proc_parse_smaps(char *text, struct target_smap **ret, size_t *ret_n)
{
	VEC(struct target_smap) v = { 0 };
	char *save = NULL;
	taddr last = 0;
	bool in_map = false;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct target_region r;

		if (!parse_map_line(l, &r)) {
			if (in_map)
				smap_field(&v.v[v.n - 1], l);
			continue;
		}
		in_map = r.range.start >= last;
		if (!in_map)
			continue;
		if (!vec_push(&v, (struct target_smap){ .range = r.range,
							.file_backed = r.inode != 0,
							.path = r.path })) {
			vec_free(&v);
			return &err_nomem;
		}
		last = r.range.end;
	}
	*ret = v.v;
	*ret_n = v.n;
	return NULL;
}

void proc_mark_victim(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1000", 4) != 4)
		return; /* raising is always allowed; if not, we did what we could */
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

struct err *proc_tasks(pid_t pid, pid_t **ret, size_t *ret_n)
{
	char path[64];
	VEC(pid_t) v = { 0 };

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	_cleanup_(closedirp) DIR *d = opendir(path);
	if (!d)
		return errno == ENOENT ? no_process(pid) : err_os(errno, "%s", path);
	for (struct dirent *e; (e = readdir(d));) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		if (!vec_push(&v, (pid_t)strtol(e->d_name, NULL, 10))) {
			vec_free(&v);
			return &err_nomem;
		}
	}
	*ret = v.v;
	*ret_n = v.n;
	return NULL;
}
