// SPDX-License-Identifier: Apache-2.0

package application

import (
	"errors"

	"github.com/bowline-cd/bowline/internal/fault"
)

func unsupported(name string) error {
	return &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Op: "call", Thing: name, Err: errors.New("it is not served")}
}
