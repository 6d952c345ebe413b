// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
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
	// ignored are fields that are not compared; with respect they are not written either.
	ignored [][]any
	rules   *Rules
	respect bool
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
	if in.How == Replace || len(a.ignored) > 0 && !a.respect {
		// A PUT also takes away what is neither desired nor ours, and writing what is ignored moves other fields (a DaemonSet's
		// template generation). That is the price of the option, or of the rule, and not a difference.
		c, err := newComparison(in)
		if err != nil {
			return err
		}
		before, now = a.projected(c, in.Live), a.projected(c, after)
	}
	if a.respect && in.How == ServerSide {
		a.checkRespected(in, before, now)
	}
	changed := cmp.Diff(a.unignored(before), a.unignored(now))
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

// checkRespected: a sync that respects what is ignored leaves it as it is.
func (a *agreement) checkRespected(in Input, before, now map[string]any) {
	a.Helper()
	for _, path := range a.ignored {
		was, there := at(before, path)
		is, still := at(now, path)
		if there != still || cmp.Diff(was, is) != "" {
			a.wrong(in, "the ignored field %v was %v and is %v", path, was, is)
		}
	}
}

// unignored returns content without the fields that are ignored, and what held nothing else.
func (a *agreement) unignored(content map[string]any) map[string]any {
	if len(a.ignored) == 0 {
		return content
	}
	out := runtime.DeepCopyJSON(content)
	for _, path := range a.ignored {
		for n := len(path); n > 0; n-- {
			v, there := at(out, path[:n])
			if m, isMap := v.(map[string]any); there && (n == len(path) || isMap && len(m) == 0) {
				cut(out, path[:n])
			}
		}
	}
	return out
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
	canonicalMetadata(form) // no labels are as good as empty ones
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
