//go:build !small

package main

// rows: the loop over the rows of a query is left early, and rows.Close is not deferred.  Rows that are neither read to
// the end nor closed keep their connection: it does not come back to the pool, so the pool opens another one; with a
// limit, everybody waits instead.
//
// The twin defers rows.Close.

// CASE rows EXPECT unclosed-resource count>=40
// CASE rows-fixed NONE

import (
	"database/sql"
)

// lab:begin
func firstAccount(db *sql.DB) (name string, err error) {
	rows, err := db.Query("SELECT name FROM accounts")
	if err != nil {
		return "", err
	}
	for rows.Next() {
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		return name, nil // rows stay open
	}
	return "", sql.ErrNoRows
}

// lab:end

// lab:fixed-begin
func firstAccountFixed(db *sql.DB) (name string, err error) {
	rows, err := db.Query("SELECT name FROM accounts")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		return name, nil
	}
	return "", rows.Err()
}

// lab:fixed-end

var rowsDB *sql.DB

func queryRows(first func(*sql.DB) (string, error)) func(int) {
	return func(int) {
		if _, err := first(rowsDB); err != nil {
			fail(err)
		}
	}
}

func init() {
	start := func() {
		rowsDB, _ = labDatabase(func(pool *sql.DB) { pool.SetMaxOpenConns(500); pool.SetConnMaxLifetime(hour) }).DB()
		for _, name := range []string{"second", "third", "fourth"} {
			rowsDB.Exec("INSERT INTO accounts (name) VALUES (?)", name)
		}
	}
	add(mode{name: "rows", about: "rows of a query that are neither read to the end nor closed", enough: 60,
		start: start, plant: queryRows(firstAccount), fixedStart: start, fixed: queryRows(firstAccountFixed)})
}
