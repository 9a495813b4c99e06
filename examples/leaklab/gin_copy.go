//go:build !small

package main

// gin-copy: c.Copy() is what Gin recommends for a goroutine, and it is right there: the copy dies with the goroutine.
// Here the copies are kept in a map "until they are paid", which most never are.  A copy has the request, the keys (the
// body that a middleware has put there) and the parameters.
//
// The twin removes an order when the work on it ends, paid or not.

// CASE gin-copy EXPECT global-growth holder=main.unpaid type=*gin.Context* bytes>=4000000
// CASE gin-copy-fixed NONE

import (
	"io"
	"strconv"
	"sync"

	"github.com/gin-gonic/gin"
)

// lab:begin
var (
	unpaidMu sync.Mutex
	unpaid   = map[string]*gin.Context{}
)

func keepOrder(c *gin.Context) {
	body, _ := io.ReadAll(c.Request.Body)
	c.Set("order", body)
	unpaidMu.Lock()
	unpaid[strconv.Itoa(len(unpaid))] = c.Copy()
	unpaidMu.Unlock()
}

// lab:end

// lab:fixed-begin
func keepOrderFixed(c *gin.Context) {
	body, _ := io.ReadAll(c.Request.Body)
	c.Set("order", body)
	unpaidMu.Lock()
	id := strconv.Itoa(len(unpaid))
	unpaid[id] = c.Copy()
	unpaidMu.Unlock()
	defer func() {
		unpaidMu.Lock()
		delete(unpaid, id)
		unpaidMu.Unlock()
	}()
	c.Next()
}

// lab:fixed-end

func init() {
	pay := func(i int) { visit(ginServer, "/pay", "", text(i, 8<<10)) }
	add(mode{name: "gin-copy", about: "c.Copy() of each request, kept in a map", enough: 1000,
		start: func() { ginServe(keepOrder, false) }, plant: pay,
		fixedStart: func() { ginServe(keepOrderFixed, false) }, fixed: pay})
}
