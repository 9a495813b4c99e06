/*
 * fuzz_coderefs.c - the hand-made program of code of the unit tests, with any code, and with bytes
 * of its types, globals and masks changed.
 *
 * Input: layout (1), number of patches (1), patches of { where (2), length (1), bytes }, code.
 */
#include "base/bytes.h"
#include "unit/goruntime/codeprog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void patch(struct codeprog *p, struct bytes *b)
{
	size_t at = bytes_u16(b), len = bytes_u8(b);

	for (size_t i = 1; i < p->f.n; i++) { /* 0 is the code */
		if (at < p->f.seg[i].n) {
			len = MIN(MIN(len, p->f.seg[i].n - at), bytes_left(b));
			bytes_take(b, (uint8_t *)p->f.seg[i].bytes + at, len);
			return;
		}
		at -= p->f.seg[i].n;
	}
}

static void must(bool yes)
{
	if (!yes)
		abort();
}

static void ask(struct codeprog *p, const struct go_code *c)
{
	size_t n;
	const struct go_code_use *u = go_code_uses(c, (struct trange){ 0, UINT64_MAX }, &n);
	const struct go_code_global *v;
	char buf[100];

	for (size_t i = 0; i < n; i++) {
		must(trange_has(p->m.data, u[i].to) || trange_has(p->m.bss, u[i].to));
		must(trange_has(p->m.text, go_code_pc(c, &u[i])));
		must(!i || u[i - 1].to <= u[i].to);
	}
	v = go_code_global_types(c, &n);
	for (size_t i = 0; i < n; i++) {
		must(go_type_at(p->ts, v[i].rtype) != NULL);
		must(!i || v[i - 1].at <= v[i].at);
	}
	for (taddr at = BSS; at < BSS + 8 * BSS_WORDS; at += 8) {
		struct trange r = go_code_extent(c, at);

		must(r.start == r.end || trange_has(r, at));
		must(go_code_global_users(c, (struct trange){ at, at + 8 }, buf, sizeof(buf)) <= 3);
		must(strlen(buf) < sizeof(buf));
	}
	for (unsigned i = 0; i < NCALLS; i++)
		go_code_closure_type(c, code_callee(i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes b = bytes_of(data, n);
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl), *L = all[bytes_u8(&b) % nl];
	unsigned patches = bytes_u8(&b) & 7;
	struct codeprog p;
	struct go_code *c = NULL;
	struct err *err;

	if (codeprog_open(&p, L)) {
		codeprog_bss(&p, 0x55555555);
		while (patches--)
			patch(&p, &b);
		bytes_take(&b, fake_at(&p.f, CODE), MIN(bytes_left(&b), (size_t)CODE_BYTES));
		go_types_free(p.ts); /* it has copies of the types as they were */
		p.ts = NULL;
		err = go_types_create(&p.g, &p.ts);
		if (!err)
			err = go_code_read(&p.g, p.ts, 1, &c);
		if (!err)
			ask(&p, c);
		err_free(err);
		go_code_free(c);
	}
	codeprog_close(&p);
	return 0;
}
