// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// String prints the plan as people read it: phases and waves with one line per step, in order, and what a wave waits for
// behind its steps.
func (p *Plan) String() string {
	var b strings.Builder
	if p.Namespace != nil {
		fmt.Fprintf(&b, "create namespace %s if missing%s\n", p.Namespace.Name, metadataText(p.Namespace))
	}
	for i := range p.Phases {
		p.Phases[i].print(&b, "")
	}
	if p.OnFailure != nil {
		p.OnFailure.print(&b, "only on failure: ")
	}
	for _, c := range p.Conditions {
		fmt.Fprintf(&b, "%s: %s\n", c.Type, c.Message)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	if b.Len() == 0 {
		return "nothing to do\n"
	}
	return b.String()
}

func metadataText(n *Namespace) string {
	if n.Metadata == nil {
		return ""
	}
	return ", with its labels and annotations"
}

func (p *Phase) print(b *strings.Builder, when string) {
	for i := range p.Waves {
		wave := &p.Waves[i]
		fmt.Fprintf(b, "%sphase %s, wave %d\n", when, p.Name, wave.Number)
		for j := range wave.Steps {
			fmt.Fprintf(b, "  %s\n", wave.Steps[j].text())
		}
		if awaits := wave.awaits(); len(awaits) > 0 {
			fmt.Fprintf(b, "  %-6s %s\n", "await", strings.Join(awaits, ", "))
		}
	}
}

// awaits says what the wave waits for before anything else begins.
func (w *Wave) awaits() []string {
	var hooks, objects, prunes bool
	for i := range w.Steps {
		s := &w.Steps[i]
		hooks = hooks || s.Action == Run
		objects = objects || s.Action == Apply || s.Action == Keep
		prunes = prunes || s.Action == Prune && !s.Waiting
	}
	var out []string
	if hooks {
		out = append(out, "hooks ended")
	}
	if objects && w.AwaitHealth {
		out = append(out, "objects healthy")
	}
	if prunes && w.AwaitHealth {
		out = append(out, "pruned objects gone")
	}
	return out
}

func (s *Step) text() string {
	text := fmt.Sprintf("%-6s %s", s.verb(), s.Key)
	if how := s.how(); len(how) > 0 {
		text += " (" + strings.Join(how, ", ") + ")"
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}

// verb names the action as people see it.
func (s *Step) verb() string {
	switch {
	case s.Creates():
		return "create"
	case s.Waiting:
		return "wait"
	}
	return string(s.Action)
}

// how names what is out of the ordinary about making an object.
func (s *Step) how() []string {
	if s.Action != Apply && s.Action != Run {
		return nil
	}
	how := s.Hook.how()
	if s.Options.Replace {
		how = append(how, "replace")
	}
	if s.Options.Force {
		how = append(how, "force")
	}
	if s.Options.SkipValidation {
		how = append(how, "not validated")
	}
	if s.Shared != "" {
		how = append(how, "taken from "+s.Shared)
	}
	return how
}

// how says when the hook's object goes.
func (h *Hook) how() []string {
	if h == nil {
		return nil
	}
	if len(h.Policies) == 0 {
		return []string{"stays, and is changed in place"}
	}
	var how []string
	for _, policy := range h.Policies {
		switch {
		case policy == v1alpha1.HookDeletePolicyHookSucceeded:
			how = append(how, "deleted after success")
		case policy == v1alpha1.HookDeletePolicyHookFailed:
			how = append(how, "deleted after failure")
		case h.Generated: // there is none of this name before it
		default:
			how = append(how, "deleted before it is made again")
		}
	}
	return how
}

// Summary counts the work in one line: "2 hooks, 3 to create, 1 to prune, in 2 waves; 1 deletion waits for an approval".
func (p *Plan) Summary() string {
	counts := map[string]int{}
	for _, s := range p.Steps() {
		counts[s.verb()]++
	}
	var parts []string
	for _, c := range []struct{ verb, text string }{
		{string(Run), "%d hooks"}, {"create", "%d to create"}, {string(Apply), "%d to apply"}, {string(Keep), "%d as desired"},
		{string(Prune), "%d to prune"}, {string(Skip), "%d not pruned"}, {string(Refuse), "%d left to other applications"},
	} {
		if n := counts[c.verb]; n > 0 {
			parts = append(parts, plural(fmt.Sprintf(c.text, n), n))
		}
	}
	text := strings.Join(parts, ", ")
	if text == "" {
		text = "nothing to do"
	}
	if n := p.waves(); n > 1 {
		text += fmt.Sprintf(", in %d waves", n)
	}
	switch n := counts["wait"]; {
	case n == 1:
		text += "; 1 deletion waits for an approval"
	case n > 1:
		text += fmt.Sprintf("; %d deletions wait for an approval", n)
	}
	return text
}

// plural takes the s off the one word in our counts that has it.
func plural(text string, n int) string {
	if n == 1 {
		return strings.Replace(text, "hooks", "hook", 1)
	}
	return text
}

// waves counts the waves that do anything, those after a failure left out.
func (p *Plan) waves() (n int) {
	for i := range p.Phases {
		n += len(p.Phases[i].working())
	}
	return n
}
