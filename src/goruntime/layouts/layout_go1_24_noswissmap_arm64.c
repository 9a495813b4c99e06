/* layout_go1_24_noswissmap_arm64.c - written by tools/gen-layout from DWARF of go1.24.13; what differs from
 * layout_go1_24_noswissmap.c. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define LAYOUT_NAME layout_go1_24_noswissmap_arm64
#define LAYOUT_CHANGES \
	.arch = "arm64", \
	.mheap_bytes = 101776, \
	.mheap_arenas = { 66072, 8 }, \
	.mheap_heapArenas = { 66160, 24 }, \
	.mheap_markArenas = { 66208, 24 }, \
	.mheap_curArena = { 66232, 16 }, \
	.mheap_quarantineList = { 101728, 16 }, \
	.mheap_readyList = { 101744, 16 }, \
	.work_bytes = 720, \
	.work_cycles = { 552, 4 }, \
	.work_bytesMarked = { 320, 8 }, \
	.work_mode = { 456, 8 }, \
	.work_userForced = { 464, 1 }, \
	.work_tstart = { 344, 8 }, \
	.work_gcTotalTime = { 664, 8 }, \
	.work_gcIdleTime = { 648, 8 }, \
	.work_totalTime = { 712, 8 }, \
	.work_empty = { 136, 8 }, \
	.gcController_bytes = 456, \
	.c_arenaBaseOffset = 0, \

#include "goruntime/layouts/layout_go1_24_noswissmap.c"
