/*
 * sarif_check.c - a check as SARIF 2.1.0, for code scanning.
 *
 * A rule a kind of finding.  A result is told from others in every run by its signature, which is
 * its partial fingerprint; what is known is a result with a suppression.  What a program printed is
 * not in it.  A result without a place in the repository has none here either; services that want
 * one get the module's go.mod by check_places().
 */
#include "report/check_out.h"
#include "report/json.h"

static void put_message(struct jw *j, const char *key, const char *text)
{
	jw_key(j, key);
	jw_object(j);
	jw_kv_text(j, "text", text && *text ? text : "-");
	jw_end(j, '}');
}

static void put_rule(struct jw *j, const struct check_kind_words *k)
{
	_cleanup_(str_deinit) struct str help = { 0 };

	str_printf(&help, "%s %s", k->what, k->help);
	jw_object(j);
	jw_kv_text(j, "id", k->kind);
	jw_kv_text(j, "name", k->kind);
	put_message(j, "shortDescription", k->name);
	put_message(j, "fullDescription", k->what);
	put_message(j, "help", str_ok(&help) ? help.s : k->help);
	jw_key(j, "defaultConfiguration");
	jw_object(j);
	jw_kv_text(j, "level", "error");
	jw_end(j, '}');
	jw_end(j, '}');
}

static void put_tool(struct jw *j)
{
	const struct check_kind_words *k;

	jw_key(j, "tool");
	jw_object(j);
	jw_key(j, "driver");
	jw_object(j);
	jw_kv_text(j, "name", "limpet");
	jw_kv_text(j, "version", LIMPET_VERSION);
	jw_kv_text(j, "semanticVersion", LIMPET_VERSION);
	jw_key(j, "rules");
	jw_array(j);
	for (size_t i = 0; (k = check_kind(i)); i++)
		put_rule(j, k);
	jw_end(j, ']');
	jw_end(j, '}');
	jw_end(j, '}');
}

/* A path as a URI: what is not unreserved in RFC 3986 is escaped. */
static void put_uri(struct jw *j, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._~/@+";
	_cleanup_(str_deinit) struct str uri = { 0 };

	for (const unsigned char *p = (const unsigned char *)path; *p; p++)
		if (strchr(plain, *p))
			str_putn(&uri, (const char *)p, 1);
		else
			str_printf(&uri, "%%%02X", *p);
	jw_kv_text(j, "uri", str_ok(&uri) ? uri.s : "");
}

static void put_physical(struct jw *j, const char *uri, int line)
{
	jw_key(j, "physicalLocation");
	jw_object(j);
	jw_key(j, "artifactLocation");
	jw_object(j);
	put_uri(j, uri);
	jw_kv_text(j, "uriBaseId", "%SRCROOT%");
	jw_end(j, '}');
	jw_key(j, "region");
	jw_object(j);
	jw_kv_i64(j, "startLine", line > 0 ? line : 1);
	jw_end(j, '}');
	jw_end(j, '}');
}

static void put_logical(struct jw *j, const char *function)
{
	if (!function || !*function)
		return;
	jw_key(j, "logicalLocations");
	jw_array(j);
	jw_object(j);
	jw_kv_text(j, "fullyQualifiedName", function);
	jw_kv_text(j, "kind", "function");
	jw_end(j, '}');
	jw_end(j, ']');
}

static void put_locations(struct jw *j, const struct ans_check_row *r)
{
	jw_key(j, "locations");
	jw_array(j);
	if (r->uri && *r->uri) {
		jw_object(j);
		put_physical(j, r->uri, r->uri_line);
		put_logical(j, r->at.function);
		jw_end(j, '}');
	} else if (r->at.function && *r->at.function) {
		jw_object(j);
		put_logical(j, r->at.function);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

/* Where goroutines are stuck, or what allocated: names and lines, no files of other machines. */
static void put_stacks(struct jw *j, const struct ans_check_row *r)
{
	_cleanup_(str_deinit) struct str name = { 0 };

	if (!r->stack.n)
		return;
	jw_key(j, "stacks");
	jw_array(j);
	jw_object(j);
	put_message(j, "message", "stack");
	jw_key(j, "frames");
	jw_array(j);
	for (size_t i = 0; i < r->stack.n; i++) {
		jw_object(j);
		jw_key(j, "location");
		jw_object(j);
		put_logical(j, r->stack.v[i].function);
		str_deinit(&name);
		str_printf(&name, "line %d", r->stack.v[i].line);
		put_message(j, "message", str_ok(&name) ? name.s : "");
		jw_end(j, '}');
		jw_end(j, '}');
	}
	jw_end(j, ']');
	jw_end(j, '}');
	jw_end(j, ']');
}

static void put_suppression(struct jw *j, const struct ans_check_row *r)
{
	if (!r->known)
		return;
	jw_key(j, "suppressions");
	jw_array(j);
	jw_object(j);
	jw_kv_text(j, "kind", "external");
	jw_kv_text(j, "status", "accepted");
	jw_kv_text(j, "justification", r->known_by ? r->known_by : "known");
	jw_end(j, '}');
	jw_end(j, ']');
}

static const char *level_of(const struct ans_check *c, const struct ans_check_row *r)
{
	if (c->result == CHECK_UNSURE || !strcmp(r->verdict, "suspect"))
		return "warning";
	if (!strcmp(r->verdict, "waste") || !strcmp(r->verdict, "info"))
		return "note";
	return "error";
}

static void put_figures(struct jw *j, const struct ans_check *c, const struct ans_check_row *r)
{
	jw_key(j, "properties");
	jw_object(j);
	jw_kv_text(j, "program", c->name);
	jw_kv_text(j, "package", c->suite);
	jw_kv_text(j, "verdict", r->verdict);
	jw_kv_text(j, "proof", r->proof);
	jw_kv_text(j, "type", r->type);
	jw_kv_text(j, "heldBy", r->holder);
	jw_kv_known(j, "objects", r->objects);
	jw_kv_known(j, "retainedBytes", r->bytes);
	jw_kv_u64(j, "surePermille", r->sure);
	jw_end(j, '}');
}

static void put_row(struct jw *j, const struct ans_check *c, const struct ans_check_row *r)
{
	_cleanup_(str_deinit) struct str text = { 0 };
	size_t rule;

	str_printf(&text, "%s: %s", c->name, r->title);
	if (r->fix && *r->fix)
		str_printf(&text, " Fix: %s", r->fix);
	jw_object(j);
	jw_kv_text(j, "ruleId", check_kind_of(r->kind, &rule)->kind);
	jw_kv_u64(j, "ruleIndex", rule);
	jw_kv_text(j, "kind", "fail");
	jw_kv_text(j, "level", level_of(c, r));
	put_message(j, "message", str_ok(&text) ? text.s : r->title);
	put_locations(j, r);
	put_stacks(j, r);
	if (r->signature && *r->signature) {
		jw_key(j, "partialFingerprints");
		jw_object(j);
		jw_kv_text(j, "limpetSignature/v1", r->signature);
		jw_end(j, '}');
	}
	put_suppression(j, r);
	put_figures(j, c, r);
	jw_end(j, '}');
}

/* One line for a check that has no row of its own. */
static void put_notice(struct jw *j, const struct ans_check *c)
{
	_cleanup_(str_deinit) struct str text = { 0 };

	if (c->result != CHECK_BROKEN && c->result != CHECK_UNSURE)
		return;
	str_printf(&text, "%s: %s: %s", c->name, ans_check_word(c->result), c->why);
	jw_object(j);
	jw_kv_text(j, "level", c->result == CHECK_BROKEN ? "error" : "warning");
	put_message(j, "message", str_ok(&text) ? text.s : c->why);
	jw_end(j, '}');
}

static void put_invocation(struct jw *j, const struct ans_checks *a)
{
	bool good = true;

	for (size_t i = 0; i < a->v.n; i++)
		good = good && a->v.v[i].result != CHECK_BROKEN;
	jw_key(j, "invocations");
	jw_array(j);
	jw_object(j);
	jw_kv_bool(j, "executionSuccessful", good);
	if (a->started_unix_ns) {
		jw_key(j, "startTimeUtc");
		jw_time(j, a->started_unix_ns);
	}
	jw_key(j, "toolExecutionNotifications");
	jw_array(j);
	for (size_t i = 0; i < a->v.n; i++)
		put_notice(j, &a->v.v[i]);
	jw_end(j, ']');
	jw_end(j, '}');
	jw_end(j, ']');
}

void sarif_check(struct str *o, const struct ans_checks *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	/* GitHub wants it; a name, nothing is fetched from there */
	jw_kv_text(&j, "$schema",
		   "https://"
		   "json.schemastore.org/sarif-2.1.0.json");
	jw_kv_text(&j, "version", "2.1.0");
	jw_key(&j, "runs");
	jw_array(&j);
	jw_object(&j);
	put_tool(&j);
	put_invocation(&j, a);
	jw_key(&j, "results");
	jw_array(&j);
	for (size_t i = 0; i < a->v.n; i++)
		for (size_t k = 0; k < a->v.v[i].rows.n; k++)
			if (!ans_check_told(a, &a->v.v[i], &a->v.v[i].rows.v[k]))
				put_row(&j, &a->v.v[i], &a->v.v[i].rows.v[k]);
	jw_end(&j, ']');
	jw_kv_text(&j, "columnKind", "utf16CodeUnits");
	jw_end(&j, '}');
	jw_end(&j, ']');
	jw_end(&j, '}');
}
