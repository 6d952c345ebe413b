// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"regexp"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// The forms in which Helm's engine reports an error.
var (
	parseForm = regexp.MustCompile(`(?s)^parse error at \((.+?):(\d+)(?::\d+)?\): (.*)$`)
	failForm  = regexp.MustCompile(`(?s)^execution error at \((.+?):(\d+)(?::\d+)?\): (.*)$`)
	// chainForm is one step on the way to the expression that failed: from a template through what it includes.
	chainForm = regexp.MustCompile(`(?m)^\s*(\S.*?):(\d+)(?::\d+)?\n\s+executing ".*?" at <(.*)>:\n\s+(.*)$`)
	// quoted is the text of a template that came from values and may hold what is in them.
	quoted = regexp.MustCompile(`(cannot parse template|error during tpl function execution for) "(?:[^"\\]|\\.)*"`)
	// surrounding is what stands around each template.
	surrounding = regexp.MustCompile(`\{\{` + enterName + ` "[^"]*"\}\}|\{\{` + leaveName + `\}\}`)
)

func isParseError(err error) bool { return strings.HasPrefix(err.Error(), "parse error ") }

// explain turns an error of the engine into one that names the file and line that failed and the expression.
func (j *job) explain(err error) error {
	text := surrounding.ReplaceAllString(err.Error(), "")
	text = quoted.ReplaceAllString(text, "$1 a text of the values")
	where := func(name, line string) string {
		if at, ok := j.places[name]; ok {
			name = at
		}
		return name + ":" + line
	}
	if m := parseForm.FindStringSubmatch(text); m != nil {
		return fault.New(fault.Mistake, "parse", "the template", where(m[1], m[2]), m[3], "correct the template")
	}
	if m := failForm.FindStringSubmatch(text); m != nil {
		return fault.New(fault.Mistake, "render", j.thing(), where(m[1], m[2]), m[3], "set what the chart asks for in the values of the source")
	}
	steps := chainForm.FindAllStringSubmatch(text, -1)
	if len(steps) == 0 {
		return fault.New(fault.Mistake, "render", j.thing(), "", oneLine(renamed(text, j.places)), "correct the template or the values")
	}
	last := steps[len(steps)-1]
	cause := "at <" + last[3] + ">: " + oneLine(last[4])
	for i := len(steps) - 2; i >= 0; i-- {
		if from := where(steps[i][1], steps[i][2]); !strings.Contains(cause, from) {
			cause += ", used at " + from
		}
	}
	return fault.New(fault.Mistake, "render", j.thing(), where(last[1], last[2]), cause, advice(last[4]))
}

// renamed puts the places of templates where their names stand.
func renamed(text string, places map[string]string) string {
	for name, at := range places {
		text = strings.ReplaceAll(text, name, at)
	}
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func advice(message string) string {
	switch {
	case strings.Contains(message, "nil pointer evaluating"), strings.Contains(message, "can't evaluate field"):
		return "set the value it asks for, or let the template do without it (with, default)"
	case strings.Contains(message, "nested reference name"), strings.Contains(message, "exceeded maximum template depth"):
		return "end the recursion of the templates"
	default:
		return "correct the template or the values"
	}
}
