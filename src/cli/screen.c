/*
 * screen.c - escape sequences and the signals that a terminal sends.
 *
 * Sequences are those of xterm, screen and the Linux console; no terminfo, which is files.
 */
#include "cli/screen.h"

#include "base/clock.h"
#include "cli/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>

#define ENTER	    "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
#define LEAVE	    "\x1b[?25h\x1b[?1049l"
#define MIN_COLUMNS 20
#define MIN_ROWS    4

static volatile sig_atomic_t resized, stopped;

static void note_resize(int sig)
{
	(void)sig;
	resized = 1;
}

static void note_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void put(const char *text, size_t n)
{
	while (n) {
		ssize_t k = write(STDOUT_FILENO, text, n);

		if (k < 0 && errno != EINTR)
			return;
		if (k > 0) {
			text += k;
			n -= (size_t)k;
		}
	}
}

/* No SA_RESTART: a wait ends with the signal. */
static void catch (int sig, void (*fn)(int))
{
	struct sigaction sa = { .sa_handler = fn };

	sigaction(sig, &sa, NULL);
}

void screen_open(struct screen *s)
{
	if (!isatty(STDOUT_FILENO))
		return;
	catch (SIGWINCH, note_resize);
	catch (SIGTSTP, note_stop);
	put(ENTER, sizeof(ENTER) - 1);
	s->on = true;
}

void screen_close(struct screen *s)
{
	if (s->on)
		put(LEAVE, sizeof(LEAVE) - 1);
	s->on = false;
}

struct text_size screen_size(void)
{
	struct winsize w = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || !w.ws_col || !w.ws_row)
		return (struct text_size){ 80, 24 };
	return (struct text_size){ MAX(w.ws_col, (unsigned short)MIN_COLUMNS),
				   MAX(w.ws_row, (unsigned short)MIN_ROWS) };
}

/* Each line is cleared behind its text, the rest of the screen at the end: nothing flickers. */
void screen_show(struct screen *s, const struct str *frame)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	if (!s->on || !str_ok(frame))
		return;
	str_put(&o, "\x1b[H");
	for (const char *p = frame->s; *p;) {
		size_t n = strcspn(p, "\n");

		str_putn(&o, p, n);
		str_put(&o, "\x1b[K");
		p += n;
		if (*p) {
			str_put(&o, "\n");
			p++;
		}
	}
	str_put(&o, "\x1b[J");
	if (str_ok(&o))
		put(o.s, o.n);
}

/* Ctrl-Z: the shell gets its terminal back, and we ours with `fg`. */
static void stop_here(void)
{
	stopped = 0;
	put(LEAVE, sizeof(LEAVE) - 1);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	catch (SIGTSTP, note_stop);
	put(ENTER, sizeof(ENTER) - 1);
	resized = 1;
}

bool screen_wait(struct screen *s, uint64_t until_ns)
{
	for (;;) {
		uint64_t now = clock_ns();
		struct err *err = interrupt_check();

		if (err) {
			err_free(err);
			return false;
		}
		if (s->on && stopped)
			stop_here();
		if (s->on && resized) {
			resized = 0;
			return false;
		}
		if (now >= until_ns)
			return true;
		uint64_t left = until_ns - now;
		struct timespec ts = { (time_t)(left / 1000000000), (long)(left % 1000000000) };

		ppoll(NULL, 0, &ts, NULL);
	}
}
