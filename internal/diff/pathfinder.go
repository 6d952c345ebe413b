// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"context"
	"time"
)

// NewPathFinder returns a PathFinder that runs expressions in this process and keeps those it has compiled. It is not
// safe for concurrent use.
func NewPathFinder() PathFinder {
	compiled := map[string]program{}
	return func(ctx context.Context, expression string, doc map[string]any, limit time.Duration) ([][]any, error) {
		p, ok := compiled[expression]
		if !ok {
			var err error
			if p, err = compileJQ(expression, false); err != nil {
				return nil, err
			}
			if len(compiled) >= maxCompiled {
				clear(compiled)
			}
			compiled[expression] = p
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		paths, err := p.paths(ctx, doc)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return paths, err
	}
}

// maxCompiled bounds how many expressions are kept.
const maxCompiled = 500
