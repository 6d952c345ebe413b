// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/itchyny/gojq"
)

// program is a jq path expression of an ignore rule. Argo CD runs it as del(expression); here the paths that del
// would delete are asked for, so that they can be named, kept and left out of ownership as well.
type program struct {
	text string
	code *gojq.Code // nil if expressions run elsewhere
}

const (
	jqTimeout = time.Second
	// patience is how long an expression may wait for a process to run in, on a machine that is very busy.
	patience = 20 * time.Second
	// maxPaths bounds what one expression may select on one object.
	maxPaths = 10_000
)

func compileJQ(expression string, elsewhere bool) (program, error) {
	if _, err := gojq.Parse(expression); err != nil {
		return program{}, fmt.Errorf("jq expression %q: %w", expression, err)
	}
	// The line break keeps a comment at the end of the expression from eating the bracket.
	query, err := gojq.Parse("path(" + expression + "\n)")
	if err != nil {
		return program{}, fmt.Errorf("jq expression %q: %w", expression, err)
	}
	p := program{text: expression}
	if elsewhere {
		return p, nil
	}
	if p.code, err = gojq.Compile(query, gojq.WithEnvironLoader(func() []string { return nil })); err != nil {
		return program{}, fmt.Errorf("jq expression %q: %w", expression, err)
	}
	return p, nil
}

// find runs an expression on doc within the time limit.
func (r *Rules) find(p program, doc map[string]any) ([][]any, error) {
	limit := r.settings.JQTimeout
	if limit == 0 {
		limit = jqTimeout
	}
	var paths [][]any
	var err error
	if p.code == nil {
		ctx, cancel := context.WithTimeout(context.Background(), limit+patience)
		defer cancel()
		paths, err = r.settings.FindPaths(ctx, p.text, doc, limit)
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		paths, err = p.paths(ctx, doc)
	}
	switch {
	case err == nil:
		return paths, nil
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("ignore rule %q did not end within %s", p.text, limit)
	default:
		return nil, fmt.Errorf("ignore rule %q fails on this object: %w", p.text, err)
	}
}

func (p program) paths(ctx context.Context, doc map[string]any) ([][]any, error) {
	var out [][]any
	iter := p.code.RunWithContext(ctx, jqInput(doc))
	for {
		v, ok := iter.Next()
		if !ok {
			return out, nil
		}
		if _, failed := v.(error); failed {
			// The object lacks what the expression enters, or has it in another form: nothing of it is ignored,
			// as in Argo CD. The text of the error quotes values and goes nowhere.
			return nil, ctx.Err()
		}
		path, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf("gave %T instead of a path", v)
		}
		if out = append(out, slicesOpened(path)...); len(out) > maxPaths {
			return nil, errors.New("selects too many fields")
		}
	}
}

// slicesOpened turns a path that ends in a slice (.a[1:3]) into the paths of its elements; other paths are kept.
func slicesOpened(path []any) [][]any {
	if len(path) == 0 {
		return nil
	}
	last, ok := path[len(path)-1].(map[string]any)
	if !ok {
		return [][]any{path}
	}
	start, _ := last["start"].(int)
	end, bounded := last["end"].(int)
	if !bounded || end > start+maxPaths {
		end = start + maxPaths
	}
	var out [][]any
	for i := start; i < end; i++ {
		out = append(out, append(append([]any{}, path[:len(path)-1]...), i))
	}
	return out
}

// jqInput copies a value into the number types that gojq knows.
func jqInput(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = jqInput(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = jqInput(e)
		}
		return out
	case int64:
		return int(v)
	default:
		return v
	}
}
