/*
 * agg_value.h - private to the report room: an object's bytes as named values.
 */
#ifndef LIMPET_REPORT_AGG_VALUE_H
#define LIMPET_REPORT_AGG_VALUE_H

#include "report/agg.h"

/*
 * Fields of an object whose first got bytes are image; rt NULL: unknown type, its
 * words are shown; array: a row of rt.  At most limit fields are kept, all are counted in
 * o->nfields.
 */
struct err *value_fields(struct agg *a, const struct go_type *rt, bool array, const uint8_t *image,
			 size_t got, unsigned values, size_t limit,
			 struct ans_object *o) MUST_CHECK;

/* "…7f3a": enough to see that two values are equal. */
const char *value_hash(struct agg *a, const uint8_t *p, size_t n);
/* A number or bool of type t as Go writes it; p: t->bytes of it, 1, 2, 4, 8 or 16. */
const char *value_scalar(struct agg *a, const struct go_type *t, const uint8_t *p);

#endif
