/*
 * agg_by.c - the one table of what `top --by` takes.
 */
#include "base/str.h"
#include "report/agg_groups.h"
#include "report/agg_top.h"

static const struct agg_by table[] = {
	{ "type", "objects of one type", 0, agg_groups_type, NULL },
	{ "package", "objects whose type's package it is", 0, agg_groups_package, NULL },
	{ "module", "objects of one Go module's types; of builtin types those that it holds", 0,
	  agg_groups_module, NULL },
	{ "root", "what one global, or the goroutines of one function, hold alone",
	  AGG_BY_ADDITIVE | AGG_BY_ROOTS | AGG_BY_OWNER, NULL, agg_rows_root },
	{ "goroutine", "what goroutines with the same stack hold alone",
	  AGG_BY_ADDITIVE | AGG_BY_ROOTS | AGG_BY_OWNER, NULL, agg_rows_goroutine },
	{ "label", "what goroutines of the same pprof labels hold together",
	  AGG_BY_ADDITIVE | AGG_BY_ARG | AGG_BY_OWNER, NULL, agg_rows_label },
	{ "kind", "objects of one kind of type: struct, slice, closure", 0, agg_groups_kind, NULL },
	{ "field", "objects that one field of one type leads to, by dominance", AGG_BY_HOLDER,
	  agg_groups_field, NULL },
	{ "generation", "objects that the last collection has seen, and those born since", 0,
	  agg_groups_generation, NULL },
	{ "site", "what one function allocated, by the program's own memory profile",
	  AGG_BY_SAMPLED | AGG_BY_OWNER, NULL, agg_rows_site },
};

const struct agg_by *agg_by_named(const char *by, const char **ret_arg)
{
	size_t n = strcspn(by, ":");

	*ret_arg = by[n] ? by + n + 1 : NULL;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strlen(table[i].word) == n && !strncmp(table[i].word, by, n) &&
		    (!*ret_arg || (**ret_arg && (table[i].flags & AGG_BY_ARG))))
			return &table[i];
	return NULL;
}

const char *agg_by_word(size_t i)
{
	return i < ARRAY_LEN(table) ? table[i].word : NULL;
}

struct err *agg_by_check(const char *by)
{
	_cleanup_(str_deinit) struct str all = { 0 };
	const char *arg;

	if (agg_by_named(by, &arg))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		str_printf(&all, "%s%s",
			   i == 0		      ? ""
			   : i + 1 < ARRAY_LEN(table) ? ", "
						      : " or ",
			   table[i].word);
	return err_usage("--by %.100s: want %s", by, str_ok(&all) ? all.s : "another word");
}
