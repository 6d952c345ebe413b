// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"fmt"
	"strings"
	"time"

	glua "github.com/yuin/gopher-lua"
)

// osFunctions are what is there of the library os. All times are UTC: what a program says must not depend on where
// Bowline runs.
func (m *meter) osFunctions(open bool) map[string]glua.LGFunction {
	functions := map[string]glua.LGFunction{"time": m.osTime, "date": m.osDate}
	if open {
		functions["clock"] = func(L *glua.LState) int {
			L.Push(glua.LNumber(float64(m.limit.Steps-m.steps) / 1e7))
			return 1
		}
		functions["difftime"] = func(L *glua.LState) int {
			L.Push(L.CheckNumber(1) - L.CheckNumber(2))
			return 1
		}
	}
	return functions
}

// osTime gives the seconds since 1970 of now, or of the moment that a table tells.
func (m *meter) osTime(L *glua.LState) int {
	if L.Get(1) == glua.LNil {
		L.Push(glua.LNumber(m.now().Unix()))
		return 1
	}
	table := L.CheckTable(1)
	part := func(name string, otherwise int) int {
		switch v := table.RawGetString(name); {
		case glua.LVCanConvToString(v):
			return int(glua.LVAsNumber(v))
		case otherwise < 0:
			L.RaiseError("field '%s' missing in date table", name)
		}
		return otherwise
	}
	then := time.Date(part("year", -1), time.Month(part("month", -1)), part("day", -1), part("hour", 12), part("min", 0), part("sec", 0), 0, time.UTC)
	L.Push(glua.LNumber(then.Unix()))
	return 1
}

// osDate tells a moment in the words of a format, or as a table for "*t".
func (m *meter) osDate(L *glua.LState) int {
	format := strings.TrimPrefix(L.OptString(1, "%c"), "!")
	then := m.now()
	if L.GetTop() >= 2 {
		then = time.Unix(int64(L.CheckNumber(2)), 0)
	}
	then = then.UTC()
	if strings.HasPrefix(format, "*t") {
		table := L.NewTable()
		for name, value := range map[string]int{
			"year": then.Year(), "month": int(then.Month()), "day": then.Day(), "hour": then.Hour(), "min": then.Minute(), "sec": then.Second(),
			"wday": int(then.Weekday()) + 1, "yday": then.YearDay(),
		} {
			table.RawSetString(name, glua.LNumber(value))
		}
		table.RawSetString("isdst", glua.LFalse)
		L.Push(table)
		return 1
	}
	m.text(L, len(format)*8)
	L.Push(glua.LString(told(then, format)))
	return 1
}

// layouts are the conversions of strftime (ISO C) as layouts of Go's.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'F': "2006-01-02",
	'H': "15", 'I': "03", 'm': "01", 'M': "04", 'p': "PM", 'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06",
	'Y': "2006", 'z': "-0700", 'Z': "MST",
}

func told(then time.Time, format string) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		i++
		switch layout, ok := layouts[format[i]]; {
		case ok:
			out.WriteString(then.Format(layout))
		case format[i] == 'j':
			fmt.Fprintf(&out, "%03d", then.YearDay())
		case format[i] == 's':
			fmt.Fprint(&out, then.Unix())
		case format[i] == 'w':
			fmt.Fprint(&out, int(then.Weekday()))
		case format[i] == '%':
			out.WriteByte('%')
		default:
			out.WriteByte('%')
			out.WriteByte(format[i])
		}
	}
	return out.String()
}
