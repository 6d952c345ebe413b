// SPDX-License-Identifier: Apache-2.0

package object

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// maxExpansion bounds how much larger than its text the content of a document may get through its aliases. The YAML
// library bounds their number, not the size of what they repeat.
const maxExpansion = 10 << 20

// CheckExpansion returns a *ParseError if the aliases of a YAML text repeat more than ParseYAML allows. Who reads foreign
// text by a library that goes through JSON has to ask first: there each repetition is written out, and a file of a
// megabyte fills the memory.
func CheckExpansion(file string, text []byte) error {
	if !bytes.Contains(text, []byte("&")) || !bytes.Contains(text, []byte("*")) {
		return nil
	}
	_, err := ParseYAML(file, text)
	return err
}

// plain turns what the YAML library decodes into what unstructured objects hold: maps with string keys, int64, float64,
// bool, string, nil, in the way that Kubernetes goes through JSON. budget is what is left of the allowed size.
func plain(v any, budget *int) (any, error) {
	if *budget--; *budget < 0 {
		return nil, errors.New("its aliases (*name) expand it to more than is allowed")
	}
	switch v := v.(type) {
	case nil, bool, int64:
		return v, nil
	case int:
		return int64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		return plainFloat(v)
	case string:
		*budget -= len(v)
		return v, nil
	case []any:
		for i, e := range v {
			c, err := plain(e, budget)
			if err != nil {
				return nil, err
			}
			v[i] = c
		}
		return v, nil
	case map[any]any:
		return plainMap(v, budget)
	default:
		return nil, fmt.Errorf("it holds a %T, which has no JSON form", v)
	}
}

func plainMap(m map[any]any, budget *int) (any, error) {
	out := make(map[string]any, len(m))
	for k, e := range m {
		key, err := plainKey(k)
		if err != nil {
			return nil, err
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("two keys of one mapping both read %q: put it in quotes where a text is meant", key)
		}
		*budget -= len(key)
		if out[key], err = plain(e, budget); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// plainKey writes keys that are no strings as Kubernetes does.
func plainKey(k any) (string, error) {
	switch k := k.(type) {
	case string:
		return k, nil
	case int:
		return strconv.Itoa(k), nil
	case int64:
		return strconv.FormatInt(k, 10), nil
	case bool:
		return strconv.FormatBool(k), nil
	case float64:
		return strconv.FormatFloat(k, 'g', -1, 32), nil
	default:
		return "", errors.New("a key of a mapping is neither a text nor a number")
	}
}

// plainFloat gives whole numbers as int64, read from the same shortest decimal form that JSON would carry.
func plainFloat(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, errors.New(".nan and .inf have no JSON form: put them in quotes if a text is meant")
	}
	if f == math.Trunc(f) {
		if i, err := strconv.ParseInt(strconv.FormatFloat(f, 'f', -1, 64), 10, 64); err == nil {
			return i, nil
		}
	}
	return f, nil
}
