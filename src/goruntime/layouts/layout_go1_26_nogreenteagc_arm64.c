/* layout_go1_26_nogreenteagc_arm64.c - written by tools/gen-layout from DWARF of go1.26.8; what differs from
 * layout_go1_26_nogreenteagc.c. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define LAYOUT_NAME layout_go1_26_nogreenteagc_arm64
#define LAYOUT_CHANGES \
	.arch = "arm64", \
	.mheap_bytes = 102296, \
	.mheap_arenas = { 66072, 8 }, \
	.mheap_heapArenas = { 66160, 24 }, \
	.mheap_markArenas = { 66232, 24 }, \
	.mheap_curArena = { 66256, 16 }, \
	.mheap_quarantineList = { 102112, 16 }, \
	.mheap_readyList = { 102128, 16 }, \
	.cleanupQueue_bytes = 440, \
	.cleanupQueue_all = { 256, 8 }, \
	.p_bytes = 10064, \
	.work_bytes = 1072, \
	.work_cycles = { 904, 4 }, \
	.work_bytesMarked = { 624, 8 }, \
	.work_mode = { 784, 8 }, \
	.work_userForced = { 792, 1 }, \
	.work_tstart = { 648, 8 }, \
	.work_gcTotalTime = { 1016, 8 }, \
	.work_gcIdleTime = { 1000, 8 }, \
	.work_totalTime = { 1064, 8 }, \
	.work_empty = { 136, 8 }, \
	.gcController_bytes = 456, \
	.c_arenaBaseOffset = 0, \

#include "goruntime/layouts/layout_go1_26_nogreenteagc.c"
