//go:build go1.21

package main

import (
	"context"
	"fmt"
	"reflect"
	"unsafe"
)

func makeWithoutCancel(parent context.Context) {
	without := context.WithoutCancel(parent)
	keep = append(keep, without)
	// A struct in an interface: told by what the interface points to.
	tell(line{"context without cancel", fmt.Sprintf("0x%x", (*[2]uintptr)(unsafe.Pointer(&without))[1]),
		typeAddr(reflect.TypeOf(without)), "context.withoutCancelCtx", nil, [][3]string{elem("parent", parent)}, false})
}
