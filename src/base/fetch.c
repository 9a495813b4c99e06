/*
 * fetch.c - one child a URL; what it has to say comes through a pipe.
 *
 * As debuginfod.c: libcurl brings thirty libraries that have no place in this process.  A static
 * file loads nothing: there it says so.
 */
#include "base/fetch.h"

#include "base/clock.h"
#include "base/confine.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* How the child ended: its exit code; the words come through the pipe. */
enum end { END_WELL, END_FAILED, END_TOO_LARGE, END_NO_LIBRARY };

enum { OUT_FD = 3, SAY_FD = 4 };

#ifdef HAVE_CURL
#include <curl/curl.h>
#include <dlfcn.h>

struct api {
	__typeof__(&curl_easy_init) init;
	__typeof__(&curl_easy_setopt) set;
	__typeof__(&curl_easy_perform) perform;
	__typeof__(&curl_easy_getinfo) info;
	__typeof__(&curl_easy_strerror) words;
	__typeof__(&curl_slist_append) append;
};

struct body {
	const struct fetch_ask *q;
	uint64_t nbytes;
	long status;
	char said[160]; /* the beginning of an error's text */
	bool too_large;
	int no;
	const struct api *api;
	CURL *c;
};

static bool load(struct api *a)
{
	/* Debian has it twice, by the library of TLS */
	void *lib = dlopen("libcurl.so.4", RTLD_NOW);

	if (!lib)
		lib = dlopen("libcurl-gnutls.so.4", RTLD_NOW);
	if (!lib)
		return false;
	a->init = (__typeof__(a->init))dlsym(lib, "curl_easy_init");
	a->set = (__typeof__(a->set))dlsym(lib, "curl_easy_setopt");
	a->perform = (__typeof__(a->perform))dlsym(lib, "curl_easy_perform");
	a->info = (__typeof__(a->info))dlsym(lib, "curl_easy_getinfo");
	a->words = (__typeof__(a->words))dlsym(lib, "curl_easy_strerror");
	a->append = (__typeof__(a->append))dlsym(lib, "curl_slist_append");
	return a->init && a->set && a->perform && a->info && a->words && a->append;
}

static void remember(struct body *b, const char *p, size_t n)
{
	size_t had = strlen(b->said), room = sizeof(b->said) - 1 - had;

	memcpy(b->said + had, p, MIN(n, room));
}

static size_t take(char *p, size_t size, size_t count, void *arg)
{
	struct body *b = arg;
	size_t n = size * count, done = 0;

	b->api->info(b->c, CURLINFO_RESPONSE_CODE, &b->status);
	if (b->status >= 400) {
		remember(b, p, n);
		return n;
	}
	b->nbytes += n;
	b->too_large = b->nbytes > b->q->max_bytes;
	while (!b->too_large && done < n) {
		ssize_t put = write(OUT_FD, p + done, n - done);

		if (put < 0 && errno != EINTR) {
			b->no = errno;
			return 0;
		}
		done += put > 0 ? (size_t)put : 0;
	}
	return b->too_large ? 0 : n;
}

static struct curl_slist *headers_of(const struct api *api, const char *path, struct curl_slist *l)
{
	_cleanup_(freep) char *line = NULL;
	size_t room = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		dprintf(SAY_FD, "--header @%s: %s", path, strerror(errno));
	for (ssize_t n; f && (n = getline(&line, &room, f)) > 0;) {
		line[strcspn(line, "\r\n")] = 0;
		if (*line)
			l = api->append(l, line);
	}
	if (!f)
		_exit(END_FAILED);
	fclose(f);
	return l;
}

static void set_up(const struct api *api, CURL *c, struct body *b)
{
	const struct fetch_ask *q = b->q;
	struct curl_slist *l = NULL;

	for (size_t i = 0; i < q->nheaders; i++)
		l = *q->headers[i] == '@' ? headers_of(api, q->headers[i] + 1, l)
					  : api->append(l, q->headers[i]);
	api->set(c, CURLOPT_URL, q->url);
	api->set(c, CURLOPT_PROTOCOLS_STR, "http,https");
	api->set(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	api->set(c, CURLOPT_FOLLOWLOCATION, 1L);
	api->set(c, CURLOPT_MAXREDIRS, 5L);
	api->set(c, CURLOPT_NOSIGNAL, 1L);
	api->set(c, CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(q->timeout_ns / 1000000, UINT64_C(10000)));
	api->set(c, CURLOPT_TIMEOUT_MS, (long)(q->timeout_ns / 1000000));
	api->set(c, CURLOPT_USERAGENT, "limpet/" LIMPET_VERSION);
	api->set(c, CURLOPT_HTTPHEADER, l);
	api->set(c, CURLOPT_WRITEFUNCTION, take);
	api->set(c, CURLOPT_WRITEDATA, b);
	if (q->unix_socket)
		api->set(c, CURLOPT_UNIX_SOCKET_PATH, q->unix_socket);
}

static enum end run(const struct fetch_ask *q)
{
	struct api api;
	struct body b = { .q = q, .api = &api };
	CURLcode is;

	if (!load(&api))
		return END_NO_LIBRARY;
	b.c = api.init();
	if (!b.c)
		return END_NO_LIBRARY;
	set_up(&api, b.c, &b);
	is = api.perform(b.c);
	api.info(b.c, CURLINFO_RESPONSE_CODE, &b.status);
	if (b.too_large)
		return END_TOO_LARGE;
	if (b.no)
		dprintf(SAY_FD, "%s", strerror(b.no));
	else if (is != CURLE_OK)
		dprintf(SAY_FD, "%s", api.words(is));
	else if (b.status >= 400)
		dprintf(SAY_FD, "the server says %ld: %.*s", b.status, (int)strcspn(b.said, "\r\n"),
			b.said);
	else
		return END_WELL;
	return END_FAILED;
}
#else
static enum end run(const struct fetch_ask *q)
{
	(void)q;
	(void)OUT_FD;
	return END_NO_LIBRARY;
}
#endif

/* Nothing of who asked is open to what the network sends: but for the two. */
static void keep_two(int out_fd, int say_fd)
{
	int out = fcntl(out_fd, F_DUPFD, 10), say = fcntl(say_fd, F_DUPFD, 10);

	if (out < 0 || say < 0 || dup2(out, OUT_FD) < 0 || dup2(say, SAY_FD) < 0)
		_exit(END_FAILED);
	if (close_range(SAY_FD + 1, ~0U, 0) == 0)
		return;
	for (long fd = SAY_FD + 1; fd < sysconf(_SC_OPEN_MAX) && fd < 1 << 20; fd++)
		close((int)fd);
}

static _Noreturn void child(const struct fetch_ask *q, int out_fd, int say_fd)
{
	keep_two(out_fd, say_fd);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "lmp-fetch");
	confine_caps(0);
	_exit((int)run(q));
}

/* What it said, until it ends; libcurl keeps its own time, this is for a libcurl that hangs. */
static bool listen_to(int fd, char *text, size_t room, uint64_t timeout_ns)
{
	uint64_t end = clock_ns() + timeout_ns + 2000000000U;
	size_t n = 0;

	for (;;) {
		uint64_t now = clock_ns();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int is = now < end ? poll(&p, 1, (int)MIN((end - now) / 1000000 + 1, 1000U)) : -1;
		ssize_t got;

		if (now >= end)
			return false;
		if (is <= 0)
			continue;
		got = read(fd, text + n, room - 1 - n);
		if (got <= 0 || n + (size_t)got == room - 1)
			break;
		n += (size_t)got;
	}
	text[n] = 0;
	return true;
}

static struct err *judge(const struct fetch_ask *q, int status, const char *said)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : END_FAILED;

	if (code == END_WELL)
		return NULL;
	if (code == END_NO_LIBRARY)
		return err_unsupported(
			"%.200s: this limpet fetches nothing (it is a static file, or "
			"libcurl is missing): curl -o FILE URL, and give the FILE",
			q->name);
	if (code == END_TOO_LARGE)
		return err_new(ERR_LIMIT, "%.200s: more than %" PRIu64 " bytes", q->name,
			       q->max_bytes);
	return err_new(ERR_OS, "%.200s: %.200s", q->name, *said ? said : "interrupted");
}

struct err *fetch_url(const struct fetch_ask *q, int out_fd)
{
	char said[256] = "";
	int fds[2], status = 0;
	bool ended;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return err_os(errno, "pipe");
	pid = fork();
	if (pid == 0)
		child(q, out_fd, fds[1]);
	int no = errno;

	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_os(no, "cannot start the process that fetches (lmp-fetch)");
	}
	ended = listen_to(fds[0], said, sizeof(said), q->timeout_ns);
	close(fds[0]);
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return ended ? judge(q, status, said)
		     : err_new(ERR_OS, "%.200s: no answer within the time", q->name);
}
