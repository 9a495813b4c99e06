/*
 * analysed.h - a look, analysed, into a store and out of it again.
 *
 * What is kept are the answers themselves (answer.h), table by table, and the objects by address
 * (store/objects.h): a command asked of a store answers what it would have answered of the look, or
 * says what the store does not hold.  Values of the program are in it only as far as the look's
 * policy let them into the answers (none, if not asked for).
 */
#ifndef LIMPET_REPORT_ANALYSED_H
#define LIMPET_REPORT_ANALYSED_H

#include "report/agg.h"
#include "store/objects.h"
#include "store/store.h"

/* The snapshot's objects as an ident; needs dominators. */
struct err *agg_ident(struct agg *a, struct ident **ret) MUST_CHECK;
void agg_ident_free(struct ident *x);

/*
 * The places of its objects; x is agg_ident()'s, and not told to anybody else meanwhile.  Counted
 * while another thread may make answers of the agg, if these leave the dominators' children in
 * their order; then put into words.
 */
struct agg_places;
struct err *agg_places_count(const struct agg *a, struct ident *x,
			     struct agg_places **ret) MUST_CHECK;
struct err *agg_places(struct agg *a, const struct agg_places *p,
		       struct ans_places *ret) MUST_CHECK;
void agg_places_free(struct agg_places *p);
static inline void agg_places_freep(struct agg_places **p)
{
	agg_places_free(*p);
}
/* To a store and back; one without them: none.  Texts are of the keep. */
struct err *analysed_put_places(const struct ans_places *x, struct store *w) MUST_CHECK;
struct err *analysed_places(struct store *x, struct keep *keep, struct ans_places *ret) MUST_CHECK;

/*
 * Everything but the head, which is put last (analysed_put_head()): needs dominators and the
 * verified exactness.
 */
struct err *analysed_put(struct agg *a, const struct verify_result *v, struct store *w) MUST_CHECK;
struct err *analysed_put_head(const struct ans_head *h, struct store *w) MUST_CHECK;

/*
 * What a later look compares with: put, of a find_since that report_ask.since_ret or
 * agg_since_create() made; and back out of a store, which may go then.  Errors of the latter:
 * UNSUPPORTED: the store does not hold it.
 */
struct err *analysed_put_since(const struct find_since *x, struct store *w) MUST_CHECK;
struct err *analysed_since(struct store *x, struct find_since **ret) MUST_CHECK;

#endif
