/*
 * evid_profile.c - a profile opened, and what the command line asks of it.
 */
#include "cli/evid_profile.h"

#include "cli/given.h"
#include "evidence/input.h"
#include "report/text.h"

#include <stdio.h>

#define FILTERS                                                                                    \
	"--value", "--focus", "--ignore", "--hide", "--show", "--show-from", "--tag-focus",        \
		"--tag-ignore", "--no-inlines", "--by", "--sort"

struct err *evid_profile_options(const struct args *a, enum evid_options of)
{
	static const char *const rows[] = { FILTERS, "--format", "--html", NULL },
				 *const diff[] = { FILTERS, "--normalize", "--percent-of", NULL },
				 *const stats[] = { NULL };
	const char *const *known[] = { [EVID_ROWS] = rows, [EVID_DIFF] = diff, [EVID_STATS] = stats };

	return given_only(a, known[of], "a profile");
}

struct err *evid_profile_some(const struct args *a, unsigned i, enum pprof_keep keep,
			      struct pprof **ret)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct kind_found k;
	struct err *err = evidence_kind(a, i, &k);

	if (!err && k.kind != KIND_PROFILE && k.kind != KIND_GOROUTINES)
		err = err_unsupported("%.200s: %s; want a profile, as the first one", a->arg[i],
				      kind_words(k.kind));
	if (!err)
		err = input_file(a->arg[i], a->arg[i], &in);
	return err ? err : pprof_read_some(in, keep, ret);
}

struct err *evid_profile(const struct args *a, unsigned i, struct pprof **ret)
{
	return evid_profile_some(a, i, PPROF_KEEP_ALL, ret);
}

void evid_profile_warn(const struct args *a, const struct pprof *p)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	if (!p->damage || args_has(a, OPT_QUIET))
		return;
	str_put(&o, "limpet: ");
	text_clean(&o, p->name);
	str_printf(&o, ": %s: used as far as it goes\n", p->damage);
	if (str_ok(&o))
		fputs(o.s, stderr);
}

struct profiles {
	size_t n;
	struct pprof **p;
};

static void profiles_deinit(struct profiles *l)
{
	for (size_t i = 0; i < l->n; i++)
		pprof_free(l->p[i]);
	free(l->p);
}

struct err *evid_profiles(const struct args *a, unsigned n, struct pprof **ret)
{
	_cleanup_(profiles_deinit) struct profiles l = { .p = zalloc(n, sizeof(*l.p)) };
	struct err *err = NULL;

	if (!l.p)
		return &err_nomem;
	for (; l.n < n && !err; l.n += !err)
		err = evid_profile(a, (unsigned)l.n, &l.p[l.n]);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		evid_profile_warn(a, l.p[i]);
	if (n > 1)
		return pprof_merge(l.p, n, ret);
	*ret = STEAL(l.p[0]);
	return NULL;
}

static struct err *word(const char *option, const char *text, const char *const *words, size_t n,
			unsigned *ret)
{
	_cleanup_(str_deinit) struct str all = { 0 };

	for (unsigned i = 0; text && i < n; i++) {
		if (!strcmp(text, words[i])) {
			*ret = i;
			return NULL;
		}
		str_printf(&all, "%s%s", i ? i + 1 < n ? ", " : " or " : "", words[i]);
	}
	if (!text)
		return NULL;
	return err_usage("%s %.100s: of a profile want %s", option, text,
			 str_ok(&all) ? all.s : "another word");
}

struct err *evid_profile_ask(const struct args *a, const struct pprof *p, size_t nodes,
			     struct pprof_ask *ret)
{
	static const char *const bys[] = { "function", "line", "file", "package", "address" };
	static const char *const orders[] = { "flat", "cum", "name", "ratio" };
	struct pprof_ask q = {
		.filters = { a->focus, a->ignore, a->pprof.hide, a->pprof.show, a->pprof.show_from,
			     a->pprof.tag_focus, a->pprof.tag_ignore,
			     a->pprof.no_inlines ? PPROF_NO_INLINES : PPROF_INLINES },
	};
	unsigned by = PPROF_BY_FUNCTION, order = PPROF_ORDER_FLAT;
	struct err *err = pprof_value_index(p, a->pprof.value, &q.type);

	if (!err)
		err = word("--by", a->by, bys, ARRAY_LEN(bys), &by);
	if (!err)
		err = word("--sort", a->sort, orders, ARRAY_LEN(orders), &order);
	if (!err && order == ARRAY_LEN(orders) - 1)
		err = err_usage("--sort ratio: only `limpet top` of a heap profile has it, without "
				"--by label");
	if (err)
		return err;
	q.by = (enum pprof_by)by;
	q.order = (enum pprof_order)order;
	if (nodes && a->limit < UINT32_MAX)
		nodes = (size_t)a->limit;
	/* of pprof, internal/driver/config.go: nodefraction, edgefraction; --limit 0 is all of it
	 */
	if (nodes && a->limit != UINT32_MAX) {
		q.nodes = nodes;
		q.node_fraction = 0.005;
		q.edge_fraction = 0.001;
	}
	*ret = q;
	return NULL;
}
