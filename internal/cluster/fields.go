// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"fmt"
)

// fields calls each for every field of an object, with the JSON of its value, and builds nothing: what each does not
// look at, a Secret's data among it, is passed over. That a value is valid JSON is for whoever decodes it to find out.
// null has no fields.
func fields(raw []byte, each func(key, value []byte) error) error {
	i := space(raw, 0)
	if bytes.HasPrefix(raw[i:], []byte("null")) {
		return nil
	}
	if i = after(raw, i, '{'); i < 0 {
		return errNotJSON
	}
	if end := after(raw, i, '}'); end >= 0 {
		return nil
	}
	for {
		i = space(raw, i)
		key, next, err := valueAt(raw, i)
		if err != nil {
			return err
		}
		if i = after(raw, next, ':'); i < 0 || key[0] != '"' {
			return errNotJSON
		}
		i = space(raw, i)
		value, next, err := valueAt(raw, i)
		if err != nil {
			return err
		}
		name, err := unquoted(key)
		if err != nil {
			return err
		}
		if err := each(name, value); err != nil {
			return err
		}
		if i = after(raw, next, ','); i < 0 {
			if after(raw, next, '}') < 0 {
				return errNotJSON
			}
			return nil
		}
	}
}

func space(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t') {
		i++
	}
	return i
}

// after returns the place behind a byte of punctuation, or -1 if something else is there.
func after(raw []byte, i int, c byte) int {
	if i = space(raw, i); i < len(raw) && raw[i] == c {
		return i + 1
	}
	return -1
}

// valueAt returns the value that begins at i, and where it ends.
func valueAt(raw []byte, i int) (value []byte, end int, err error) {
	if i >= len(raw) {
		return nil, 0, errNotJSON
	}
	s := scan{bare: raw[i] != '{' && raw[i] != '[' && raw[i] != '"'}
	n, done := s.feed(raw[i:])
	if n == 0 || (!done && !s.bare) {
		return nil, 0, errNotJSON
	}
	return raw[i : i+n], i + n, nil
}

// unquoted returns the text of a string.
func unquoted(raw []byte) ([]byte, error) {
	if len(raw) >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	var text string
	if err := unmarshal(raw, &text); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

func text(raw []byte, into *string) error {
	t, err := unquoted(raw)
	if err == nil {
		*into = string(t)
	}
	return err
}

// texts reads an object of strings.
func texts(raw []byte, into *map[string]string, but string) error {
	return fields(raw, func(key, value []byte) error {
		if string(key) == but {
			return nil
		}
		if *into == nil {
			*into = map[string]string{}
		}
		t, err := unquoted(value)
		if err == nil {
			(*into)[string(key)] = string(t)
		}
		return err
	})
}

// lastApplied is the one annotation that is often as large as its object, and that nobody reads here.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

func decodeItem(raw []byte) (item, error) {
	it := item{raw: raw}
	err := fields(raw, func(key, value []byte) error {
		if string(key) == "metadata" {
			return fields(value, it.meta.read)
		}
		return nil
	})
	if err != nil {
		return item{}, fmt.Errorf("decode an object: %w", err)
	}
	return it, nil
}

func (m *itemMeta) read(key, value []byte) error {
	switch string(key) {
	case "name":
		return text(value, &m.Name)
	case "namespace":
		return text(value, &m.Namespace)
	case "uid":
		return text(value, &m.UID)
	case "resourceVersion":
		return text(value, &m.ResourceVersion)
	case "creationTimestamp":
		return text(value, &m.CreationTimestamp)
	case "generation":
		return unmarshal(value, &m.Generation)
	case "deletionTimestamp":
		return unmarshal(value, &m.DeletionTimestamp)
	case "labels":
		return texts(value, &m.Labels, "")
	case "annotations":
		return texts(value, &m.Annotations, lastApplied)
	case "ownerReferences":
		return unmarshal(value, &m.OwnerReferences)
	}
	return nil
}
