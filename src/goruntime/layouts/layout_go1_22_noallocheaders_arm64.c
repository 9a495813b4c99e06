/* layout_go1_22_noallocheaders_arm64.c - written by tools/gen-layout from DWARF of go1.22.12; what differs from
 * layout_go1_22_noallocheaders.c. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define LAYOUT_NAME layout_go1_22_noallocheaders_arm64
#define LAYOUT_CHANGES \
	.arch = "arm64", \
	.mheap_bytes = 101624, \
	.mheap_arenas = { 66072, 8 }, \
	.mheap_heapArenas = { 66160, 24 }, \
	.mheap_markArenas = { 66208, 24 }, \
	.mheap_curArena = { 66232, 16 }, \
	.mheap_quarantineList = { 101584, 16 }, \
	.mheap_readyList = { 101600, 16 }, \
	.work_bytes = 696, \
	.work_cycles = { 528, 4 }, \
	.work_bytesMarked = { 320, 8 }, \
	.work_mode = { 464, 8 }, \
	.work_userForced = { 472, 1 }, \
	.work_tstart = { 344, 8 }, \
	.work_gcTotalTime = { 640, 8 }, \
	.work_gcIdleTime = { 624, 8 }, \
	.work_totalTime = { 688, 8 }, \
	.work_empty = { 136, 8 }, \
	.gcController_bytes = 456, \
	.c_arenaBaseOffset = 0, \

#include "goruntime/layouts/layout_go1_22_noallocheaders.c"
