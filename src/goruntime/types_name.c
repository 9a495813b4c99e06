/*
 * types_name.c - abi.Name: how the compiler stores names of types and fields.
 *
 * Source: internal/abi/type.go (Name, ReadVarint).  Knows nothing of types.
 */
#include "goruntime/types_priv.h"

#include "base/str.h"

struct err *go_name_decode(const uint8_t *p, size_t n, char **ret, uint8_t *flags)
{
	struct bytes b = bytes_of(p, n);
	uint8_t flag = bytes_u8(&b);
	uint64_t len = bytes_uvarint(&b);
	struct str s = { 0 };

	if (b.bad || len > bytes_left(&b))
		return err_bad_data("a name of %" PRIu64 " bytes", len);
	str_put(&s, "");
	str_put_clean(&s, (const char *)b.p, (size_t)len);
	if (!str_ok(&s)) {
		str_deinit(&s);
		return &err_nomem;
	}
	if (flags)
		*flags = flag;
	*ret = str_steal(&s);
	return NULL;
}

struct err *go_name_read(const struct go *g, taddr addr, char **ret, uint8_t *flags)
{
	uint8_t buf[GO_NAME_MAX + 16];
	size_t got = 0;
	struct err *err;

	/* Most names are short: read little first. */
	err = target_read_some(g->t, addr, buf, 128, &got);
	if (err)
		return err;
	err = go_name_decode(buf, got, ret, flags);
	if (!err_catch(&err, ERR_BAD_DATA))
		return err;
	err = target_read_some(g->t, addr, buf, sizeof(buf), &got);
	return err ? err : go_name_decode(buf, got, ret, flags);
}
