// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"reflect"

	"google.golang.org/protobuf/encoding/protowire"
)

// Marshal returns the protobuf form of a message, whose Go value is behind the pointer v.
func Marshal(message string, v any) ([]byte, error) {
	value, ok := deref(reflect.ValueOf(v))
	if !ok {
		return nil, fmt.Errorf("write %s: there is no value", message)
	}
	p, err := planFor(message, value.Type())
	if err != nil {
		return nil, err
	}
	return p.append(nil, value)
}

// deref follows pointers to the value; false if one is nil.
func deref(v reflect.Value) (reflect.Value, bool) {
	for v.IsValid() && v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v, v.IsValid()
}

// append appends the fields of a message.
func (p *plan) append(b []byte, v reflect.Value) ([]byte, error) {
	var err error
	for i := range p.steps {
		s := &p.steps[i]
		at, ok := v, true
		if !p.whole {
			at, ok = reach(v, s.index)
		}
		if b, err = s.append(b, at, ok); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", p.message, s.name, err)
		}
	}
	return b, nil
}

// reach follows an index; false if an embedded pointer on the way is nil.
func reach(v reflect.Value, index []int) (reflect.Value, bool) {
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}

func (s *step) append(b []byte, v reflect.Value, ok bool) ([]byte, error) {
	pointer := ok && v.Kind() == reflect.Pointer
	if ok {
		v, ok = deref(v)
	}
	if m, is := s.form.(mapForm); is {
		if !ok {
			return b, nil
		}
		return m.appendMap(b, s.number, v)
	}
	switch {
	case s.list != nil && !ok:
		return b, nil
	case s.list != nil:
		return s.appendList(b, v)
	case !ok && s.required:
		return s.appendZero(b)
	case !ok, !pointer && !s.required && v.IsZero():
		return b, nil
	}
	return s.form.write(protowire.AppendTag(b, s.number, s.form.wire()), v)
}

func (s *step) appendList(b []byte, list reflect.Value) ([]byte, error) {
	var err error
	for i := range list.Len() {
		element, ok := deref(list.Index(i))
		if !ok {
			continue
		}
		b = protowire.AppendTag(b, s.number, s.form.wire())
		if b, err = s.form.write(b, element); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// appendZero appends the zero value of a required field that is nil.
func (s *step) appendZero(b []byte) ([]byte, error) {
	b = protowire.AppendTag(b, s.number, s.form.wire())
	if m, ok := s.form.(messageForm); ok {
		return m.write(b, reflect.Zero(m.plan.typ))
	}
	return append(b, 0), nil // nothing, false, and 0 are all one byte
}
