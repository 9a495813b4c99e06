/*
 * files.h - files by name, also for a process that may no longer open any.
 *
 * Until files_delegate() these are the system calls of similar name.  After it each is asked of
 * who still may (target/broker.h), which says no to what was not named on the command line; the
 * answer is a descriptor, or -1 and errno, as with the calls.  Thread-safe if the delegate is.
 * Descriptors are owned by the caller and close on exec.
 */
#ifndef LIMPET_BASE_FILES_H
#define LIMPET_BASE_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

enum file_op {
	FILE_OPEN,	/* read a file that the user named; a folder: its JSON (files_folder.h) */
	FILE_OPEN_ELF,	/* read an executable or library that evidence names; EINVAL: it is none */
	FILE_DEBUGINFO, /* path: a build id; what debuginfod has of it (debuginfod.h) */
	FILE_SOURCE, /* to: a folder that the user named; path: a .go file or CODEOWNERS below it */
	FILE_STAT,   /* of a file that the user named */
	FILE_OUT,    /* write to what is there and no regular file: /dev/stdout, a pipe */
	FILE_TEMP,   /* a file to be OUTPUT, mode 0600; path is "OUTPUT.XXXXXX": its name, if any */
	FILE_SCRATCH, /* read and write a file without a name; path NULL */
	FILE_RENAME,  /* what FILE_TEMP made becomes its OUTPUT */
	FILE_UNLINK,  /* what FILE_TEMP made */
};

struct file_ask {
	enum file_op op;
	char *path;	 /* FILE_TEMP writes to it */
	const char *to;	 /* FILE_RENAME, FILE_SOURCE */
	int fd;		 /* FILE_RENAME: what FILE_TEMP gave */
	struct stat *st; /* FILE_STAT: filled */
};

/* A descriptor, or 0 where there is none to give; -1 and errno. */
typedef int files_fn(void *arg, const struct file_ask *ask);

/* Once, before there are threads.  NULL: ourselves again. */
void files_delegate(files_fn *fn, void *arg);

/*
 * A name for what is open already: file_open() and file_stat() of it are of that file, here and in
 * processes that are forked from here.  fd is ours now; name is borrowed.  Before there are
 * threads; a process has at most FILES_GIVEN of them.
 */
enum { FILES_GIVEN = 1040 };
void files_give(const char *name, int fd);
bool files_given(const char *name);

/* Do it here, whoever is asked; what a delegate ends with. */
int files_here(const struct file_ask *ask);

int file_open(const char *path);
int file_open_elf(const char *path);
int file_debuginfo(const char *build_id);
/* Never through a link, nor out of the folder. */
int file_source(const char *dir, const char *path);
int file_stat(const char *path, struct stat *ret);
int file_out(const char *path);
int file_temp(char *path);
int file_scratch(void);
const char *file_scratch_dir(void); /* where that is, for messages */
/* fd, temp: of file_temp().  Until then most file systems have no name for it. */
int file_rename(int fd, const char *temp, const char *to);
int file_unlink(const char *temp);

#endif
