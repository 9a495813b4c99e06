/*
 * fuzz_pclntab.c - the hand-made program of the unit tests with bytes changed: function table,
 * lines, inlining, stack maps, stack objects.
 *
 * Input: patches of { where, offset (2), length, bytes }.
 */
#include "unit/goruntime/program.h"

#include "base/bytes.h"
#include "goruntime/stack_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void patch(struct program *p, struct bytes *b)
{
	uint8_t *to[] = { p->md, p->tabs, p->funcdata, p->tabs };
	const size_t room[] = { sizeof(p->md), sizeof(p->tabs), sizeof(p->funcdata),
				sizeof(p->tabs) };
	unsigned where = bytes_u8(b) & 3;
	size_t at = bytes_u16(b) % room[where];
	size_t n = bytes_u8(b);

	n = MIN(MIN(n, room[where] - at), bytes_left(b));
	bytes_take(b, to[where] + at, n);
}

static void use_text(const char *s)
{
	static volatile size_t sink __attribute__((unused));

	sink += strlen(s);
}

static void ask(struct program *p, taddr pc)
{
	struct go_line lines[8];
	struct go_func f;
	size_t n = go_lines_at(&p->g, pc, lines, ARRAY_LEN(lines));

	for (size_t i = 0; i < n; i++) {
		use_text(lines[i].function);
		use_text(lines[i].file);
	}
	if (!go_func_at(&p->g, pc, &f))
		return;
	use_text(f.name);
	go_spdelta(&p->g, &f, pc);
	for (unsigned t = 0; t < 5; t++) {
		go_pcdata(&p->g, &f, t, pc);
		go_funcdata(&p->g, &f, t);
	}
}

#define MAP_BITS                                                                                   \
	65536U /* a map may claim 2^31, all readable; whoever uses one is bounded by the frame */

static void maps(struct program *p)
{
	struct pc_cache c = { .g = &p->g };

	for (taddr pc = TEXT; pc < TEXT_END; pc += 3) {
		struct pc_info *pi = pc_cache_get(&c, pc);

		for (uint32_t i = 0; pi && i < MIN(pi->nlocals, MAP_BITS) && pi->locals; i++)
			if (pi->locals[i / 8] == 0xa5)
				break;
		for (uint32_t i = 0; pi && i < MIN(pi->nargs, MAP_BITS) && pi->args; i++)
			if (pi->args[i / 8] == 0xa5)
				break;
		for (uint32_t i = 0; pi && i < MIN(pi->nobjs, 50U); i++) {
			const uint8_t *m = stack_obj_mask(&p->g, &pi->objs[i]);

			if (m && pi->objs[i].ptr_bytes >= 8 &&
			    m[(pi->objs[i].ptr_bytes / 8 - 1) / 8] == 0xa5)
				break;
		}
	}
	pc_cache_deinit(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes b = bytes_of(data, n);
	struct program p;
	struct go_func f;
	struct err *err;

	program_build(&p);
	while (bytes_left(&b) > 4)
		patch(&p, &b);
	err = program_open(&p, NULL, 0);
	if (!err) {
		for (taddr pc = TEXT - 1; pc <= TEXT_END + 1; pc++)
			ask(&p, pc);
		go_func_by_name(&p.g, "main.leaf", &f);
		maps(&p);
	}
	err_free(err);
	program_close(&p);
	return 0;
}
