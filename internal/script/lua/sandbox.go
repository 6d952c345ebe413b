// SPDX-License-Identifier: Apache-2.0

package lua

import (
	glua "github.com/yuin/gopher-lua"
)

// limits of one state: calls within calls, and values on its stack.
const (
	maxCalls = 150
	maxStack = 64 << 10
)

// absent are functions of the base library that load code, print, look into the state or start the collector of the
// whole process.
var absent = []string{"dofile", "load", "loadfile", "loadstring", "module", "newproxy", "_printregs"}

// newState returns a state with the libraries that programs get.
func newState(m *meter, open bool) *glua.LState {
	L := glua.NewState(glua.Options{CallStackSize: maxCalls, RegistrySize: 256, RegistryMaxSize: maxStack, RegistryGrowStep: 4 << 10, SkipOpenLibs: true})
	library(L, glua.OpenBase)
	for _, name := range absent {
		L.SetGlobal(name, glua.LNil)
	}
	nothing := func(L *glua.LState) int { return 0 }
	functions := map[string]glua.LGFunction{
		"print": nothing, "collectgarbage": func(L *glua.LState) int { L.Push(glua.LNumber(0)); return 1 },
		"rawset": m.rawset, "require": require,
	}
	for _, name := range []string{"pcall", "xpcall"} {
		functions[name] = m.costly(L.GetGlobal(name).(*glua.LFunction).GFunction)
	}
	for name, fn := range functions {
		L.SetGlobal(name, L.NewFunction(fn))
	}
	library(L, glua.OpenTable)
	L.SetFuncs(L.GetGlobal(glua.TabLibName).(*glua.LTable), map[string]glua.LGFunction{"concat": m.tableConcat, "insert": m.tableInsert})
	L.SetGlobal(glua.OsLibName, L.SetFuncs(L.NewTable(), m.osFunctions(open)))
	if open {
		library(L, glua.OpenMath)
		L.SetFuncs(L.GetGlobal(glua.MathLibName).(*glua.LTable), map[string]glua.LGFunction{"randomseed": nothing})
		library(L, glua.OpenString)
		L.SetFuncs(L.GetGlobal(glua.StringLibName).(*glua.LTable), m.stringFunctions())
	}
	return L
}

// stepsOfCatching is what a protected call costs in steps: GopherLua writes a trace of the stack for each that fails.
const stepsOfCatching = 200

func (m *meter) costly(fn glua.LGFunction) glua.LGFunction {
	return func(L *glua.LState) int {
		m.work(L, stepsOfCatching)
		return fn(L)
	}
}

func library(L *glua.LState, open glua.LGFunction) {
	L.Push(L.NewFunction(open))
	L.Call(0, 0)
}

// require gives the libraries that are there already, by name: programs written for Argo CD ask for os.
func require(L *glua.LState) int {
	name := L.CheckString(1)
	switch name {
	case glua.OsLibName, glua.TabLibName, glua.StringLibName, glua.MathLibName:
		if lib := L.G.Global.RawGetString(name); lib != glua.LNil {
			L.Push(lib)
			return 1
		}
	}
	L.RaiseError("there is no module %q: programs have no files, and of the libraries only those of their setting", name)
	return 0
}

func (m *meter) rawset(L *glua.LState) int {
	table := L.CheckTable(1)
	key, value := L.CheckAny(2), L.CheckAny(3)
	m.grow(L, table, key)
	L.RawSet(table, key, value)
	return 0
}

func (m *meter) tableInsert(L *glua.LState) int {
	table := L.CheckTable(1)
	switch L.GetTop() {
	case 2:
		m.grow(L, table, glua.LNumber(1))
		table.Append(L.Get(2))
	case 3:
		position := L.CheckInt(2)
		m.grow(L, table, glua.LNumber(position))
		table.Insert(position, L.Get(3))
	default:
		L.RaiseError("wrong number of arguments to table.insert")
	}
	return 0
}

func (m *meter) tableConcat(L *glua.LState) int {
	table, separator := L.CheckTable(1), L.OptString(2, "")
	length := table.Len()
	from, to := max(1, L.OptInt(3, 1)), min(length, L.OptInt(4, length))
	size := 0
	var parts []byte
	for i := from; i <= to; i++ {
		value := table.RawGetInt(i)
		if !glua.LVCanConvToString(value) {
			L.RaiseError("invalid value (%s) at index %d in table for concat", value.Type(), i)
		}
		part := glua.LVAsString(value)
		size += len(part) + len(separator)
		m.work(L, 1)
		m.text(L, size-len(parts))
		if size > maxString {
			m.text(L, size)
		}
		parts = append(parts, part...)
		if i < to {
			parts = append(parts, separator...)
		}
	}
	L.Push(glua.LString(parts))
	return 1
}
