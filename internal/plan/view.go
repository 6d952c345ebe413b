// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// View is a plan for programs: what is done to which object, when, and why not. It holds no content of any object.
type View struct {
	// Digest names the work, as Plan.Digest does.
	Digest  object.Digest `json:"digest"`
	Summary string        `json:"summary"`
	// Namespace is the destination namespace, if it is made should it be missing.
	Namespace string      `json:"namespace,omitempty"`
	Phases    []PhaseView `json:"phases"`
	// OnFailure is carried out only if one of Phases fails.
	OnFailure *PhaseView `json:"onFailure,omitempty"`
	// Partial says that the sync is limited to a selection.
	Partial bool `json:"partial,omitempty"`
	// Approval is what an approval has to name: the digest of the deletions that wait; "" if none does.
	Approval   object.Digest                   `json:"approval,omitempty"`
	Conditions []v1alpha1.ApplicationCondition `json:"conditions,omitempty"`
	Notes      []string                        `json:"notes,omitempty"`
}

// PhaseView is a phase for programs.
type PhaseView struct {
	Name  v1alpha1.SyncPhase `json:"name"`
	Waves []WaveView         `json:"waves"`
}

// WaveView is a wave for programs.
type WaveView struct {
	Number int        `json:"number"`
	Steps  []StepView `json:"steps"`
	// Awaits says, in words for people, what is waited for behind the steps.
	Awaits []string `json:"awaits,omitempty"`
}

// StepView is a step for programs.
type StepView struct {
	// Action is "create" for an apply of what is known not to be there, else the step's action.
	Action    Action    `json:"action"`
	Group     string    `json:"group,omitempty"`
	Version   string    `json:"version,omitempty"`
	Kind      string    `json:"kind"`
	Namespace string    `json:"namespace,omitempty"`
	Name      string    `json:"name"`
	Source    string    `json:"source,omitempty"` // file and line
	Waiting   bool      `json:"waiting,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	How       []string  `json:"how,omitempty"` // what is out of the ordinary, in words for people
	Hook      *HookView `json:"hook,omitempty"`
}

// HookView says how an object is a hook.
type HookView struct {
	Type           v1alpha1.HookType           `json:"type"`
	DeletePolicies []v1alpha1.HookDeletePolicy `json:"deletePolicies,omitempty"`
	Generated      bool                        `json:"generated,omitempty"`
}

// View returns the plan for programs.
func (p *Plan) View() View {
	v := View{
		Digest: p.Digest(), Summary: p.Summary(), Phases: []PhaseView{}, Partial: p.Partial, Approval: p.WaitingDigest(),
		Conditions: p.Conditions, Notes: p.Notes,
	}
	if p.Namespace != nil {
		v.Namespace = p.Namespace.Name
	}
	for i := range p.Phases {
		v.Phases = append(v.Phases, p.Phases[i].view())
	}
	if p.OnFailure != nil {
		failure := p.OnFailure.view()
		v.OnFailure = &failure
	}
	return v
}

func (p *Phase) view() PhaseView {
	v := PhaseView{Name: p.Name}
	for i := range p.Waves {
		wave := WaveView{Number: p.Waves[i].Number, Awaits: p.Waves[i].awaits()}
		for j := range p.Waves[i].Steps {
			wave.Steps = append(wave.Steps, p.Waves[i].Steps[j].view())
		}
		v.Waves = append(v.Waves, wave)
	}
	return v
}

func (s *Step) view() StepView {
	v := StepView{
		Action: s.Action, Group: s.Key.Group, Version: s.Version, Kind: s.Key.Kind, Namespace: s.Key.Namespace, Name: s.Key.Name,
		Waiting: s.Waiting, Reason: s.Reason, How: s.how(),
	}
	if s.Creates() {
		v.Action = "create"
	}
	if s.Origin.File != "" {
		v.Source = s.Origin.String()
	}
	if s.Hook != nil {
		v.Hook = &HookView{Type: s.Hook.Type, DeletePolicies: s.Hook.Policies, Generated: s.Hook.Generated}
	}
	return v
}
