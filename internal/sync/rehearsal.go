// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

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
		switch s.Action {
		case plan.Apply:
			return r.doubtful[s] || !s.Creates() && !plain(s)
		case plan.Run:
			return r.doubtful[s]
		}
		return false
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

// plain reports whether a step changes an object of which the API server judges no more than was checked here: a ConfigMap
// or a Secret that may hold anything (https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/). They
// are the most of many applications, and asking about each would double the requests.
func plain(s *plan.Step) bool {
	if s.Key.Group != "" || s.Key.Kind != "ConfigMap" && s.Key.Kind != "Secret" || s.Live == nil || s.Live.Object == nil {
		return false
	}
	return opaque(s.Live.Object) && opaque(s.Desired)
}

func opaque(u *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(u.Object, "type")
	return u.Object["immutable"] != true && (kind == "" || kind == "Opaque")
}

// maxData is how much a ConfigMap or a Secret may hold, in bytes.
const maxData = 1 << 20

// checkData checks the keys and the size of a ConfigMap or a Secret.
func checkData(key object.Key, u *unstructured.Unstructured) error {
	if key.Group != "" || key.Kind != "ConfigMap" && key.Kind != "Secret" {
		return nil
	}
	size := 0
	for _, field := range []string{"data", "stringData", "binaryData"} {
		content, _ := u.Object[field].(map[string]any)
		for name, value := range content {
			if problems := validation.IsConfigMapKey(name); len(problems) > 0 {
				return fault.New(fault.Mistake, "apply", key.String(), field, "a key of it is not valid: "+strings.Join(problems, "; "), "choose another key")
			}
			text, _ := value.(string)
			if field == "binaryData" || field == "data" && key.Kind == "Secret" {
				text = text[:len(text)/4*3] // base64
			}
			size += len(text)
		}
	}
	if size > maxData {
		return fault.New(fault.Mistake, "apply", key.String(), "", "it holds more than 1 MiB", "make it smaller")
	}
	return nil
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
	if err != nil && r.target.Reason(err) == ApplyRefused && a.how == diff.ServerSide {
		_, err = a.fallBack(err)
	}
	if err == nil || r.forgiven(s, err) || r.target.Reason(err) == Invalid && a.forces() && a.creatable(err) == nil {
		return
	}
	r.report.fail(i, a.explain(err))
}

// forgiven reports whether a rehearsal failed for something that is not the object's own fault and that this very sync may mend:
// a right, a quota, a policy, a webhook that is down. Such a refusal is told when the object is written, and keeps back nothing
// but its own wave.
func (r *run) forgiven(s *plan.Step, err error) bool {
	switch r.target.Reason(err) {
	case Forbidden, QuotaExceeded, NotAdmitted, WebhookRefused, WebhookFailed:
		return true
	}
	return r.tooEarly(s, err)
}

// tooEarly reports whether a dry run failed only because nothing was done yet, or because a webhook takes no dry runs.
func (r *run) tooEarly(s *plan.Step, err error) bool {
	switch r.target.Reason(err) {
	case DryRunRefused:
		return true
	case Invalid, ApplyRefused:
		return r.redefines(s)
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

// redefines reports whether this sync changes what the kind of a step is.
func (r *run) redefines(s *plan.Step) bool {
	made, ok := r.provides[s.Key.GroupKind()]
	return ok && slices.ContainsFunc(r.steps, func(d *plan.Step) bool { return d.Action == plan.Apply && d.Key == made.definition })
}

func (r *run) makesNamespace(name string) bool {
	if r.plan.Namespace != nil && r.plan.Namespace.Name == name {
		return true
	}
	return slices.ContainsFunc(r.steps, func(s *plan.Step) bool {
		return s.Action == plan.Apply && s.Key == (object.Key{Kind: "Namespace", Name: name})
	})
}
