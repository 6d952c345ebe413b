// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// plan is how a message is found in a Go type.
type plan struct {
	message string
	once    sync.Once
	err     error
	steps   []step
	numbers map[protowire.Number]*step
	typ     reflect.Type
	size    int
	// whole says that the only field of the message is the Go value itself, a map or a list that the message wraps so that it
	// can be absent.
	whole bool
}

// step is one field of a plan.
type step struct {
	field
	index []int
	form  form
	// list is the type of the slice that a repeated field is; entry the two halves of a map.
	list reflect.Type
}

// pair is what plans are kept by.
type pair struct {
	message string
	typ     reflect.Type
}

var plans sync.Map // of pair to *plan

// planFor returns the plan of a message for a Go type that is no pointer.
func planFor(message string, typ reflect.Type) (*plan, error) {
	p := lazily(message, typ)
	p.once.Do(p.make)
	return p, p.err
}

// lazily returns a plan that is made when it is first used: messages may hold themselves.
func lazily(message string, typ reflect.Type) *plan {
	p, _ := plans.LoadOrStore(pair{message, typ}, &plan{message: message, typ: typ, size: int(typ.Size())})
	return p.(*plan)
}

func (p *plan) make() {
	fields, ok := table()[p.message]
	if !ok {
		p.err = fmt.Errorf("the table of the wire has no message %s", p.message)
		return
	}
	p.numbers = make(map[protowire.Number]*step, len(fields))
	p.steps = make([]step, 0, len(fields))
	p.whole = p.typ.Kind() != reflect.Struct
	if p.whole && len(fields) != 1 {
		p.err = fmt.Errorf("%s has %d fields and cannot be a %s", p.message, len(fields), p.typ)
		return
	}
	for _, f := range fields {
		s, err := p.step(f)
		if err != nil {
			p.err = fmt.Errorf("%s.%s: %w", p.message, f.name, err)
			return
		}
		p.steps = append(p.steps, s)
	}
	for i := range p.steps {
		p.numbers[p.steps[i].number] = &p.steps[i]
	}
}

func (p *plan) step(f field) (step, error) {
	s := step{field: f}
	typ := p.typ
	if !p.whole {
		found, ok := find(p.typ, f.name)
		switch {
		case ok:
			s.index, typ = found.Index, found.Type
		case !Known(f.typ):
			return s, fmt.Errorf("%s has no such field", p.typ)
		}
		// A message without a field of its own is flat: JSON has its fields beside those of the message that holds it, and so
		// does the Go type.
	}
	if f.repeated {
		typ = bare(typ)
		if typ.Kind() != reflect.Slice {
			return s, fmt.Errorf("%s is no list", typ)
		}
		s.list, typ = typ, typ.Elem()
	}
	var err error
	s.form, err = formOf(f.typ, typ)
	return s, err
}

// find returns the field of a struct that has a name in JSON, or that name in Go, or that embeds a type of that name.
func find(typ reflect.Type, name string) (reflect.StructField, bool) {
	var spelled, embedded *reflect.StructField
	for _, f := range reflect.VisibleFields(typ) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported():
		case tag == name:
			return f, true
		case f.Anonymous && tag == "" && strings.EqualFold(bare(f.Type).Name(), name):
			embedded = &f
		case strings.EqualFold(strings.TrimSuffix(f.Name, "_"), name) && spelled == nil:
			spelled = &f
		}
	}
	for _, f := range []*reflect.StructField{embedded, spelled} {
		if f != nil {
			return *f, true
		}
	}
	return reflect.StructField{}, false
}

// bare is a type without the pointers to it.
func bare(typ reflect.Type) reflect.Type {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return typ
}
