// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

func (a *agreement) resource(u *unstructured.Unstructured) dynamic.ResourceInterface {
	gvr, _ := meta.UnsafeGuessKindToResource(u.GroupVersionKind())
	if a.namespace == "" {
		return a.client.Resource(gvr)
	}
	return a.client.Resource(gvr).Namespace(a.namespace)
}

func (a *agreement) get(u *unstructured.Unstructured) *unstructured.Unstructured {
	return a.must(a.resource(u).Get(a.Context(), a.name, metav1.GetOptions{}))
}

// write makes the object as the earlier writer would have.
func (a *agreement) write(u *unstructured.Unstructured) {
	if err := a.tryWrite(u); err != nil {
		a.Fatalf("%v: %v", a.log, err)
	}
}

func (a *agreement) tryWrite(u *unstructured.Unstructured) error {
	a.log = append(a.log, "by "+a.writer)
	ri := a.resource(u)
	if how, _, err := HowTo(Input{Desired: u, Schema: a.schema}); err != nil {
		return err
	} else if how == ThreeWay && appliers[a.writer] != "" {
		a.writer = "argocd" // refused otherwise
	}
	if manager := appliers[a.writer]; manager != "" {
		_, err := ri.Apply(a.Context(), a.name, a.sent(Input{Desired: u, Schema: a.schema}), metav1.ApplyOptions{FieldManager: manager, Force: true})
		return err
	}
	u = u.DeepCopy()
	if a.writer == "kubectl" || a.writer == "argocd" {
		if err := setLastApplied(u); err != nil {
			return err
		}
	}
	managers := map[string]string{"kubectl": "kubectl-client-side-apply", "argocd": Manager, "helm": "helm", "replace": Manager, "nobody": "somebody"}
	_, err := ri.Create(a.Context(), u, metav1.CreateOptions{FieldManager: managers[a.writer]})
	return err
}

// appliers are the managers of the writers that apply on the server.
var appliers = map[string]string{"apply": Manager, "helm4": "helm", "flux": "kustomize-controller"}

// meddle lets another hand change something: a field that is desired, the order of a list, a field of its own, a
// field that it then shares with us. What the API server refuses is not done.
func (a *agreement) meddle(desired, live *unstructured.Unstructured) {
	u := live.DeepCopy()
	u.SetResourceVersion("") // whatever a controller has written meanwhile
	switch a.rng.IntN(5) {
	case 0:
		return
	case 1, 2:
		a.spoilOne(desired, u)
	case 3:
		if lists := listsIn(u.Object["spec"]); len(lists) > 0 {
			list := lists[a.rng.IntN(len(lists))]
			list[0], list[1] = list[1], list[0]
			a.log = append(a.log, fmt.Sprintf("swapped %v", list))
		}
	default:
		a.log = append(a.log, "shared by another")
		shared := live.DeepCopy()
		clean(shared)
		if _, err := a.resource(u).Apply(a.Context(), a.name, shared, metav1.ApplyOptions{FieldManager: "another", Force: true}); err != nil {
			a.log = append(a.log, "(refused)")
		}
		return
	}
	if _, err := a.resource(u).Update(a.Context(), u, metav1.UpdateOptions{FieldManager: "kubectl-edit"}); err != nil {
		a.log = append(a.log, "(refused)")
	}
}

func (a *agreement) spoilOne(desired, u *unstructured.Unstructured) {
	s := schemaOf(desired, a.schema)
	var paths, zeros []fieldpath.Path
	for path := range fieldsOf(desired.Object, s).Difference(noiseAndStatus).All() {
		if !isNoise(path) {
			paths = append(paths, path.Copy())
			if v, ok := lookup(desired.Object, path, s); ok && isZero(v) {
				zeros = append(zeros, path.Copy())
			}
		}
	}
	if len(zeros) > 0 && a.rng.IntN(3) == 0 {
		paths = zeros
	}
	if len(paths) == 0 {
		return
	}
	path := paths[a.rng.IntN(len(paths))]
	if !spoil(u.Object, path, s, a.rng) {
		a.fill(desired, u, path, s)
	}
	a.log = append(a.log, "changed "+pathText(path))
}

// fill gives a value to a field that desired names with a zero and that is not stored.
func (a *agreement) fill(desired, u *unstructured.Unstructured, path fieldpath.Path, s *Schema) {
	zero, ok := lookup(desired.Object, path, s)
	if !ok || !isZero(zero) || isKeyField(path) {
		return
	}
	switch zero := zero.(type) {
	case bool:
		put(u.Object, path, !zero, s)
	case string:
		put(u.Object, path, zero+"x", s)
	case int64:
		put(u.Object, path, zero+1, s)
	case nil:
		put(u.Object, path, true, s)
	}
}

func (a *agreement) sent(in Input) *unstructured.Unstructured {
	u, err := ForApply(in, a.respect)
	if err != nil {
		a.Fatal(err)
	}
	return u
}

// verdict compares with every dry run that is asked for.
func (a *agreement) verdict(in Input) (Result, error) {
	r := Compare(in)
	if !r.NeedsConfirmation {
		return r, nil
	}
	answer, err := a.put(in, r.How, true)
	if err != nil {
		return Result{}, err
	}
	if r.NeedsProbe {
		probe, err := Probe(in)
		if err != nil {
			return Result{}, err
		}
		in.Probed, err = a.resource(probe).Update(a.Context(), probe, metav1.UpdateOptions{FieldManager: Manager, DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			return Result{}, err
		}
	}
	return Confirm(in, answer), nil
}

// apply writes desired for real, adopting first.
func (a *agreement) apply(in Input) (*unstructured.Unstructured, error) {
	how, _, err := HowTo(in)
	if err != nil {
		return nil, err
	}
	entries, err := Folded(in, a.automated)
	if err != nil {
		return nil, err
	}
	if how == ServerSide && entries != nil {
		patch, err := json.Marshal([]map[string]any{
			{"op": "replace", "path": "/metadata/managedFields", "value": entries},
			{"op": "replace", "path": "/metadata/resourceVersion", "value": in.Live.GetResourceVersion()}})
		if err != nil {
			return nil, err
		}
		if in.Live, err = a.resource(in.Live).Patch(a.Context(), a.name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: Manager}); err != nil {
			return nil, err
		}
	}
	return a.put(in, how, false)
}

func (a *agreement) put(in Input, how How, dry bool) (*unstructured.Unstructured, error) {
	u := a.sent(in)
	ri := a.resource(u)
	var dryRun []string
	if dry {
		dryRun = []string{metav1.DryRunAll}
	}
	// A controller that wrote meanwhile is a conflict, and the verdict is asked for again.
	version := in.Live.GetResourceVersion()
	switch how {
	case Replace:
		u.SetResourceVersion(version)
		return ri.Update(a.Context(), u, metav1.UpdateOptions{FieldManager: Manager, DryRun: dryRun})
	case ThreeWay:
		kind, patch, err := ThreeWayPatch(in, u)
		if err != nil {
			return nil, err
		}
		if patch, err = guarded(patch, version); err != nil {
			return nil, err
		}
		return ri.Patch(a.Context(), a.name, kind, patch, metav1.PatchOptions{FieldManager: Manager, DryRun: dryRun})
	default:
		u.SetResourceVersion(version)
		return ri.Apply(a.Context(), a.name, u, metav1.ApplyOptions{FieldManager: Manager, Force: true, DryRun: dryRun})
	}
}

func guarded(patch []byte, version string) ([]byte, error) {
	var content map[string]any
	if err := json.Unmarshal(patch, &content); err != nil {
		return nil, err
	}
	if err := unstructured.SetNestedField(content, version, "metadata", "resourceVersion"); err != nil {
		return nil, err
	}
	return json.Marshal(content)
}

func (a *agreement) must(u *unstructured.Unstructured, err error) *unstructured.Unstructured {
	a.Helper()
	if err != nil {
		a.Fatalf("%v: %v", a.log, err)
	}
	return u
}

// content is what of an object counts.
func content(u *unstructured.Unstructured) map[string]any {
	u = u.DeepCopy()
	clean(u)
	delete(u.Object, "status")
	canonicalMetadata(u.Object)
	return u.Object
}

func clean(u *unstructured.Unstructured) {
	for _, name := range serverSet {
		unstructured.RemoveNestedField(u.Object, "metadata", name)
	}
	dropAnnotation(u, corev1.LastAppliedConfigAnnotation)
}

// merge adds from's fields to into's, and its list elements to into's lists.
func merge(into, from map[string]any) {
	for name, v := range from {
		switch v := v.(type) {
		case map[string]any:
			if m, ok := into[name].(map[string]any); ok {
				merge(m, v)
				continue
			}
		case []any:
			if list, ok := into[name].([]any); ok {
				into[name] = append(list, v...)
				continue
			}
		}
		into[name] = v
	}
}
