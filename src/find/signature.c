/*
 * signature.c - a name for a finding that is the same in every run and every build.
 *
 * Made from its kind and key, which consist of names alone.  A global without a symbol is called
 * by who uses it: its place in the section changes with every build, and is left out.
 */
#include "find/priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

void find_sign(struct finding *x)
{
	XXH64_hash_t h = XXH64(x->kind, strlen(x->kind) + 1, 0);

	h = XXH64(x->key, strlen(x->key), h);
	snprintf(x->signature, sizeof(x->signature), "%016" PRIx64, (uint64_t)h);
}

/*
 * "global used by main.f (data+0x1f20 main.large)" without its place: who uses it, and its type,
 * which tells it from others that the same function uses.
 */
static const char *without_place(struct find *f, const struct snap_root *r)
{
	const char *at = r->place ? strstr(r->name, r->place) : NULL;
	size_t n = at ? (size_t)(at - r->name) : strlen(r->name);
	const char *rest = at ? at + strlen(r->place) : "";

	while (n && (r->name[n - 1] == '(' || r->name[n - 1] == ' '))
		n--;
	return keepf(&f->keep, "%.*s%s%s", (int)n, r->name, *rest == ' ' ? " (" : "",
		     *rest == ' ' ? rest + 1 : "");
}

/* "goroutine 17 main.worker" without the number. */
static const char *without_number(struct find *f, const char *name)
{
	const char *rest = name + strcspn(name, "0123456789");

	rest += strspn(rest, "0123456789 ");
	return keepf(&f->keep, "goroutine %s", rest);
}

const char *find_root_key(struct find *f, uint32_t r)
{
	const struct snap_root *root = &f->l.s->roots.v[r];

	if (!root->name)
		return "";
	if (root->kind == SNAP_ROOT_GOROUTINE)
		return without_number(f, root->name);
	return root->place ? without_place(f, root) : root->name;
}
