/* layout_go1_20_arm64.c - written by tools/gen-layout from DWARF of go1.20.14; what differs from
 * layout_go1_20.c. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define LAYOUT_NAME layout_go1_20_arm64
#define LAYOUT_CHANGES \
	.arch = "arm64", \
	.mheap_bytes = 101376, \
	.mheap_quarantineList = { 101336, 16 }, \
	.mheap_readyList = { 101352, 16 }, \
	.work_bytes = 576, \
	.work_cycles = { 400, 4 }, \
	.work_bytesMarked = { 192, 8 }, \
	.work_mode = { 336, 8 }, \
	.work_userForced = { 344, 1 }, \
	.work_tstart = { 216, 8 }, \
	.work_gcTotalTime = { 520, 8 }, \
	.work_gcIdleTime = { 504, 8 }, \
	.work_totalTime = { 568, 8 }, \
	.gcController_bytes = 432, \
	.c_arenaBaseOffset = 0, \

#include "goruntime/layouts/layout_go1_20.c"
