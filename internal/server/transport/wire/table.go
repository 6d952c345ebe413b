// SPDX-License-Identifier: Apache-2.0

// Package wire turns messages of Argo CD's API into their protobuf form and back, by the table of field numbers, with plain Go
// types on the other side: a field of a message is the field of the Go type with the same name in JSON.
//
// The words of this package:
//
//   - Table: which fields a message has, with number and type.
//   - Plan: how the fields of a message are found in a Go type. It is made once for each pair.
//   - Form: how one value is written and read.
//   - Foreign: a type of Kubernetes, which brings its own protobuf form.
//
// The encoding is that of https://protobuf.dev/programming-guides/encoding. Fields that hold their zero value are left out, but
// for required ones (proto2), whose absence Argo CD's clients refuse, and pointers that are set.
package wire

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

//go:embed table.txt
var text string

// field is a field of a message in the table.
type field struct {
	number             protowire.Number
	name, typ          string
	repeated, required bool
}

// table is the table by the full names of messages.
var table = sync.OnceValue(func() map[string][]field {
	t, err := parse(text)
	if err != nil {
		panic(err)
	}
	return t
})

func parse(text string) (map[string][]field, error) {
	out := map[string][]field{}
	message := ""
	for line := range strings.Lines(text) {
		parts := strings.Fields(line)
		switch {
		case len(parts) == 0 || parts[0] == "#":
		case len(parts) == 2 && parts[0] == "message":
			message = parts[1]
			out[message] = nil
		case len(parts) == 3:
			number, err := strconv.ParseInt(parts[0], 10, 32)
			if err != nil {
				return nil, fmt.Errorf("table of the wire: %w", err)
			}
			f := field{number: protowire.Number(number), name: parts[1]}
			f.typ, f.required = strings.CutSuffix(parts[2], "!")
			f.typ, f.repeated = strings.CutSuffix(f.typ, "*")
			out[message] = append(out[message], f)
		default:
			return nil, fmt.Errorf("table of the wire: the line %q is not understood", line)
		}
	}
	return out, nil
}

// Known reports whether the table has the message.
func Known(message string) bool {
	_, ok := table()[message]
	return ok
}
