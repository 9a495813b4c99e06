/*
 * dwarf_funcs.c - units of Go in a file, and in them the function that holds a pc.
 *
 * Units are listed when the file is opened, their functions when one of them is asked for:
 * a program has tens of thousands, its goroutines stand in hundreds.  Knows no process.
 * Cost: opening unpacks the sections (0.1 s for a caddy); 24 bytes a function of a unit used.
 */
#include "elf/dwarf_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MAX_STEPS (1U << 26) /* a prometheus takes 2 million */

bool dwarf_index_step(struct dwarf_index *d)
{
	return d->seen++ < MAX_STEPS;
}

bool dwarf_number(Dwarf_Die *die, unsigned at, uint64_t *ret)
{
	Dwarf_Attribute a;
	Dwarf_Word x;
	bool flag;

	if (!dwarf_attr(die, at, &a))
		return false;
	if (dwarf_formudata(&a, &x) == 0)
		*ret = x;
	else if (dwarf_formflag(&a, &flag) == 0)
		*ret = flag;
	else
		return false;
	return true;
}

uint64_t dwarf_ref(Dwarf_Die *die, unsigned at)
{
	Dwarf_Attribute a;
	Dwarf_Die to;

	if (!dwarf_attr_integrate(die, at, &a) || !dwarf_formref_die(&a, &to))
		return 0;
	return dwarf_dieoffset(&to);
}

static struct err *list_units(struct dwarf_index *d)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;

	while (dwarf_get_units(d->dw, cu, &cu, NULL, &type, &die, NULL) == 0) {
		struct dwarf_unit u = { .die = dwarf_dieoffset(&die) };

		if (!dwarf_index_step(d))
			break;
		if (dwarf_srclang(&die) == DW_LANG_Go && !vec_push(&d->units, u))
			return &err_nomem;
	}
	return NULL;
}

struct err *dwarf_index_open(int fd, const char *name, struct dwarf_index **ret)
{
	_cleanup_(dwarf_index_closep) struct dwarf_index *d = zalloc(1, sizeof(*d));
	struct err *err;

	if (!d)
		return &err_nomem;
	READING(crash_words(d->words, "DWARF", name, DWARF_WAY_OUT));
	d->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (d->fd < 0)
		return err_os(errno, "%s", name);
	err = dwarf_room(d->fd);
	if (err)
		return err_prefix(err, "%s", name);
	d->dw = dwarf_begin(d->fd, DWARF_C_READ);
	if (!d->dw)
		return err_unsupported("%s: no DWARF in it (%s)", name, dwarf_errmsg(-1));
	dwarf_new_oom_handler(d->dw, crash_nomem);
	err = list_units(d);
	if (err)
		return err;
	if (!d->units.n)
		return err_unsupported("%s: no DWARF of Go code in it", name);
	*ret = STEAL(d);
	return NULL;
}

void dwarf_index_close(struct dwarf_index *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->units.n; i++)
		vec_free(&d->units.v[i].funcs);
	vec_free(&d->units);
	vec_free(&d->spans);
	if (d->dw)
		dwarf_end(d->dw);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}

static int by_lo(const void *a, const void *b)
{
	taddr x = ((const struct dwarf_span *)a)->lo, y = ((const struct dwarf_span *)b)->lo;

	return (x > y) - (x < y);
}

static struct err *spans_of(struct dwarf_index *d, uint32_t unit)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;
	Dwarf_Die die;

	if (!dwarf_offdie(d->dw, d->units.v[unit].die, &die))
		return NULL;
	while ((at = dwarf_ranges(&die, at, &base, &lo, &hi)) > 0) {
		struct dwarf_span s = { lo, hi, unit };

		if (!dwarf_index_step(d))
			break;
		if (lo < hi && !vec_push(&d->spans, s))
			return &err_nomem;
	}
	return NULL;
}

static struct err *know_spans(struct dwarf_index *d)
{
	struct err *err = NULL;

	if (d->spans_known)
		return NULL;
	for (uint32_t i = 0; i < d->units.n && !err; i++)
		err = spans_of(d, i);
	if (d->spans.n)
		qsort(d->spans.v, d->spans.n, sizeof(*d->spans.v), by_lo);
	d->spans_known = !err;
	return err;
}

static struct dwarf_unit *unit_at(struct dwarf_index *d, taddr pc)
{
	size_t lo = 0, hi = d->spans.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->spans.v[mid].lo <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && pc < d->spans.v[lo - 1].hi ? &d->units.v[d->spans.v[lo - 1].unit] : NULL;
}

static struct err *add_func(struct dwarf_unit *u, Dwarf_Die *die)
{
	struct dwarf_func f = { .die = dwarf_dieoffset(die) };
	Dwarf_Addr lo, hi;

	/* abstract instances have no code; Go's functions are one piece */
	if (dwarf_lowpc(die, &lo) != 0 || dwarf_highpc(die, &hi) != 0 || lo >= hi)
		return NULL;
	f.lo = lo;
	f.hi = hi;
	return vec_push(&u->funcs, f) ? NULL : &err_nomem;
}

static int by_func_lo(const void *a, const void *b)
{
	taddr x = ((const struct dwarf_func *)a)->lo, y = ((const struct dwarf_func *)b)->lo;

	return (x > y) - (x < y);
}

static struct err *index_unit(struct dwarf_index *d, struct dwarf_unit *u)
{
	struct err *err = NULL;
	Dwarf_Die unit, die;

	if (u->indexed)
		return NULL;
	if (dwarf_offdie(d->dw, u->die, &unit) && dwarf_child(&unit, &die) == 0) {
		do {
			if (dwarf_tag(&die) == DW_TAG_subprogram)
				err = add_func(u, &die);
		} while (!err && dwarf_index_step(d) && dwarf_siblingof(&die, &die) == 0);
	}
	if (u->funcs.n)
		qsort(u->funcs.v, u->funcs.n, sizeof(*u->funcs.v), by_func_lo);
	u->indexed = !err;
	return err;
}

struct err *dwarf_func_at(struct dwarf_index *d, taddr pc, Dwarf_Die *ret, bool *ret_found)
{
	struct dwarf_unit *u;
	size_t lo = 0, hi;
	struct err *err = know_spans(d);

	*ret_found = false;
	u = err ? NULL : unit_at(d, pc);
	if (!u)
		return err;
	err = index_unit(d, u);
	if (err)
		return err;
	hi = u->funcs.n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (u->funcs.v[mid].lo <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo && pc < u->funcs.v[lo - 1].hi)
		*ret_found = dwarf_offdie(d->dw, u->funcs.v[lo - 1].die, ret) != NULL;
	return NULL;
}
