/* layout_go1_25_noswissmap_arm64.c - written by tools/gen-layout from DWARF of go1.25.14; what differs from
 * layout_go1_25_noswissmap.c. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define LAYOUT_NAME layout_go1_25_noswissmap_arm64
#define LAYOUT_CHANGES \
	.arch = "arm64", \
	.mheap_bytes = 102152, \
	.mheap_arenas = { 66072, 8 }, \
	.mheap_heapArenas = { 66160, 24 }, \
	.mheap_markArenas = { 66232, 24 }, \
	.mheap_curArena = { 66256, 16 }, \
	.mheap_quarantineList = { 101968, 16 }, \
	.mheap_readyList = { 101984, 16 }, \
	.cleanupQueue_bytes = 440, \
	.cleanupQueue_all = { 256, 8 }, \
	.work_bytes = 872, \
	.work_cycles = { 704, 4 }, \
	.work_bytesMarked = { 448, 8 }, \
	.work_mode = { 584, 8 }, \
	.work_userForced = { 592, 1 }, \
	.work_tstart = { 472, 8 }, \
	.work_gcTotalTime = { 816, 8 }, \
	.work_gcIdleTime = { 800, 8 }, \
	.work_totalTime = { 864, 8 }, \
	.work_empty = { 136, 8 }, \
	.gcController_bytes = 456, \
	.c_arenaBaseOffset = 0, \

#include "goruntime/layouts/layout_go1_25_noswissmap.c"
