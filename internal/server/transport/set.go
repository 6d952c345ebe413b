// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// errNoField is what set fails with for a name that the request does not have.
var errNoField = errors.New("there is no such field")

// fieldOf returns the field of a message by the path of its names in JSON, such as metadata.name. Pointers on the way are made.
func fieldOf(message any, path string) (reflect.Value, error) {
	v := reflect.ValueOf(message).Elem()
	for name := range strings.SplitSeq(path, ".") {
		v = pointed(v)
		if v.Kind() != reflect.Struct {
			return v, errNoField
		}
		found := false
		for _, f := range reflect.VisibleFields(v.Type()) {
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && tag == name {
				v, found = byIndex(v, f.Index), true
				break
			}
		}
		if !found {
			return v, errNoField
		}
	}
	return v, nil
}

func pointed(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}

func byIndex(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 {
			v = pointed(v)
		}
		v = v.Field(x)
	}
	return v
}

// set sets a field from the values of a query or a path. The last value counts unless the field is a list.
func set(message any, path string, values []string) error {
	if exists(reflect.TypeOf(message), path) != nil {
		return errNoField
	}
	v, err := fieldOf(message, path)
	if err != nil {
		return err
	}
	if v.Kind() != reflect.Slice || v.Type().Elem().Kind() == reflect.Uint8 {
		return setOne(pointed(v), values[len(values)-1])
	}
	list := reflect.MakeSlice(v.Type(), len(values), len(values))
	for i, value := range values {
		if err := setOne(pointed(list.Index(i)), value); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

// exists looks for a field without making anything on the way.
func exists(t reflect.Type, path string) error {
	for name := range strings.SplitSeq(path, ".") {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return errNoField
		}
		found := false
		for _, f := range reflect.VisibleFields(t) {
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && tag == name {
				t, found = f.Type, true
				break
			}
		}
		if !found {
			return errNoField
		}
	}
	return nil
}

func setOne(v reflect.Value, text string) error {
	if v.Kind() != reflect.String {
		return setOther(v, text)
	}
	if strings.ContainsRune(text, 0) {
		return errors.New("there is a character in it that cannot be in a text")
	}
	v.SetString(text)
	return nil
}

func setOther(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("it is neither true nor false")
		}
		v.SetBool(b)
	case reflect.Int32, reflect.Int64, reflect.Int:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return errors.New("it is no number that fits")
		}
		v.SetInt(n)
	case reflect.Struct:
		return setStruct(v, text)
	default:
		return errNoField
	}
	return nil
}

// setStruct takes a time as it is written, and other structs in JSON.
func setStruct(v reflect.Value, text string) error {
	quoted, err := json.Marshal(text)
	if err == nil {
		err = json.Unmarshal(quoted, v.Addr().Interface())
	}
	if err != nil && depth([]byte(text)) <= maxNesting {
		err = json.Unmarshal([]byte(text), v.Addr().Interface())
	}
	if err != nil {
		return errors.New("it cannot be read")
	}
	return nil
}

// textAt returns the text at a path of a message; false if there is no such field, or nothing on the way to it.
func textAt(message any, path string) (string, bool) {
	if exists(reflect.TypeOf(message), path) != nil {
		return "", false
	}
	v := reflect.ValueOf(message)
	for name := range strings.SplitSeq(path, ".") {
		for v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return "", false
			}
			v = v.Elem()
		}
		for _, f := range reflect.VisibleFields(v.Type()) {
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && tag == name {
				v = byIndex(v, f.Index)
				break
			}
		}
	}
	return v.String(), v.Kind() == reflect.String
}
