package main

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
)

type funcs struct {
	closures []func() int
	methods  []func() int
	reflects []any
	errs     []error
	bufs     []*bytes.Buffer
}

func makeFuncs() funcs {
	f := funcs{}
	for i := 0; i < 3000; i++ {
		n, list := &node{val: i}, []int{i, i}
		f.closures = append(f.closures, func() int { return n.val + len(list) })
		p := &poly{name: "m", corners: make([]pair[int, *node], 1)}
		f.methods = append(f.methods, p.area, square{&n.val}.area)
		f.errs = append(f.errs, fmt.Errorf("level %d: %w", i, errors.New("deep")))
		f.bufs = append(f.bufs, bytes.NewBufferString("some bytes"))
	}
	f.addReflect()
	return f
}

// Types that no compiler has seen: their masks are made at run time.
func (f *funcs) addReflect() {
	nodePtr, text := reflect.TypeOf((*node)(nil)), reflect.TypeOf("")
	for n := 1; n < 200; n += 9 {
		arr := reflect.New(reflect.ArrayOf(n, nodePtr))
		arr.Elem().Index(n - 1).Set(reflect.ValueOf(&node{val: n}))
		st := reflect.New(reflect.StructOf([]reflect.StructField{
			{Name: "A", Type: reflect.TypeOf(0)},
			{Name: "B", Type: reflect.ArrayOf(n, text)},
			{Name: "C", Type: nodePtr},
		}))
		st.Elem().Field(2).Set(reflect.ValueOf(&node{val: n}))
		m := reflect.MakeMap(reflect.MapOf(text, reflect.ArrayOf(2, nodePtr)))
		m.SetMapIndex(reflect.ValueOf("k"), reflect.New(reflect.ArrayOf(2, nodePtr)).Elem())
		ch := reflect.MakeChan(reflect.ChanOf(reflect.BothDir, st.Type()), 2)
		ch.Send(st)
		fn := reflect.MakeFunc(reflect.TypeOf(func(int) *node { return nil }),
			func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.ValueOf(&node{})} })
		f.reflects = append(f.reflects, arr.Interface(), st.Interface(), m.Interface(), ch.Interface(), fn.Interface())
	}
}
