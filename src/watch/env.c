/*
 * env.c - copies of texts in a NULL-ended list.
 */
#include "watch/env.h"

#include "base/str.h"

extern char **environ;

/* Before the NULL at the end; text is ours now. */
static struct err *push(struct env *e, char *text)
{
	if (!text || !vec_reserve(&e->v, e->v.n + 2)) {
		free(text);
		return &err_nomem;
	}
	e->v.v[e->v.n++] = text;
	e->v.v[e->v.n] = NULL;
	return NULL;
}

struct err *env_create(struct env *ret)
{
	struct err *err = NULL;

	for (char **p = environ; !err && *p; p++)
		err = push(ret, strdup(*p));
	if (!err && !ret->v.n)
		err = push(ret, strdup("PATH=/usr/local/bin:/usr/bin:/bin"));
	return err;
}

void env_deinit(struct env *e)
{
	for (size_t i = 0; i < e->v.n; i++)
		free(e->v.v[i]);
	vec_free(&e->v);
}

static size_t find(const struct env *e, const char *name, size_t len)
{
	size_t i = 0;

	while (i < e->v.n && (strncmp(e->v.v[i], name, len) != 0 || e->v.v[i][len] != '='))
		i++;
	return i;
}

const char *env_of(const struct env *e, const char *name)
{
	size_t i = find(e, name, strlen(name));

	return i < e->v.n ? e->v.v[i] + strlen(name) + 1 : NULL;
}

struct err *env_set(struct env *e, const char *fmt, ...)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&o, fmt, ap);
	va_end(ap);
	char *text = str_steal(&o);
	size_t i = text ? find(e, text, strcspn(text, "=")) : 0;

	if (!text || i == e->v.n)
		return push(e, text);
	free(e->v.v[i]);
	e->v.v[i] = text;
	return NULL;
}

/* Is "key=" the beginning of one of the settings? */
static bool sets(const char *list, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = list; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (!strncmp(p, key, n) && p[n] == '=')
			return true;
	}
	return false;
}

struct err *env_add(struct env *e, const char *name, const char *key, const char *value)
{
	const char *was = env_of(e, name);

	if (was && sets(was, key))
		return NULL;
	return env_set(e, "%s=%s%s%s=%s", name, was ? was : "", was && *was ? "," : "", key, value);
}

struct err *env_ports(struct env *e, const uint16_t *ports, size_t n)
{
	_cleanup_(str_deinit) struct str all = { 0 };

	for (size_t i = 0; i < n; i++)
		str_printf(&all, "%s%u", i ? " " : "", (unsigned)ports[i]);
	if (!n)
		return NULL;
	struct err *err = env_set(e, "LIMPET_PORT=%u", (unsigned)ports[0]);

	if (!err && !str_ok(&all))
		err = &err_nomem;
	return err ? err : env_set(e, "LIMPET_PORTS=%s", all.s);
}
