// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"io"
	"strings"
	"sync"
)

// maxStderr is how much of the beginning of what a process writes to its stderr is kept: Go's reason for dying comes
// first, then the stack.
const maxStderr = 32 << 10

// stderr keeps the beginning of what a process writes there, and reads on so that it never waits.
type stderr struct {
	mu   sync.Mutex
	text []byte
}

func (s *stderr) drain(r io.Reader) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := r.Read(buffer)
		s.mu.Lock()
		if room := maxStderr - len(s.text); room > 0 {
			s.text = append(s.text, buffer[:min(n, room)]...)
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// reason returns Go's own words for why a process died, and where; "" if it said nothing. Nothing else of its stderr is
// shown: the value of a panic and arguments in a stack may be anything that a user wrote.
func (s *stderr) reason() string {
	s.mu.Lock()
	text := string(s.text)
	s.mu.Unlock()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "fatal error: "), strings.HasPrefix(line, "panic: runtime error: "), strings.HasPrefix(line, "unexpected fault address"),
			strings.HasPrefix(line, "SIG"), strings.HasPrefix(line, "runtime: out of memory"), strings.HasPrefix(line, "runtime: cannot"):
			line = clipTo(line, 200)
		case strings.HasPrefix(line, "panic: "):
			line = "panic"
		default:
			continue
		}
		if at := firstCaller(text, "goroutine "); at != "" {
			return line + " in " + at
		}
		return line
	}
	return ""
}

// firstCaller returns the function that stands first in a stack of Go behind the line that begins with mark, without its
// arguments and without the runtime's own.
func firstCaller(stack, mark string) string {
	found := false
	for line := range strings.Lines(stack) {
		if !found {
			found = strings.HasPrefix(line, mark)
			continue
		}
		i := strings.LastIndexByte(line, '(')
		if i <= 0 || line[0] == '\t' || strings.HasPrefix(line, "runtime.") || strings.HasPrefix(line, "goroutine ") {
			continue
		}
		return clipTo(line[:i], 200)
	}
	return ""
}

// outOfMemory and tooDeep recognise two reasons that are a limit that was met.
func outOfMemory(reason string) bool {
	return strings.Contains(reason, "out of memory") || strings.Contains(reason, "cannot allocate") || strings.Contains(reason, "cannot map pages")
}

func tooDeep(reason string) bool { return strings.Contains(reason, "stack overflow") }
