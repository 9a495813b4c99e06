/*
 * fuzz_cont.c - decoders of containers, and of labels, over crafted memory and types made of
 * crafted fields.
 *
 * One struct has every field that any decoder asks for by name, of a type and at an offset that the
 * input says (also itself, embedded); so each decoder can be sent anywhere.  Memory is 32 KiB whose
 * words point into it, with what the input changes.  Not found here: what decoders look up by the
 * names of types in the target's modules.
 */
#include "fake/segments.h"
#include "goruntime/cont_priv.h"
#include "goruntime/labels.h"
#include "goruntime/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define HEAP	   0xc000000000ULL
#define BYTES	   32768U
#define ENOUGH	   2000U
#define STRUCT_MAX 256U

static const char *const names[] = {
	"Body",	     "ContentLength",
	"Ext",	     "IsStream",
	"Method",    "Sysfd",
	"arg",	     "active",
	"astate",    "buf",
	"c",	     "cancelCtx",
	"cause",     "children",
	"children",  "closed",
	"ctx",	     "data",
	"deadline",  "dirty",
	"done",	     "elem",
	"entry",     "err",
	"ext",	     "f",
	"family",    "fd",
	"fdmu",	     "file",
	"flag",	     "head",
	"headTail",  "isEntry",
	"isSending", "key",
	"laddr",     "len",
	"list",	     "local",
	"localSize", "m",
	"misses",    "mu",
	"n",	     "name",
	"net",	     "next",
	"off",	     "overflow",
	"parent",    "period",
	"pfd",	     "poolLocalInternal",
	"prev",	     "private",
	"ptr",	     "r",
	"raddr",     "read",
	"refs",	     "root",
	"s",	     "seed",
	"shared",    "sotype",
	"state",     "tail",
	"timer",     "typ",
	"typ_",	     "u",
	"v",	     "val",
	"vals",	     "value",
	"victim",    "victimSize",
	"w",	     "wall",
	"when",	     "root",
	"Context",
};

enum {
	T_SELF,
	T_POINTER,
	T_SLICE,
	T_MAP,
	T_CHAN,
	T_IFACE,
	T_EFACE,
	T_STRING,
	T_U64,
	T_I32,
	T_BOOL,
	T_FUNC,
	T_ARRAY,
	T_NONE,
	T_TYPES
};

struct world {
	struct go g;
	struct go_types *ts;
	struct go_io io;
	uint8_t mem[BYTES];
	taddr type[T_TYPES];
};

static struct go_type of(uint8_t kind, uint64_t bytes, const char *name, taddr elem)
{
	return (struct go_type){ .kind = kind,
				 .bytes = bytes,
				 .ptr_bytes = kind >= GO_CHAN ? MIN(bytes, 16U) : 0,
				 .name = name,
				 .pkg_path = "",
				 .elem = elem,
				 .key = elem };
}

static void make(struct world *w, unsigned i, struct go_type t)
{
	w->type[i] = go_type_make(w->ts, &t);
}

static void make_types(struct world *w, const struct go_layout *L)
{
	taddr self = w->type[T_SELF] = go_type_reserve(w->ts);
	struct go_type map = of(GO_MAP, 8, "map[uint64]*x", 0), array = of(GO_ARRAY, 0, "[0]*x", 0);

	make(w, T_U64, of(GO_UINT64, 8, "uint64", 0));
	make(w, T_I32, of(GO_INT32, 4, "int32", 0));
	make(w, T_BOOL, of(GO_BOOL, 1, "bool", 0));
	make(w, T_POINTER, of(GO_POINTER, 8, "*x", self));
	make(w, T_SLICE, of(GO_SLICE, 24, "[]*x", w->type[T_POINTER]));
	make(w, T_CHAN, of(GO_CHAN, 8, "chan *x", w->type[T_POINTER]));
	make(w, T_IFACE, of(GO_INTERFACE, 16, "x.I", 0));
	make(w, T_EFACE, of(GO_INTERFACE, 16, "interface {}", 0));
	make(w, T_STRING, of(GO_STRING, 16, "string", 0));
	make(w, T_FUNC, of(GO_FUNC, 8, "func()", 0));
	array.elem = w->type[T_POINTER];
	make(w, T_ARRAY, array);
	map.key = w->type[T_U64];
	map.elem = w->type[T_POINTER];
	map.map_flags = L->swissmap_bytes ? GO_MAP_SWISS : 0;
	map.keys_off = 8;
	map.key_stride = map.elem_stride = L->swissmap_bytes ? 16 : 8;
	map.elems_off = L->swissmap_bytes ? 16 : 72;
	make(w, T_MAP, map);
}

/* Two bytes a field: its type, its offset. */
static void make_self(struct world *w, const uint8_t *data, size_t n)
{
	struct go_type_field f[ARRAY_LEN(names)];
	struct go_type t = of(GO_STRUCT, STRUCT_MAX, "x.T", 0);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		uint8_t kind = 2 * i < n ? data[2 * i] : 0,
			at = 2 * i + 1 < n ? data[2 * i + 1] : 0;

		f[i] = (struct go_type_field){ .name = names[i],
					       .offset = at % 30U * 8U,
					       .type = w->type[kind % T_TYPES],
					       .embedded = kind & 64 };
	}
	t.addr = w->type[T_SELF];
	t.ptr_bytes = STRUCT_MAX;
	t.named = true;
	t.fields = f;
	t.nfields = ARRAY_LEN(names);
	go_type_make(w->ts, &t);
}

/* Four bytes a change: which word, and what it becomes. */
static void make_memory(struct world *w, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < BYTES; i += 8) {
		uint64_t x = HEAP + (i * 5 + 256) % BYTES;

		memcpy(w->mem + i, &x, 8);
	}
	for (; n >= 4; data += 4, n -= 4) {
		size_t at = (data[0] | (size_t)data[1] << 8) % (BYTES / 8);
		uint64_t y = data[2] | (uint64_t)(data[3] & 0x1f) << 8, x = y;

		if (data[3] >> 5 == 1)
			x = HEAP + 8 * y;
		else if (data[3] >> 5 == 2)
			x = w->type[y % T_TYPES];
		else if (data[3] >> 5 == 3)
			x = -y;
		else if (data[3] >> 5 == 4)
			x = y << 32;
		else if (data[3] >> 5 == 5)
			x = UINT64_C(0x8080808080808000) | y;
		memcpy(w->mem + 8 * at, &x, 8);
	}
}

struct seen {
	struct world *w;
	unsigned n;
};

static enum go_cont_go_on entry(void *arg, const struct go_cont_entry *e)
{
	struct seen *s = arg;
	uint8_t b[8];

	if (!e->label)
		abort();
	if (e->elem.at)
		err_free(go_io_read(&s->w->io, e->elem.at, b, sizeof(b)));
	return ++s->n < ENOUGH ? CONT_ON : CONT_STOP;
}

static enum go_cont_go_on fact(void *arg, const struct go_fact *f)
{
	struct seen *s = arg;

	if (!f->name || !f->word)
		abort();
	return ++s->n < ENOUGH ? CONT_ON : CONT_STOP;
}

static enum go_cont_go_on part(void *arg, const struct go_map_part *p)
{
	struct seen *s = arg;

	if (!p->at || p->what > GO_PART_VALUE)
		abort();
	return ++s->n < ENOUGH ? CONT_ON : CONT_STOP;
}

static const struct go_cont *const decoders[] = {
	&cont_chan,  &cont_sync_map,	  &cont_trie,	&cont_pool,    &cont_list,
	&cont_timer, &cont_heap_timer,	  &cont_time,	&cont_context, &cont_atomic_pointer,
	&cont_weak,  &cont_reflect_value, &cont_string, &cont_slice,   &cont_buffer,
};

static void ask_map(struct world *w, taddr at)
{
	const struct go_type *t = go_type_at(w->ts, w->type[T_MAP]);
	struct go_map_facts f;
	struct seen s = { .w = w };

	err_free(go_map_facts(&w->io, w->ts, t, at, &f));
	err_free(go_map_each(&w->io, w->ts, t, at, entry, &s));
	s.n = 0;
	err_free(go_map_parts(&w->io, w->ts, t, at, part, &s));
}

struct labels_seen {
	struct world *w;
	unsigned n;
};

static void label(void *arg, struct go_label_text key, struct go_label_text value)
{
	struct labels_seen *s = arg;

	if (key.n >> 47 || value.n >> 47 || ++s->n > GO_LABELS_MAX)
		abort();
}

/* As a map whose keys and values are strings, as a slice of what the input says. */
static void ask_labels(struct world *w, const uint8_t *data, size_t n, taddr at)
{
	const struct go_type *map = go_type_at(w->ts, w->type[T_MAP]);
	struct go_type t = *map;
	struct go_label_form f = { .ts = w->ts, .kind = GO_LABELS_SLICE };
	struct labels_seen s = { .w = w };
	struct go_heap none = { 0 };

	f.list_off = n > 0 ? data[0] : 0;
	f.stride = n > 1 ? data[1] : 32;
	f.value_off = n > 2 ? data[2] : 16;
	err_free(go_labels_each(&f, &w->io, at, label, &s));
	f.guessed = true;
	f.heap = &none;
	s.n = 0;
	err_free(go_labels_each(&f, &w->io, at, label, &s));
	t.addr = 0;
	t.key = t.elem = w->type[T_STRING];
	t.key_stride = t.elem_stride = t.map_flags & GO_MAP_SWISS ? 32 : 16;
	t.elems_off = t.map_flags & GO_MAP_SWISS ? 24 : 136;
	f.map = go_type_at(w->ts, go_type_make(w->ts, &t));
	f.kind = GO_LABELS_MAP;
	s.n = 0;
	if (f.map)
		err_free(go_labels_each(&f, &w->io, at, label, &s));
}

static void ask(struct world *w, unsigned which, taddr at)
{
	static const uint8_t own[] = {
		[GO_CHAN] = T_CHAN, [GO_STRING] = T_STRING, [GO_SLICE] = T_SLICE
	};
	unsigned nplain = 0;
	const struct go_cont *c;
	struct go_place p = { .at = at };
	struct seen s = { .w = w };

	while (cont_plain[nplain].word)
		nplain++;
	which %= ARRAY_LEN(decoders) + nplain;
	c = which < ARRAY_LEN(decoders) ? decoders[which]
					: &cont_plain[which - ARRAY_LEN(decoders)];
	p.type = go_type_at(w->ts, w->type[c->kind < ARRAY_LEN(own) ? own[c->kind] : T_SELF]);
	if (!p.type)
		return;
	err_free(go_cont_facts(c, &w->io, w->ts, p, fact, &s));
	s.n = 0;
	err_free(go_cont_each(c, &w->io, w->ts, p, entry, &s));
	s.n = 0;
	err_free(go_cont_parts(c, &w->io, w->ts, p, part, &s));
}

/* What was read of the last one's memory is forgotten; making room for it anew would be slow. */
static struct err *open_io(struct world *w)
{
	if (!w->io.mem)
		return go_io_init_sparse(&w->io, &w->g);
	memset(w->io.base, 0, sizeof(w->io.base));
	return NULL;
}

static struct err *open_world(struct world *w, const uint8_t *data, size_t n)
{
	struct err *err = go_types_create(&w->g, &w->ts);
	size_t fields = MIN(n, 2 * ARRAY_LEN(names));

	if (!err)
		err = open_io(w);
	if (err)
		return err;
	make_types(w, w->g.L);
	make_self(w, data, fields);
	make_memory(w, data + fields, n - fields);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl);
	static struct world w;
	struct fake_segment seg = { HEAP, w.mem, BYTES };
	struct err *err;

	if (n < 3)
		return 0;
	w.ts = NULL;
	w.g = (struct go){ .L = all[data[0] % nl], .t = fake_target(&seg, 1) };
	if (!w.g.t)
		return 0;
	err = open_world(&w, data + 3, n - 3);
	if (!err && data[1] == 0xff)
		ask_map(&w, HEAP + data[2] * 8U);
	else if (!err && data[1] == 0xfe)
		ask_labels(&w, data + 3, n - 3, HEAP + data[2] * 8U);
	else if (!err)
		ask(&w, data[1], HEAP + data[2] * 8U);
	err_free(err);
	go_types_free(w.ts);
	target_close(w.g.t);
	return 0;
}
