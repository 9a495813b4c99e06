//go:build small

package main

// go build -tags small leaves the modes with libraries of others out: nothing to download.
func init() {
	for _, name := range []string{"gin-closure", "gin-copy", "gin-batch", "grpc-stream", "gorm-cache", "rows", "limits-db", "metric-labels"} {
		absent[name] = "is not in a build with -tags small"
	}
}
