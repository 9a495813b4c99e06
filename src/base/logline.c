/*
 * logline.c - RFC 3164 by hand: syslog(3) blocks as long as the daemon does not read.
 *
 * Seen: a snapshot whose twin stayed for a minute, since the socket of a daemon that nobody served
 * was full.
 */
#include "base/logline.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#define WAIT_MS 500

/* Both kinds of socket occur; neither is waited for. */
static int connect_log(int type)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		int no = errno;

		close(fd);
		errno = no;
		return -1;
	}
	return fd;
}

void log_line(int priority, const char *fmt, ...)
{
	char line[1400], when[32];
	time_t now = time(NULL);
	struct tm tm;
	va_list ap;

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	int head = snprintf(line, sizeof(line), "<%d>%s limpet[%d]: ",
			    priority & LOG_FACMASK ? priority : LOG_USER | priority, when,
			    (int)getpid());

	va_start(ap, fmt);
	vsnprintf(line + head, sizeof(line) - (size_t)head, fmt, ap);
	va_end(ap);

	_cleanup_(closep) int fd = connect_log(SOCK_DGRAM);
	size_t n = strlen(line);

	if (fd < 0 && errno == EPROTOTYPE) {
		fd = connect_log(SOCK_STREAM);
		n++; /* the NUL ends a message there */
	}
	if (fd < 0)
		return;
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (poll(&p, 1, WAIT_MS) > 0 && send(fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return; /* full, or gone: said to nobody */
}
