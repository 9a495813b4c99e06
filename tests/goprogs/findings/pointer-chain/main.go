// pointer-chain - one owner, and the weight several levels below it.
//
// CASE tenants EXPECT pointer-chain verdict=suspect holder=*main.* bytes>=4000000
// CASE range-closure EXPECT pointer-chain verdict=suspect bytes>=4000000
// CASE orm-cache EXPECT pointer-chain verdict=suspect bytes>=4000000
// CASE one-heavy-tenant EXPECT pointer-chain verdict=suspect bytes>=4000000
// CASE small NONE
// CASE bounded-per-tenant NONE
package main

import (
	"container/list"
	"fmt"
	"os"
	"runtime"
	"sync"

	"limpet/goprogs/internal/ready"
)

type order struct {
	id    string
	lines [10]uint64
}

type tenant struct {
	name   string
	orders []*order
}

type boundedTenant struct {
	maxOrders int
	orders    []*order
}

type conn struct {
	free  bool
	stmts map[string]*stmt
}

type stmt struct {
	query string
	model *model
}

type model struct {
	rows []*order
}

type pool struct {
	idle  *list.List
	cache map[string]*model // the same models that the statements of the connections know
}

type job struct {
	parts []*order
}

var (
	tenants map[string]*tenant
	jobs    sync.Map
	done    = make(chan bool)
	db      *pool
	one     map[string]*tenant
	few     map[string]*tenant
	limited map[string]*boundedTenant
)

func orders(n int) []*order {
	var v []*order
	for i := 0; i < n; i++ {
		v = append(v, &order{id: fmt.Sprint("order ", i)})
	}
	return v
}

//go:noinline
func plant(name string) {
	switch name {
	case "tenants":
		tenants = map[string]*tenant{}
		for i := 0; i < 500; i++ {
			tenants[fmt.Sprint("tenant ", i)] = &tenant{"t", orders(100)}
		}
	case "range-closure": // sync.Map, and what a Range over it has handed on
		for i := 0; i < 500; i++ {
			jobs.Store(i, &job{orders(100)})
		}
		var wg sync.WaitGroup
		jobs.Range(func(k, v any) bool {
			wg.Add(1)
			go func() {
				v.(*job).parts[0].lines[0]++
				wg.Done()
			}()
			return true
		})
		wg.Wait()
	case "orm-cache":
		db = &pool{idle: list.New(), cache: map[string]*model{}}
		for i := 0; i < 100; i++ {
			c := &conn{stmts: map[string]*stmt{}}
			for k := 0; k < 5; k++ {
				m := &model{orders(100)}
				q := fmt.Sprint("select ", i, k)
				c.stmts[q] = &stmt{q, m}
				db.cache[q] = m
			}
			db.idle.PushBack(c)
		}
	case "one-heavy-tenant":
		one = map[string]*tenant{}
		for i := 0; i < 50; i++ {
			one[fmt.Sprint("tenant ", i)] = &tenant{"t", orders(10)}
		}
		one["big"] = &tenant{"big", orders(50000)}
	case "small":
		few = map[string]*tenant{}
		for i := 0; i < 50; i++ {
			few[fmt.Sprint("tenant ", i)] = &tenant{"t", orders(20)}
		}
	case "bounded-per-tenant":
		limited = map[string]*boundedTenant{}
		for i := 0; i < 500; i++ {
			limited[fmt.Sprint("tenant ", i)] = &boundedTenant{100, orders(100)}
		}
	}
}

func main() {
	plant(os.Args[1])
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
	fmt.Sprint(tenants, db, one, few, limited)
}
