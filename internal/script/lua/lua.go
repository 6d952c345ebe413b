// SPDX-License-Identifier: Apache-2.0

// Package lua runs the Lua programs that users write for health and actions.
//
// The words of this room:
//
//   - Program: Lua source that was compiled once and can be run by many at the same time.
//   - Bounds: how many steps, how much memory and how long one run may take, and how large its result may be.
//   - Meter: what counts steps and memory of one run, and ends it.
//
// Programs run as Argo CD runs them (docs/operator-manual/lua.md there): GopherLua, which is Lua 5.1, a fresh state for
// each run, the base library, table, and of os only time and date; with open libraries also string, math and the rest
// of os that tells times. They reach no file, no process, no environment and no network, load no code and print
// nothing: io, debug, coroutine, channel, load and the like are absent even with open libraries.
//
// GopherLua itself bounds neither memory nor the work of one library function. So what makes values grow is compiled
// into calls that the meter counts (rewrite.go), library functions that could work without end are our own
// (strings.go, pattern.go), and every instruction asks the meter.
package lua

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Bounds of one run. A bound that is zero is the default's.
type Bounds struct {
	// Steps counts instructions, and what library functions do in loops.
	Steps int64
	// Memory counts, roughly, the bytes of all values a run makes, be they alive or not.
	Memory int64
	// Time ends what the other bounds have not ended.
	Time time.Duration
	// Now is what os.time and os.date tell; nil is the wall clock.
	Now func() time.Time
}

// Default are the bounds of a program that nothing else is said of. Argo CD allows a program a second too.
var Default = Bounds{Steps: 10_000_000, Memory: 64 << 20, Time: time.Second, Now: time.Now}

const (
	maxSource  = 128 << 10 // bytes of a program
	maxNesting = 200       // brackets within brackets of a program
	maxString  = 1 << 20   // bytes of one string
	maxMessage = 1 << 10   // bytes of an error's message
)

// Program is a compiled program. Safe for concurrent use.
type Program struct {
	where string
	proto *glua.FunctionProto
	open  bool
}

// chunk is what error messages of GopherLua call the program.
const chunk = "program"

// Compile returns the program of a source. where says where it stands, for messages; openLibs gives it the standard
// libraries. The error is a fault.Mistake that names the line.
func Compile(source, where string, openLibs bool) (program *Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			program, err = nil, refused(where, fmt.Sprint(r))
		}
	}()
	if len(source) > maxSource {
		return nil, refused(where, fmt.Sprintf("it is longer than %d KiB", maxSource>>10))
	}
	if nesting(source) > maxNesting {
		return nil, refused(where, fmt.Sprintf("more than %d brackets or blocks are open at once", maxNesting))
	}
	statements, err := parse.Parse(strings.NewReader(source), chunk)
	if err != nil {
		last := 1 + strings.Count(strings.TrimSpace(source), "\n")
		return nil, refused(where, atEnd.ReplaceAllString(err.Error(), fmt.Sprintf("%s:%d: the program ends too early: ", chunk, last)))
	}
	proto, err := glua.Compile(metered(statements), chunk)
	if err != nil {
		return nil, refused(where, err.Error())
	}
	return &Program{where: where, proto: proto, open: openLibs}, nil
}

// Run runs the program with these global variables, which it may change without changing what was passed, and returns
// the first of the values that it returns: nil, bool, int64, float64, string, []any or map[string]any. What came in and
// was not touched goes out as it was: an empty list as a list, a whole number as one.
//
// The error is a fault.Mistake that names the line, whether the program failed or passed a bound; a context that has
// ended gives a fault.Retry.
func (p *Program) Run(ctx context.Context, bounds Bounds, globals map[string]any) (any, error) {
	bounds = bounds.orDefault()
	limited, cancel := context.WithTimeout(ctx, bounds.Time)
	defer cancel()
	m := newMeter(limited, bounds)
	value, err := p.run(m, globals)
	switch {
	case ctx.Err() != nil:
		return nil, &fault.Error{Kind: fault.Retry, Op: "run", Thing: "the Lua program", Where: p.where, Err: ctx.Err()}
	case m.cause != nil:
		return nil, &fault.Error{Kind: fault.Mistake, Op: "run", Thing: "the Lua program", Where: p.where, Err: m.cause, Fix: "make it simpler"}
	case err != nil:
		return nil, p.failed(err)
	}
	return value, nil
}

func (p *Program) run(m *meter, globals map[string]any) (value any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	state := newState(m, p.open)
	defer state.Close()
	c := converter{meter: m, state: state, origin: map[*glua.LTable]any{}}
	for name, global := range globals {
		v, err := c.in(global, 0)
		if err != nil {
			return nil, fmt.Errorf("%s is too large or of no known kind: %w", name, err)
		}
		state.SetGlobal(name, v)
	}
	state.SetContext(m)
	state.Push(state.NewFunctionFromProto(p.proto))
	for _, fn := range m.operations(state) {
		state.Push(fn)
	}
	if err := state.PCall(operations, 1, nil); err != nil {
		return nil, err
	}
	return c.out(state.Get(-1), nil, 0)
}

func (b Bounds) orDefault() Bounds {
	if b.Steps == 0 {
		b.Steps = Default.Steps
	}
	if b.Memory == 0 {
		b.Memory = Default.Memory
	}
	if b.Time == 0 {
		b.Time = Default.Time
	}
	if b.Now == nil {
		b.Now = Default.Now
	}
	return b
}

// nesting is how many brackets and words that open a block are not closed at the deepest place, counted without regard
// for strings and comments: it keeps the parser's recursion short.
func nesting(source string) int {
	depth, deepest := 0, 0
	for _, word := range opening.FindAllString(source, -1) {
		switch word {
		case ")", "]", "}", "end", "until":
			depth = max(0, depth-1)
		default:
			depth++
		}
		deepest = max(deepest, depth)
	}
	return deepest
}

var opening = regexp.MustCompile(`[(){}\[\]]|\b(?:function|then|do|repeat|end|until)\b|\bnot\b|\.\.|\^`)

var (
	atLine     = regexp.MustCompile(`^` + chunk + `:(\d+):\s*`)
	inSyntax   = regexp.MustCompile(`(?s)^` + chunk + ` line:(\d+)\(column:\d+\) (.*)$`)
	atEnd      = regexp.MustCompile(`^` + chunk + ` at EOF:\s*`)
	compileErr = regexp.MustCompile(`^compile error near line\((\d+)\) [^:]*: `)
)

// located takes the line out of a message of GopherLua's.
func located(message string) (line, rest string) {
	message = strings.TrimSpace(message)
	if m := inSyntax.FindStringSubmatch(message); m != nil {
		return m[1], m[2]
	}
	for _, form := range []*regexp.Regexp{atLine, compileErr} {
		if m := form.FindStringSubmatch(message); m != nil {
			return m[1], strings.TrimPrefix(message, m[0])
		}
	}
	return "", message
}

func refused(where, message string) error {
	return mistake("compile", where, message, "correct the program")
}

func (p *Program) failed(err error) error {
	message := err.Error()
	var raised *glua.ApiError
	if errors.As(err, &raised) {
		message = "it raised a value that is no text: " + raised.Object.Type().String()
		if glua.LVCanConvToString(raised.Object) {
			message = raised.Object.String()
		}
	}
	return mistake("run", p.where, message, "")
}

func mistake(op, where, message, fix string) error {
	line, message := located(message)
	if line != "" {
		where += ", line " + line
	}
	message = strings.Join(strings.Fields(message), " ")
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return fault.New(fault.Mistake, op, "the Lua program", where, message, fix)
}
