// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Global is an entry of globalProjects: projects whose labels the selector matches inherit the rules of Project.
type Global struct {
	Project  string
	Selector labels.Selector
}

// GlobalsOf returns the names of the projects that a project inherits from, each once, in the order of globalProjects. None
// inherits from itself.
func (s *Settings) GlobalsOf(p *v1alpha1.AppProject) []string {
	var out []string
	for _, g := range s.Globals {
		if g.Project != p.Name && g.Selector.Matches(labels.Set(p.Labels)) && !slices.Contains(out, g.Project) {
			out = append(out, g.Project)
		}
	}
	return out
}

func globals(raw string) ([]Global, error) {
	var entries []struct {
		ProjectName   string               `json:"projectName"`
		LabelSelector metav1.LabelSelector `json:"labelSelector"`
	}
	if err := yaml.Unmarshal([]byte(raw), &entries); err != nil {
		return nil, notYAML(err)
	}
	out := make([]Global, len(entries))
	for i, entry := range entries {
		selector, err := metav1.LabelSelectorAsSelector(&entry.LabelSelector)
		switch {
		case entry.ProjectName == "":
			return nil, hint{fmt.Sprintf("entry %d has no projectName", i+1), "name the project whose rules are inherited"}
		case err != nil:
			return nil, hint{"the labelSelector for " + entry.ProjectName + " cannot be used: " + err.Error(), "write matchLabels, or matchExpressions with In, NotIn, Exists or DoesNotExist"}
		}
		out[i] = Global{entry.ProjectName, selector}
	}
	return out, nil
}
