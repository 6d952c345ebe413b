// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// TestAgreesWithTheAPIServer holds verdicts against what the next write really does. For every object, every earlier
// writer and some change by another hand, the verdict (with its dry runs) is asked for, then desired is written for
// real: Same has to change nothing, Different has to change something, and afterwards everything is the same.
func TestAgreesWithTheAPIServer(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a control plane")
	}
	cluster := devcluster.Shared(t)
	config := cluster.RESTConfig()
	config.WarningHandler = rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	crd := readObject(t, "testdata/agreement/crd.yaml")
	thing := installCRD(t, client, crd)
	namespace := cluster.Namespace(t)
	verdicts := map[Verdict]int{}
	for i, pair := range readPairs(t, "testdata/agreement/objects.yaml") {
		for w, writer := range []string{"apply", "kubectl", "helm", "argocd", "helm4", "replace", "nobody"} {
			for round := range *rounds {
				name := strings.ToLower(fmt.Sprintf("%s-%d-%s-%d", pair.desired.GetKind(), i, writer, round))
				t.Run(name, func(t *testing.T) {
					a := &agreement{T: t, verdicts: verdicts, client: client, writer: writer, name: name, namespace: namespace,
						rng: rand.New(rand.NewPCG(uint64(round), uint64(100*i+w)))}
					if pair.desired.GetKind() == "Thing" {
						a.schema = thing
					}
					a.run(pair.desired.DeepCopy(), pair.extra)
				})
			}
		}
	}
	t.Logf("verdicts: %v", verdicts)
	if verdicts[Same] < 20 || verdicts[Different] < 20 {
		t.Errorf("verdicts %v: too few of a kind to prove anything", verdicts)
	}
}

type pair struct {
	desired *unstructured.Unstructured
	extra   map[string]any
}

// An object that we applied in one version and that is desired in another: what we own has other names there, so the
// dry run decides.
func TestAgreesAcrossVersions(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a control plane")
	}
	cluster := devcluster.Shared(t)
	client, err := dynamic.NewForConfig(cluster.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	const metrics = ", metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]"
	for name, c := range map[string]struct {
		spec string
		want Verdict
	}{"kept": {metrics, Same}, "changed": {", behavior: {scaleDown: {stabilizationWindowSeconds: 60}}" + metrics, Different}} {
		t.Run(name, func(t *testing.T) {
			a := &agreement{T: t, client: client, name: name, namespace: cluster.Namespace(t), verdicts: map[Verdict]int{}}
			text := "{kind: HorizontalPodAutoscaler, metadata: {name: " + name + ", namespace: " + a.namespace + "}," +
				" spec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nothing}"
			old := parse(t, text+", targetCPUUtilizationPercentage: 50}, apiVersion: autoscaling/v1}")
			a.must(a.resource(old).Apply(t.Context(), name, old, metav1.ApplyOptions{FieldManager: Manager}))
			desired := parse(t, text+c.spec+"}, apiVersion: autoscaling/v2}")
			r, err := a.verdict(Input{Desired: desired, Live: a.get(desired)})
			if err != nil || r.Verdict != c.want {
				t.Errorf("%s %+v, %v; want %s", r.Verdict, r.Changes, err, c.want)
			}
			if r := Compare(Input{Desired: desired, Live: a.get(old)}); r.Verdict != Unknown || r.ReadIn != "autoscaling/v2" {
				t.Errorf("read in the other version: %s, read in %q", r.Verdict, r.ReadIn)
			}
			if err := a.judge(Input{Desired: desired, Live: a.get(desired)}); err != nil {
				t.Error(err)
			}
		})
	}
}

func readPairs(t *testing.T, path string) []pair {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := object.ParseYAML(path, raw)
	if err != nil || len(docs)%2 != 0 {
		t.Fatal(len(docs), err)
	}
	var pairs []pair
	for i := 0; i < len(docs); i += 2 {
		pairs = append(pairs, pair{desired: &unstructured.Unstructured{Object: docs[i].Data}, extra: docs[i+1].Data})
	}
	return pairs
}

func readObject(t *testing.T, path string) *unstructured.Unstructured {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(raw))
}

func installCRD(t *testing.T, client dynamic.Interface, crd *unstructured.Unstructured) *Schema {
	t.Helper()
	ctx := t.Context()
	var def apiextensionsv1.CustomResourceDefinition
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(crd.Object, &def); err != nil {
		t.Fatal(err)
	}
	crds := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	if _, err := crds.Create(ctx, crd, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	gv := schema.GroupVersion{Group: def.Spec.Group, Version: "v1"}
	objects := client.Resource(gv.WithResource(def.Spec.Names.Plural))
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := objects.List(ctx, metav1.ListOptions{})
		return err == nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil {
		t.Fatal(err)
	}
	props, _, err := unstructured.NestedMap(versions[0].(map[string]any), "schema", "openAPIV3Schema")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ForCRD(gv.WithKind(def.Spec.Names.Kind), props, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// agreement is one object's life: written by an earlier writer, changed by another hand, compared, written by us.
type agreement struct {
	*testing.T
	client          dynamic.Interface
	schema          *Schema
	writer          string
	name, namespace string
	rng             *rand.Rand
	log             []string
	verdicts        map[Verdict]int
	// automated: fields that would vanish without having been declared are let go of, so a difference may end
	// without a change.
	automated bool
}

func (a *agreement) resource(u *unstructured.Unstructured) dynamic.ResourceInterface {
	gvr, _ := meta.UnsafeGuessKindToResource(u.GroupVersionKind())
	if a.namespace == "" {
		return a.client.Resource(gvr)
	}
	return a.client.Resource(gvr).Namespace(a.namespace)
}

func (a *agreement) run(desired *unstructured.Unstructured, extra map[string]any) {
	if a.automated = a.rng.IntN(3) == 0; a.automated {
		a.log = append(a.log, "automated")
	}
	desired.SetName(a.name)
	desired.SetNamespace(a.namespace)
	earlier := desired.DeepCopy()
	if a.rng.IntN(2) > 0 {
		merge(earlier.Object, extra)
		a.log = append(a.log, "with extra fields")
	}
	a.write(earlier)
	a.meddle(desired, a.get(desired))
	for try := 1; ; try++ {
		err := a.judge(Input{Desired: desired, Live: a.get(desired), How: a.how(), Schema: a.schema})
		if err == nil {
			return
		}
		// A controller wrote its status meanwhile.
		if !apierrors.IsConflict(err) || try == 10 {
			a.Fatalf("%v: %v", a.log, err)
		}
	}
}

func (a *agreement) how() How {
	if a.writer == "replace" {
		return Replace
	}
	return ServerSide
}

// judge asks for the verdict, writes, and holds one against the other.
func (a *agreement) judge(in Input) error {
	result, err := a.verdict(in)
	if err != nil {
		return err
	}
	after, err := a.apply(in)
	if err != nil {
		return err
	}
	before, now := content(in.Live), content(after)
	if in.How == Replace {
		// A PUT also takes away what is neither desired nor ours. That is the price of the option, not a difference.
		c, err := newComparison(in)
		if err != nil {
			return err
		}
		before, now = a.projected(c, in.Live), a.projected(c, after)
	}
	changed := cmp.Diff(before, now)
	a.verdicts[result.Verdict]++
	switch {
	case result.Verdict == Unknown:
		a.wrong(in, "unknown: %s", result.Reason)
	case result.Verdict == Same && changed != "":
		a.wrong(in, "called the same, but the write changes\n%s", changed)
	case result.Verdict == Different && changed == "" && !a.automated:
		a.wrong(in, "called different, but the write changes nothing: %+v", result.Changes)
	}
	return a.checkAfter(in, after)
}

// wrong tells of a verdict that does not agree, with all that led to it.
func (a *agreement) wrong(in Input, format string, args ...any) {
	a.Helper()
	desired, err := yaml.Marshal(in.Desired.Object)
	if err != nil {
		a.Fatal(err)
	}
	live, err := yaml.Marshal(in.Live.Object)
	if err != nil {
		a.Fatal(err)
	}
	a.Errorf("%v: %s\n--- desired\n%s--- live\n%s", a.log, fmt.Sprintf(format, args...), desired, live)
}

func (a *agreement) projected(c *comparison, u *unstructured.Unstructured) map[string]any {
	form, err := c.form(u.Object)
	if err != nil {
		a.Fatal(err)
	}
	return form
}

// checkAfter: once written, everything is the same, by the accepted form and without it.
func (a *agreement) checkAfter(in Input, after *unstructured.Unstructured) error {
	accepted, ok, err := Accept(object.DigestOf(in.Desired.Object), after, in)
	if err != nil || !ok {
		a.Errorf("%v: after the write nothing is accepted: %v", a.log, err)
	}
	in.Live = a.get(in.Desired)
	in.Accepted = nil
	r, err := a.verdict(in)
	if err != nil {
		return err
	}
	if r.Verdict == Different {
		return a.writeAgain(in, r)
	}
	if r.Verdict != Same {
		a.wrong(in, "after the write: %s: %s %+v", r.Verdict, r.Reason, r.Changes)
	}
	in.Accepted = &accepted
	if r := Compare(in); r.Verdict != Same {
		a.wrong(in, "after the write, with the accepted form: %s: %s", r.Verdict, r.Reason)
	}
	return nil
}

// writeAgain: the API server itself may need two writes (an emptied list goes with the first apply and comes back empty with
// the second). Then the second one has to change something, and after it all is the same.
func (a *agreement) writeAgain(in Input, first Result) error {
	after, err := a.apply(in)
	if err != nil {
		return err
	}
	if cmp.Diff(content(in.Live), content(after)) == "" {
		a.wrong(in, "different after the write, but another changes nothing: %+v", first.Changes)
	}
	in.Live = a.get(in.Desired)
	r, err := a.verdict(in)
	if err != nil {
		return err
	}
	if r.Verdict != Same {
		a.wrong(in, "after two writes: %s: %s %+v", r.Verdict, r.Reason, r.Changes)
	}
	return nil
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
	u, err := ForApply(in, false)
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
