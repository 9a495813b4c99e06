/*
 * fuzz_store.c - a store as a file, and a chunk of its objects unpacked.
 *
 * The first byte says which.  What comes out must be what find/ident.h promises.
 */
#include "report/analysed.h"
#include "store/chunk.h"
#include "store/objects.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_span(const struct ident_span *sp, const uint32_t *ngroups)
{
	must(sp->elem_bytes && sp->nelems <= sp->bytes / sp->elem_bytes);
	must(sp->base + sp->bytes >= sp->base);
	for (uint32_t i = 0; i < sp->nelems; i++)
		for (int k = 0; k < IDENT_COLUMNS && sp->alive[i / 64] >> (i & 63) & 1; k++)
			must(sp->group[k][i] < ngroups[k]);
}

static void chunk(const uint8_t *data, size_t n)
{
	static const uint32_t ngroups[IDENT_COLUMNS] = { 9, 5, 300 };
	struct chunk_room room = { 0 };
	struct chunk_view v;
	struct ident_span sp;
	bool has = true;
	struct err *err = chunk_read(data, n, ngroups, &v);

	while (!err && has) {
		err = chunk_next(&v, &room, &sp, &has);
		if (!err && has)
			check_span(&sp, ngroups);
	}
	err_free(err);
	chunk_room_deinit(&room);
}

static void read_objects(struct store *x)
{
	const struct ident_span *sp = NULL;
	struct ident *y = NULL;
	struct err *err = store_objects(x, &y);
	taddr end = 0;

	while (!err) {
		err = y->next(y, &sp);
		if (err || !sp)
			break;
		must(sp->base >= end);
		end = sp->base + sp->bytes;
		check_span(sp, y->head.ngroups);
	}
	err_free(err);
	store_objects_close(y);
}

static void file(const uint8_t *data, size_t n)
{
	int fd = memfd_create("store", MFD_CLOEXEC);
	struct find_since *since = NULL;
	struct ans_places places = { 0 };
	struct keep keep = { 0 };
	struct store *x = NULL;
	struct err *err;

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	err = store_open(fd, "fuzz", &x);
	if (!err) {
		read_objects(x);
		err = analysed_places(x, &keep, &places);
	}
	err_free(err);
	err = x ? analysed_since(x, &since) : NULL;
	err_free(err);
	find_since_free(since);
	ans_places_deinit(&places);
	keep_deinit(&keep);
	store_close(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n && *data & 1)
		chunk(data + 1, n - 1);
	else if (n)
		file(data + 1, n - 1);
	return 0;
}
