// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// Given returns the State of manifests that somebody gave, which are of no source: they are checked, placed, marked and
// asked about as rendered ones are. It has no commits. warnings are what was odd in the manifests.
func Given(manifests []object.Manifest, warnings []string, target Target) (*State, error) {
	encoded, err := encode(manifests)
	if err != nil {
		return nil, err
	}
	if err := withinLimits(encoded, target.Limits); err != nil {
		return nil, err
	}
	var w warner
	for _, text := range warnings {
		w.add(v1alpha1.ApplicationConditionManifestWarning, text)
	}
	objects, err := process(encoded, target, &w)
	if err != nil {
		return nil, err
	}
	return &State{Objects: objects, Warnings: w.conditions(), Digest: digestOf(objects)}, nil
}
