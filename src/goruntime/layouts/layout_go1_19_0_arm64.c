/* layout_go1_19_0_arm64.c - written by tools/gen-layout from DWARF of go1.19; what differs from
 * layout_go1_19_0.c. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define LAYOUT_NAME layout_go1_19_0_arm64
#define LAYOUT_CHANGES \
	.arch = "arm64", \
	.c_arenaBaseOffset = 0, \

#include "goruntime/layouts/layout_go1_19_0.c"
