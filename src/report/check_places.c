/*
 * check_places.c - where a file of the program lies in the repository.
 *
 * A program names files as its builder saw them: below the same folder, below another one, or
 * (-trimpath) below its module's path.  The longest end of that name which is a file below the
 * folder is it.  Files of Go itself and of other modules are nobody's here.  Cost: a stat a part of
 * a name.
 */
#include "report/check_out.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static bool is_file(const char *dir, const char *name)
{
	_cleanup_(str_deinit) struct str path = { 0 };
	struct stat st;

	str_printf(&path, "%s/%s", dir, name);
	return str_ok(&path) && !stat(path.s, &st) && S_ISREG(st.st_mode);
}

/* Go's own: below a GOROOT, or with -trimpath a first part that is no host's name. */
static bool is_foreign(const char *file)
{
	size_t first = strcspn(file, "/");

	if (strstr(file, "/pkg/mod/") || strstr(file, "@v") || strstr(file, "/go/src/") ||
	    strstr(file, "/lib/go-") || strstr(file, "/../") || !strncmp(file, "../", 3))
		return true;
	return *file != '/' && file[first] == '/' && !memchr(file, '.', first);
}

/* "module example.com/m" of its go.mod: with -trimpath names of files begin so. */
static void read_module(const char *dir, char *ret, size_t n)
{
	_cleanup_(str_deinit) struct str path = { 0 };
	char line[512];
	FILE *f;

	*ret = 0;
	str_printf(&path, "%s/go.mod", dir);
	f = str_ok(&path) ? fopen(path.s, "re") : NULL;
	while (f && !*ret && fgets(line, sizeof(line), f))
		if (!strncmp(line, "module ", 7))
			snprintf(ret, n, "%.*s/", (int)strcspn(line + 7, " \t\r\n"), line + 7);
	if (f)
		fclose(f);
}

static const char *place(const char *dir, const char *module, const char *file)
{
	size_t n = strlen(dir), m = strlen(module);

	if (m && !strncmp(file, module, m))
		return is_file(dir, file + m) ? file + m : NULL;
	if (is_foreign(file))
		return NULL;

	if (!strncmp(file, dir, n) && file[n] == '/')
		return is_file(dir, file + n + 1) ? file + n + 1 : NULL;
	for (const char *p = file; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (is_file(dir, p))
			return p;
	}
	return NULL;
}

struct err *check_places(struct ans_checks *a, const char *dir)
{
	_cleanup_(freep) char *at = realpath(dir ? dir : ".", NULL);
	char module[512];

	if (!at)
		return dir ? err_os(errno, "--source %.200s", dir) : NULL;
	read_module(at, module, sizeof(module));
	for (size_t i = 0; i < a->v.n; i++)
		for (size_t k = 0; k < a->v.v[i].rows.n; k++) {
			struct ans_check_row *r = &a->v.v[i].rows.v[k];
			const char *file = r->at.file, *found = NULL;

			if (file && *file && r->at.line > 0)
				found = place(at, module, file);
			r->uri = found ? keepf(&a->keep, "%s", found) : *module ? "go.mod" : NULL;
			r->uri_line = found ? r->at.line : 0;
		}
	return keep_err(&a->keep);
}
