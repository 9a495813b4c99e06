/*
 * layout_version.h - what a Go version string says.
 */
#ifndef LIMPET_GORUNTIME_LAYOUT_VERSION_H
#define LIMPET_GORUNTIME_LAYOUT_VERSION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * "go1.26.8-X:nogreenteagc" -> 26, "nogreenteagc"; "devel go1.28-abc Mon …" -> 28, "".
 * False when no minor is in it.
 */
bool go_version_parse(const char *version, int *ret_minor, char *exps, size_t nexps);

/* A plain release ("go1.26", "go1.26.8"), no beta, rc or development build. */
bool go_version_is_release(const char *version);

#endif
