/*
 * agg_fds_says.c - what the memory of os.File and net's connections says: names and addresses.
 *
 * Addresses are net.Addr, an interface; those of package net are known, others are left out.
 * Sources: net/tcpsock.go, udpsock.go, unixsock.go, ip.go.
 */
#include "report/agg_fds.h"

enum { NAME_BYTES = 4096 };

struct asker {
	struct agg *a;
	struct go_io *io;
	struct fd_says *says;
};

/* The field of a struct; at 0: there is none. */
static struct go_place field(struct asker *k, struct go_place p, const char *name)
{
	const struct go_type *t;
	uint64_t off;

	if (!p.at || !p.type || !go_type_path(k->a->s->rtypes, p.type, name, &off, &t))
		return (struct go_place){ 0 };
	return (struct go_place){ p.at + off, t };
}

static bool words(struct asker *k, struct go_place p, uint64_t *w, size_t n)
{
	struct err *err;

	if (!p.at || !p.type || p.type->bytes < n * sizeof(*w))
		return false;
	err = go_io_read(k->io, p.at, w, n * sizeof(*w));
	err_free(err);
	return !err;
}

static const char *text_at(struct asker *k, struct go_place p)
{
	char text[NAME_BYTES];
	uint64_t w[2];
	struct err *err;

	if (!p.type || p.type->kind != GO_STRING || !words(k, p, w, 2) || !w[0] || !w[1])
		return "";
	w[1] = MIN(w[1], sizeof(text));
	err = go_io_read(k->io, w[0], text, w[1]);
	if (err) {
		err_free(err);
		return "";
	}
	return keepn(&k->a->keep, text, w[1]);
}

/* An IP of 4 or 16 bytes; ::ffff:a.b.c.d is the IPv4 address that Go shows. */
static void read_ip(struct asker *k, struct go_place addr, struct target_addr *ret)
{
	uint64_t ip[2], port;
	struct err *err;

	*ret = (struct target_addr){ 0 };
	if (!words(k, field(k, addr, "IP"), ip, 2) || !words(k, field(k, addr, "Port"), &port, 1))
		return;
	ret->port = (uint16_t)port;
	ret->family = ip[1] == 4 ? 4 : 6;
	if (ip[1] != 4 && ip[1] != 16) /* nil: any address */
		return;
	err = go_io_read(k->io, ip[0], ret->ip, ip[1]);
	if (err)
		*ret = (struct target_addr){ 0 };
	err_free(err);
}

/* What a net.Addr points to. */
static struct go_place behind(struct asker *k, struct go_place iface)
{
	struct go_place v = { 0 };
	uint64_t at = 0;
	struct err *err = NULL;

	if (iface.type && iface.type->kind == GO_INTERFACE)
		err = go_iface_value(k->io, k->a->s->rtypes, iface, &v);
	err_free(err);
	if (err || !v.at || !v.type || v.type->kind != GO_POINTER || !words(k, v, &at, 1) || !at)
		return (struct go_place){ 0 };
	return (struct go_place){ at, go_type_at(k->a->s->rtypes, v.type->elem) };
}

static void read_addr(struct asker *k, struct go_place iface, struct target_addr *ip,
		      const char **name)
{
	struct go_place p = behind(k, iface);
	const char *full = p.type ? go_type_full(k->a->s->rtypes, p.type) : "";

	if (!strcmp(full, "net.TCPAddr") || !strcmp(full, "net.UDPAddr"))
		read_ip(k, p, ip);
	else if (!strcmp(full, "net.UnixAddr"))
		*name = text_at(k, field(k, p, "Name"));
	if (!strcmp(*name, "@")) /* one without a name */
		*name = "";
}

static enum go_cont_go_on see(void *arg, const struct go_cont_entry *e)
{
	struct asker *k = arg;
	struct fd_says *s = k->says;

	if (!strcmp(e->label, "name"))
		s->name = text_at(k, e->elem);
	else if (!strcmp(e->label, "net"))
		s->net = text_at(k, e->elem);
	else if (!strcmp(e->label, "laddr"))
		read_addr(k, e->elem, &s->local, &s->name);
	else if (!strcmp(e->label, "raddr"))
		read_addr(k, e->elem, &s->peer, &s->peer_name);
	return CONT_ON;
}

void agg_fd_says(struct agg *a, struct go_io *io, const struct fd_object *o, struct fd_says *ret)
{
	struct asker k = { a, io, ret };
	const struct go_cont *c = go_cont_of(a->s->rtypes, o->p.type);

	*ret = (struct fd_says){ .name = "", .net = "", .peer_name = "" };
	if (c)
		err_free(go_cont_each(c, io, a->s->rtypes, o->p, see, &k));
}
