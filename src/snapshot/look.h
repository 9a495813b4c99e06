/*
 * look.h - looking into single objects of a snapshot, for the rooms right of the waist: typed
 * containers, functions, sites.  The target must still be there.
 *
 * These are the runtime room's own doors: what they answer has no version in it.
 */
#ifndef LIMPET_SNAPSHOT_LOOK_H
#define LIMPET_SNAPSHOT_LOOK_H

#include "goruntime/cont.h"
#include "goruntime/funcs.h"
#include "snapshot/sites.h"
#include "snapshot/snapshot.h"

#endif
