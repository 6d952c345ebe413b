// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/output"
)

// longest is how much of a parameter's value a table shows.
const longest = 80

// Parameters writes the parameters of Helm of some sources, if there are any.
func Parameters(w io.Writer, sources []v1alpha1.ApplicationSource) {
	var rows [][]string
	for _, source := range sources {
		if source.Helm == nil {
			continue
		}
		for _, p := range source.Helm.Parameters {
			rows = append(rows, []string{p.Name, clip(oneLine(p.Value))})
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(w)
	output.Table(w, []string{"NAME", "VALUE"}, rows)
}

func clip(text string) string {
	if letters := []rune(text); len(letters) > longest {
		return strings.TrimSpace(string(letters[:longest-3])) + "..."
	}
	return text
}
