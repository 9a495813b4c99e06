// map_bloat - maps that were emptied and keep their slots, and maps that only look like it.
//
// CASE deleted EXPECT map-bloat verdict=waste proof=measured type=map[string]*main.item count>=1 bytes>=5000000
// CASE values EXPECT map-bloat verdict=waste type=map[int]main.big bytes>=20000000
// CASE many EXPECT map-bloat verdict=waste type=map[int64]main.big count>=400 bytes>=20000000
// CASE cleared EXPECT map-bloat verdict=waste type=map[int64]int64 bytes>=10000000 needs=1.24
// CASE ten-left EXPECT map-bloat verdict=waste type=map[uint64]int bytes>=10000000
// CASE cloned EXPECT map-bloat verdict=waste type=map[int64]int64 bytes>=10000000 needs=1.25
// CASE cloned NONE until=1.24
// CASE full NONE
// CASE doubled NONE
// CASE hinted NONE
// CASE half-deleted NONE
// CASE copied NONE
package main

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"strconv"

	"limpet/goprogs/internal/ready"
)

type item struct {
	n int
}

type big struct {
	v [12]int64
}

type tenant struct {
	byID map[int64]big
}

type cache struct {
	m map[int64]int64
}

var (
	items   map[string]*item
	values  map[int]big
	tenants []*tenant
	caches  []*cache
	numbers map[uint64]int
)

func fill(m map[int64]int64, n int64) *cache {
	for i := int64(0); i < n; i++ {
		m[i] = i
	}
	return &cache{m}
}

func plant(name string) {
	switch name {
	case "deleted":
		items = map[string]*item{}
		for i := 0; i < 300000; i++ {
			items[strconv.Itoa(i)] = &item{n: i}
		}
		for i := 50; i < 300000; i++ {
			delete(items, strconv.Itoa(i))
		}
	case "values":
		values = map[int]big{}
		for i := 0; i < 200000; i++ {
			values[i] = big{}
		}
		for i := 1000; i < 200000; i++ {
			delete(values, i)
		}
	case "many": // one a tenant
		for k := 0; k < 400; k++ {
			t := &tenant{byID: map[int64]big{}}
			for i := int64(0); i < 900; i++ {
				t.byID[i] = big{}
			}
			for i := int64(3); i < 900; i++ {
				delete(t.byID, i)
			}
			tenants = append(tenants, t)
		}
	case "cleared":
		c := fill(map[int64]int64{}, 800000)
		for k := range c.m {
			delete(c.m, k)
		}
		caches = append(caches, c)
	case "ten-left":
		numbers = map[uint64]int{}
		for i := 0; i < 800000; i++ {
			numbers[uint64(i)*2654435761] = i
		}
		for k, v := range numbers {
			if v >= 10 {
				delete(numbers, k)
			}
		}
	case "full":
		caches = append(caches, fill(map[int64]int64{}, 800000))
	case "doubled": // just grown: less than half of the slots is used
		caches = append(caches, fill(map[int64]int64{}, 917505))
	case "hinted": // made for what is still to come
		caches = append(caches, fill(make(map[int64]int64, 1000000), 100))
	case "half-deleted":
		c := fill(map[int64]int64{}, 800000)
		for i := int64(0); i < 400000; i++ {
			delete(c.m, i)
		}
		caches = append(caches, c)
	case "cloned": // maps.Clone keeps the size from Go 1.25 on
		c := fill(map[int64]int64{}, 800000)
		for i := int64(100); i < 800000; i++ {
			delete(c.m, i)
		}
		caches = append(caches, &cache{maps.Clone(c.m)})
	case "copied": // into a new one, and the old one went
		c := fill(map[int64]int64{}, 800000)
		for i := int64(100); i < 800000; i++ {
			delete(c.m, i)
		}
		left := make(map[int64]int64, len(c.m))
		maps.Copy(left, c.m)
		caches = append(caches, &cache{left})
	}
}

func main() {
	plant(os.Args[1])
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
	fmt.Println(items, values, tenants, caches, numbers)
}
