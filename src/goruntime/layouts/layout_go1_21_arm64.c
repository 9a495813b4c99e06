/* layout_go1_21_arm64.c - written by tools/gen-layout from DWARF of go1.21.13; what differs from
 * layout_go1_21.c. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define LAYOUT_NAME layout_go1_21_arm64
#define LAYOUT_CHANGES \
	.arch = "arm64", \
	.mheap_bytes = 101496, \
	.mheap_quarantineList = { 101456, 16 }, \
	.mheap_readyList = { 101472, 16 }, \
	.work_bytes = 704, \
	.work_cycles = { 528, 4 }, \
	.work_bytesMarked = { 320, 8 }, \
	.work_mode = { 464, 8 }, \
	.work_userForced = { 472, 1 }, \
	.work_tstart = { 344, 8 }, \
	.work_gcTotalTime = { 648, 8 }, \
	.work_gcIdleTime = { 632, 8 }, \
	.work_totalTime = { 696, 8 }, \
	.work_empty = { 136, 8 }, \
	.gcController_bytes = 456, \
	.c_arenaBaseOffset = 0, \

#include "goruntime/layouts/layout_go1_21.c"
