// etcd - the real key-value store, from the module proxy: raft, bbolt mapped into memory, the tree index, watches.
//
// EXPECT a real server: gRPC streams, a B-tree of key indexes, zap loggers, Prometheus registries.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
