// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"
)

// String prints the plan as people read it: one line per step, in order.
func (p *Plan) String() string {
	var b strings.Builder
	if p.Namespace != nil {
		fmt.Fprintf(&b, "create namespace %s if missing%s\n", p.Namespace.Name, metadataText(p.Namespace))
	}
	for _, phase := range p.Phases {
		for _, wave := range phase.Waves {
			fmt.Fprintf(&b, "phase %s, wave %d%s\n", phase.Name, wave.Number, gateText(wave))
			for i := range wave.Steps {
				fmt.Fprintf(&b, "  %s\n", wave.Steps[i].text())
			}
		}
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

func gateText(w Wave) string {
	if w.AwaitHealth {
		return ", awaited until healthy"
	}
	return ""
}

func (s *Step) text() string {
	verb := string(s.Action)
	switch {
	case s.Creates():
		verb = "create"
	case s.Waiting:
		verb = "wait"
	}
	text := fmt.Sprintf("%-6s %s", verb, s.Key)
	if how := s.how(); how != "" {
		text += " (" + how + ")"
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}

// how names what is out of the ordinary about an apply.
func (s *Step) how() string {
	if s.Action != Apply {
		return ""
	}
	var how []string
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
	return strings.Join(how, ", ")
}
