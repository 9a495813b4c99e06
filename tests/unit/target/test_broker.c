/*
 * test_broker.c - what may be asked of the broker, what may not, and how it ends.
 *
 * The asker is not confined here: a broker must say no to one that was taken over all the same.
 */
#include "target/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
	char dir[64], given[96], other[96], out[96], elf[96], core[96], script[96], link[96],
		fifo[96];
	struct broker *b;
};

static void put(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static void start(struct world *w, const char *sysroot)
{
	struct broker_opts o = {
		.pid = 1, .sysroot = sysroot, .read = { w->given }, .write = { w->out }
	};

	assert_null(broker_start(&o, &w->b));
	files_delegate(broker_file, w->b);
}

static void name(char to[96], const struct world *w, const char *base)
{
	snprintf(to, 96, "%s/%s", w->dir, base);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->dir, "/tmp/limpet-broker-XXXXXX");
	if (!mkdtemp(w->dir))
		return 1;
	name(w->given, w, "given");
	name(w->other, w, "other");
	name(w->out, w, "out");
	name(w->elf, w, "elf");
	name(w->core, w, "core");
	name(w->script, w, "script");
	name(w->link, w, "link");
	name(w->fifo, w, "fifo");
	put(w->given, "given", 5);
	put(w->other, "other", 5);
	/* e_type is at 16: 3 is a shared object, 4 a core. */
	put(w->elf, "\177ELF\2\1 and more!\3\0", 18);
	put(w->core, "\177ELF\2\1 and more!\4\0", 18);
	put(w->script, "#!/bin/sh", 9);
	if (symlink(w->other, w->link) || mkfifo(w->fifo, 0600))
		return 1;
	start(w, NULL);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	const char *all[] = { w->given, w->other,  w->out,  w->elf,
			      w->core,	w->script, w->link, w->fifo };

	files_delegate(NULL, NULL);
	broker_end(w->b);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		unlink(all[i]);
	if (rmdir(w->dir))
		return 1;
	free(w);
	return 0;
}

static void says(int fd, const char *text)
{
	char buf[64] = "";

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= (ssize_t)strlen(text));
	assert_string_equal(buf, text);
	close(fd);
}

static void refuses(int got, int no)
{
	int why = errno;

	assert_int_equal(got, -1);
	assert_int_equal(why, no);
}

static void only_what_was_named_is_read(void **state)
{
	struct world *w = *state;
	char long_path[5000], around[200];
	struct stat st;

	says(file_open(w->given), "given");
	says(file_open(w->given), "given");
	assert_int_equal(file_stat(w->given, &st), 0);
	assert_int_equal(st.st_size, 5);
	refuses(file_open(w->other), EPERM);
	refuses(file_stat(w->other, &st), EPERM);
	refuses(file_open("/etc/passwd"), EPERM);
	refuses(file_open(""), EPERM);
	/* The same file by another name was not named. */
	snprintf(around, sizeof(around), "%s/../%s", w->dir, w->given + 5);
	refuses(file_open(around), EPERM);
	memset(long_path, 'a', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	refuses(file_open(long_path), ENAMETOOLONG);
}

static void evidence_may_name_only_elf_files(void **state)
{
	struct world *w = *state;

	says(file_open_elf(w->elf), "\177ELF\2\1 and more!\3");
	refuses(file_open_elf(w->other), EINVAL);
	refuses(file_open_elf(w->script), EINVAL);
	refuses(file_open_elf(w->core), EINVAL);
	refuses(file_open_elf(w->link), EINVAL);
	refuses(file_open_elf(w->fifo), EINVAL); /* and does not wait for a writer */
	refuses(file_open_elf("/dev/zero"), EINVAL);
	refuses(file_open_elf(w->dir), EINVAL);
	refuses(file_open_elf("/nonexistent"), ENOENT);
}

static void a_sysroot_is_all_there_is(void **state)
{
	struct world *w = *state;
	char around[200];

	files_delegate(NULL, NULL);
	broker_end(w->b);
	start(w, w->dir);
	says(file_open_elf(w->elf), "\177ELF\2\1 and more!\3");
	refuses(file_open_elf("/bin/true"), EPERM);
	snprintf(around, sizeof(around), "%s/../../bin/true", w->dir);
	refuses(file_open_elf(around), EPERM);
	snprintf(around, sizeof(around), "%sx/elf", w->dir);
	refuses(file_open_elf(around), EPERM);
}

static void only_the_output_is_written(void **state)
{
	struct world *w = *state;
	char temp[120], bad[120], second[120];
	struct stat st;

	snprintf(bad, sizeof(bad), "%s.XXXXXX", w->other);
	refuses(file_temp(bad), EPERM);
	refuses(file_out(w->other), EPERM);
	snprintf(temp, sizeof(temp), "%s.XXXXXX", w->out);
	int fd = file_temp(temp);

	assert_true(fd >= 0);
	/* No name yet, where the file system can. */
	assert_int_equal(access(temp, F_OK), strstr(temp, "XXXXXX") ? -1 : 0);
	assert_int_equal(write(fd, "new", 3), 3);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* One at a time; and it goes nowhere else. */
	snprintf(second, sizeof(second), "%s.XXXXXX", w->out);
	refuses(file_temp(second), EPERM);
	refuses(file_rename(fd, temp, w->other), EPERM);
	refuses(file_rename(fd, w->other, w->out), EPERM);
	refuses(file_unlink(w->other), EPERM);
	assert_int_equal(file_rename(fd, temp, w->out), 0);
	close(fd);
	fd = open(w->out, O_RDONLY | O_CLOEXEC);
	says(fd, "new");
	says(open(w->other, O_RDONLY | O_CLOEXEC), "other");
	/* What is there is replaced, and may be written again; a file of that very name is not
	 * ours. */
	snprintf(temp, sizeof(temp), "%s.XXXXXX", w->out);
	put(temp, "mine", 4);
	fd = file_temp(second);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "newer", 5), 5);
	assert_int_equal(file_rename(fd, second, w->out), 0);
	close(fd);
	says(open(w->out, O_RDONLY | O_CLOEXEC), "newer");
	snprintf(second, sizeof(second), "%s.XXXXXX", w->out);
	fd = file_temp(second);
	assert_int_equal(file_unlink(second), 0);
	close(fd);
	says(open(temp, O_RDONLY | O_CLOEXEC), "mine");
	unlink(temp);
}

static void an_unfinished_output_goes_with_the_asker(void **state)
{
	struct world *w = *state;
	char temp[120];

	snprintf(temp, sizeof(temp), "%s.XXXXXX", w->out);
	int fd = file_temp(temp);

	assert_true(fd >= 0);
	close(fd);
	files_delegate(NULL, NULL);
	broker_end(w->b);
	w->b = NULL;
	assert_int_equal(access(temp, F_OK), -1);
}

static void scratch_has_no_name(void **state)
{
	struct stat st;
	int fd = file_scratch();

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

/* Our parent is not named here, and we are nobody's target. */
static void limpet_is_no_target(void **state)
{
	struct broker_opts o = { .pid = getpid() };
	struct broker *b;
	struct target *t;

	(void)state;
	assert_null(broker_start(&o, &b));
	struct err *err = broker_look(b, &t);

	assert_non_null(err);
	assert_int_equal(err->code, ERR_USAGE);
	assert_non_null(strstr(err->msg, "limpet itself"));
	err_free(err);
	broker_end(b);
}

static void errors_come_whole(void **state)
{
	struct broker_opts o = { .pid = 0x3ffffffe };
	struct broker_opts by_name = { .name = "no such program has this name" };
	struct broker *b;
	struct target *t;
	pid_t pid;

	(void)state;
	assert_null(broker_start(&o, &b));
	struct err *err = broker_look(b, &t);

	assert_int_equal(err->code, ERR_GONE);
	err_free(err);
	broker_end(b);
	assert_null(broker_start(&by_name, &b));
	err = broker_pid(b, &pid);
	assert_int_equal(err->code, ERR_GONE);
	err_free(err);
	broker_end(b);
}

static void a_dead_broker_is_an_error(void **state)
{
	struct world *w = *state;
	struct target *t;
	char line[128], path[64];
	pid_t pid = 0;

	/* Our only child is the broker. */
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	FILE *f = fopen(path, "re");

	if (!f || !fgets(line, sizeof(line), f))
		skip(); /* a kernel without the list */
	fclose(f);
	pid = (pid_t)atoi(line);
	assert_true(pid > 0 && !kill(pid, SIGKILL));
	refuses(file_open(w->given), EPIPE);
	struct err *err = broker_look(w->b, &t);

	assert_int_equal(err->code, ERR_GONE);
	err_free(err);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(only_what_was_named_is_read),
		TEST(evidence_may_name_only_elf_files),
		TEST(a_sysroot_is_all_there_is),
		TEST(only_the_output_is_written),
		TEST(an_unfinished_output_goes_with_the_asker),
		TEST(scratch_has_no_name),
		cmocka_unit_test(limpet_is_no_target),
		cmocka_unit_test(errors_come_whole),
		TEST(a_dead_broker_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
