// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"reflect"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// form is how one value is written and read. Values are handed over without pointers, and can be set.
type form interface {
	wire() protowire.Type
	// write appends the value without its tag. What has a length is written with it.
	write(b []byte, v reflect.Value) ([]byte, error)
	// read sets v from the value at the beginning of b and returns how many bytes that were.
	read(d *decoder, b []byte, v reflect.Value) (int, error)
}

// foreign is what types of Kubernetes have.
type foreign interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}

var foreignType = reflect.TypeFor[foreign]()

// formOf returns the form for a type of the table and a Go type.
func formOf(t string, typ reflect.Type) (form, error) {
	typ = bare(typ)
	switch t {
	case "string":
		return textForm{}, want(typ, reflect.String)
	case "bool":
		return boolForm{}, want(typ, reflect.Bool)
	case "int32", "int64":
		return intForm{}, want(typ, reflect.Int, reflect.Int32, reflect.Int64)
	case "bytes":
		if typ.Kind() != reflect.Slice || typ.Elem().Kind() != reflect.Uint8 {
			return nil, fmt.Errorf("%s is no bytes", typ)
		}
		return bytesForm{}, nil
	}
	if inner, ok := strings.CutPrefix(t, "map<string,"); ok {
		return newMapForm(strings.TrimSuffix(inner, ">"), typ)
	}
	if !Known(t) {
		if !reflect.PointerTo(typ).Implements(foreignType) {
			return nil, fmt.Errorf("%s has no protobuf form of its own", typ)
		}
		return foreignForm{}, nil
	}
	return messageForm{lazily(t, typ)}, nil
}

func want(typ reflect.Type, kinds ...reflect.Kind) error {
	for _, k := range kinds {
		if typ.Kind() == k {
			return nil
		}
	}
	return fmt.Errorf("%s is none of %v", typ, kinds)
}

type textForm struct{}

func (textForm) wire() protowire.Type { return protowire.BytesType }

// write replaces bytes that are no UTF-8, such as a pod may log: clients refuse a message with them.
func (textForm) write(b []byte, v reflect.Value) ([]byte, error) {
	return protowire.AppendString(b, strings.ToValidUTF8(v.String(), "\uFFFD")), nil
}

type boolForm struct{}

func (boolForm) wire() protowire.Type { return protowire.VarintType }

func (boolForm) write(b []byte, v reflect.Value) ([]byte, error) {
	return protowire.AppendVarint(b, protowire.EncodeBool(v.Bool())), nil
}

type intForm struct{}

func (intForm) wire() protowire.Type { return protowire.VarintType }

func (intForm) write(b []byte, v reflect.Value) ([]byte, error) {
	return protowire.AppendVarint(b, uint64(v.Int())), nil //nolint:gosec // negative numbers are written as two's complement
}

type bytesForm struct{}

func (bytesForm) wire() protowire.Type { return protowire.BytesType }

func (bytesForm) write(b []byte, v reflect.Value) ([]byte, error) {
	return protowire.AppendBytes(b, v.Bytes()), nil
}

type foreignForm struct{}

func (foreignForm) wire() protowire.Type { return protowire.BytesType }

func (foreignForm) write(b []byte, v reflect.Value) ([]byte, error) {
	if !v.CanAddr() {
		held := reflect.New(v.Type()).Elem()
		held.Set(v)
		v = held
	}
	inner, err := v.Addr().Interface().(foreign).Marshal()
	if err != nil {
		return nil, err
	}
	return protowire.AppendBytes(b, inner), nil
}

type messageForm struct{ plan *plan }

func (messageForm) wire() protowire.Type { return protowire.BytesType }

func (f messageForm) write(b []byte, v reflect.Value) ([]byte, error) {
	p := f.plan
	if p.once.Do(p.make); p.err != nil {
		return nil, p.err
	}
	start := len(b)
	b, err := p.append(b, v)
	if err != nil {
		return nil, err
	}
	return withLength(b, start), nil
}

// withLength puts before what was appended since start how long it is.
func withLength(b []byte, start int) []byte {
	size := len(b) - start
	head := protowire.SizeVarint(uint64(size)) //nolint:gosec // a length is not negative
	b = append(b, make([]byte, head)...)
	copy(b[start+head:], b[start:start+size])
	protowire.AppendVarint(b[:start], uint64(size)) //nolint:gosec // as above; it is written in place
	return b
}
