// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// mapForm is a map: a repeated message with the key as field 1 and the value as field 2. One entry is written at a time.
type mapForm struct {
	typ   reflect.Type
	value form
}

func newMapForm(inner string, typ reflect.Type) (form, error) {
	if typ.Kind() != reflect.Map || typ.Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%s is no map by strings", typ)
	}
	value, err := formOf(inner, typ.Elem())
	return mapForm{typ, value}, err
}

func (mapForm) wire() protowire.Type { return protowire.BytesType }

// write is not called: entries are written by appendMap, each with its tag.
func (mapForm) write([]byte, reflect.Value) ([]byte, error) {
	return nil, errors.New("a map is written entry by entry")
}

// appendMap appends the entries in the order of their keys, so that equal maps have equal bytes.
func (f mapForm) appendMap(b []byte, number protowire.Number, v reflect.Value) ([]byte, error) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return cmp.Compare(x.String(), y.String()) })
	for _, key := range keys {
		b = protowire.AppendTag(b, number, protowire.BytesType)
		start := len(b)
		b = protowire.AppendTag(b, 1, protowire.BytesType)
		b, _ = textForm{}.write(b, key)
		value, ok := deref(v.MapIndex(key))
		if !ok {
			value = reflect.Zero(bare(f.typ.Elem()))
		}
		var err error
		b = protowire.AppendTag(b, 2, f.value.wire())
		if b, err = f.value.write(b, value); err != nil {
			return nil, err
		}
		b = withLength(b, start)
	}
	return b, nil
}

func (f mapForm) read(d *decoder, b []byte, v reflect.Value) (int, error) {
	entry, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return 0, errCut
	}
	key := reflect.New(f.typ.Key()).Elem()
	value := reflect.New(f.typ.Elem()).Elem()
	if err := d.spend(int(f.typ.Elem().Size()) + 64); err != nil {
		return 0, err
	}
	err := d.fields(entry, func(number protowire.Number, typ protowire.Type, rest []byte) (int, error) {
		switch {
		case number == 1 && typ == protowire.BytesType:
			return textForm{}.read(d, rest, key)
		case number == 2 && typ == f.value.wire():
			return f.value.read(d, rest, settle(value))
		}
		return skip(number, typ, rest)
	})
	if err != nil {
		return 0, err
	}
	settle(value)
	if v.IsNil() {
		v.Set(reflect.MakeMap(f.typ))
	}
	v.SetMapIndex(key, value)
	return n, nil
}
