// SPDX-License-Identifier: Apache-2.0

package application

import (
	"maps"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

// A render that calls functions whose answer differs from call to call (a random password, a certificate, the time) is
// kept as long as its inputs are the same. If what was kept is lost, the next render gives another answer although nobody
// asked for one. So a full sync notes what it was made from, and as long as that is what is desired the fields that
// nobody can repeat keep the values they have in the cluster.

// noteRendered notes what a full sync that succeeded was made from, if a part of it cannot be made again.
func (p *pass) noteRendered(state *desired.State) {
	if !volatile(state) {
		delete(p.next.Annotations, v1alpha1.AnnotationRenderedFrom)
		return
	}
	if p.next.Annotations == nil {
		p.next.Annotations = map[string]string{}
	}
	p.next.Annotations[v1alpha1.AnnotationRenderedFrom] = state.Made()
}

func volatile(state *desired.State) bool {
	return state != nil && slices.ContainsFunc(state.Objects, func(o desired.Object) bool { return len(o.Volatile) > 0 })
}

// unproven returns rules that leave out the fields whose desired value is no news: the desired state is another answer
// made from what the last full sync was made from.
func (p *pass) unproven() v1alpha1.IgnoreDifferences {
	if p.state == nil {
		return nil
	}
	fields := p.state.Unproven(p.app.Annotations[v1alpha1.AnnotationRenderedFrom])
	var rules v1alpha1.IgnoreDifferences
	for _, key := range slices.SortedFunc(maps.Keys(fields), object.Key.Compare) {
		rules = append(rules, v1alpha1.ResourceIgnoreDifferences{
			Group: key.Group, Kind: key.Kind, Namespace: key.Namespace, Name: key.Name, JSONPointers: fields[key],
		})
	}
	return rules
}
