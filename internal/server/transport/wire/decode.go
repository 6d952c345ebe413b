// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// What a message may hold. Two bytes of input can be an element of a list that takes a kilobyte of memory: what is made of
// a message is counted beside how long it is.
const (
	maxDepth  = 64
	maxMemory = 256 << 20
)

var errCut = errors.New("it ends early or is not well formed")

// Unmarshal reads the protobuf form of a message into the Go value behind the pointer v. Fields that are not known are skipped.
func Unmarshal(message string, data []byte, v any) error {
	value := reflect.ValueOf(v)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return fmt.Errorf("read %s: there is nothing to read it into", message)
	}
	value = settle(value.Elem())
	p, err := planFor(message, value.Type())
	if err != nil {
		return err
	}
	d := &decoder{memory: maxMemory}
	return d.message(p, data, value)
}

// decoder counts what reading a message takes.
type decoder struct{ depth, memory int }

func (d *decoder) spend(bytes int) error {
	if d.memory -= bytes; d.memory < 0 {
		return fmt.Errorf("the message would take more than %d MiB of memory", maxMemory>>20)
	}
	return nil
}

// settle makes what pointers on the way to the value point to, and returns the value.
func settle(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}

func (d *decoder) message(p *plan, data []byte, v reflect.Value) error {
	if d.depth++; d.depth > maxDepth {
		return fmt.Errorf("%s: it is nested deeper than %d messages", p.message, maxDepth)
	}
	defer func() { d.depth-- }()
	if p.whole {
		empty(v)
	}
	return d.fields(data, func(number protowire.Number, typ protowire.Type, rest []byte) (int, error) {
		s := p.numbers[number]
		if s == nil {
			return skip(number, typ, rest)
		}
		at := v
		if !p.whole {
			at = settleAt(v, s.index)
		}
		n, err := s.read(d, typ, rest, at)
		if err != nil {
			return 0, fmt.Errorf("%s.%s: %w", p.message, s.name, err)
		}
		return n, nil
	})
}

// empty makes a map or a list that is there though nothing is in it.
func empty(v reflect.Value) {
	switch {
	case !v.IsNil():
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
}

// fields calls each with every field of a message; it returns how many bytes the value took.
func (d *decoder) fields(data []byte, each func(protowire.Number, protowire.Type, []byte) (int, error)) error {
	for len(data) > 0 {
		number, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return errCut
		}
		data = data[n:]
		n, err := each(number, typ, data)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

func skip(number protowire.Number, typ protowire.Type, b []byte) (int, error) {
	n := protowire.ConsumeFieldValue(number, typ, b)
	if n < 0 {
		return 0, errCut
	}
	return n, nil
}

// settleAt follows an index and makes embedded pointers on the way.
func settleAt(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 {
			v = settle(v)
		}
		v = v.Field(x)
	}
	return v
}

func (s *step) read(d *decoder, typ protowire.Type, b []byte, v reflect.Value) (int, error) {
	packed := s.list != nil && typ == protowire.BytesType && s.form.wire() == protowire.VarintType
	if typ != s.form.wire() && !packed {
		return 0, fmt.Errorf("it is of wire type %d, not %d", typ, s.form.wire())
	}
	v = settle(v)
	if s.list == nil {
		return s.form.read(d, b, v)
	}
	if packed {
		return s.readPacked(d, b, v)
	}
	return s.readElement(d, b, v)
}

func (s *step) readElement(d *decoder, b []byte, list reflect.Value) (int, error) {
	if err := d.spend(int(bare(s.list.Elem()).Size()) + 8); err != nil {
		return 0, err
	}
	element := reflect.New(s.list.Elem()).Elem()
	n, err := s.form.read(d, b, settle(element))
	if err != nil {
		return 0, err
	}
	list.Set(reflect.Append(list, element))
	return n, nil
}

// readPacked reads numbers that stand together in one field (https://protobuf.dev/programming-guides/encoding/#packed).
func (s *step) readPacked(d *decoder, b []byte, list reflect.Value) (int, error) {
	inner, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return 0, errCut
	}
	for len(inner) > 0 {
		m, err := s.readElement(d, inner, list)
		if err != nil {
			return 0, err
		}
		inner = inner[m:]
	}
	return n, nil
}

func (textForm) read(d *decoder, b []byte, v reflect.Value) (int, error) {
	text, n := protowire.ConsumeBytes(b)
	switch {
	case n < 0:
		return 0, errCut
	case !utf8.Valid(text):
		return 0, errors.New("the text is not UTF-8")
	}
	v.SetString(string(text))
	return n, d.spend(len(text))
}

func (boolForm) read(_ *decoder, b []byte, v reflect.Value) (int, error) {
	x, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, errCut
	}
	v.SetBool(protowire.DecodeBool(x))
	return n, nil
}

func (intForm) read(_ *decoder, b []byte, v reflect.Value) (int, error) {
	x, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, errCut
	}
	number := int64(x) //nolint:gosec // negative numbers are written as two's complement
	if v.OverflowInt(number) {
		return 0, fmt.Errorf("%d is too large", number)
	}
	v.SetInt(number)
	return n, nil
}

func (bytesForm) read(d *decoder, b []byte, v reflect.Value) (int, error) {
	data, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return 0, errCut
	}
	v.SetBytes(append([]byte{}, data...))
	return n, d.spend(len(data))
}

func (foreignForm) read(d *decoder, b []byte, v reflect.Value) (int, error) {
	data, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return 0, errCut
	}
	// A type of Kubernetes takes at most some ten times of what its form has: an entry of a map.
	if err := d.spend(16 * len(data)); err != nil {
		return 0, err
	}
	if err := v.Addr().Interface().(foreign).Unmarshal(data); err != nil {
		return 0, errCut
	}
	return n, nil
}

func (f messageForm) read(d *decoder, b []byte, v reflect.Value) (int, error) {
	data, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return 0, errCut
	}
	p := f.plan
	if p.once.Do(p.make); p.err != nil {
		return 0, p.err
	}
	if err := d.spend(p.size); err != nil {
		return 0, err
	}
	return n, d.message(p, data, v)
}
