// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// helmHooks maps Helm's hooks to ours. Those of Helm that are not here (tests, rollbacks) never run, and a chart's
// crd-install is an ordinary object.
var helmHooks = map[string]v1alpha1.HookType{
	"pre-install":  v1alpha1.HookTypePreSync,
	"pre-upgrade":  v1alpha1.HookTypePreSync,
	"post-install": v1alpha1.HookTypePostSync,
	"post-upgrade": v1alpha1.HookTypePostSync,
	"pre-delete":   v1alpha1.HookTypePreDelete,
	"post-delete":  v1alpha1.HookTypePostDelete,
}

// hookTypes are the values of the hook annotation, without Skip.
var hookTypes = []v1alpha1.HookType{
	v1alpha1.HookTypePreSync, v1alpha1.HookTypeSync, v1alpha1.HookTypePostSync,
	v1alpha1.HookTypeSyncFail, v1alpha1.HookTypePreDelete, v1alpha1.HookTypePostDelete,
}

// deletePolicies maps the values of both annotations to policies.
var deletePolicies = map[string]v1alpha1.HookDeletePolicy{
	"HookSucceeded":        v1alpha1.HookDeletePolicyHookSucceeded,
	"HookFailed":           v1alpha1.HookDeletePolicyHookFailed,
	"BeforeHookCreation":   v1alpha1.HookDeletePolicyBeforeHookCreation,
	"hook-succeeded":       v1alpha1.HookDeletePolicyHookSucceeded,
	"hook-failed":          v1alpha1.HookDeletePolicyHookFailed,
	"before-hook-creation": v1alpha1.HookDeletePolicyBeforeHookCreation,
}

// Hooks returns the hooks an object is, and whether it is an object that takes part in a sync at all: one that is
// marked Skip and nothing else, or only with hooks that nobody knows or with hooks of Helm that never run, does not.
// Argo CD's annotation beats Helm's.
func Hooks(obj metav1.Object) (hooks []v1alpha1.HookType, takesPart bool) {
	annotations := obj.GetAnnotations()
	if text, ok := annotations[v1alpha1.AnnotationKeyHook]; ok {
		for name := range words(text) {
			if t := v1alpha1.HookType(name); slices.Contains(hookTypes, t) && !slices.Contains(hooks, t) {
				hooks = append(hooks, t)
			}
		}
		return hooks, len(hooks) > 0
	}
	text, ok := annotations[v1alpha1.AnnotationKeyHelmHook]
	if !ok {
		return nil, true
	}
	for name := range words(text) {
		switch hook, known := helmHooks[name]; {
		case known && !slices.Contains(hooks, hook):
			hooks = append(hooks, hook)
		case name == "crd-install":
			takesPart = true
		}
	}
	return hooks, takesPart || len(hooks) > 0
}

// unknownHooks names the values of Argo CD's hook annotation that are none.
func unknownHooks(obj metav1.Object) []string {
	var warnings []string
	for name := range words(obj.GetAnnotations()[v1alpha1.AnnotationKeyHook]) {
		if t := v1alpha1.HookType(name); t != v1alpha1.HookTypeSkip && !slices.Contains(hookTypes, t) {
			warnings = append(warnings, fmt.Sprintf("hook %q is not known and never runs", name))
		}
	}
	return warnings
}

// DeletePolicies returns when the object of a hook is deleted: what Argo CD's and Helm's annotations say, or
// BeforeHookCreation. A Namespace, a PersistentVolumeClaim or a CustomResourceDefinition, which would take along what it
// holds at each sync, has no policy that it does not name: it is changed in place. Warnings name values that are not known;
// they have no effect.
func DeletePolicies(obj *unstructured.Unstructured) (policies []v1alpha1.HookDeletePolicy, warnings []string) {
	for _, key := range []string{v1alpha1.AnnotationKeyHookDeletePolicy, v1alpha1.AnnotationKeyHelmHookDeletion} {
		for name := range words(obj.GetAnnotations()[key]) {
			switch policy, known := deletePolicies[name]; {
			case !known:
				warnings = append(warnings, fmt.Sprintf("%s %q is not known and has no effect", key, name))
			case !slices.Contains(policies, policy):
				policies = append(policies, policy)
			}
		}
	}
	if len(policies) == 0 && !slices.Contains(containers, obj.GroupVersionKind().GroupKind()) {
		policies = []v1alpha1.HookDeletePolicy{v1alpha1.HookDeletePolicyBeforeHookCreation}
	}
	return policies, warnings
}

// words yields what stands between commas.
func words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for word := range strings.SplitSeq(text, ",") {
			if word = strings.TrimSpace(word); word != "" && !yield(word) {
				return
			}
		}
	}
}

// phaseOf returns the phase of a sync in which a hook runs; ok is false for the hooks of a deletion.
func phaseOf(t v1alpha1.HookType) (phase v1alpha1.SyncPhase, ok bool) {
	switch t {
	case v1alpha1.HookTypePreSync, v1alpha1.HookTypeSync, v1alpha1.HookTypePostSync, v1alpha1.HookTypeSyncFail:
		return v1alpha1.SyncPhase(t), true
	}
	return "", false
}

// maxName is what the name of a Job may have, which is that of a label's value.
const maxName = 63

// generate names a hook that has generateName in place of a name: the revision, the phase and the time at which the
// operation began make it another one in each operation, as in Argo CD, and the number of the try in each try. Two hooks that
// would get the same name are told apart by a number.
func (b *builder) generate(step *Step, phase v1alpha1.SyncPhase) {
	template := step.Desired
	suffix := fmt.Sprintf("%.7s-%s-%d", b.in.Revision, phase, b.in.StartedAt.Unix())
	if b.in.Try > 0 {
		suffix += fmt.Sprintf("-%d", b.in.Try)
	}
	key := step.Key
	key.Name = template.GetGenerateName() + strings.ToLower(suffix)
	b.names[key]++
	if n := b.names[key]; n > 1 {
		suffix += fmt.Sprintf("-x%d", n)
	}
	step.Key.Name = fitting(template.GetGenerateName(), strings.ToLower(suffix))
	step.Desired = template.DeepCopy()
	step.Desired.SetName(step.Key.Name)
	remark(step.Desired)
	step.Live, step.LiveUnknown = nil, false
	step.Hook.Generated, step.Hook.template = true, template
}

// fitting puts a name together. If it would be too long its beginning is cut, with a hash of what is lost.
func fitting(prefix, suffix string) string {
	if len(prefix)+len(suffix) <= maxName {
		return prefix + suffix
	}
	hash := fnv.New32a()
	hash.Write([]byte(prefix))
	lost := fmt.Sprintf("%08x-", hash.Sum32())
	return prefix[:max(0, min(len(prefix), maxName-len(suffix)-len(lost)))] + lost + suffix
}

// remark writes the name of an object into its tracking mark, which was made before it had one.
func remark(obj *unstructured.Unstructured) {
	annotations := obj.GetAnnotations()
	id, ok := object.ParseTrackingID(annotations[v1alpha1.AnnotationKeyAppInstance])
	if !ok {
		return
	}
	id.Key.Name = obj.GetName()
	annotations[v1alpha1.AnnotationKeyAppInstance] = id.String()
	obj.SetAnnotations(annotations)
}

// WaveOf returns the wave of an object: that of its annotation, else the weight that it has as a hook of Helm. A value
// that is not a whole number counts as 0, with a warning.
func WaveOf(obj metav1.Object) (wave int, warning string) {
	for _, key := range []string{v1alpha1.AnnotationSyncWave, v1alpha1.AnnotationKeyHelmHookWeight} {
		text, ok := obj.GetAnnotations()[key]
		if !ok {
			continue
		}
		wave, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Sprintf("%s %q is not a whole number and is read as 0", key, text)
		}
		return wave, ""
	}
	return 0, ""
}

// first lists the first few of many.
func first(texts []string) string {
	const show = 10
	if len(texts) > show {
		return strings.Join(texts[:show], ", ") + fmt.Sprintf(" and %d more", len(texts)-show)
	}
	return strings.Join(texts, ", ")
}
