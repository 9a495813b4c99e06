package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"time"
)

// A driver of nothing: rows without end.
type fakeDriver struct{}
type fakeConn struct{ n int }
type fakeRows struct{ n int64 }

func (fakeDriver) Connect(context.Context) (driver.Conn, error)     { return &fakeConn{}, nil }
func (fakeDriver) Driver() driver.Driver                            { return nil }
func (*fakeConn) Prepare(string) (driver.Stmt, error)               { return nil, io.EOF }
func (*fakeConn) Close() error                                      { return nil }
func (*fakeConn) Begin() (driver.Tx, error)                         { return nil, io.EOF }
func (*fakeConn) Query(string, []driver.Value) (driver.Rows, error) { return &fakeRows{}, nil }
func (*fakeRows) Columns() []string                                 { return []string{"n"} }
func (*fakeRows) Close() error                                      { return nil }
func (r *fakeRows) Next(dest []driver.Value) error {
	r.n++
	dest[0] = r.n
	return nil
}

func makeSQL() {
	db := sql.OpenDB(fakeDriver{})
	db.SetMaxOpenConns(7)
	db.SetMaxIdleConns(3)
	db.SetConnMaxLifetime(time.Minute)
	open := must(db.Query("x"))
	open.Next()
	shut := must(db.Query("y"))
	shut.Next()
	shut.Close()
	sayFields("db", db, map[string]any{"open": 2, "max_open": 7, "max_idle": 3, "max_lifetime": int64(time.Minute), "closed": false})
	sayFields("rows", open, map[string]any{"closed": false})
	sayFields("rows closed", shut, map[string]any{"closed": true})
}

// sayFields tells facts only: its entries are package sql's own.
func sayFields[T any](name string, p *T, facts map[string]any) {
	say(name+" (facts)", p, facts, true, nil)
}
