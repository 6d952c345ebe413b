// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// life is one object's life.
type life struct {
	*agreement
	w      *world
	base   base
	grower grower
}

func (w *world) live(t *testing.T, seed int) {
	rng := rand.New(rand.NewPCG(uint64(seed), 7))
	b := w.kinds[seed%len(w.kinds)]
	a := &agreement{T: t, verdicts: map[Verdict]int{}, client: w.client, schema: b.schema, rng: rng, name: fmt.Sprintf("life-%d", seed),
		namespace: pick(rng, w.quiet, w.mutated), writer: pick(rng, "apply", "apply", "kubectl", "helm", "argocd", "helm4", "flux", "replace", "nobody")}
	if clusterScoped[b.object.GetKind()] {
		a.namespace = ""
	}
	l := &life{agreement: a, w: w, base: b, grower: grower{rng}}
	l.run()
	w.mu.Lock()
	defer w.mu.Unlock()
	for v, n := range a.verdicts {
		w.verdicts[v] += n
	}
}

var clusterScoped = map[string]bool{"PersistentVolume": true, "IngressClass": true, "ClusterRole": true, "PriorityClass": true, "StorageClass": true, "CSIDriver": true,
	"RuntimeClass": true, "ValidatingWebhookConfiguration": true, "ValidatingAdmissionPolicy": true, "CustomResourceDefinition": true}

func (l *life) run() {
	l.automated = l.rng.IntN(4) == 0
	desired := l.base.object.DeepCopy()
	desired.SetName(l.name)
	if desired.GetKind() == "CustomResourceDefinition" {
		l.name = "nones" + l.name[5:] + ".none.example.com"
		desired.SetName(l.name)
		for field, v := range map[string]string{"plural": "nones" + strings.TrimSuffix(l.name[5:], ".none.example.com"), "kind": "None" + l.name[5:9]} {
			if err := unstructured.SetNestedField(desired.Object, v, "spec", "names", field); err != nil {
				l.Fatal(err)
			}
		}
		l.base.object = desired.DeepCopy()
	}
	desired.SetNamespace(l.namespace)
	desired = l.grown(desired, 1+l.rng.IntN(8))
	if l.rng.IntN(4) == 0 {
		l.ignoreSome(desired)
	}
	earlier := desired
	if l.rng.IntN(3) > 0 {
		earlier = l.changed(desired)
	}
	if !l.begin(earlier) {
		return
	}
	var accepted *Accepted
	for range 3 {
		for range l.rng.IntN(3) {
			l.trouble(desired)
		}
		again := l.compare(desired, accepted)
		if again == nil {
			return
		}
		accepted = again
		if l.rng.IntN(2) == 0 {
			desired, accepted = l.changed(desired), nil
		}
	}
}

// ignoreSome makes rules that ignore one or two fields of desired.
func (l *life) ignoreSome(desired *unstructured.Unstructured) {
	var paths [][]any
	eachPath(desired.Object, nil, func(path []any) {
		inList := slices.ContainsFunc(path, func(step any) bool { _, isPlace := step.(int); return isPlace })
		identity := len(path) == 2 && (path[1] == "name" || path[1] == "namespace" || path[1] == "creationTimestamp")
		if len(path) > 1 && !inList && !identity {
			paths = append(paths, path)
		}
	})
	if len(paths) == 0 {
		return
	}
	var pointers []string
	for range 1 + l.rng.IntN(2) {
		path := paths[l.rng.IntN(len(paths))]
		l.ignored = append(l.ignored, path)
		var b strings.Builder
		for _, step := range path {
			b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step.(string)))
		}
		pointers = append(pointers, b.String())
	}
	l.respect = l.rng.IntN(2) == 0
	l.log = append(l.log, fmt.Sprintf("ignoring %v, respected %v", pointers, l.respect))
	rules, err := NewRules(RuleSettings{Ignore: []v1alpha1.ResourceIgnoreDifferences{{Group: "*", Kind: "*", JSONPointers: pointers}}})
	if err != nil {
		l.Fatal(err)
	}
	l.rules = rules
}

// begin writes the object as its earlier writer would have.
func (l *life) begin(earlier *unstructured.Unstructured) bool {
	if err := l.tryWrite(earlier); err != nil {
		l.refuse(err)
		return false
	}
	if clusterScoped[earlier.GetKind()] {
		l.Cleanup(func() {
			if err := l.resource(earlier).Delete(l.T.Context(), l.name, metav1.DeleteOptions{}); err != nil && l.T.Context().Err() == nil {
				l.Logf("clean up: %v", err)
			}
		})
	}
	return true
}

func (l *life) refuse(err error) {
	l.w.mu.Lock()
	l.w.refused++
	l.w.mu.Unlock()
	// Elements without a key: server-side apply refuses them, and neither kubectl nor we can patch them.
	noKey := strings.Contains(err.Error(), "failed to create typed patch object") || strings.Contains(err.Error(), "does not contain declared merge key")
	if !noKey && !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) && !apierrors.IsBadRequest(err) && !apierrors.IsConflict(err) {
		l.Errorf("%v: %v", l.log, err)
	}
}

// compare judges one pair; nil if the API server refuses the write.
func (l *life) compare(desired *unstructured.Unstructured, accepted *Accepted) *Accepted {
	for try := 1; ; try++ {
		in := Input{Desired: desired, Live: l.get(desired), How: l.how(), Schema: l.schema, Accepted: accepted, Rules: l.rules}
		learned, err := l.judgeOnce(in)
		switch {
		case err == nil:
			return learned
		case apierrors.IsConflict(err) && try < 10:
		default:
			how, reason, _ := HowTo(in)
			l.log = append(l.log, fmt.Sprintf("(written by %s: %s)", how, reason))
			l.refuse(err)
			return nil
		}
	}
}

func (l *life) judgeOnce(in Input) (*Accepted, error) {
	if err := l.judge(in); err != nil {
		return nil, err
	}
	after := in
	after.Live = l.get(in.Desired)
	accepted, ok, err := Accept(object.DigestOf(in.Desired.Object), after.Live, after)
	if err != nil || !ok {
		return nil, errors.Join(err, errors.New("nothing is accepted"))
	}
	return &accepted, nil
}

// trouble is what another hand does to the live object.
func (l *life) trouble(desired *unstructured.Unstructured) {
	live := l.get(desired)
	u := live.DeepCopy()
	u.SetResourceVersion("")
	switch l.rng.IntN(6) {
	case 0, 1:
		l.spoilOne(desired, u)
	case 2:
		if lists := listsIn(without(u.Object, noiseAndStatus, schemaOf(u, l.schema))); len(lists) > 0 {
			list := lists[l.rng.IntN(len(lists))]
			list[0], list[1] = list[1], list[0]
			l.log = append(l.log, fmt.Sprintf("swapped %v", list))
		}
	case 3:
		l.grower.grow(u.Object, l.base.typ, 0)
		l.log = append(l.log, "edited by another")
	case 4:
		manager := pick(l.rng, "another", "kustomize-controller", "third")
		l.log = append(l.log, "applied by "+manager)
		part := live.DeepCopy()
		clean(part)
		delete(part.Object, "status")
		if l.rng.IntN(2) == 0 {
			part = desired.DeepCopy() // shares all that we desire
		}
		l.grower.grow(part.Object, l.base.typ, 0)
		if _, err := l.resource(u).Apply(l.Context(), l.name, part, metav1.ApplyOptions{FieldManager: manager, Force: true}); err != nil {
			l.log = append(l.log, "(refused)")
		}
		return
	default:
		l.log = append(l.log, "labelled by another")
		labels := u.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[l.grower.word()] = "another"
		u.SetLabels(labels)
	}
	if _, err := l.resource(u).Update(l.Context(), u, metav1.UpdateOptions{FieldManager: pick(l.rng, "kubectl-edit", "controller")}); err != nil {
		l.log = append(l.log, "(refused)")
	}
}
