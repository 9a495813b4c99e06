// duplicate_strings - equal text stored many times, and text that is stored once.
//
// CASE fields EXPECT duplicate-strings verdict=waste proof=measured type=string holder=country count>=60000 bytes>=4000000
// CASE long EXPECT duplicate-strings verdict=waste bytes>=8000000 count>=1000
// CASE tags EXPECT duplicate-strings verdict=waste count>=79000 bytes>=30000000
// CASE many EXPECT duplicate-strings verdict=waste proof=inferred count>=600000 bytes>=25000000
// CASE interned NONE
// CASE different NONE
// CASE literals NONE
// CASE few NONE
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"limpet/goprogs/internal/ready"
)

type order struct {
	id      int
	country string
}

type template struct {
	html string
}

type series struct {
	labels map[string]string
}

var (
	orders    []*order
	templates []*template
	metrics   []*series
	names     []string
)

func country(i int) string {
	return "a country with a long name, number " + strconv.Itoa(i%190)
}

func plant(name string) {
	switch name {
	case "fields":
		for i := 0; i < 60000; i++ {
			orders = append(orders, &order{id: i, country: country(i) + ", its capital and continent"})
		}
	case "long":
		for i := 0; i < 1000; i++ {
			templates = append(templates, &template{html: strings.Repeat("<p>the same page</p>", 500+i%5)})
		}
	case "tags": // values of small maps
		for i := 0; i < 40000; i++ {
			metrics = append(metrics, &series{labels: map[string]string{
				"service": strings.Repeat("payments-and-refunds ", 40),
				"zone":    strings.Clone("the-zone-of-that-name-" + strconv.Itoa(i%3)),
			}})
		}
	case "many":
		for i := 0; i < 800000; i++ {
			names = append(names, country(i))
		}
	case "interned":
		known := map[string]string{}
		for i := 0; i < 120000; i++ {
			c := country(i)
			if known[c] == "" {
				known[c] = c
			}
			orders = append(orders, &order{id: i, country: known[c]})
		}
	case "different":
		for i := 0; i < 200000; i++ {
			names = append(names, fmt.Sprintf("only once in this program: %d", i))
		}
	case "literals":
		for i := 0; i < 300000; i++ {
			orders = append(orders, &order{id: i, country: []string{"the first of three literals", "the second", "the third"}[i%3]})
		}
	case "few":
		for i := 0; i < 2000; i++ {
			names = append(names, country(i))
		}
		for i := 0; i < 100000; i++ {
			names = append(names, fmt.Sprintf("only once in this program: %d", i))
		}
	}
}

func main() {
	plant(os.Args[1])
	runtime.GC()
	runtime.GC()
	ready.Say()
	ready.Wait()
	fmt.Println(orders, templates, metrics, names)
}
