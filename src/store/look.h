/*
 * look.h - private to the store room: the head of the objects, one row of the table `look`.
 */
#ifndef LIMPET_STORE_LOOK_H
#define LIMPET_STORE_LOOK_H

#include "find/ident.h"
#include "store/priv.h"

struct err *store_put_look(struct store *w, const struct ident_head *h) MUST_CHECK;
/* Texts are of the keep. */
struct err *store_look(struct store *x, struct keep *keep, struct ident_head *ret) MUST_CHECK;

#endif
