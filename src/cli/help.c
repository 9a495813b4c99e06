/*
 * help.c - the tables of commands and options as text for people.
 */
#include "cli/args.h"

static void put_options(struct str *o, uint64_t mask)
{
	const struct opt *v;
	size_t n;

	v = options(&n);
	for (size_t i = 0; i < n; i++) {
		char left[64] = "";

		if (!(v[i].id & mask))
			continue;
		strcat(left, v[i].name);
		if (v[i].metavar) {
			strcat(left, *v[i].metavar == '[' ? "" : " ");
			strcat(left, v[i].metavar);
		}
		str_printf(o, "  %-20s %s\n", left, v[i].about);
	}
}

static void overview(struct str *o)
{
	const struct cmd *v;
	size_t n;
	const char *sep = "";

	v = commands(&n);
	str_put(o,
		"limpet " LIMPET_VERSION ": who holds the memory of a Go process\n\n"
		"  limpet COMMAND TARGET [OPTIONS]\n"
		"  limpet TARGET                    the same as: limpet report TARGET\n\n"
		"TARGET is a process (PID, pid:PID, name:NAME) or a file: a core, a heap dump.\n\nCommands:\n");
	for (size_t i = 0; i < n; i++)
		if (v[i].run)
			str_printf(o, "  %-11s %s\n", v[i].name, v[i].about);
	str_put(o, "\nOptions of all commands that take a TARGET:\n");
	put_options(o, OPTS_COMMON);
	str_put(o, "\n`limpet COMMAND --help` says more.  Not in this version: ");
	for (size_t i = 0; i < n; i++) {
		if (v[i].run)
			continue;
		str_printf(o, "%s%s", sep, v[i].name);
		sep = " ";
	}
	str_put(o,
		".\n\nExit codes: 0 answered, 1 verify does not hold, 2 usage, 3 target cannot be read,\n"
		"4 target is not what it should be, 5 a limit was reached, 70 a bug in limpet.\n");
}

void help_text(struct str *o, const struct cmd *cmd)
{
	if (!cmd) {
		overview(o);
		return;
	}
	str_printf(o, "limpet %s: %s\n\n  limpet %s %s [OPTIONS]\n\n", cmd->name, cmd->about,
		   cmd->name, cmd->args);
	if (cmd->help)
		str_printf(o, "%s\n\n", cmd->help);
	put_options(o, cmd->opts);
	if (cmd->example)
		str_printf(o, "\nExample:\n  %s\n", cmd->example);
}
