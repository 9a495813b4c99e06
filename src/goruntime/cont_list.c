/*
 * cont_list.c - container/list.List: a ring through its own root.
 *
 * Source: container/list/list.go.  Every element knows its list; one that says another, or a ring
 * that comes round elsewhere, ends it.
 */
#include "goruntime/cont_priv.h"

#include "base/cycle.h"

static struct err *walk(const struct cont *c, struct cont_out *o)
{
	struct cycle round = { 0 };
	struct go_place e, value;
	struct err *err = cont_field(c, "root.next", &e);

	if (!err && e.at)
		err = cont_follow(c, e, &e);
	for (uint64_t i = 0; !err && e.at && e.at != c->at && !o->stopped; i++) {
		struct go_place owner;
		uint64_t list = 0;

		if (cycle_closed(&round, e.at))
			return err_bad_data("it comes round without its root");
		err = cont_field_of(c, e, "list", &owner);
		if (!err && owner.at)
			err = cont_word_at(c, owner.at, &list);
		if (!err && list != c->at)
			return err_bad_data("element " TADDR_FMT " is another list's", e.at);
		if (!err)
			err = cont_field_of(c, e, "Value", &value);
		if (!err && value.at)
			cont_value(o, "", i, value);
		if (!err)
			err = cont_field_of(c, e, "next", &e);
		if (!err)
			err = cont_follow(c, e, &e);
	}
	return err;
}

static const struct cont_field fields[] = { { "len", "len", GO_FACT_NUMBER, 0 }, { 0 } };

const struct go_cont cont_list = {
	.word = "list",
	.names = "container/list.List",
	.kind = GO_STRUCT,
	.holds = true,
	.fields = fields,
	.each = walk,
};
