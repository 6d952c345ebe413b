// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/term"
)

// Screen is a terminal: what was written there can be written over.
type Screen interface {
	io.Writer
	// Size returns how many columns and lines there are; 0 if that is not known.
	Size() (columns, lines int)
}

// terminal is a file that is a terminal.
type terminal struct{ *os.File }

func (t terminal) Size() (columns, lines int) {
	columns, lines, err := term.GetSize(int(t.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, lines
}

// screenOf returns the terminal that a writer is; nil if it is none, or one that understands no escape sequences.
func screenOf(w io.Writer) Screen {
	if screen, ok := w.(Screen); ok {
		return screen
	}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" {
		return terminal{file}
	}
	return nil
}

// live draws the rows of an application in place: all that fit on the screen, those that changed last first if not all do.
type live struct {
	screen Screen
	drawn  int // lines
	seen   map[rowKey]Row
	recent []rowKey // those that changed last come first
}

// draw writes the rows over those that were drawn before.
func (l *live) draw(rows []Row, now time.Time) {
	columns, lines := l.screen.Size()
	l.note(rows)
	shown := l.choose(rows, lines)
	var text []byte
	if l.drawn > 0 {
		text = fmt.Appendf(text, "\x1b[%dA\r\x1b[J", l.drawn)
	}
	all := []string{now.UTC().Format(time.RFC3339), columnsOf(header)}
	for _, row := range shown {
		all = append(all, columnsOf(row.cells()))
	}
	if hidden := len(rows) - len(shown); hidden > 0 {
		all = append(all, fmt.Sprintf("and %d more", hidden))
	}
	for _, line := range all {
		text = fmt.Appendln(text, cut(line, columns))
	}
	l.drawn = len(all)
	_, _ = l.screen.Write(text)
}

// note puts what changed before what did not.
func (l *live) note(rows []Row) {
	var changed, same []rowKey
	now := make(map[rowKey]Row, len(rows))
	for _, row := range rows {
		now[row.key()] = row
		if was, known := l.seen[row.key()]; !known || was != row {
			changed = append(changed, row.key())
		}
	}
	for _, key := range l.recent {
		if row, still := now[key]; still && l.seen[key] == row {
			same = append(same, key)
		}
	}
	l.seen, l.recent = now, slices.Concat(changed, same)
}

// around is how many lines are written beside the rows: the time, the header, how many are left out, and the cursor's.
const around = 4

// choose returns the rows that fit, in their order.
func (l *live) choose(rows []Row, lines int) []Row {
	room := max(lines-around, 1)
	if lines == 0 || len(rows) <= room {
		return rows
	}
	wanted := map[rowKey]bool{}
	for _, key := range l.recent[:min(room, len(l.recent))] {
		wanted[key] = true
	}
	var out []Row
	for _, row := range rows {
		if wanted[row.key()] && len(out) < room {
			out = append(out, row)
		}
	}
	return out
}

// cut keeps a line from being broken into two.
func cut(line string, columns int) string {
	if runes := []rune(line); columns > 0 && len(runes) > columns {
		return string(runes[:columns])
	}
	return line
}
