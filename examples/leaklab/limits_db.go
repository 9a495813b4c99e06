//go:build !small

package main

// limits-db: sql.DB without SetMaxOpenConns opens as many connections as are wanted at once.  Under load that is as many
// as there are requests; each has memory here and a process or a thread over there.
//
// The twin sets the limits.

// CASE limits-db EXPECT limits-unset
// CASE limits-db-fixed NONE

import (
	"context"
	"database/sql"
	"time"
)

// lab:begin
func openShop() *sql.DB {
	db, _ := labDatabase(func(*sql.DB) {}).DB() // limits: none
	return db
}

// lab:end

// lab:fixed-begin
func openShopFixed() *sql.DB {
	db, _ := labDatabase(func(pool *sql.DB) {
		pool.SetMaxOpenConns(10)
		pool.SetMaxIdleConns(10)
		pool.SetConnMaxLifetime(30 * time.Minute)
		pool.SetConnMaxIdleTime(5 * time.Minute)
	}).DB()
	return db
}

// lab:fixed-end

var shop *sql.DB

// A transaction that is at work.
func buy(int) {
	entered := make(chan bool)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		conn, err := shop.Conn(ctx)
		entered <- true
		if err != nil {
			return // too busy, said at once
		}
		defer conn.Close()
		atWork()
	}()
	<-entered
}

func init() {
	add(mode{name: "limits-db", about: "sql.DB without SetMaxOpenConns, under load", enough: 80,
		start: func() { shop = openShop() }, plant: buy,
		fixedStart: func() { shop = openShopFixed() }, fixed: buy})
}
