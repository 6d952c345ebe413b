// SPDX-License-Identifier: Apache-2.0

// Package cel evaluates expressions of the Common Expression Language (https://cel.dev) over one Kubernetes object.
//
// The words of this room:
//
//   - Program: an expression that was compiled once and can be evaluated by many at the same time.
//   - Bounds: how much one evaluation may cost, and how long it may take.
//
// An expression sees the object as `obj`, and as `self`, the name that Kubernetes' own expressions use. It cannot change
// it, and reaches nothing else: no clock, no file, no network. Besides the standard functions and those of the extensions
// math, bindings and two-variable comprehensions, it has the functions of functions.go and text.go, and optional fields
// (`obj.?status.?phase.orValue("")`). The library's extensions for text and lists are left out: some of their functions do
// much in one step, before a bound can end it.
package cel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/interpreter"

	"github.com/bowline-cd/bowline/internal/fault"
)

const (
	maxSource = 16 << 10 // characters of an expression
	maxNodes  = 10_000   // parts of an expression once its macros are expanded
	maxDepth  = 100      // brackets within brackets

	// checkEvery is after how many steps of a loop the time is looked at.
	checkEvery = 100
)

// Bounds of one evaluation. A bound that is zero is the default's.
type Bounds struct {
	// Cost is in units of the library: about one for each step, and one for ten characters that a step reads or makes. It
	// bounds memory too: what is made has to be made by steps.
	Cost uint64
	// Time ends what the other bounds have not ended.
	Time time.Duration
}

// Default are the bounds of an expression that nothing else is said of. Kubernetes allows an expression the same cost.
var Default = Bounds{Cost: 1_000_000, Time: time.Second}

// Program is a compiled expression. Safe for concurrent use.
type Program struct {
	where   string
	name    string // a third name of the object; "" for none
	program cel.Program
	source  *celast.SourceInfo
	limit   time.Duration
}

// Compile returns the program of an expression. where says where it stands, for messages. The error is a fault.Mistake
// that names line, column and reason of each mistake.
func Compile(where, expr string, bounds Bounds) (*Program, error) {
	return CompileAs(where, expr, "", bounds)
}

// CompileAs is Compile for an expression that calls the object by a name of its own besides obj and self.
func CompileAs(where, expr, name string, bounds Bounds) (*Program, error) {
	env, err := environment()
	if err == nil && name != "" {
		env, err = env.Extend(cel.Variable(name, cel.MapType(cel.StringType, cel.DynType)))
	}
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "set up", "the expression language", err, "")
	}
	ast, issues := env.Compile(expr)
	if err := mistakes(issues); err != nil {
		return nil, refused(where, err)
	}
	bounds = bounds.orDefault()
	program, err := env.Program(ast, cel.CostLimit(bounds.Cost), cel.CostTracking(costs{}), cel.InterruptCheckFrequency(checkEvery))
	if err != nil {
		return nil, refused(where, err)
	}
	return &Program{where: where, name: name, program: program, source: ast.NativeRep().SourceInfo(), limit: bounds.Time}, nil
}

// Eval returns the expression's value for an object: nil, bool, int64, float64, string, []any or map[string]any. Other
// values become the nearest of them: an unsigned integer an int64, bytes, times and durations a string.
//
// The error says what cannot be done, and where in the expression.
func (p *Program) Eval(obj map[string]any) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), p.limit)
	defer cancel()
	names := map[string]any{"obj": obj, "self": obj}
	if p.name != "" {
		names[p.name] = obj
	}
	out, _, err := p.program.ContextEval(ctx, names)
	if err != nil {
		return nil, p.failed(err)
	}
	value, err := plain(out)
	if err != nil {
		return nil, p.failed(err)
	}
	return value, nil
}

func (b Bounds) orDefault() Bounds {
	if b.Cost == 0 {
		b.Cost = Default.Cost
	}
	if b.Time == 0 {
		b.Time = Default.Time
	}
	return b
}

// environment is made at the first use: it costs milliseconds, which a start without expressions need not pay.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	object := cel.MapType(cel.StringType, cel.DynType)
	options := []cel.EnvOption{
		cel.Variable("obj", object),
		cel.Variable("self", object),
		cel.OptionalTypes(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxSource),
		cel.ParserRecursionLimit(maxDepth),
		cel.ExpressionNodeLimit(maxNodes),
		ext.Math(), ext.Bindings(), ext.TwoVarComprehensions(),
	}
	return cel.NewEnv(slices.Concat(options, functions(), textFunctions())...)
})

// mistakes returns what the compiler found, a line for each: "line 1, column 5: undeclared reference to 'x'".
func mistakes(issues *cel.Issues) error {
	if issues == nil || issues.Err() == nil {
		return nil
	}
	var lines []string
	for _, e := range issues.Errors() {
		lines = append(lines, fmt.Sprintf("line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, strings.TrimSpace(e.Message)))
	}
	if len(lines) == 0 {
		return issues.Err()
	}
	return errors.New(strings.Join(lines, "; "))
}

func refused(where string, cause error) error {
	return &fault.Error{Kind: fault.Mistake, Op: "compile", Thing: "the CEL expression", Where: where, Err: cause, Fix: "correct the expression"}
}

// failed says why an evaluation gave no value.
func (p *Program) failed(cause error) error {
	out := &fault.Error{Kind: fault.Mistake, Op: "evaluate", Thing: "the CEL expression", Where: p.where, Err: cause}
	var stopped interpreter.EvalCancelledError
	switch {
	case errors.As(cause, &stopped) && stopped.Cause == interpreter.CostLimitExceeded:
		out.Err, out.Fix = errors.New("it takes more steps than are allowed"), "make it simpler"
	case errors.Is(cause, context.DeadlineExceeded):
		out.Err, out.Fix = fmt.Errorf("it takes longer than %s", p.limit), "make it simpler"
	default:
		out.Err = p.located(cause)
	}
	return out
}

// located puts line and column before the cause, where they are known.
func (p *Program) located(cause error) error {
	var at *types.Err
	if !errors.As(cause, &at) || at.NodeID() == 0 {
		return cause
	}
	loc := p.source.GetStartLocation(at.NodeID())
	if loc.Line() < 1 {
		return cause
	}
	return fmt.Errorf("line %d, column %d: %w", loc.Line(), loc.Column()+1, cause)
}
