// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/output"
)

// Progress shows how an application changes. On a terminal its resources are drawn in place; elsewhere there is a line for each
// resource whose state changed since it was last told of the application.
type Progress struct {
	w    io.Writer
	live *live // nil if it is no terminal
	now  func() time.Time
	last map[rowKey]Row
}

// NewProgress returns a Progress that has been told nothing.
func NewProgress(w io.Writer, now func() time.Time) *Progress {
	p := &Progress{w: w, now: now, last: map[rowKey]Row{}}
	if screen := screenOf(w); screen != nil {
		p.live = &live{screen: screen}
	}
	return p
}

// Follow runs a wait and, when people read along, writes its progress.
func Follow(w io.Writer, format output.Format, now func() time.Time, wait func(progress func(*v1alpha1.Application)) (*v1alpha1.Application, error)) (*v1alpha1.Application, error) {
	if format != output.Wide {
		return wait(nil)
	}
	progress := NewProgress(w, now)
	defer progress.end()
	return wait(progress.Show)
}

// widths are those of TIMESTAMP and of all columns of a Row but the last. The lines come one by one, so no table can
// be laid out.
var widths = []int{22, 20, 24, 16, 32, 12, 12, 10}

// Show writes what changed.
func (p *Progress) Show(app *v1alpha1.Application) {
	rows := Rows(app)
	if p.live != nil {
		p.live.draw(rows, p.now())
		return
	}
	for _, row := range rows {
		if p.last[row.key()] == row {
			continue
		}
		if len(p.last) == 0 {
			p.line(append([]string{"TIMESTAMP"}, header...))
		}
		p.last[row.key()] = row
		p.line(append([]string{p.now().UTC().Format(time.RFC3339)}, row.cells()...))
	}
}

// end separates what was written from what comes next.
func (p *Progress) end() {
	if len(p.last) > 0 || p.live != nil && p.live.drawn > 0 {
		fmt.Fprintln(p.w)
	}
}

func (p *Progress) line(cells []string) {
	fmt.Fprintln(p.w, columnsAt(widths, cells))
}

// columnsOf is a line of a Row without TIMESTAMP.
func columnsOf(cells []string) string { return columnsAt(widths[1:], cells) }

func columnsAt(widths []int, cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		cell = output.Clean(cell)
		if i < len(widths) {
			fmt.Fprintf(&b, "%-*s ", widths[i]-1, cell)
		} else {
			b.WriteString(cell)
		}
	}
	return strings.TrimRight(b.String(), " ")
}
