// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	glua "github.com/yuin/gopher-lua"
)

// maxDepth is how deep tables may be within each other on the way in and out.
const maxDepth = 100

// converter takes the values of one run in and out. Lua has one kind of number and one kind of table, and no null within
// tables: so it remembers what each table came from, and gives back what was not touched as it was.
type converter struct {
	meter  *meter
	state  *glua.LState
	origin map[*glua.LTable]any // the map[string]any or []any of each table that came in
}

var errDepth = fmt.Errorf("it is nested deeper than %d", maxDepth)

func (c *converter) in(value any, depth int) (glua.LValue, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if err := c.meter.spend(1); err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case nil:
		return glua.LNil, nil
	case bool:
		return glua.LBool(v), nil
	case string:
		return glua.LString(v), nil
	case map[string]any:
		return c.inMap(v, depth)
	case map[string]string:
		table := c.state.CreateTable(0, len(v))
		for key, item := range v {
			table.RawSetString(key, glua.LString(item))
		}
		return table, nil
	case []any:
		return c.inList(v, depth)
	}
	if n, ok := floatOf(value); ok {
		return glua.LNumber(n), nil
	}
	return nil, fmt.Errorf("a %T", value)
}

func (c *converter) inMap(m map[string]any, depth int) (glua.LValue, error) {
	if err := c.meter.keep(int64(len(m)) * bytesOfEntry); err != nil {
		return nil, err
	}
	table := c.state.CreateTable(0, len(m))
	c.origin[table] = m
	for _, key := range slices.Sorted(maps.Keys(m)) { // pairs goes by this order: a message made of it must not change by itself
		v, err := c.in(m[key], depth+1)
		if err != nil {
			return nil, err
		}
		if v != glua.LNil {
			table.RawSetString(key, v)
		}
	}
	return table, nil
}

func (c *converter) inList(list []any, depth int) (glua.LValue, error) {
	if err := c.meter.keep(int64(len(list)) * bytesOfItem); err != nil {
		return nil, err
	}
	table := c.state.CreateTable(len(list), 0)
	c.origin[table] = list
	for i, item := range list {
		v, err := c.in(item, depth+1)
		if err != nil {
			return nil, err
		}
		table.RawSetInt(i+1, v)
	}
	return table, nil
}

// floatOf is the value of any kind of number that decoded JSON or YAML holds.
func floatOf(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int32:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// out takes a value out; former is what was in its place, which tells what kind of number it was.
func (c *converter) out(value glua.LValue, former any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("what it returned: %w, or holds itself", errDepth)
	}
	if err := c.meter.spend(1); err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case *glua.LNilType:
		return nil, nil
	case glua.LBool:
		return bool(v), nil
	case glua.LString:
		return string(v), c.meter.keep(int64(len(v)))
	case glua.LNumber:
		return outNumber(float64(v), former)
	case *glua.LTable:
		return c.outTable(v, depth)
	}
	return nil, fmt.Errorf("it returned a %s, which is no data", value.Type())
}

func outNumber(n float64, former any) (any, error) {
	if was, ok := floatOf(former); ok && was == n {
		return former, nil
	}
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		return nil, fmt.Errorf("it returned %v, which is no number that JSON knows", n)
	case n == math.Trunc(n) && math.Abs(n) < 1<<63:
		return int64(n), nil
	}
	return n, nil
}

func (c *converter) outTable(table *glua.LTable, depth int) (any, error) {
	entries := map[string]glua.LValue{}
	length, items := 0, 0
	var wrong error
	table.ForEach(func(key, value glua.LValue) {
		if wrong == nil {
			wrong = errors.Join(c.meter.spend(1), c.meter.keep(bytesOfEntry))
		}
		switch k := key.(type) {
		case glua.LString:
			entries[string(k)] = value
		case glua.LNumber:
			if k < 1 || k != glua.LNumber(math.Trunc(float64(k))) || k >= glua.LNumber(glua.MaxArrayIndex) {
				wrong = fmt.Errorf("what it returned has the index %v, which no list has", k)
				return
			}
			items++
			length = max(length, int(k))
		default:
			wrong = fmt.Errorf("what it returned has a %s as a key", key.Type())
		}
	})
	switch {
	case wrong != nil:
		return nil, wrong
	case items > 0 && len(entries) > 0:
		return nil, errors.New("what it returned has a table with names and with indexes, which is neither a map nor a list")
	case items > 0:
		return c.outList(table, length, depth)
	case len(entries) > 0:
		return c.outMap(table, entries, depth)
	}
	if _, ok := c.origin[table].([]any); ok {
		return c.outList(table, 0, depth)
	}
	return c.outMap(table, entries, depth)
}

func (c *converter) outMap(table *glua.LTable, entries map[string]glua.LValue, depth int) (any, error) {
	was, _ := c.origin[table].(map[string]any)
	out := make(map[string]any, len(entries))
	for key, value := range entries {
		item, err := c.out(value, was[key], depth+1)
		if err != nil {
			return nil, err
		}
		out[key] = item
	}
	for key, value := range was {
		if _, ok := entries[key]; !ok && value == nil {
			out[key] = nil
		}
	}
	return out, nil
}

// outList takes a list out. Only where there was a null there may be none.
func (c *converter) outList(table *glua.LTable, length, depth int) (any, error) {
	was, _ := c.origin[table].([]any)
	length += nullsAfter(was, length)
	out := make([]any, 0, length)
	for i := range length {
		value := table.RawGetInt(i + 1)
		var former any
		if i < len(was) {
			former = was[i]
		}
		if value == glua.LNil && (i >= len(was) || former != nil) {
			return nil, fmt.Errorf("what it returned has a list without an item %d but with a later one", i+1)
		}
		item, err := c.out(value, former, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

// nullsAfter is how many nulls a list ended in, if nothing else followed from that length on: Lua does not see them.
func nullsAfter(list []any, length int) int {
	if length >= len(list) {
		return 0
	}
	for _, item := range list[length:] {
		if item != nil {
			return 0
		}
	}
	return len(list) - length
}
