/*
 * output.c - a thread that reads a pipe into a ring.
 *
 * The thread ends with the pipe, or when it is told to.  Cost: 64 KiB and a stack a program.
 */
#include "watch/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <sys/eventfd.h>

enum { RING_BYTES = 64 << 10, LINE_BYTES = 4096 };

struct output {
	int fd, stop_fd;
	struct output_opts opts;
	regex_t line;
	pthread_t thread;
	bool has_line, has_thread;
	pthread_mutex_t lock; /* of all below */
	uint64_t total;
	bool seen;
	char ring[RING_BYTES]; /* byte i of all lies at i % RING_BYTES */
	/* the thread's own */
	char text[LINE_BYTES];
	size_t ntext;
};

static void copy(const struct output *x, const char *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(x->opts.copies); i++)
		for (size_t at = 0; x->opts.copies[i] >= 0 && at < n;) {
			ssize_t done = write(x->opts.copies[i], p + at, n - at);

			if (done < 0 && errno != EINTR)
				break; /* a full disk must not stop the program */
			at += (size_t)MAX(done, 0);
		}
}

/* True: a line that ends here is the awaited one.  Longer ones are looked at by their beginning. */
static bool take_line(struct output *x, const char *p, size_t n)
{
	bool seen = false;

	for (size_t i = 0; i < n && x->has_line; i++) {
		if (p[i] != '\n') {
			if (x->ntext + 1 < LINE_BYTES)
				x->text[x->ntext++] = p[i] ? p[i] : ' ';
			continue;
		}
		x->text[x->ntext] = '\0';
		x->ntext = 0;
		seen = seen || !regexec(&x->line, x->text, 0, NULL, 0);
	}
	return seen;
}

static void take(struct output *x, const char *p, size_t n)
{
	bool seen = take_line(x, p, n);

	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < n; i++)
		x->ring[(x->total + i) % RING_BYTES] = p[i];
	x->total += n;
	x->seen = x->seen || seen;
	pthread_mutex_unlock(&x->lock);
	copy(x, p, n);
}

static void *run(void *arg)
{
	struct output *x = arg;
	char buf[16384];

	for (;;) {
		struct pollfd p[] = { { .fd = x->fd, .events = POLLIN },
				      { .fd = x->stop_fd, .events = POLLIN } };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (!p[0].revents) { /* told to stop, and nothing is left in the pipe */
			if (p[1].revents)
				break;
			continue;
		}
		ssize_t n = read(x->fd, buf, sizeof(buf));

		if (n > 0)
			take(x, buf, (size_t)n);
		else if (!n || (errno != EINTR && errno != EAGAIN))
			break;
	}
	return NULL;
}

static struct err *compile(const char *text, struct output *x)
{
	char why[128];
	int no = text ? regcomp(&x->line, text, REG_EXTENDED | REG_NOSUB) : 0;

	if (no) {
		regerror(no, &x->line, why, sizeof(why));
		return err_usage("%.100s: no regular expression: %s", text, why);
	}
	x->has_line = text != NULL;
	return NULL;
}

struct err *output_start(int fd, const struct output_opts *o, struct output **ret)
{
	struct output *x = zalloc(1, sizeof(*x));
	struct err *err = x ? compile(o->line, x) : &err_nomem;

	if (!x) {
		close(fd);
		return err;
	}
	x->fd = fd;
	x->opts = *o;
	x->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&x->lock, NULL);
	if (!err && x->stop_fd < 0)
		err = err_os(errno, "eventfd");
	if (!err) {
		int no = pthread_create(&x->thread, NULL, run, x);

		x->has_thread = !no;
		err = no ? err_os(no, "a thread for a program's output") : NULL;
	}
	if (err) {
		output_end(x);
		return err;
	}
	*ret = x;
	return NULL;
}

void output_finish(struct output *x)
{
	const uint64_t one = 1;

	if (x->has_thread && write(x->stop_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(x->thread, NULL);
	x->has_thread = false;
}

void output_end(struct output *x)
{
	if (!x)
		return;
	output_finish(x);
	if (x->has_line)
		regfree(&x->line);
	pthread_mutex_destroy(&x->lock);
	closep(&x->fd);
	closep(&x->stop_fd);
	free(x);
}

bool output_seen(struct output *x)
{
	pthread_mutex_lock(&x->lock);
	bool seen = x->seen;

	pthread_mutex_unlock(&x->lock);
	return seen;
}

uint64_t output_bytes(struct output *x)
{
	pthread_mutex_lock(&x->lock);
	uint64_t n = x->total;

	pthread_mutex_unlock(&x->lock);
	return n;
}

void output_tail(struct output *x, size_t nlines, size_t max, struct str *ret)
{
	pthread_mutex_lock(&x->lock);
	uint64_t end = x->total, at;

	if (end && x->ring[(end - 1) % RING_BYTES] == '\n')
		end--;
	at = end;
	while (at && x->total - at < RING_BYTES - 1 && end - at < max &&
	       (x->ring[(at - 1) % RING_BYTES] != '\n' || --nlines))
		at--;
	for (; at < end; at++)
		str_putn(ret, &x->ring[at % RING_BYTES], 1);
	pthread_mutex_unlock(&x->lock);
}
