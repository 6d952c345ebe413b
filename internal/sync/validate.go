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

// rehearsals returns the steps that are sent as a dry run before anything is applied: those that change what is there,
// whose refusals (an immutable field, say) only the API server knows. A step that is alone needs none, as nothing
// else would be applied before it; nor does a creation without fields that are not known here, as most mistakes are seen.
func (r *run) rehearsals() []int {
	if r.ValidateByDryRun {
		return r.indices(func(s *plan.Step) bool { return s.Action == plan.Apply || s.Action == plan.Run })
	}
	if len(r.indices(func(s *plan.Step) bool {
		return s.Action == plan.Apply || s.Action == plan.Prune || s.Action == plan.Run
	})) < 2 {
		return nil
	}
	return r.indices(func(s *plan.Step) bool {
		return s.Action == plan.Apply && (!s.Creates() || r.doubtful[s]) || s.Action == plan.Run && r.doubtful[s]
	})
}

func (r *run) indices(want func(*plan.Step) bool) []int {
	var out []int
	for i, s := range r.steps {
		if want(s) {
			out = append(out, i)
		}
	}
	return out
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

// rehearse sends one object as a dry run. What only this sync would make true does not count against it.
func (r *run) rehearse(i int) {
	s := r.steps[i]
	a, err := r.prepare(r.whole(), s)
	if err != nil {
		r.report.fail(i, err)
		return
	}
	a.dryRun, a.create = true, s.Action == plan.Run
	_, err = a.write()
	if err == nil || r.forgiven(s, err) || r.target.Reason(err) == Invalid && a.forces() && a.creatable(err) == nil {
		return
	}
	r.report.fail(i, a.explain(err))
}

// forgiven reports whether a dry run failed only because nothing was done yet, or because a webhook takes no dry runs.
func (r *run) forgiven(s *plan.Step, err error) bool {
	switch r.target.Reason(err) {
	case DryRunRefused:
		return true
	case AlreadyExists:
		return s.Action == plan.Run // the object of an earlier try, which goes before the hook is made
	case NamespaceMissing:
		return r.makesNamespace(s.Key.Namespace)
	case NoSuchKind:
		_, made := r.provides[s.Key.GroupKind()]
		return made || s.Options.SkipDryRunOnMissingResource
	}
	return false
}

func (r *run) makesNamespace(name string) bool {
	if r.plan.Namespace != nil && r.plan.Namespace.Name == name {
		return true
	}
	for _, s := range r.steps {
		if s.Action == plan.Apply && s.Key == (object.Key{Kind: "Namespace", Name: name}) {
			return true
		}
	}
	return false
}
