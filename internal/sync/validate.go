// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/json"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// provided is a kind that a custom resource definition of the plan makes.
type provided struct {
	definition object.Key
	namespaced bool
}

// definitions finds the kinds that the plan itself makes.
func definitions(steps []*plan.Step) map[schema.GroupKind]provided {
	out := map[schema.GroupKind]provided{}
	for _, s := range steps {
		if s.Desired == nil || !isDefinition(s.Key) {
			continue
		}
		group, _, _ := unstructured.NestedString(s.Desired.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(s.Desired.Object, "spec", "names", "kind")
		scope, _, _ := unstructured.NestedString(s.Desired.Object, "spec", "scope")
		out[schema.GroupKind{Group: group, Kind: kind}] = provided{definition: s.Key, namespaced: scope == "Namespaced"}
	}
	return out
}

func isDefinition(k object.Key) bool {
	return k.Group == "apiextensions.k8s.io" && k.Kind == "CustomResourceDefinition"
}

// validate checks every step before anything is done, and notes all that is wrong, not just the first. It reports
// whether the plan may begin.
func (r *run) validate() bool {
	seen := map[appearance]bool{}
	for i, s := range r.steps {
		doubtful, err := r.check(s, seen)
		if err != nil {
			r.report.fail(i, err)
		}
		if doubtful {
			r.doubtful[s] = true
		}
	}
	if !r.DryRun && !r.report.failed() {
		r.each(r.rehearsals(), r.rehearse)
	}
	return !r.report.failed()
}

// appearance is an object, as a hook of a type if it is one: an object may be a hook of several types.
type appearance struct {
	key  object.Key
	hook v1alpha1.HookType
}

func appearanceOf(s *plan.Step) appearance {
	if s.Hook == nil {
		return appearance{key: s.Key}
	}
	return appearance{s.Key, s.Hook.Type}
}

// check finds what is wrong with one step without asking the API server about the object. doubtful says that only the API
// server can tell whether it is right.
func (r *run) check(s *plan.Step, seen map[appearance]bool) (doubtful bool, err error) {
	if seen[appearanceOf(s)] {
		return false, fault.New(fault.Mistake, "apply", s.Key.String(), "", "it is in the source twice", "take one of them out")
	}
	seen[appearanceOf(s)] = true
	switch {
	case s.Action == plan.Prune && !s.Waiting:
		return false, r.Permit(s.Key, s.Key.Namespace != "")
	case s.Action != plan.Apply && s.Action != plan.Keep && s.Action != plan.Run:
		return false, nil
	case s.Desired.GetAPIVersion() == "" || s.Key.Kind == "":
		return false, fault.New(fault.Mistake, "apply", s.Key.String(), "", "it has no apiVersion or no kind", "set both")
	case s.Key.Name == "":
		return false, fault.New(fault.Mistake, "apply", s.Key.String(), "metadata.name", "it has no name",
			"set metadata.name; generateName is for hooks, and not for objects that are kept equal to a source")
	}
	if err := r.checkKind(s); err != nil || s.Action == plan.Keep {
		return false, err
	}
	return checkForm(s)
}

// checkForm checks the types of the fields of a built-in kind, and the name. Fields that are not known here are left to
// the API server, which may be newer: they make the object doubtful.
func checkForm(s *plan.Step) (doubtful bool, err error) {
	typed, err := scheme.Scheme.New(s.Desired.GroupVersionKind())
	if err != nil {
		return false, nil
	}
	if problems := validation.IsDNS1123Subdomain(s.Key.Name); len(problems) > 0 && slices.Contains([]string{"", "apps", "batch"}, s.Key.Group) {
		return false, fault.New(fault.Mistake, "apply", s.Key.String(), "metadata.name", strings.Join(problems, "; "), "choose another name")
	}
	if err := checkData(s.Key, s.Desired); err != nil {
		return false, err
	}
	raw, err := s.Desired.MarshalJSON()
	var unknown []error
	if err == nil {
		unknown, err = json.UnmarshalStrict(raw, typed)
	}
	switch {
	case err == nil:
		return len(unknown) > 0 && !s.Options.SkipValidation, nil
	case s.Key.Group == "" && s.Key.Kind == "Secret":
		return false, fault.New(fault.Mistake, "apply", s.Key.String(), "", "a value in it is of the wrong type", "values of data are base64, those of stringData text")
	}
	return false, fault.New(fault.Mistake, "apply", s.Key.String(), "", "a value in it is of the wrong type: "+err.Error(), "mend the value")
}

// checkKind checks the step's kind, its scope, and that the project permits it.
func (r *run) checkKind(s *plan.Step) error {
	namespaced, known, err := r.scope(s)
	if err != nil {
		return err
	}
	if !known {
		// The option SkipDryRunOnMissingResource: the kind may appear by itself. Its scope is what the object says.
		namespaced = s.Key.Namespace != ""
	}
	switch {
	case namespaced && s.Key.Namespace == "":
		return fault.New(fault.Mistake, "apply", s.Key.String(), "metadata.namespace", "its kind lives in namespaces, and none is given",
			"set metadata.namespace, or spec.destination.namespace of the Application")
	case !namespaced && s.Key.Namespace != "":
		return fault.New(fault.Mistake, "apply", s.Key.String(), "metadata.namespace", "its kind lives outside of namespaces", "remove metadata.namespace")
	}
	return r.Permit(s.Key, namespaced)
}

// scope returns whether the step's kind is namespaced. known is false if the kind is not served and that is accepted.
func (r *run) scope(s *plan.Step) (namespaced, known bool, err error) {
	gvk := s.Desired.GroupVersionKind()
	kind := r.target.Kind(r.ctx, gvk)
	if kind.Served {
		return kind.Namespaced, true, nil
	}
	if made, ok := r.provides[gvk.GroupKind()]; ok {
		return made.namespaced, true, nil
	}
	if !kind.Absent {
		return false, false, fault.New(fault.Retry, "apply", s.Key.String(), "", "whether its kind is served could not be told: "+kind.Why, "")
	}
	if s.Options.SkipDryRunOnMissingResource {
		return false, false, nil
	}
	return false, false, fault.New(fault.Wait, "apply", s.Key.String(), "", fmt.Sprintf("the cluster does not serve %s in version %s", gvk.GroupKind(), gvk.GroupVersion()),
		"install the CustomResourceDefinition, write a version the cluster serves, or set the sync option SkipDryRunOnMissingResource=true")
}
