// SPDX-License-Identifier: Apache-2.0

package sync_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/sync"
	"github.com/bowline-cd/bowline/test/devcluster"
)

func TestMain(m *testing.M) { devcluster.Main(m) }

// target is a real cluster.
type target struct{ *cluster.Cluster }

func (t target) Live(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, bool) {
	live := t.Get(ctx, object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: namespace, Name: name}, gvk.Version)
	return live.Object, live.Presence != cluster.Unknown
}

func (t target) Kind(_ context.Context, gvk schema.GroupVersionKind) sync.Kind {
	res, presence, why := t.Resource(gvk)
	return sync.Kind{Served: presence == cluster.Present, Absent: presence == cluster.Absent, Namespaced: res.Namespaced, Why: why}
}

func (t target) Write(ctx context.Context, w sync.Write) (*unstructured.Unstructured, error) {
	o := cluster.WriteOptions{Manager: w.Manager, Force: w.Force, DryRun: w.DryRun}
	if w.DropUnknown {
		o.Validation = cluster.Ignore
	}
	switch u := w.Object; w.Method {
	case sync.Create:
		return t.Cluster.Create(ctx, u, o)
	case sync.Replace:
		return t.Cluster.Replace(ctx, u, o)
	case sync.Patch:
		return t.Cluster.Patch(ctx, u.GroupVersionKind(), u.GetNamespace(), u.GetName(), w.PatchType, w.Patch, o)
	default:
		return t.Cluster.Apply(ctx, u, o)
	}
}

func (t target) Delete(ctx context.Context, d sync.Deletion) error {
	return t.Cluster.Delete(ctx, d.Key, cluster.DeleteOptions{UID: d.UID, ResourceVersion: d.ResourceVersion, Owner: d.Owner,
		Check: d.Check, Propagation: d.Propagation, Version: d.Version, DryRun: d.DryRun})
}

func (t target) Reason(err error) sync.Reason {
	var e *cluster.Error
	if !errors.As(err, &e) {
		return ""
	}
	return sync.Reason(e.Reason) // the words are the same
}

// bench is one application on a real cluster.
type bench struct {
	*testing.T
	target  target
	other   dynamic.Interface // somebody who is not Bowline
	app, ns string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dev := devcluster.Shared(t)
	c, err := cluster.Open(cluster.Hub(dev.RESTConfig()), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(context.Background()) }()
	t.Cleanup(func() { c.Close(); <-ended })
	other, err := dynamic.NewForConfig(dev.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, target: target{c}, other: other, ns: dev.Namespace(t)}
	b.app = b.ns
	deadline := time.Now().Add(time.Minute) // only for a broken test
	for !b.target.Kind(t.Context(), schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}).Served {
		if time.Now().After(deadline) {
			t.Fatal("the cluster's kinds are never found out")
		}
		time.Sleep(5 * time.Millisecond)
	}
	return b
}

// parse reads a manifest as the application desires it.
func (b *bench) parse(text string) *unstructured.Unstructured {
	b.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(text, "NS", b.ns)), &u.Object); err != nil {
		b.Fatal(err)
	}
	if k := u.GetKind(); k != "Namespace" && k != "CustomResourceDefinition" && u.GetNamespace() == "" {
		u.SetNamespace(b.ns)
	}
	return u
}

func (b *bench) desired(text string) *unstructured.Unstructured {
	u := b.parse(text)
	object.Tracker{}.Mark(u, b.app, b.ns)
	return u
}

func (b *bench) live(u *unstructured.Unstructured) *unstructured.Unstructured {
	b.Helper()
	live, err := b.target.Read(b.Context(), u.GroupVersionKind(), u.GetNamespace(), u.GetName())
	if errors.Is(err, cluster.NotFound) || errors.Is(err, cluster.NoSuchKind) || errors.Is(err, cluster.NamespaceMissing) {
		return nil
	}
	if err != nil {
		b.Fatal(err)
	}
	return live
}

func (b *bench) plan(in plan.Input, desired []*unstructured.Unstructured, extra ...*unstructured.Unstructured) plan.Plan {
	b.Helper()
	in.App = b.app
	if in.Namespace == "" {
		in.Namespace = b.ns
	}
	item := func(u *unstructured.Unstructured) plan.Item {
		i := plan.Item{Key: object.KeyOf(u)}
		if live := b.live(u); live != nil {
			i.Live = &plan.Live{UID: live.GetUID(), ResourceVersion: live.GetResourceVersion(), Object: live}
		}
		return i
	}
	for _, u := range desired {
		i := item(u)
		i.Desired = u
		in.Items = append(in.Items, i)
	}
	for _, u := range extra {
		in.Items = append(in.Items, item(u))
	}
	p, err := plan.Build(in)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *bench) run(p plan.Plan, change ...func(*sync.Options)) sync.Result {
	return b.runIn(b.Context(), p, change...)
}

func (b *bench) runIn(ctx context.Context, p plan.Plan, change ...func(*sync.Options)) sync.Result {
	o := sync.Options{App: b.app, Permit: func(object.Key, bool) error { return nil }, Clock: clock.RealClock{}, Automated: true}
	for _, c := range change {
		c(&o)
	}
	return sync.Run(ctx, p, b.target, o)
}

// sync runs a sync of what is desired, and requires that it succeeds.
func (b *bench) sync(desired ...*unstructured.Unstructured) sync.Result {
	b.Helper()
	res := b.run(b.plan(plan.Input{}, desired))
	b.require(res, v1alpha1.OperationSucceeded)
	return res
}

func (b *bench) require(res sync.Result, phase v1alpha1.OperationPhase, says ...string) {
	b.Helper()
	var all strings.Builder
	for _, r := range res.Resources {
		fmt.Fprintf(&all, "%s %s: %s\n", r.Status, r.Name, r.Message)
	}
	if res.Phase != phase {
		b.Fatalf("got %s %q\n%s", res.Phase, res.Message, &all)
	}
	for _, text := range says {
		if !strings.Contains(all.String(), text) {
			b.Errorf("no message holds %q:\n%s", text, &all)
		}
	}
}

// made has another program make an object.
func (b *bench) made(u *unstructured.Unstructured, resource, manager string) {
	b.Helper()
	gvr := schema.GroupVersionResource{Group: u.GroupVersionKind().Group, Version: u.GroupVersionKind().Version, Resource: resource}
	if _, err := b.other.Resource(gvr).Namespace(u.GetNamespace()).Create(b.Context(), u, metav1.CreateOptions{FieldManager: manager}); err != nil {
		b.Fatal(err)
	}
}

func field(u *unstructured.Unstructured, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(u.Object, path...)
	return v
}

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "example.com/web:1", resources: {requests: {cpu: 1000m}}}]}
`

func TestRealObjects(t *testing.T) {
	b := newBench(t)
	objects := func(value string) []*unstructured.Unstructured {
		return []*unstructured.Unstructured{
			b.desired(web), b.desired("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: " + value + "}}"),
			b.desired("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}"),
			b.desired("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {k: " + value + "}}"),
		}
	}
	b.require(b.run(b.plan(plan.Input{}, objects("one"))), v1alpha1.OperationSucceeded,
		"deployment.apps/web created", "configmap/a created", "service/web created", "secret/s created")
	b.require(b.sync(objects("one")...), v1alpha1.OperationSucceeded,
		"deployment.apps/web unchanged", "configmap/a unchanged", "service/web unchanged", "secret/s unchanged")
	b.require(b.sync(objects("two")...), v1alpha1.OperationSucceeded, "service/web unchanged", "configmap/a configured", "secret/s configured")

	config := b.desired("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
	p := b.plan(plan.Input{Prune: true}, nil, config)
	touched := b.live(config)
	touched.SetLabels(map[string]string{"touched": "after-the-plan"})
	gvr := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	if _, err := b.other.Resource(gvr).Namespace(b.ns).Update(t.Context(), touched, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.require(b.run(p), v1alpha1.OperationSucceeded, "Pruned a")
	if left := b.live(config); left != nil && left.GetDeletionTimestamp() == nil { // foreground deletion ends by itself
		t.Error("the object is still there")
	}
}

func TestRealNamespaceWithMetadata(t *testing.T) {
	b := newBench(t)
	ns := b.ns + "-made"
	u := b.parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: " + ns + "}}")
	labels := func(l map[string]string) map[string]string {
		in := plan.Input{Namespace: ns, Options: v1alpha1.SyncOptions{"CreateNamespace=true"}, NamespaceMetadata: &v1alpha1.ManagedNamespaceMetadata{Labels: l}}
		b.require(b.run(b.plan(in, []*unstructured.Unstructured{u})), v1alpha1.OperationSucceeded)
		return b.live(b.parse("{apiVersion: v1, kind: Namespace, metadata: {name: " + ns + "}}")).GetLabels()
	}
	if got := labels(map[string]string{"team": "a", "tier": "b"}); got["team"] != "a" || got["tier"] != "b" {
		t.Errorf("got %v", got)
	}
	if got := labels(map[string]string{"team": "a"}); got["team"] != "a" || got["tier"] != "" || got["kubernetes.io/metadata.name"] != ns {
		t.Errorf("after a label was taken away: got %v", got)
	}
}

// Fields that left the source go from objects that others made, as far as they were declared.
func TestRealAdoption(t *testing.T) {
	declared := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"NS"},"data":{"stays":"1","gone":"2"}}`
	manifest := "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {ANNOTATION}}, data: {stays: '1', gone: '2'}}"
	annotated := strings.Replace(manifest, "ANNOTATION", v1alpha1.AnnotationKubectlLastApplied+": '"+declared+"'", 1)
	plain := strings.Replace(manifest, "ANNOTATION", "", 1)
	tests := []struct {
		manager, manifest string
		automated, gone   bool
	}{
		{"argocd-controller", annotated, true, true},
		{"kubectl-client-side-apply", annotated, true, true},
		{"helm", plain, true, false},
		{"helm", plain, false, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s automated=%v", tt.manager, tt.automated), func(t *testing.T) {
			b := newBench(t)
			b.made(b.parse(tt.manifest), "configmaps", tt.manager)
			want := b.desired("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {stays: '1'}}")
			res := b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{want}), func(o *sync.Options) { o.Automated = tt.automated })
			b.require(res, v1alpha1.OperationSucceeded, "took over the fields of "+tt.manager)
			live := b.live(want)
			if gone := field(live, "data", "gone") == nil; gone != tt.gone || field(live, "data", "stays") != "1" {
				t.Errorf("data = %v, want the undeclared field gone: %v", live.Object["data"], tt.gone)
			}
			if got := diff.Compare(diff.Input{Desired: want, Live: live}); got.Verdict != diff.Same {
				t.Errorf("after the sync: %s (%s) %v", got.Verdict, got.Reason, got.Changes)
			}
			b.sync(b.desired("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"))
			if field(b.live(want), "data", "stays") != nil {
				t.Error("a field that left the source after the adoption is still there")
			}
		})
	}
}

// Entries of several versions are folded too: csaupgrade alone drops those of another version, whose fields would then
// stay for ever.
func TestRealAdoptionAcrossVersions(t *testing.T) {
	b := newBench(t)
	b.made(b.parse(`
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web, labels: {dropped: "yes"}}
spec: {minReplicas: 2, maxReplicas: 3, targetCPUUtilizationPercentage: 60, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}`),
		"horizontalpodautoscalers", "kubectl-client-side-apply")
	gvr := schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
	patch := []byte(`{"spec":{"maxReplicas":4}}`)
	if _, err := b.other.Resource(gvr).Namespace(b.ns).Patch(t.Context(), "web", types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: "argocd-controller"}); err != nil {
		t.Fatal(err)
	}
	want := b.desired(`
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}`)
	byHand := func(o *sync.Options) { o.Automated = false }
	b.require(b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{want}), byHand), v1alpha1.OperationSucceeded)
	live := b.live(want)
	if label := live.GetLabels()["dropped"]; label != "" {
		t.Error("a label of the old owner stayed")
	}
	if n := field(live, "spec", "minReplicas"); n != int64(1) {
		t.Errorf("minReplicas = %v, want the default: nobody desires 2 any more", n)
	}
}

// Charts set environment variables twice; server-side apply refuses that, client-side apply does not.
func TestRealFallback(t *testing.T) {
	b := newBench(t)
	twice := func(env string) *unstructured.Unstructured {
		return b.desired(strings.Replace(web, "name: c,", "name: c, env: ["+env+"],", 1))
	}
	first := twice("{name: A, value: '1'}, {name: B, value: '1'}, {name: A, value: '2'}")
	b.require(b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{first})), v1alpha1.OperationSucceeded, "created (written as client-side apply does")
	b.require(b.sync(first), v1alpha1.OperationSucceeded, "unchanged")
	b.require(b.sync(twice("{name: A, value: '1'}, {name: A, value: '2'}")), v1alpha1.OperationSucceeded, "configured")
	env := func() string {
		containers := field(b.live(first), "spec", "template", "spec", "containers").([]any)
		return fmt.Sprint(containers[0].(map[string]any)["env"])
	}
	if got := env(); strings.Contains(got, "name:B") {
		t.Errorf("a variable that left the source is still there: %s", got)
	}
	// Once the manifest is in order the object goes back to server-side apply, and nothing of the detour stays.
	b.require(b.sync(twice("{name: C, value: '1'}")), v1alpha1.OperationSucceeded, "configured")
	if got := env(); strings.Contains(got, "name:A") || !strings.Contains(got, "name:C") {
		t.Errorf("after the manifest was put in order: %s", got)
	}
}

func TestRealDefinitionAndItsObjectsInOneSync(t *testing.T) {
	b := newBench(t)
	group := b.ns + ".example.com"
	crd := b.desired(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.NS.example.com}
spec:
  group: NS.example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}]
`)
	widget := b.desired("{apiVersion: NS.example.com/v1, kind: Widget, metadata: {name: w}, spec: {size: 3}}")
	b.require(b.run(b.plan(plan.Input{}, []*unstructured.Unstructured{widget, crd})), v1alpha1.OperationSucceeded,
		"widget."+group+"/w created", "created")
	if got := field(b.live(widget), "spec", "size"); got != int64(3) {
		t.Errorf("size = %v", got)
	}
}
