/*
 * help_made.c - manual page and shell completion, made from the same tables as --help.
 *
 * `limpet --man` prints roff, `limpet --completion bash` what bash sources.
 */
#include "cli/args.h"

/* roff: a line must not begin with a dot or quote, and a hyphen is meant as one. */
static void put_roff(struct str *o, const char *text)
{
	if (*text == '.' || *text == '\'')
		str_put(o, "\\&");
	for (; *text; text++) {
		if (*text == '-')
			str_put(o, "\\-");
		else if (*text == '\\')
			str_put(o, "\\e");
		else
			str_putn(o, text, 1);
	}
}

static void man_options(struct str *o, uint64_t mask)
{
	const struct opt *v;
	size_t n;

	v = options(&n);
	for (size_t i = 0; i < n; i++) {
		if (!(v[i].id & mask))
			continue;
		str_put(o, ".TP\n\\fB");
		put_roff(o, v[i].name);
		str_put(o, "\\fR");
		if (v[i].metavar)
			str_printf(o, "%s\\fI%s\\fR", *v[i].metavar == '[' ? "" : " ",
				   v[i].metavar);
		str_put(o, "\n");
		put_roff(o, v[i].about);
		str_put(o, "\n");
	}
}

static void man_command(struct str *o, const struct cmd *c)
{
	str_printf(o, ".SS limpet %s %s\n", c->name, c->args);
	put_roff(o, c->about);
	str_put(o, ".\n");
	if (c->help) {
		str_put(o, ".PP\n");
		put_roff(o, c->help);
		str_put(o, "\n");
	}
	man_options(o, c->opts & ~(uint64_t)OPTS_COMMON);
	if (c->example) {
		str_put(o, ".PP\nExample:\n.PP\n.nf\n");
		put_roff(o, c->example);
		str_put(o, "\n.fi\n");
	}
}

void help_man(struct str *o)
{
	const struct cmd *v;
	size_t n;

	v = commands(&n);
	str_put(o, ".TH LIMPET 1 \"\" \"limpet " LIMPET_VERSION "\"\n.SH NAME\n"
		   "limpet \\- who holds the memory of a live Go process\n.SH SYNOPSIS\n"
		   "\\fBlimpet\\fR COMMAND TARGET [OPTIONS]\n.br\n\\fBlimpet\\fR TARGET\n"
		   ".SH COMMANDS\n");
	for (size_t i = 0; i < n; i++)
		if (v[i].run)
			man_command(o, &v[i]);
	str_put(o, ".SH OPTIONS OF ALL COMMANDS\n");
	man_options(o, OPTS_COMMON);
	str_put(o,
		".SH FILES\n.TP\n.I /etc/limpet.conf\nknown findings, owners\\(cq rules, limits; "
		"the variable LIMPET_CONF names another one, or, empty, none.\n"
		".SH EXIT STATUS\n0 answered, 1 verify does not hold, 2 usage, 3 target cannot be\n"
		"read, 4 target is not what it should be, 5 a limit was reached, 70 a bug.\n");
}

static void bash_words(struct str *o, uint64_t mask)
{
	const struct opt *v;
	size_t n;

	v = options(&n);
	for (size_t i = 0; i < n; i++)
		if (v[i].id & mask)
			str_printf(o, " %s", v[i].name);
}

void help_completion_bash(struct str *o)
{
	const struct cmd *v;
	size_t n;

	v = commands(&n);
	str_put(o, "_limpet() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
		   "\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\twords='");
	for (size_t i = 0; i < n; i++)
		if (v[i].run)
			str_printf(o, "%s ", v[i].name);
	str_put(o, "--help --version'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; i < n; i++) {
		if (!v[i].run)
			continue;
		str_printf(o, "\t\t%s) words='", v[i].name);
		bash_words(o, v[i].opts);
		str_put(o, "' ;;\n");
	}
	str_put(o, "\t\tesac\n\tfi\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
		   "complete -o default -F _limpet limpet\n");
}
