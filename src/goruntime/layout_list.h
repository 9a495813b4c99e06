/*
 * layout_list.h - declarations of the generated tables.
 */
#ifndef LIMPET_GORUNTIME_LAYOUT_LIST_H
#define LIMPET_GORUNTIME_LAYOUT_LIST_H

#include "goruntime/layout.h"

#define LAYOUT(ident) extern const struct go_layout layout_##ident;
#include "goruntime/layouts/list.h"
#undef LAYOUT

#endif
