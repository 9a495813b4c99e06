/*
 * json_value.c - a tree of values as JSON: fields, elems, entries, and what a pointer leads to.
 */
#include "report/json.h"

#include "goruntime/types.h"

struct values {
	struct jw *j;
	const struct ans_value *v;
	size_t n;
};

static size_t behind(const struct values *p, size_t i)
{
	size_t k = i + 1;

	while (k < p->n && p->v[k].depth > p->v[i].depth)
		k++;
	return k;
}

static const char *kind_word(uint8_t kind)
{
	static const char *const word[] = {
		"unknown",   "bool",	   "int",
		"int8",	     "int16",	   "int32",
		"int64",     "uint",	   "uint8",
		"uint16",    "uint32",	   "uint64",
		"uintptr",   "float32",	   "float64",
		"complex64", "complex128", "array",
		"chan",	     "func",	   "interface",
		"map",	     "pointer",	   "slice",
		"string",    "struct",	   "unsafe.Pointer",
	};

	return kind < ARRAY_LEN(word) ? word[kind] : word[0];
}

static const char *children_key(const struct values *p, size_t i)
{
	const struct ans_value *c = &p->v[i + 1];

	if (c->map_entry)
		return "entries";
	switch (p->v[i].kind) {
	case GO_SLICE:
	case GO_ARRAY:
	case GO_CHAN:
		return "elems";
	default:
		return c->label == ANS_LABEL_FIELD || c->label == ANS_LABEL_WORD ? "fields"
		       : c->label == ANS_LABEL_INDEX				 ? "elems"
										 : "value_of";
	}
}

static void put_value(struct values *p, size_t i);

static void put_entry(struct values *p, size_t i)
{
	size_t key = i + 1, end = behind(p, i), elem = key < end ? behind(p, key) : end;

	jw_object(p->j);
	if (*p->v[i].name)
		jw_kv_text(p->j, "label", p->v[i].name);
	if (key < end) {
		jw_key(p->j, "key");
		put_value(p, key);
	}
	if (elem < end) {
		jw_key(p->j, "elem");
		put_value(p, elem);
	}
	jw_end(p->j, '}');
}

static void put_children(struct values *p, size_t i)
{
	size_t end = behind(p, i);
	const char *key;

	if (i + 1 >= end)
		return;
	key = children_key(p, i);
	jw_key(p->j, key);
	if (!strcmp(key, "value_of")) {
		put_value(p, i + 1);
		return;
	}
	jw_array(p->j);
	for (size_t k = i + 1; k < end; k = behind(p, k))
		if (p->v[k].map_entry)
			put_entry(p, k);
		else
			put_value(p, k);
	jw_end(p->j, ']');
}

static void put_value(struct values *p, size_t i)
{
	const struct ans_value *v = &p->v[i];
	struct jw *j = p->j;

	jw_object(j);
	if (v->label)
		jw_kv_text(j, "name", v->name);
	jw_kv_text(j, "type", v->type);
	jw_kv_text(j, "kind", kind_word(v->kind));
	jw_kv_u64(j, "offset", v->offset);
	jw_kv_u64(j, "bytes", v->bytes);
	if (v->at)
		jw_kv_addr(j, "addr", v->at);
	jw_kv_text(j, "value", v->text);
	/* ints of Go: of memory that lies they may be negative, and few readers take more */
	if (v->len != ANS_UNKNOWN)
		jw_kv_i64(j, "len", (int64_t)v->len);
	if (v->cap != ANS_UNKNOWN)
		jw_kv_i64(j, "cap", (int64_t)v->cap);
	if (*v->facts)
		jw_kv_text(j, "facts", v->facts);
	if (v->to)
		jw_kv_addr(j, "to", v->to);
	if (*v->note)
		jw_kv_text(j, "note", v->note);
	if (v->more)
		jw_kv_u64(j, "not_shown", MIN(v->more, (uint64_t)INT64_MAX));
	put_children(p, i);
	jw_end(j, '}');
}

void json_values(struct jw *j, const struct ans_value *v, size_t n)
{
	struct values p = { .j = j, .v = v, .n = n };

	jw_array(j);
	for (size_t i = 0; i < n; i = behind(&p, i))
		put_value(&p, i);
	jw_end(j, ']');
}
