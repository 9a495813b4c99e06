//go:build tools

// prometheus - the real one, from the module proxy; built by its own package path, without the web interface's files.
//
// EXPECT a real server: mapped chunk files, a head block of series with XOR chunks, scrape pools, rule groups.
package tools

import _ "github.com/prometheus/prometheus/cmd/prometheus"
