// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/cli/output"
)

// syncManager is the field manager of syncs.
const syncManager = "argocd-controller"

// around is how many equal lines are shown on each side of a run of lines that differ.
const around = 3

// writeChange writes one field: its path with who set it, then what is there and what should be. Texts of several lines are shown line
// by line, with the equal lines around a difference.
func writeChange(w io.Writer, change Change) {
	fmt.Fprintf(w, "  %s%s\n", output.Clean(change.Path), heldBy(change.Owners))
	live, desired := lines(change.Live), lines(change.Desired)
	if len(live)+len(desired) <= 2 {
		printLines(w, "-", live)
		printLines(w, "+", desired)
		return
	}
	for _, l := range compareLines(live, desired) {
		fmt.Fprintf(w, "  %s %s\n", l.mark, output.Clean(l.text))
	}
}

// heldBy says who else wrote a field: the first to ask about a difference. That a sync did is no news.
func heldBy(owners []string) string {
	owners = slices.DeleteFunc(slices.Clone(owners), func(manager string) bool { return manager == syncManager })
	if len(owners) == 0 {
		return ""
	}
	return "  (set by " + output.Clean(strings.Join(owners, ", ")) + ")"
}

func printLines(w io.Writer, mark string, texts []string) {
	for _, text := range texts {
		fmt.Fprintf(w, "  %s %s\n", mark, output.Clean(text))
	}
}

// lines writes a value as YAML; an absent one has no lines.
func lines(v any) []string {
	if v == nil {
		return nil
	}
	text, ok := v.(string)
	if !ok || text == "" {
		data, err := yaml.Marshal(v)
		if err != nil {
			return []string{fmt.Sprint(v)}
		}
		text = string(data)
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

type markedLine struct{ mark, text string }

// compareLines aligns two texts by their equal beginning and end; what lies between is shown as taken out and put in.
func compareLines(live, desired []string) []markedLine {
	head := 0
	for head < len(live) && head < len(desired) && live[head] == desired[head] {
		head++
	}
	tail := 0
	for tail < len(live)-head && tail < len(desired)-head && live[len(live)-1-tail] == desired[len(desired)-1-tail] {
		tail++
	}
	var out []markedLine
	mark := func(mark string, texts []string) {
		for _, text := range texts {
			out = append(out, markedLine{mark, text})
		}
	}
	mark(" ", live[max(0, head-around):head])
	mark("-", live[head:len(live)-tail])
	mark("+", desired[head:len(desired)-tail])
	mark(" ", live[len(live)-tail:min(len(live), len(live)-tail+around)])
	return out
}
