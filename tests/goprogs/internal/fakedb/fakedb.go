// Package fakedb is a database/sql driver without a database: every query gives endless rows.
package fakedb

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

func init() { sql.Register("fakedb", drv{}) }

type drv struct{}

func (drv) Open(string) (driver.Conn, error) {
	return &Conn{buf: make([]byte, 64<<10)}, nil
}

// Conn keeps what a real driver keeps of a connection: buffers.
type Conn struct {
	buf []byte
}

type stmt struct{ c *Conn }

type rows struct {
	c *Conn
	n int64
}

func (c *Conn) Prepare(string) (driver.Stmt, error) { return &stmt{c}, nil }
func (c *Conn) Close() error                        { c.buf = nil; return nil }
func (c *Conn) Begin() (driver.Tx, error)           { return c, nil }
func (c *Conn) Commit() error                       { return nil }
func (c *Conn) Rollback() error                     { return nil }

func (c *Conn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &rows{c: c}, nil
}

func (s *stmt) Close() error                               { return nil }
func (s *stmt) NumInput() int                              { return -1 }
func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return driver.RowsAffected(1), nil }
func (s *stmt) Query([]driver.Value) (driver.Rows, error)  { return &rows{c: s.c}, nil }

func (r *rows) Columns() []string { return []string{"n"} }
func (r *rows) Close() error      { return nil }
func (r *rows) Next(to []driver.Value) error {
	r.n++
	to[0] = r.n
	return nil
}
