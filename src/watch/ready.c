/*
 * ready.c - asks every 50 ms, from outside.
 *
 * Cost: /proc, and one connection an attempt where a port was named.
 */
#include "watch/ready.h"

#include "target/procfs.h"
#include "watch/env.h"
#include "watch/tree.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#define NS_S	    UINT64_C(1000000000)
#define QUIET_NS    (3 * NS_S)
#define STEP_MS	    50
#define QUIET_TICKS 10 /* of CPU, in all that time: 100 ms */

struct wait {
	struct child *c;
	const struct ready_opts *o;
	const struct host *h;
	struct ready *r;
	uint64_t cpu, printed, quiet_since;
	struct child *cmd;
	uint64_t next_cmd;
	char last[160]; /* what the last attempt said */
};

static bool split_port(const char *text, char host[static 256], char port[static 16])
{
	const char *colon = strrchr(text, ':');
	const char *number = colon ? colon + 1 : text;
	size_t n = colon ? (size_t)(colon - text) : 0;
	unsigned long v = strtoul(number, NULL, 10);

	if (!*number || strspn(number, "0123456789") != strlen(number) || !v || v > 65535 ||
	    n > 250)
		return false;
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']')
		snprintf(host, 256, "%.*s", (int)n - 2, text + 1);
	else
		snprintf(host, 256, "%.*s", (int)n, text);
	if (!*host)
		snprintf(host, 256, "localhost");
	snprintf(port, 16, "%lu", v);
	return true;
}

struct err *ready_port_check(const char *text)
{
	char host[256], port[16];

	return split_port(text, host, port)
		       ? NULL
		       : err_usage("--ready-port %.100s: want [HOST:]PORT", text);
}

/* Does somebody take a connection there? */
static bool port_open(const char *text, char *why, size_t cap)
{
	const struct addrinfo hint = { .ai_socktype = SOCK_STREAM };
	char host[256], port[16];
	struct addrinfo *all = NULL;
	bool is = false;

	if (!split_port(text, host, port) || getaddrinfo(host, port, &hint, &all)) {
		snprintf(why, cap, "%.100s: no such host", text);
		return false;
	}
	for (struct addrinfo *a = all; a && !is; a = a->ai_next) {
		_cleanup_(closep) int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		is = fd >= 0 && !connect(fd, a->ai_addr, a->ai_addrlen);
		if (!is)
			snprintf(why, cap, "%.100s: %.50s", text, strerror(errno));
	}
	freeaddrinfo(all);
	return is;
}

/* utime + stime of all of them. */
static uint64_t cpu_ticks(const pid_list *v)
{
	uint64_t sum = 0, user, system;
	char text[1024];

	for (size_t i = 0; i < v->n; i++) {
		const char *p = proc_read_small(text, sizeof(text), "/proc/%d/stat", v->v[i]) > 0
					? strrchr(text, ')')
					: NULL;

		if (p && sscanf(p + 1,
				" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
				&user, &system) == 2)
			sum += user + system;
	}
	return sum;
}

static bool is_quiet(struct wait *w, const pid_list *v)
{
	uint64_t cpu = cpu_ticks(v), printed = output_bytes(child_output(w->c));
	uint64_t now = clock_ns();

	if (!w->quiet_since || printed != w->printed || cpu > w->cpu + QUIET_TICKS) {
		w->quiet_since = now;
		w->printed = printed;
		w->cpu = cpu;
	}
	return now - w->quiet_since >= QUIET_NS;
}

static struct err *start_cmd(struct wait *w)
{
	_cleanup_(env_deinit) struct env env = { 0 };
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)(uintptr_t)w->o->cmd, NULL };
	struct child_opts co = { .argv = argv, .output = { .copies = { -1, -1 } } };
	struct err *err = env_create(&env);

	if (!err)
		err = env_ports(&env, w->r->ports, w->r->nports);
	if (!err)
		err = env_set(&env, "LIMPET_PID=%d", w->r->pid);
	co.env = env.v.v;
	return err ? err : child_start(&co, &w->cmd);
}

/* True: the command has ended with 0. */
static struct err *try_cmd(struct wait *w, bool *ret)
{
	int status;

	*ret = false;
	if (!w->cmd)
		return clock_ns() < w->next_cmd ? NULL : start_cmd(w);
	if (!child_ended(w->cmd, &status))
		return NULL;
	*ret = status == 0;
	if (!*ret) {
		_cleanup_(str_deinit) struct str tail = { 0 };
		char words[80];

		output_tail(child_output(w->cmd), 1, 80, &tail);
		snprintf(w->last, sizeof(w->last), "its command %s%s%.80s",
			 child_status_words(status, words), tail.n ? ": " : "",
			 tail.n ? tail.s : "");
	}
	child_free(STEAL(w->cmd));
	w->next_cmd = clock_ns() + NS_S / 5;
	return NULL;
}

/* What is asked for holds now? */
static struct err *ask(struct wait *w, const pid_list *v, bool *ret)
{
	const struct ready_opts *o = w->o;

	w->r->nports = tree_ports(v, w->r->ports, READY_PORTS);
	*ret = false;
	if (o->port) {
		w->r->how = "takes connections";
		*ret = port_open(o->port, w->last, sizeof(w->last));
	} else if (o->line) {
		w->r->how = "said so";
		*ret = output_seen(child_output(w->c));
	} else if (o->cmd) {
		w->r->how = "its command says so";
		return try_cmd(w, ret);
	} else if (w->r->nports) {
		w->r->how = "listens";
		*ret = true;
	} else {
		w->r->how = "was quiet";
		*ret = w->r->pid && is_quiet(w, v);
	}
	return NULL;
}

static const char *wanted(const struct ready_opts *o)
{
	if (o->port)
		return "takes no connections";
	if (o->line)
		return "did not print the awaited line";
	if (o->cmd)
		return "is not ready by --ready-cmd";
	return "neither listens on a port nor is quiet: say when it is ready (--ready-line, "
	       "--ready-port, --ready-cmd)";
}

static struct err *not_ready(struct wait *w, int status, bool ended)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	char words[80];

	if (ended)
		str_printf(&o, "it %s before it was ready", child_status_words(status, words));
	else if (!w->r->pid)
		str_printf(&o, "no Go program %s%s was seen in %" PRIu64 " s",
			   w->o->exe ? "called " : "among the processes that it started",
			   w->o->exe ? w->o->exe : "", w->o->timeout_ns / NS_S);
	else
		str_printf(&o, "not ready within %" PRIu64 " s (--ready-timeout): it %s",
			   w->o->timeout_ns / NS_S, wanted(w->o));
	if (!ended && w->r->pid && *w->last)
		str_printf(&o, " (%s)", w->last);
	w->r->why = str_steal(&o);
	return w->r->why ? NULL : &err_nomem;
}

static struct err *step(struct wait *w, bool *ret)
{
	pid_list v = { 0 };
	struct err *err = host_wait(w->h, STEP_MS);

	*ret = false;
	if (!err)
		err = tree_go(child_warden(w->c), w->o->exe, &w->r->pid);
	if (!err)
		err = tree_below(child_warden(w->c), &v);
	if (!err)
		err = ask(w, &v, ret);
	vec_free(&v);
	*ret = *ret && w->r->pid;
	return err;
}

struct err *ready_wait(struct child *c, const struct ready_opts *o, const struct host *h,
		       struct ready *ret)
{
	struct wait w = { .c = c, .o = o, .h = h, .r = ret };
	uint64_t end = clock_ns() + o->timeout_ns;
	struct err *err = NULL;
	bool is = false;
	int status = -1;

	host_say(h, "waiting until it is ready");
	while (!err && !is) {
		bool ended = child_ended(c, &status);

		if (ended || clock_ns() >= end) {
			err = not_ready(&w, status, ended);
			break;
		}
		err = step(&w, &is);
	}
	child_free(w.cmd);
	return err;
}

void ready_deinit(struct ready *r)
{
	free(r->why);
	r->why = NULL;
}
