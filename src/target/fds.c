/*
 * fds.c - /proc/PID/fd, fdinfo and net: which descriptors are open, what each is.
 *
 * Sockets are found in their namespace's tables by inode.  Tables are read whole: O(sockets of
 * the namespace), which is why only the command that asks for them has them read.
 * Sources: fs/proc/fd.c, net/ipv4/tcp_ipv4.c (get_tcp4_sock), net/ipv6/tcp_ipv6.c,
 * net/unix/af_unix.c (unix_seq_show).
 */
#include "target/fds.h"

#include "base/str.h"
#include "target/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

enum { MAX_TABLE_BYTES = 64 << 20, MAX_TEXT_BYTES = 256 << 20, MAX_COLUMNS = 16 };

/* Columns count from 0, split by blanks; -1: has none. */
static const struct table {
	const char *name;
	int inode, state, path;
	bool addresses; /* columns 1 and 2 */
} tables[] = {
	{ "tcp", 9, 3, -1, true },	{ "tcp6", 9, 3, -1, true },
	{ "udp", 9, -1, -1, true },	{ "udp6", 9, -1, -1, true },
	{ "unix", 6, -1, 7, false },	{ "raw", 9, -1, -1, true },
	{ "raw6", 9, -1, -1, true },	{ "icmp", 9, -1, -1, true },
	{ "icmp6", 9, -1, -1, true },	{ "netlink", 9, -1, -1, false },
	{ "packet", 8, -1, -1, false },
};

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool put_string(struct str *o, const char *s, size_t n)
{
	str_putn(o, s, n);
	str_putn(o, "", 1);
	return o->n < MAX_TEXT_BYTES;
}

/* Without asking a server that may not answer. */
static bool is_directory(const char *path)
{
	struct statx st;

	return !statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) && S_ISDIR(st.stx_mode);
}

static bool put_fd(struct str *o, pid_t pid, const char *number, bool *socket)
{
	char path[64], link[4096], info[256];
	ssize_t n, m;

	snprintf(path, sizeof(path), "/proc/%d/fd/%.16s", pid, number);
	n = readlink(path, link, sizeof(link) - 1);
	if (n <= 0) /* closed meanwhile */
		return true;
	link[n] = '\0';
	*socket |= !strncmp(link, "socket:", 7);
	m = proc_read_small(info, sizeof(info), "/proc/%d/fdinfo/%.16s", pid, number);
	put_string(o, number, strlen(number));
	put_string(o, link, strlen(link));
	if (*link == '/' && is_directory(path))
		str_put(o, "directory:\t1\n");
	return put_string(o, info, m > 0 ? strlen(info) : 0);
}

static struct err *put_table(struct str *o, pid_t pid, const char *name)
{
	_cleanup_(freep) char *text = NULL;
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, name);
	struct err *err = proc_slurp(path, MAX_TABLE_BYTES, &text, &n);

	if (err && err->code != ERR_NOMEM) { /* a kernel without it */
		err_free(err);
		return NULL;
	}
	if (!err && o->n + n < MAX_TEXT_BYTES) {
		put_string(o, name, strlen(name));
		put_string(o, text, strlen(text));
	}
	return err;
}

struct err *fds_slurp(pid_t pid, char **ret, size_t *ret_n)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	char path[64];
	bool socket = false;
	struct err *err = NULL;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	_cleanup_(closedirp) DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));)
		if (isdigit((unsigned char)e->d_name[0]) && !put_fd(&o, pid, e->d_name, &socket))
			break;
	for (size_t i = 0; socket && i < ARRAY_LEN(tables) && !err; i++)
		err = put_table(&o, pid, tables[i].name);
	if (err || o.bad)
		return err ? err : &err_nomem;
	*ret_n = o.n;
	*ret = str_steal(&o);
	return NULL;
}

/* The next of the strings; NULL: that was the last. */
static char *next_string(char **at, char *end)
{
	char *s = *at;

	if (s >= end)
		return NULL;
	*at = s + strlen(s) + 1;
	return s;
}

static const char *kind_of_link(char *link)
{
	char *close;

	if (!strncmp(link, "socket:", 7))
		return "socket";
	if (!strncmp(link, "pipe:", 5))
		return "pipe";
	if (!strncmp(link, "/memfd:", 7))
		return "memfd";
	if (!strncmp(link, "/dev/", 5))
		return "device";
	if (strncmp(link, "anon_inode:", 11) != 0)
		return *link == '/' ? "file" : "other";
	link += 11;
	link += *link == '[';
	close = strchr(link, ']');
	if (close)
		*close = '\0';
	return link;
}

static uint64_t inode_of_link(const char *link)
{
	return strncmp(link, "socket:[", 8) ? 0 : strtoull(link + 8, NULL, 10);
}

static void read_info(const char *info, struct target_fd *f)
{
	const char *flags = strstr(info, "flags:");

	f->pos = proc_number(info, "pos");
	f->flags = flags ? (uint32_t)strtoul(flags + 6, NULL, 8) : UINT32_MAX;
	if (proc_number(info, "directory") == 1)
		f->kind = "directory";
}

static int by_number(const void *x, const void *y)
{
	const struct target_fd *p = x, *q = y;

	return (p->fd > q->fd) - (p->fd < q->fd);
}

struct by_inode {
	uint64_t inode;
	struct target_fd *fd;
};

static int compare_inodes(const void *x, const void *y)
{
	const struct by_inode *p = x, *q = y;

	return (p->inode > q->inode) - (p->inode < q->inode);
}

/* "0100007F:1F90", "…32 digits…:0050": words of an address as the machine has them in memory. */
static void read_address(const char *s, struct target_addr *ret)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");
	char word[9] = "";

	*ret = (struct target_addr){ 0 };
	if ((n != 8 && n != 32) || s[n] != ':')
		return;
	for (size_t i = 0; i < n; i += 8) {
		memcpy(word, s + i, 8);
		uint32_t w = (uint32_t)strtoul(word, NULL, 16);

		memcpy(ret->ip + i / 2, &w, 4);
	}
	ret->family = n == 8 ? 4 : 6;
	ret->port = (uint16_t)strtoul(s + n + 1, NULL, 16);
}

/* include/net/tcp_states.h */
static const char *tcp_state(const char *hex)
{
	static const char *const name[] = {
		"",	      "established", "syn-sent",     "syn-received", "fin-wait-1",
		"fin-wait-2", "time-wait",   "closed",	     "close-wait",   "last-ack",
		"listen",     "closing",     "syn-received",
	};
	unsigned long n = strtoul(hex, NULL, 16);

	return n < ARRAY_LEN(name) ? name[n] : "";
}

/* Blanks become ends; the last of max columns is what is left of the line. */
static int split(char *line, char *col[static MAX_COLUMNS], int max)
{
	int n = 0;

	for (char *p = line; *p && n < max;) {
		p += strspn(p, " \t");
		if (!*p)
			break;
		col[n++] = p;
		if (n == max)
			break;
		p += strcspn(p, " \t");
		if (*p)
			*p++ = '\0';
	}
	return n;
}

static void read_socket(const struct table *t, char *line, const struct by_inode *v, size_t nv)
{
	char *col[MAX_COLUMNS];
	int n = split(line, col, t->path >= 0 ? t->path + 1 : MAX_COLUMNS);
	struct by_inode want = { 0 };
	const struct by_inode *hit;

	if (n <= t->inode)
		return;
	want.inode = strtoull(col[t->inode], NULL, 10);
	hit = want.inode ? bsearch(&want, v, nv, sizeof(*v), compare_inodes) : NULL;
	while (hit && hit > v && hit[-1].inode == want.inode) /* of a descriptor and its dup */
		hit--;
	for (; hit && hit < v + nv && hit->inode == want.inode; hit++) {
		hit->fd->kind = t->name;
		if (t->addresses) {
			read_address(col[1], &hit->fd->local);
			read_address(col[2], &hit->fd->peer);
		}
		if (t->state >= 0)
			hit->fd->state = tcp_state(col[t->state]);
		if (t->path >= 0 && n > t->path)
			hit->fd->name = col[t->path];
	}
}

static void read_table(const struct table *t, char *text, const struct by_inode *v, size_t nv)
{
	for (char *line = text, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		read_socket(t, line, v, nv);
	}
}

static struct err *read_tables(char *at, char *end, struct target_fd *fds, size_t n)
{
	_cleanup_(freep) struct by_inode *v = zalloc(n + 1, sizeof(*v));
	size_t nv = 0;
	char *name, *text;

	if (!v)
		return &err_nomem;
	for (size_t i = 0; i < n; i++) {
		uint64_t inode = inode_of_link(fds[i].link);

		if (inode)
			v[nv++] = (struct by_inode){ inode, &fds[i] };
	}
	qsort(v, nv, sizeof(*v), compare_inodes);
	while ((name = next_string(&at, end)) && (text = next_string(&at, end)))
		for (size_t i = 0; nv && i < ARRAY_LEN(tables); i++)
			if (!strcmp(tables[i].name, name))
				read_table(&tables[i], text, v, nv);
	return NULL;
}

struct err *fds_parse(char *text, size_t n, struct target_fd **ret, size_t *ret_n)
{
	VEC(struct target_fd) v = { 0 };
	char *at = text, *end = text + n, *number, *link, *info;
	struct err *err = NULL;

	while (at < end && isdigit((unsigned char)*at)) {
		struct target_fd f = { .state = "", .name = "" };

		number = next_string(&at, end);
		link = next_string(&at, end);
		info = next_string(&at, end);
		if (!link || !info)
			break;
		f.fd = (uint32_t)strtoul(number, NULL, 10);
		f.link = link;
		f.kind = kind_of_link(link);
		read_info(info, &f);
		if (!vec_push(&v, f))
			err = &err_nomem;
	}
	if (!err && v.n) {
		qsort(v.v, v.n, sizeof(v.v[0]), by_number);
		err = read_tables(at, end, v.v, v.n);
	}
	if (err) {
		vec_free(&v);
		return err;
	}
	*ret = v.v;
	*ret_n = v.n;
	return NULL;
}
