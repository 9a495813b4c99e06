/*
 * options_profile.c - the options of profile, which share one id.
 */
#include "cli/args.h"

void args_set_profile(const char *name, const char *value, struct args *a)
{
	if (!strcmp(name, "--kind"))
		a->profile.kind = value;
	else if (!strcmp(name, "--format"))
		a->profile.format = value;
	else
		a->profile.value = value;
}
