// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// The forms in which Helm's engine reports an error.
var (
	parseForm = regexp.MustCompile(`(?s)^parse error at \((.+?):(\d+)(?::\d+)?\): (.*)$`)
	failForm  = regexp.MustCompile(`(?s)^execution error at \((.+?):(\d+)(?::\d+)?\): (.*)$`)
	chainForm = regexp.MustCompile(`(?m)^\s*(\S.*?):(\d+)(?::\d+)?\n\s+executing ".*?" at <(.*)>:$`)
	rawForm   = regexp.MustCompile(`template: (\S[^:]*):(\d+)(?::\d+)?: executing ".*?" at <(.*?)>: `)
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
	steps, message := stepsOf(text)
	at := -1 // the last step in a file, not in a text that tpl runs
	for i, s := range steps {
		if _, ok := j.places[s.name]; ok {
			at = i
		}
	}
	if at < 0 {
		return fault.New(fault.Mistake, "render", j.thing(), "", oneLine(text), "correct the template or the values")
	}
	cause := "at <" + steps[at].expression + ">: " + oneLine(message)
	if inner := steps[len(steps)-1]; at < len(steps)-1 {
		cause = "at <" + steps[at].expression + ">: line " + inner.line + " of the text, at <" + inner.expression + ">: " + oneLine(message)
	}
	used := []string{where(steps[at].name, steps[at].line)}
	for i := at - 1; i >= 0 && len(used) < maxSteps; i-- {
		if from := where(steps[i].name, steps[i].line); !slices.Contains(used, from) {
			used = append(used, from)
			cause += ", used at " + from
		}
	}
	return fault.New(fault.Mistake, "render", j.thing(), used[0], cause, advice(message))
}

// maxSteps bounds how much of the way to an expression is told.
const maxSteps = 5

// step is one step on the way to the expression that failed: from a template through what it includes.
type step struct{ name, line, expression string }

// stepsOf reads the way to the expression that failed, and what is wrong with it. Helm tells it in lines of its own, or,
// where it cannot, as package text/template does.
func stepsOf(text string) (steps []step, message string) {
	for _, form := range []*regexp.Regexp{chainForm, rawForm} {
		matches := form.FindAllStringSubmatchIndex(text, -1)
		for _, m := range matches {
			steps = append(steps, step{name: text[m[2]:m[3]], line: text[m[4]:m[5]], expression: text[m[6]:m[7]]})
			message = text[m[7]+len(">:"):]
		}
		if steps != nil {
			break
		}
	}
	message = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(message), "error calling tpl: "))
	return steps, message
}

// Where Helm and its YAML library put a value into the text of an error.
var (
	mismatch = regexp.MustCompile(`type mismatch on (.+?): (?s:.*)`)
	notMap   = regexp.MustCompile(`(?:cannot unmarshal yaml document: )?error unmarshaling JSON: while decoding JSON: json: cannot unmarshal (\w+) into Go value of type map\[string\]interface \{\}`)
	badKey   = regexp.MustCompile(`(unsupported map key of type: [^,]+), key: (?s:.*)`)
)

// withoutValues takes the values out of the text of an error: they may be secret.
func withoutValues(err error) error {
	text := mismatch.ReplaceAllString(err.Error(), "the values of dependency $1 are no mapping")
	text = notMap.ReplaceAllString(text, "it is no mapping but of type $1")
	return errors.New(badKey.ReplaceAllString(text, "$1"))
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
