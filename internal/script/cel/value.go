// SPDX-License-Identifier: Apache-2.0

package cel

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxParts bounds what an expression returns: fields, entries and values together.
const maxParts = 10_000

// plain returns a value of the expression language as one of JSON.
func plain(v ref.Val) (any, error) {
	parts := maxParts
	return convert(v, &parts)
}

func convert(v ref.Val, parts *int) (any, error) {
	if *parts--; *parts < 0 {
		return nil, errors.New("its value has too many parts")
	}
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Uint:
		if uint64(v) > math.MaxInt64 {
			return nil, fmt.Errorf("%d does not fit into an integer", uint64(v))
		}
		return int64(v), nil
	case types.Double:
		return number(float64(v))
	case types.String:
		return string(v), nil
	case types.Bytes:
		return base64.StdEncoding.EncodeToString(v), nil
	case types.Timestamp, types.Duration:
		return text(v)
	case *types.Optional:
		if !v.HasValue() {
			return nil, nil
		}
		return convert(v.GetValue(), parts)
	case traits.Mapper:
		return convertMap(v, parts)
	case traits.Lister:
		return convertList(v, parts)
	}
	return nil, fmt.Errorf("its value is a %s, which is no JSON", v.Type().TypeName())
}

func number(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, errors.New("its value is not a number")
	}
	return f, nil
}

func text(v ref.Val) (any, error) {
	s, ok := v.ConvertToType(types.StringType).(types.String)
	if !ok {
		return nil, fmt.Errorf("a %s cannot be written as text", v.Type().TypeName())
	}
	return string(s), nil
}

func convertMap(m traits.Mapper, parts *int) (any, error) {
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, fmt.Errorf("a key of its value is a %s, not a string", key.Type().TypeName())
		}
		value, err := convert(m.Get(key), parts)
		if err != nil {
			return nil, err
		}
		out[string(name)] = value
	}
	return out, nil
}

func convertList(l traits.Lister, parts *int) (any, error) {
	out := []any{}
	for it := l.Iterator(); it.HasNext() == types.True; {
		value, err := convert(it.Next(), parts)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}
