/*
 * pop.h - populations: all maps, all strings, all timers … of a snapshot, as tables.
 *
 * A population is one struct pop_family: its columns, and who fills them.  Answers are
 * tables of cells, so that one renderer (text_pop.c, json_pop.c) shows all of them and
 * --sort works on every column with a number.  Figures of objects are of reachable ones.
 * HOW TO ADD ONE: agg_pop_<name>.c with a struct pop_family, a row in pop.c and in
 * cli/commands.c.
 *
 * Text is borrowed from the snapshot or from the agg's keep and is raw (answer.h).
 */
#ifndef LIMPET_REPORT_POP_H
#define LIMPET_REPORT_POP_H

#include "base/str.h"
#include "report/agg.h"

enum { POP_COLS = 16, POP_TABLES = 4 };

enum pop_form {
	POP_END,  /* behind the last column */
	POP_TEXT, /* s; NULL: null */
	POP_COUNT,
	POP_BYTES,
	POP_ADDR,    /* 0: null */
	POP_NS,	     /* signed; POP_NONE: null */
	POP_UNIX_NS, /* wall clock; 0: null */
	POP_SHARE,   /* permille; in JSON a fraction */
	POP_YES,     /* 0, 1 */
	POP_ORDINAL, /* a number that names: smallest first, POP_NONE last */
};

#define POP_NONE UINT64_MAX /* a number that is not known: null */

enum {
	POP_SUM = 1,	   /* adds up in the remainder */
	POP_JSON_ONLY = 2, /* too wide for a terminal */
	POP_FILLED = 4,	   /* by finish(): cannot be sorted by */
	POP_TEXT_ONLY = 8, /* what JSON has in parts */
};

struct pop_col {
	const char *key;   /* of JSON, and of --sort */
	const char *title; /* of the text's column */
	uint8_t form;
	uint8_t flags;
};

struct pop_cell {
	uint64_t n;
	const char *s;
};

struct pop_row {
	struct pop_cell c[POP_COLS];
	gnode node;    /* whose holders are shown; GRAPH_NONE: none */
	uint64_t x, y; /* whatever finish() needs */
	struct ans_path path;
};

/* Rows beyond the limit are summed up in rest.  rows are sorted by pop_settle(). */
struct pop_table {
	const char *key; /* of JSON; the first one's is "rows" */
	const char *title;
	const struct pop_col *cols; /* ends with POP_END */
	unsigned sort;		    /* column, largest first; text: smallest first */
	size_t limit;
	VEC(struct pop_row) rows;
	uint64_t total; /* rows before the limit */
	struct pop_row rest;
};

struct pop_total {
	const char *key, *title;
	uint8_t form;
	uint64_t n;
};

struct ans_pop {
	const char *what; /* "maps" */
	struct pop_table tables[POP_TABLES];
	size_t ntables;
	VEC(struct pop_total) totals;
	VEC(const char *) notes; /* what the reader must know, a sentence each */
};

void ans_pop_deinit(struct ans_pop *p);

struct pop_ask {
	const char *sort; /* NULL: the family's own */
	size_t limit;
	unsigned values; /* ANS_VALUES_* */
	unsigned flags;	 /* POP_ASK_* */
};

enum { POP_ASK_ALL = 1 }; /* types: also without objects */

enum {
	POP_NEEDS_RUNTIME = 1, /* a heap dump has no types of fields: refused */
	POP_NEEDS_REVERSE = 2,
};

struct pop_family {
	const char *name;
	const struct pop_col *cols; /* of its first table */
	const char *sort; /* key of the column that it is sorted by unless said otherwise */
	unsigned needs;
	struct err *(*make)(struct agg *a, const struct pop_ask *ask, struct ans_pop *ret);
};

/* NULL: there is none of that name. */
const struct pop_family *pop_family_named(const char *name);

/* All of them, one after the other; NULL behind the last. */
const struct pop_family *pop_family_number(size_t i);

/* Index of the column that --sort names.  Errors: ERR_USAGE, which lists the columns. */
struct err *pop_sort_column(const struct pop_family *f, const char *sort, unsigned *ret) MUST_CHECK;

/*
 * The answer of a family; a needs dominators, and reverse edges where f->needs says so.
 * Errors: ERR_UNSUPPORTED (this kind of evidence cannot tell), those of the family.
 */
struct err *agg_pop(struct agg *a, const struct pop_family *f, const struct pop_ask *ask,
		    struct ans_pop *ret) MUST_CHECK;

void text_pop(struct str *o, unsigned style, const struct ans_pop *p);
void json_doc_pop(struct str *o, const struct ans_head *h, const struct ans_pop *p);

#endif
