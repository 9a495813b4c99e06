/*
 * broker_wire.c - packets with descriptors (SCM_RIGHTS).
 *
 * Knows nothing of what is asked.  sendmsg and recvmsg only: the asker's filter knows these two.
 */
#include "target/broker_wire.h"

#include <errno.h>
#include <sys/socket.h>

/* Descriptors are numbered by what is in the packet, not by their place: absent ones do not go. */
union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(BROKER_NFDS * sizeof(int))];
};

bool wire_send(int sock, const void *packet, size_t nbytes, const int fds[static BROKER_NFDS])
{
	union control c = { .buf = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)packet, nbytes };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int go[BROKER_NFDS];
	unsigned n = 0;
	ssize_t sent;

	for (int i = 0; i < BROKER_NFDS; i++)
		if (fds[i] >= 0)
			go[n++] = fds[i];
	if (n) {
		m.msg_control = c.buf;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);

		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(h), go, n * sizeof(int));
	}
	do
		sent = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)nbytes;
}

static void take_fds(struct msghdr *m, int fds[static BROKER_NFDS])
{
	int come[BROKER_NFDS];
	unsigned n = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (unsigned)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		n = MIN(n, (unsigned)BROKER_NFDS);
		memcpy(come, CMSG_DATA(h), n * sizeof(int));
	}
	for (unsigned i = 0; i < BROKER_NFDS; i++)
		fds[i] = i < n ? come[i] : -1;
}

bool wire_receive(int sock, void *packet, size_t nbytes, int fds[static BROKER_NFDS])
{
	union control c = { .buf = { 0 } };
	struct iovec iov = { packet, nbytes };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.buf,
			    .msg_controllen = sizeof(c.buf) };
	ssize_t got;

	do
		got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	take_fds(&m, fds);
	if (got == (ssize_t)nbytes && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return true;
	for (int i = 0; i < BROKER_NFDS; i++)
		closep(&fds[i]);
	return false;
}
