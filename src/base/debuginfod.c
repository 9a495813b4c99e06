/*
 * debuginfod.c - one child a question; it has no capabilities and is killed when time is up.
 *
 * The library is loaded by name when it is needed: it brings libcurl and thirty more, which have no
 * place in a process that reads other processes.  It keeps what it fetched
 * ($DEBUGINFOD_CACHE_PATH, ~/.cache/debuginfod_client).
 */
#include "base/debuginfod.h"

#include "base/clock.h"
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MAX_SECONDS 60
#define MIN_ID	    8 /* hex digits: 32 bits at least */
#define MAX_ID	    64

bool debuginfod_wanted(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	return urls && *urls;
}

static bool is_build_id(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return !s[n] && n >= MIN_ID && n <= MAX_ID && n % 2 == 0;
}

static uint64_t seconds(void)
{
	const char *text = getenv("DEBUGINFOD_MAXTIME");
	long n = text ? strtol(text, NULL, 10) : 0;

	return n > 0 ? (uint64_t)MIN(n, 3600L) : MAX_SECONDS;
}

#ifdef HAVE_DEBUGINFOD
#include <dlfcn.h>
#include <elfutils/debuginfod.h>

struct api {
	__typeof__(&debuginfod_begin) begin;
	__typeof__(&debuginfod_find_debuginfo) find;
};

static bool load(struct api *a)
{
	void *lib = dlopen("libdebuginfod.so.1", RTLD_NOW);

	if (!lib)
		return false;
	a->begin = (__typeof__(a->begin))dlsym(lib, "debuginfod_begin");
	a->find = (__typeof__(a->find))dlsym(lib, "debuginfod_find_debuginfo");
	return a->begin && a->find;
}

static int find(const char *build_id)
{
	debuginfod_client *client;
	char limit[24];
	struct api a;

	if (!load(&a))
		return -ENOPKG;
	snprintf(limit, sizeof(limit), "%d", MAX_SECONDS);
	setenv("DEBUGINFOD_MAXTIME", limit, 0);
	setenv("DEBUGINFOD_MAXSIZE", "4294967296", 0);
	client = a.begin();
	if (!client)
		return -ENOMEM;
	return a.find(client, (const unsigned char *)build_id, 0, NULL);
}
#else
static int find(const char *build_id)
{
	(void)build_id;
	return -ENOPKG;
}
#endif

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

static void give(int sock, int fd)
{
	union control c = { .buf = { 0 } };
	int no = fd < 0 ? -fd : 0;
	struct iovec iov = { &no, sizeof(no) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = c.buf;
		m.msg_controllen = sizeof(c.buf);
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);

		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	(void)!sendmsg(sock, &m, MSG_NOSIGNAL);
}

/* Nothing of who asked is open to what the network sends: but for the socket, 3 from now on. */
static bool close_others(int sock)
{
	if (sock != 3 && dup3(sock, 3, O_CLOEXEC) < 0)
		return false;
	if (close_range(4, ~0U, 0) == 0)
		return true;
	for (long fd = 4; fd < sysconf(_SC_OPEN_MAX) && fd < 1 << 20; fd++)
		close((int)fd);
	return true;
}

/* Signals of the terminal end it; so does the end of who asked. */
static _Noreturn void child(int sock, const char *build_id)
{
	if (!close_others(sock))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	prctl(PR_SET_NAME, "lmp-debuginfod");
	confine_caps(0);
	give(3, find(build_id));
	_exit(0);
}

static int take(int sock)
{
	union control c;
	int no = EIO, fd = -1;
	struct iovec iov = { &no, sizeof(no) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.buf,
			    .msg_controllen = sizeof(c.buf) };

	if (recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != (ssize_t)sizeof(no)) {
		errno = ECANCELED; /* it was killed */
		return -1;
	}
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(h), sizeof(int));
	/* libcurl's many reasons, by libdebuginfod, are one to us */
	if (fd < 0)
		errno = no == ENOENT || no == ENOPKG || no == ENOMEM ? no
			: no == ETIME || no == ETIMEDOUT	     ? ETIMEDOUT
								     : ENOTCONN;
	return fd;
}

static int wait_for(int sock, int watch)
{
	struct pollfd p[2] = { { .fd = sock, .events = POLLIN }, { .fd = watch } };
	uint64_t end = clock_ns() + (seconds() + 2) * 1000000000U;

	for (;;) {
		uint64_t now = clock_ns();
		int n = now < end ? poll(p, 2, (int)((end - now) / 1000000 + 1)) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && p[0].revents)
			return take(sock);
		errno = n > 0 ? ECANCELED : n ? errno : ETIMEDOUT;
		return -1;
	}
}

int debuginfod_fetch(const char *build_id, int watch)
{
	int sv[2], fd, no;
	pid_t pid;

	if (!debuginfod_wanted() || !is_build_id(build_id)) {
		errno = EINVAL;
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return -1;
	pid = fork();
	if (pid == 0)
		child(sv[1], build_id);
	close(sv[1]);
	fd = pid < 0 ? -1 : wait_for(sv[0], watch);
	no = errno;
	close(sv[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	errno = no;
	return fd;
}
