// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

func TestForApplyStrips(t *testing.T) {
	desired := `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: child
  namespace: argocd
  uid: x
  resourceVersion: "3"
  generation: 4
  creationTimestamp: null
  managedFields: []
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
  finalizers: [resources-finalizer.argocd.argoproj.io]
spec: {project: default}
status: {sync: {status: Synced}}
`
	want := `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: child, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec: {project: default}
`
	// An Application's status is dropped even where status is compared: a source must not forge it.
	rules, err := NewRules(RuleSettings{Status: StatusCompared})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ForApply(Input{Desired: parse(t, desired), Rules: rules}, false)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(parse(t, want).Object, got.Object); d != "" {
		t.Error(d)
	}
}

func TestForApplyFoldsStringData(t *testing.T) {
	got, err := ForApply(Input{Desired: parse(t, `
apiVersion: v1
kind: Secret
metadata: {name: db}
data: {a: b2xk, none: null}
stringData: {a: new, b: two}
`)}, false)
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, "{apiVersion: v1, kind: Secret, metadata: {name: db}, data: {a: bmV3, b: dHdv, none: ''}}")
	if d := cmp.Diff(want.Object, got.Object); d != "" {
		t.Error(d)
	}
	// A value that is no text is the API server's to refuse, by name.
	got, err = ForApply(Input{Desired: parse(t, "{apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {port: 80}}")}, false)
	if err != nil {
		t.Fatal(err)
	}
	if port, _, _ := unstructured.NestedInt64(got.Object, "stringData", "port"); port != 80 {
		t.Errorf("stringData.port was not left alone: %v", got.Object)
	}
}

// The annotation is kept current while live has it, so that the three-way patch of whoever comes next is right.
func TestForApplyKeepsLastAppliedCurrent(t *testing.T) {
	desired := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: new}}")
	without := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, managedFields: [{manager: x, operation: Update}]}}")
	got, err := ForApply(Input{Desired: desired, Live: without}, false)
	if err != nil || lastAppliedText(got) != "" {
		t.Errorf("live without the annotation: %q, %v; want none written", lastAppliedText(got), err)
	}
	with := without.DeepCopy()
	with.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: `{"data":{"a":"old"}}`})
	got, err = ForApply(Input{Desired: desired, Live: with}, false)
	if err != nil {
		t.Fatal(err)
	}
	content, err := lastApplied(got)
	if d := cmp.Diff(desired.Object, content); err != nil || d != "" {
		t.Errorf("annotation is not the desired form: %v\n%s", err, d)
	}
	if r := Compare(Input{Desired: desired, Live: got, How: ServerSide}); r.Verdict != Same {
		t.Errorf("the annotation itself is compared: %+v", r.Changes)
	}
	set(t, desired, strings.Repeat("x", lastAppliedLimit), "data", "a")
	if got, err = ForApply(Input{Desired: desired, Live: with}, false); err != nil || lastAppliedText(got) != "" {
		t.Errorf("content too large for an annotation was written into one (%d bytes), %v", len(lastAppliedText(got)), err)
	}
}

func TestFolded(t *testing.T) {
	in := loadCase(t, "testdata/ownership/kubectl.txtar")
	for _, onlyHeld := range []bool{false, true} {
		entries, err := Folded(in, onlyHeld)
		if err != nil {
			t.Fatal(err)
		}
		ours, rest := split(entries)
		if len(ours) != 1 || len(rest) != 1 || rest[0].Subresource != "status" {
			t.Fatalf("entries %v", entries)
		}
		text := string(ours[0].FieldsV1.GetRawBytes())
		for field, want := range map[string]bool{"f:replicas": true, "f:minReadySeconds": true, "f:image\"": true,
			"f:progressDeadlineSeconds": false, "f:imagePullPolicy": false} {
			if strings.Contains(text, field) != want {
				t.Errorf("only held %v: our entry has %s: %v, want %v", onlyHeld, field, !want, want)
			}
		}
		checkAfterFold(t, in, entries)
	}
}

// Without last-applied nobody knows what Update entries declared: a sync by hand takes all of it over, an automated one what is
// desired.
func TestFoldedWithoutLastApplied(t *testing.T) {
	const live = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x, b: y, c: z}}"
	for _, c := range []struct {
		operation string
		onlyHeld  bool
		kept      bool
	}{{"Update", false, true}, {"Update", true, false}, {"Apply", false, true}, {"Apply", true, false}} {
		in := Input{Desired: parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}}"), Live: parse(t, live)}
		addOwner(t, in.Live, nil, owner{Manager: "helm-controller", Operation: c.operation, Fields: map[string]any{"data": map[string]any{"a": "x", "b": "y"}}})
		addOwner(t, in.Live, nil, owner{Manager: "somebody", Operation: "Update", Fields: map[string]any{"data": map[string]any{"c": "z"}}})
		entries, err := Folded(in, c.onlyHeld)
		if err != nil {
			t.Fatal(err)
		}
		ours, rest := split(entries)
		if len(ours) != 1 || len(rest) != 1 {
			t.Fatalf("%+v: entries %v", c, entries)
		}
		text := string(ours[0].FieldsV1.GetRawBytes())
		if !strings.Contains(text, "f:a") || strings.Contains(text, "f:b") != c.kept || strings.Contains(text, "f:c") {
			t.Errorf("%+v: we hold %s", c, text)
		}
	}
}

// checkAfterFold: once folded, nothing is to be adopted, and only what was declared and is no longer differs at all.
func checkAfterFold(t *testing.T, in Input, entries []metav1.ManagedFieldsEntry) {
	t.Helper()
	in.Live = in.Live.DeepCopy()
	in.Live.SetManagedFields(entries)
	takeover, err := Adoption(in)
	if err != nil || takeover.Needed() {
		t.Errorf("after the fold: %+v, %v", takeover, err)
	}
	r := Compare(in)
	if !r.NeedsConfirmation || !slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Path == "spec.minReadySeconds" }) {
		t.Errorf("after the fold: %s %+v", r.Verdict, r.Changes)
	}
}

func split(entries []metav1.ManagedFieldsEntry) (ours, rest []metav1.ManagedFieldsEntry) {
	for _, e := range entries {
		if e.Manager == Manager && e.Operation == metav1.ManagedFieldsOperationApply {
			ours = append(ours, e)
		} else {
			rest = append(rest, e)
		}
	}
	return ours, rest
}

func TestProbe(t *testing.T) {
	in := loadCase(t, "testdata/ownership/helm.txtar")
	u, err := Probe(in)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"replicas": true, "selector": true, "minReadySeconds": false, "strategy": false} {
		if _, got := u.Object["spec"].(map[string]any)[path]; got != want {
			t.Errorf("the probe has spec.%s: %v, want %v", path, got, want)
		}
	}
	if u, err := Probe(applied(t, deployment, liveDeployment)); u != nil || err != nil {
		t.Errorf("nothing to adopt, yet a probe: %v %v", u, err)
	}
}

// Server-side apply leaves no empty object behind where it takes the last field, so the probe does not either: an empty behavior
// would get other defaults than none.
func TestProbeLeavesNothingEmpty(t *testing.T) {
	const head = "apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, "
	in := Input{Desired: parse(t, "{"+head+"spec: {maxReplicas: 3, behavior: {}}}"),
		Live: parse(t, "{"+head+"spec: {maxReplicas: 3, behavior: {scaleDown: {selectPolicy: Max}}, metrics: []}}")}
	addOwner(t, in.Live, nil, owner{Manager: "helm", Operation: "Update", Fields: in.Live.DeepCopy().Object})
	u, err := Probe(in)
	if err != nil || u == nil {
		t.Fatal(u, err)
	}
	want := map[string]any{"maxReplicas": int64(3), "metrics": []any{}}
	if d := cmp.Diff(want, u.Object["spec"]); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestHowTo(t *testing.T) {
	const desired = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"
	entry := func(manager, operation string) string {
		return "{manager: " + manager + ", operation: " + operation + ", fieldsV1: {}}"
	}
	const annotated = "annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}'}, "
	for _, c := range []struct {
		name, desired, metadata string
		given, want             How
	}{
		{"no live object", desired, "", ServerSide, ServerSide},
		{"replace is replace", desired, "managedFields: []", Replace, Replace},
		{"our apply", desired, "managedFields: [" + entry(Manager, "Apply") + "]", ServerSide, ServerSide},
		{"to adopt", desired, "managedFields: [" + entry("terraform-provider-helm_v2.1", "Update") + "]", ServerSide, ServerSide},
		{"others' only", desired, "managedFields: [" + entry("kubectl-edit", "Update") + "]", ServerSide, ServerSide},
		{"none at all", desired, "managedFields: []", ServerSide, ThreeWay},
		{"ancient", desired, annotated + "managedFields: [" + entry(ancientChanges, "Update") + "]", ServerSide, ThreeWay},
		{"ancient without last-applied", desired, "managedFields: [" + entry(ancientChanges, "Update") + "]", ServerSide, ServerSide},
		{"duplicate keys", "{apiVersion: v1, kind: Service, metadata: {name: c}, spec: {ports: [{port: 80}, {port: 80, protocol: TCP}]}}",
			"", ServerSide, ThreeWay},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{Desired: parse(t, c.desired), How: c.given}
			if c.metadata != "" {
				in.Live = parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, "+c.metadata+"}}")
			}
			got, reason, err := HowTo(in)
			if err != nil || got != c.want || (got != c.given) != (reason != "") {
				t.Errorf("%s, reason %q, %v; want %s", got, reason, err, c.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	u := parse(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: web, env: [{name: A}, {name: A}], ports: [{containerPort: 53, protocol: UDP}, {containerPort: 53}], args: [x, x]}
`)
	want := []string{"spec.template.spec.containers[].env"}
	if d := cmp.Diff(want, Refused(u, nil)); d != "" {
		t.Error(d)
	}
}

// The patch removes what was applied last and is no longer wanted, and leaves what others added.
func TestThreeWayPatch(t *testing.T) {
	live := parse(t, `
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"hostNetwork":true,"containers":[{"name":"web","image":"a"}]}}'
spec: {hostNetwork: true, nodeName: n1, containers: [{name: web, image: a}, {name: mesh, image: p}]}
`)
	desired := parse(t, "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: b}]}}")
	applied, err := ForApply(Input{Desired: desired, Live: live, How: ThreeWay}, false)
	if err != nil {
		t.Fatal(err)
	}
	kind, patch, err := ThreeWayPatch(Input{Live: live}, applied)
	if err != nil || kind != types.StrategicMergePatchType {
		t.Fatal(kind, err)
	}
	current, err := json.Marshal(live.Object)
	if err != nil {
		t.Fatal(err)
	}
	after, err := strategicpatch.StrategicMergePatch(current, patch, corev1.Pod{})
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, string(after))
	want := parse(t, "{nodeName: n1, containers: [{name: web, image: b}, {name: mesh, image: p}]}")
	if d := cmp.Diff(want.Object, got.Object["spec"]); d != "" {
		t.Error(d)
	}
	if content, err := lastApplied(got); err != nil || cmp.Diff(desired.Object, content) != "" {
		t.Errorf("last-applied is not the desired form: %v %v", content, err)
	}
}

func TestThreeWayPatchOfCustomResource(t *testing.T) {
	live := parse(t, `
apiVersion: example.com/v1
kind: Thing
metadata: {name: t, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"a":1,"b":2}}'}}
spec: {a: 1, b: 2, c: 3}
`)
	desired := parse(t, "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}, spec: {a: 5}}")
	kind, patch, err := ThreeWayPatch(Input{Live: live}, desired)
	if err != nil || kind != types.MergePatchType {
		t.Fatal(kind, err)
	}
	current, err := json.Marshal(live.Object)
	if err != nil {
		t.Fatal(err)
	}
	after, err := jsonpatch.MergePatch(current, patch)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(parse(t, "{a: 5, c: 3}").Object, parse(t, string(after)).Object["spec"]); d != "" {
		t.Error(d)
	}
}
