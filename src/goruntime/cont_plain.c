/*
 * cont_plain.c - types of the library of which some fields are worth telling: files, connections,
 * requests, pools of connections, locks.
 *
 * Data only: names of all versions, of which those that a version has are shown.  Sources:
 * os/file_unix.go, net/fd_posix.go, internal/poll/fd_unix.go and fd_mutex.go, net/http,
 * database/sql, sync.
 */
#include "goruntime/cont_priv.h"

#define ENTRY CONT_FIELD_ENTRY

/* internal/poll/fd_mutex.go: mutexClosed */
#define FD_FIELDS(to_fd)                                                                           \
	{ "fd", to_fd "Sysfd", GO_FACT_SIGNED, 0 },                                                \
		{ "closed", to_fd "fdmu.state", GO_FACT_BOOL, 1 },                                 \
	{                                                                                          \
		"stream", to_fd "IsStream", GO_FACT_BOOL, 0                                        \
	}
/* A netFD: family and type of socket are the kernel's (AF_INET, SOCK_STREAM). */
#define NET_FIELDS(to)                                                                             \
	FD_FIELDS(to "pfd."), { "family", to "family", GO_FACT_NUMBER, 0 },                        \
		{ "sotype", to "sotype", GO_FACT_NUMBER, 0 },                                      \
		{ "connected", to "isConnected", GO_FACT_BOOL, 0 }, { "net", to "net", ENTRY, 0 }, \
		{ "laddr", to "laddr", ENTRY, 0 },                                                 \
	{                                                                                          \
		"raddr", to "raddr", ENTRY, 0                                                      \
	}

static const struct cont_field poll_fd[] = { FD_FIELDS(""), { 0 } };
static const struct cont_field os_file[] = {
	FD_FIELDS("file->pfd."),
	{ "nonblock", "file->nonblock", GO_FACT_BOOL, 0 },
	{ "name", "file->name", ENTRY, 0 },
	{ 0 },
};
static const struct cont_field os_file_inner[] = {
	FD_FIELDS("pfd."),
	{ "nonblock", "nonblock", GO_FACT_BOOL, 0 },
	{ "name", "name", ENTRY, 0 },
	{ 0 },
};
/* root_openat.go, exec.go: a directory and a process, by a bare number */
static const struct cont_field os_root[] = {
	{ "fd", "fd", GO_FACT_SIGNED, 0 },
	{ "refs", "refs", GO_FACT_SIGNED, 0 },
	{ "closed", "closed", GO_FACT_BOOL, 0 },
	{ "name", "name", ENTRY, 0 },
	{ 0 },
};
static const struct cont_field os_process_handle[] = {
	{ "fd", "handle", GO_FACT_SIGNED, 0 },
	{ "refs", "refs", GO_FACT_SIGNED, 0 },
	{ 0 },
};
static const struct cont_field net_fd[] = { NET_FIELDS(""), { 0 } };
static const struct cont_field net_conn[] = { NET_FIELDS("fd->"), { 0 } };

static const struct cont_field bufio_reader[] = {
	{ "read", "r", GO_FACT_NUMBER, 0 },
	{ "written", "w", GO_FACT_NUMBER, 0 },
	{ "buf", "buf", ENTRY, 0 },
	{ "rd", "rd", ENTRY, 0 },
	{ 0 },
};
static const struct cont_field bufio_writer[] = {
	{ "buffered", "n", GO_FACT_NUMBER, 0 },
	{ "buf", "buf", ENTRY, 0 },
	{ "wr", "wr", ENTRY, 0 },
	{ 0 },
};

static const struct cont_field http_request[] = {
	{ "content_length", "ContentLength", GO_FACT_SIGNED, 0 },
	{ "close", "Close", GO_FACT_BOOL, 0 },
	{ "method", "Method", ENTRY, 0 },
	{ "url", "URL", ENTRY, 0 },
	{ "proto", "Proto", ENTRY, 0 },
	{ "host", "Host", ENTRY, 0 },
	{ "header", "Header", ENTRY, 0 },
	{ "body", "Body", ENTRY, 0 },
	{ "remote", "RemoteAddr", ENTRY, 0 },
	{ "uri", "RequestURI", ENTRY, 0 },
	{ "pattern", "Pattern", ENTRY, 0 },
	{ "response", "Response", ENTRY, 0 },
	{ "ctx", "ctx", ENTRY, 0 },
	{ 0 },
};
static const struct cont_field http_response[] = {
	{ "status_code", "StatusCode", GO_FACT_NUMBER, 0 },
	{ "content_length", "ContentLength", GO_FACT_SIGNED, 0 },
	{ "close", "Close", GO_FACT_BOOL, 0 },
	{ "status", "Status", ENTRY, 0 },
	{ "proto", "Proto", ENTRY, 0 },
	{ "header", "Header", ENTRY, 0 },
	{ "body", "Body", ENTRY, 0 },
	{ "request", "Request", ENTRY, 0 },
	{ 0 },
};
/* transfer.go: what a request's or a response's Body is made of */
static const struct cont_field http_body[] = {
	{ "saw_eof", "sawEOF", GO_FACT_BOOL, 0 },
	{ "closed", "closed", GO_FACT_BOOL, 0 },
	{ "src", "src", ENTRY, 0 },
	{ 0 },
};
static const struct cont_field http_eof_signal[] = {
	{ "closed", "closed", GO_FACT_BOOL, 0 },
	{ "body", "body", ENTRY, 0 },
	{ 0 },
};

static const struct cont_field sql_db[] = {
	{ "open", "numOpen", GO_FACT_NUMBER, 0 },
	{ "max_open", "maxOpen", GO_FACT_SIGNED, 0 },
	{ "max_idle", "maxIdleCount", GO_FACT_SIGNED, 0 },
	{ "max_lifetime", "maxLifetime", GO_FACT_NS, 0 },
	{ "max_idle_time", "maxIdleTime", GO_FACT_NS, 0 },
	{ "waited", "waitCount", GO_FACT_NUMBER, 0 },
	{ "wait", "waitDuration", GO_FACT_NS, 0 },
	{ "closed", "closed", GO_FACT_BOOL, 0 },
	{ "free", "freeConn", ENTRY, 0 },
	{ "connector", "connector", ENTRY, 0 },
	{ 0 },
};
static const struct cont_field sql_rows[] = {
	{ "closed", "closed", GO_FACT_BOOL, 0 },
	{ "hit_eof", "hitEOF", GO_FACT_BOOL, 0 },
	{ "conn", "dc", ENTRY, 0 },
	{ "rows", "rowsi", ENTRY, 0 },
	{ "error", "lasterr", ENTRY, 0 },
	{ 0 },
};
static const struct cont_field sql_conn[] = {
	{ "in_use", "inUse", GO_FACT_BOOL, 0 },
	{ "closed", "closed", GO_FACT_BOOL, 0 },
	{ "conn", "ci", ENTRY, 0 },
	{ "db", "db", ENTRY, 0 },
	{ 0 },
};
static const struct cont_field sql_held[] = {
	/* Tx, Conn */
	{ "done", "done", GO_FACT_BOOL, 0 },
	{ "conn", "dc", ENTRY, 0 },
	{ "db", "db", ENTRY, 0 },
	{ 0 },
};

/* mutex.go: mutexLocked, mutexStarving, mutexWaiterShift */
static const struct cont_field mutex[] = {
	{ "locked", "state", GO_FACT_BOOL, 1 },
	{ "waiters", "state", GO_FACT_NUMBER, 0xfffffff8 },
	{ "locked", "mu.state", GO_FACT_BOOL, 1 },
	{ "waiters", "mu.state", GO_FACT_NUMBER, 0xfffffff8 },
	{ 0 },
};

static const struct cont_field atomic_value[] = { { "", "v", ENTRY, 0 }, { 0 } };
static const struct cont_field atomic_signed[] = { { "value", "v", GO_FACT_SIGNED, 0 }, { 0 } };
static const struct cont_field atomic_number[] = { { "value", "v", GO_FACT_NUMBER, 0 }, { 0 } };
static const struct cont_field atomic_bool[] = { { "value", "v", GO_FACT_BOOL, 0 }, { 0 } };
static const struct cont_field unique_handle[] = { { "", "value->", ENTRY, 0 }, { 0 } };

#define PLAIN(w, n, f)                                                                             \
	{                                                                                          \
		.word = w, .names = n, .kind = GO_STRUCT, .fields = f                              \
	}
#define HOLDS(w, n, f)                                                                             \
	{                                                                                          \
		.word = w, .names = n, .kind = GO_STRUCT, .fields = f, .holds = true               \
	}

const struct go_cont cont_plain[] = {
	PLAIN("file", "os.File", os_file),
	PLAIN("file", "os.file", os_file_inner),
	PLAIN("fd", "internal/poll.FD", poll_fd),
	PLAIN("root", "os.root", os_root),
	PLAIN("process", "os.processHandle", os_process_handle),
	PLAIN("conn", "net.netFD", net_fd),
	PLAIN("conn", "net.TCPConn|net.UDPConn|net.UnixConn|net.IPConn", net_conn),
	PLAIN("listener", "net.TCPListener|net.UnixListener", net_conn),
	PLAIN("reader", "bufio.Reader", bufio_reader),
	PLAIN("writer", "bufio.Writer", bufio_writer),
	PLAIN("request", "net/http.Request", http_request),
	PLAIN("response", "net/http.Response", http_response),
	PLAIN("body", "net/http.body", http_body),
	PLAIN("body", "net/http.bodyEOFSignal", http_eof_signal),
	PLAIN("db", "database/sql.DB", sql_db),
	PLAIN("rows", "database/sql.Rows", sql_rows),
	PLAIN("db conn", "database/sql.driverConn", sql_conn),
	PLAIN("db conn", "database/sql.Conn|database/sql.Tx", sql_held),
	PLAIN("mutex", "sync.Mutex|internal/sync.Mutex", mutex),
	HOLDS("atomic value", "sync/atomic.Value", atomic_value),
	PLAIN("atomic", "sync/atomic.Int32|sync/atomic.Int64", atomic_signed),
	PLAIN("atomic", "sync/atomic.Uint32|sync/atomic.Uint64|sync/atomic.Uintptr", atomic_number),
	PLAIN("atomic", "sync/atomic.Bool", atomic_bool),
	HOLDS("handle", "unique.Handle[", unique_handle),
	{ 0 },
};
