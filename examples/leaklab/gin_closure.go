//go:build !small

package main

// gin-closure: a middleware hands a closure to the audit log, and the closure keeps c.  Gin takes its contexts from a
// sync.Pool and gives the same c to the next request, so what the closure reads later belongs to a stranger; and each
// time that the collector has emptied the pool, or that many requests are under way at once, c is a new one, which the
// closure keeps alive with request, keys and response writer.
//
// The twin takes what it needs out of c before the handler ends.

// CASE gin-closure EXPECT closure-capture holder=main.audits bytes>=4000000
// CASE gin-closure-fixed NONE

import (
	"io"
	"sync"

	"github.com/gin-gonic/gin"
)

// lab:begin
var (
	auditMu sync.Mutex
	audits  []func() string // written by a job that was never deployed
)

func auditLog(c *gin.Context) {
	body, _ := io.ReadAll(c.Request.Body)
	c.Set("body", body)
	c.Next()
	auditMu.Lock()
	audits = append(audits, func() string { return c.ClientIP() + " " + c.Request.URL.Path })
	auditMu.Unlock()
}

// lab:end

// lab:fixed-begin
func auditLogFixed(c *gin.Context) {
	body, _ := io.ReadAll(c.Request.Body)
	c.Set("body", body)
	c.Next()
	line := c.ClientIP() + " " + c.Request.URL.Path
	auditMu.Lock()
	audits = append(audits, func() string { return line }) // a line, not a context
	auditMu.Unlock()
}

// lab:fixed-end

var (
	ginServer string
	ginWave   sync.WaitGroup // all requests of a wave are under way at once
)

func ginServe(middleware gin.HandlerFunc, wave bool) {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.POST("/pay", middleware, func(c *gin.Context) {
		if wave {
			ginWave.Done()
			ginWave.Wait()
		}
		c.Status(204)
	})
	ginServer = serve(e)
}

// Fifty at a time.
func payTogether(i int) {
	const wave = 50
	if i%wave != 0 {
		return
	}
	ginWave.Add(wave)
	var done sync.WaitGroup
	for k := 0; k < wave; k++ {
		done.Add(1)
		go func(k int) {
			defer done.Done()
			visit(ginServer, "/pay", "", text(i+k, 16<<10))
		}(k)
	}
	done.Wait()
	drainPools()
}

func init() {
	add(mode{name: "gin-closure", about: "a Gin middleware whose closure keeps c", enough: 500,
		start: func() { ginServe(auditLog, true) }, plant: payTogether,
		fixedStart: func() { ginServe(auditLogFixed, true) }, fixed: payTogether})
}
