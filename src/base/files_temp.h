/*
 * files_temp.h - how files.c makes an output, and what becomes of it; nobody else includes it.
 */
#ifndef LIMPET_BASE_FILES_TEMP_H
#define LIMPET_BASE_FILES_TEMP_H

/* path ends with XXXXXX, and stays so when the file has no name.  A descriptor, or -1 and errno. */
int temp_open(char *path);
/* Both 0, or -1 and errno. */
int temp_keep(int fd, const char *temp, const char *to);
int temp_drop(const char *temp);

#endif
