// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"context"
	"errors"
	"fmt"
	"time"

	glua "github.com/yuin/gopher-lua"
)

// meter counts what one run does. It is the run's context: GopherLua asks a context before every instruction whether it
// is done.
type meter struct {
	context.Context

	now           func() time.Time
	steps, memory int64
	limit         Bounds
	cause         error         // why the run ended before its end; nil while it may go on
	open, done    chan struct{} // what Done returns while the run may go on, and afterwards
}

func newMeter(ctx context.Context, bounds Bounds) *meter {
	m := &meter{Context: ctx, now: bounds.Now, steps: bounds.Steps, memory: bounds.Memory, limit: bounds, open: make(chan struct{}), done: make(chan struct{})}
	close(m.done)
	return m
}

// clockEvery is after how many steps the time is looked at. One step may copy a table of all the memory allowed, which
// takes some milliseconds.
const clockEvery = 64

// Done implements context.Context: it counts a step.
func (m *meter) Done() <-chan struct{} {
	if m.spend(1) != nil {
		return m.done
	}
	return m.open
}

// Err implements context.Context.
func (m *meter) Err() error { return m.cause }

// spend takes steps and returns why the run has to end, if it has to.
func (m *meter) spend(steps int64) error {
	before := m.steps
	m.steps -= steps
	switch {
	case m.cause != nil:
	case m.steps < 0:
		m.cause = fmt.Errorf("it takes more than %d steps", m.limit.Steps)
	case before/clockEvery != m.steps/clockEvery && m.Context.Err() != nil:
		m.cause = m.Context.Err()
		if errors.Is(m.cause, context.DeadlineExceeded) {
			m.cause = fmt.Errorf("it takes longer than %s", m.limit.Time)
		}
	}
	return m.cause
}

// keep takes memory and returns why the run has to end, if it has to.
func (m *meter) keep(bytes int64) error {
	m.memory -= bytes
	if m.memory < 0 && m.cause == nil {
		m.cause = fmt.Errorf("the values it makes take more than %d MiB", m.limit.Memory>>20)
	}
	return m.cause
}

// work takes steps for a function that L has called, and ends the run if there are none left.
func (m *meter) work(L *glua.LState, steps int) {
	if err := m.spend(int64(steps)); err != nil {
		L.RaiseError("%s", err)
	}
}

// text takes the memory of a new string of that many bytes.
func (m *meter) text(L *glua.LState, bytes int) {
	if bytes > maxString {
		L.RaiseError("a text longer than %d bytes", maxString)
	}
	if err := m.keep(int64(bytes)); err != nil {
		L.RaiseError("%s", err)
	}
}

// What values take, roughly, in GopherLua: an empty table gets room for 32 entries with the first.
const (
	bytesOfTable = 3 << 10
	bytesOfEntry = 128
	bytesOfItem  = 16
)

// operations are what metered programs get as their arguments, in the order in which rewrite.go names them.
const operations = 4

func (m *meter) operations(L *glua.LState) [operations]*glua.LFunction {
	return [operations]*glua.LFunction{L.NewFunction(m.concat), L.NewFunction(m.assign), L.NewFunction(m.table), L.NewFunction(m.index)}
}

// concat is the operator "..": its operands are the arguments.
func (m *meter) concat(L *glua.LState) int {
	result := L.Get(-1)
	for i := L.GetTop() - 1; i > 0; i-- {
		left := L.Get(i)
		if !glua.LVCanConvToString(left) || !glua.LVCanConvToString(result) {
			result = m.concatOther(L, left, result)
			continue
		}
		a, b := glua.LVAsString(left), glua.LVAsString(result)
		m.text(L, len(a)+len(b))
		result = glua.LString(a + b)
	}
	L.Push(result)
	return 1
}

// concatOther joins what is no text by its own rule for that.
func (m *meter) concatOther(L *glua.LState, left, right glua.LValue) glua.LValue {
	rule := L.GetMetaField(left, "__concat")
	if rule == glua.LNil {
		rule = L.GetMetaField(right, "__concat")
	}
	if rule.Type() != glua.LTFunction {
		L.RaiseError("attempt to concatenate a %s and a %s value", left.Type(), right.Type())
	}
	L.Push(rule)
	L.Push(left)
	L.Push(right)
	L.Call(2, 1)
	result := L.Get(-1)
	L.Pop(1)
	return result
}

// assign is the statement a[b] = c.
func (m *meter) assign(L *glua.LState) int {
	if table, ok := L.Get(1).(*glua.LTable); ok {
		m.grow(L, table, L.Get(2))
	} else { // a rule for values of its type may hand the entry on to any table
		m.entry(L, bytesOfTable+filledTo(L.Get(2)))
	}
	L.SetTable(L.Get(1), L.Get(2), L.Get(3))
	return 0
}

// grow takes the memory that an entry of a table may need. A table is filled up to the index that is assigned.
func (m *meter) grow(L *glua.LState, table *glua.LTable, key glua.LValue) {
	meta, _ := table.Metatable.(*glua.LTable)
	filled := filledTo(key)
	switch n, _ := key.(glua.LNumber); {
	case meta != nil && meta.RawGetString("__newindex") != glua.LNil: // whom it hands the entry on to is not known
		m.entry(L, bytesOfTable+filled)
	case filled > 0 && (n == 1 || table.RawGetInt(int(n)) != glua.LNil || table.RawGetInt(int(n)-1) != glua.LNil || table.RawGetInt(int(n)+1) != glua.LNil):
		m.entry(L, bytesOfItem-bytesOfEntry)
	default:
		m.entry(L, filled)
	}
}

// entry takes the memory of one entry, and more.
func (m *meter) entry(L *glua.LState, more int64) {
	if err := m.keep(bytesOfEntry + more); err != nil {
		L.RaiseError("%s", err)
	}
}

// filledTo is what a table takes that has nothing yet and is filled up to an index; 0 for what is no index.
func filledTo(key glua.LValue) int64 {
	n, ok := key.(glua.LNumber)
	if !ok || !(n >= 1) || n >= glua.LNumber(glua.MaxArrayIndex) {
		return 0
	}
	return int64(n) * bytesOfItem
}

// table takes the memory of a new table: its arguments are how many entries with a key were written, and the table, which
// may hold any number of values that a call gave.
func (m *meter) table(L *glua.LState) int {
	named, _ := L.Get(1).(glua.LNumber)
	items := 0
	if table, ok := L.Get(2).(*glua.LTable); ok {
		items = table.Len()
	}
	if err := m.keep(bytesOfTable + int64(named)*bytesOfEntry + int64(items)*bytesOfItem); err != nil {
		L.RaiseError("%s", err)
	}
	return 1
}

// index takes the memory that a new table with this index needs, which is its argument.
func (m *meter) index(L *glua.LState) int {
	if n, ok := L.Get(1).(glua.LNumber); ok && n > 1 && n < glua.LNumber(glua.MaxArrayIndex) {
		if err := m.keep(int64(n) * bytesOfItem); err != nil {
			L.RaiseError("%s", err)
		}
	}
	return 1
}
