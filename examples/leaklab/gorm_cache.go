//go:build !small

package main

// gorm-cache: a cache in front of the data base keeps, with each row, the *gorm.DB it was read with ("to reload it").
// Such a *gorm.DB is a session: its Statement has the model, the clauses, the SQL, the variables and the context of that
// query, and all of them point to the one *sql.DB.  So a pool that everybody shares is interwoven with a cache that
// nobody empties, and the small rows weigh kilobytes.
//
// The twin keeps rows, a bounded number of them, and has one *gorm.DB.

// CASE gorm-cache EXPECT global-growth holder=main.accounts bytes>=4000000 also=pointer-chain
// CASE gorm-cache-fixed NONE

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"sync"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// lab:begin
type Account struct {
	ID   uint
	Name string
}

type cachedAccount struct {
	row *Account
	tx  *gorm.DB // the session of the query that read it
}

type accountCache struct {
	mu   sync.Mutex
	rows map[uint]*cachedAccount
}

var accounts = accountCache{rows: map[uint]*cachedAccount{}}

func (c *accountCache) load(ctx context.Context, db *gorm.DB, id uint) *Account {
	a := &Account{ID: id}
	tx := db.WithContext(ctx).Where("id = ?", id).Find(a)
	c.mu.Lock()
	c.rows[id] = &cachedAccount{row: a, tx: tx}
	c.mu.Unlock()
	return a
}

// lab:end

// lab:fixed-begin
type boundedAccounts struct {
	mu   sync.Mutex
	rows map[uint]Account
}

var fewAccounts = boundedAccounts{rows: map[uint]Account{}}

func (c *boundedAccounts) load(ctx context.Context, db *gorm.DB, id uint) Account {
	a := Account{ID: id}
	db.WithContext(ctx).Where("id = ?", id).Find(&a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rows) >= 1000 {
		clear(c.rows)
	}
	c.rows[id] = a
	return a
}

// lab:fixed-end

type requestID struct{}

// labDatabase makes an empty data base in a folder that is gone before anybody looks.
func labDatabase(limits func(*sql.DB)) *gorm.DB {
	folder, err := os.MkdirTemp("", "leaklab")
	if err != nil {
		fail(err)
	}
	db, err := gorm.Open(sqlite.Open(filepath.Join(folder, "lab.db")), &gorm.Config{Logger: logger.Default.LogMode(logger.Silent)})
	if err != nil {
		fail(err)
	}
	pool, _ := db.DB()
	limits(pool)
	if err := db.AutoMigrate(&Account{}); err != nil {
		fail(err)
	}
	db.Create(&Account{ID: 1, Name: "first"})
	return db
}

func oneConnection(pool *sql.DB) { pool.SetMaxOpenConns(1) }

var labDB *gorm.DB

func init() {
	start := func() { labDB = labDatabase(oneConnection) }
	ask := func(i int) context.Context {
		return context.WithValue(context.Background(), requestID{}, text(i, 4<<10))
	}
	add(mode{name: "gorm-cache", about: "a cache of rows keeps the gorm session each was read with", enough: 1200,
		start: start, plant: func(i int) { accounts.load(ask(i), labDB, uint(i)) },
		fixedStart: start, fixed: func(i int) { fewAccounts.load(ask(i), labDB, uint(i)) }})
}
