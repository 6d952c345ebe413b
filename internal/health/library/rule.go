// SPDX-License-Identifier: Apache-2.0

package library

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/script/cel"
)

// none is the status of a case that says nothing: the object has no health.
const none = "none"

var verdicts = []string{
	string(v1alpha1.HealthStatusHealthy), string(v1alpha1.HealthStatusSuspended), string(v1alpha1.HealthStatusProgressing),
	string(v1alpha1.HealthStatusDegraded), none,
}

// Rule judges objects of a kind. Safe for concurrent use.
type Rule struct {
	name string

	once  sync.Once
	cases []ruleCase
	err   error
}

// ruleCase is a case, read.
type ruleCase struct {
	all, any    []test
	list        path
	some, every []test
	when, say   *cel.Program
	status      v1alpha1.HealthStatusCode
	message     message
}

// ruleFile is a file of the library.
type ruleFile struct {
	// Like names the rule that this one is the same as.
	Like  string     `json:"like"`
	Cases []caseFile `json:"cases"`
}

type caseFile struct {
	If      words  `json:"if"`    // tests that all hold
	Any     words  `json:"any"`   // tests of which one holds
	In      string `json:"in"`    // the list that some and every are about
	Some    words  `json:"some"`  // tests that all hold for one of its entries
	Every   words  `json:"every"` // tests that all hold for each of its entries, of which there is at least one
	When    string `json:"when"`  // an expression that is true
	Status  string `json:"status"`
	Message string `json:"message"`
	Say     string `json:"say"` // an expression that is the message
}

// words are one word or a list of them.
type words []string

func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// Judge returns what the rule says of an object. The error says why it cannot say anything: the object is not what its
// kind's API describes.
func (r *Rule) Judge(obj map[string]any) (Verdict, error) {
	verdict, _, err := r.judge(obj)
	return verdict, err
}

// judge also returns which case decided, -1 if none did.
func (r *Rule) judge(obj map[string]any) (verdict Verdict, decided int, err error) {
	r.once.Do(func() { r.cases, r.err = read(r.name) })
	if r.err != nil {
		return Verdict{}, -1, r.err
	}
	v := viewOf(obj)
	for i := range r.cases {
		c := &r.cases[i]
		at, err := c.holds(v)
		if err != nil {
			return Verdict{}, i, err
		}
		if at != nil {
			said, err := c.speak(at)
			return Verdict{c.status, said}, i, err
		}
	}
	return Verdict{}, -1, nil
}

// holds returns nil if the case does not hold, else what its message is about: the object, or the first entry of the
// list that is as it tests.
func (c *ruleCase) holds(v *view) (at *view, err error) {
	if !all(c.all, v) || len(c.any) > 0 && !slices.ContainsFunc(c.any, func(t test) bool { return t.holds(v) }) {
		return nil, nil
	}
	if at = c.entry(v); at == nil || c.when == nil {
		return at, nil
	}
	value, err := c.when.Eval(v.obj)
	if value != true {
		return nil, err
	}
	return at, err
}

// entry returns the first entry that some are about, or the object if the case asks for none; nil if there is none, or not
// every entry is as it should be.
func (c *ruleCase) entry(v *view) *view {
	if c.list == nil {
		return v
	}
	value, _ := c.list.in(v)
	entries, _ := value.([]any)
	var found *view
	for _, entry := range entries {
		e := v.of(entry)
		if !all(c.every, e) {
			return nil
		}
		if found == nil && all(c.some, e) {
			found = e
		}
	}
	return found
}

func all(tests []test, v *view) bool {
	for i := range tests {
		if !tests[i].holds(v) {
			return false
		}
	}
	return true
}

func (c *ruleCase) speak(v *view) (string, error) {
	if c.say == nil {
		return c.message.of(v), nil
	}
	value, err := c.say.Eval(v.obj)
	said, _ := value.(string)
	return said, err
}

// read returns the cases of the rule of a name.
func read(name string) ([]ruleCase, error) {
	data, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, err
	}
	return parse("library/"+name+".yaml", data)
}

// parse reads a file of the library. where is its name, for messages.
func parse(where string, data []byte) ([]ruleCase, error) {
	var file ruleFile
	if err := yaml.UnmarshalStrict(data, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	if file.Like != "" {
		if len(file.Cases) > 0 {
			return nil, fmt.Errorf("%s: a rule that is like another has no cases of its own", where)
		}
		return read(file.Like)
	}
	if len(file.Cases) == 0 {
		return nil, fmt.Errorf("%s: no cases", where)
	}
	cases := make([]ruleCase, len(file.Cases))
	for i, c := range file.Cases {
		if err := cases[i].read(fmt.Sprintf("%s, case %d", where, i+1), c); err != nil {
			return nil, err
		}
	}
	return cases, nil
}

func (c *ruleCase) read(where string, file caseFile) (err error) {
	if !slices.Contains(verdicts, file.Status) {
		return fmt.Errorf("%s: status %q is none of %v", where, file.Status, verdicts)
	}
	if file.Status != none {
		c.status = v1alpha1.HealthStatusCode(file.Status)
	}
	for _, part := range []struct {
		to   *[]test
		from words
	}{{&c.all, file.If}, {&c.any, file.Any}, {&c.some, file.Some}, {&c.every, file.Every}} {
		if *part.to, err = parseTests(part.from); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	if c.list, err = parsePath(file.In); err != nil {
		return fmt.Errorf("%s: in: %w", where, err)
	}
	if (c.list == nil) != (c.some == nil && c.every == nil) {
		return fmt.Errorf("%s: in, and some or every, belong together", where)
	}
	if c.when, err = expression(where, file.When); err != nil {
		return err
	}
	if c.say, err = expression(where, file.Say); err != nil {
		return err
	}
	if c.message, err = parseMessage(file.Message); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if file.Message == "" {
		c.message = speaker(slices.Concat(c.all, c.any, c.some))
	}
	return nil
}

// expression compiles one, if there is one.
func expression(where, text string) (*cel.Program, error) {
	if text == "" {
		return nil, nil
	}
	return cel.Compile(where, text, cel.Default)
}
