//go:build !small

package main

// gin-batch: often cited as a leak, and none.  A middleware collects a line for each request and writes them out at
// 1,000.  The closure holds a slice of strings, bounded; the lines are strings of their own and hold no Context.  (That
// the slice keeps its capacity is what makes the next 1,000 cheap.)

// CASE gin-batch NONE

import (
	"fmt"
	"io"
	"sync"

	"github.com/gin-gonic/gin"
)

// lab:begin
func batchLog() gin.HandlerFunc {
	var mu sync.Mutex
	var lines []string
	return func(c *gin.Context) {
		c.Next()
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprintf("%s %s %d", c.Request.Method, c.Request.URL.Path, c.Writer.Status()))
		if len(lines) >= 1000 {
			fmt.Fprintln(io.Discard, lines)
			lines = lines[:0]
		}
	}
}

// lab:end

func init() {
	add(mode{name: "gin-batch", about: "no leak: a Gin middleware that collects 1,000 lines and writes them", enough: 2500,
		start: func() { ginServe(batchLog(), false) },
		plant: func(i int) { visit(ginServer, "/pay", "", text(i, 4<<10)) }})
}
