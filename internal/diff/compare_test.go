// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/object"
)

func loadCase(t testing.TB, path string) Input {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inner, ok := t.(*testing.T)
	if !ok {
		inner = &testing.T{}
	}
	return readCase(inner, archive).in
}

// applied returns an Input whose live object is desired as the API server would hold it after our apply.
func applied(t testing.TB, desired, live string) Input {
	t.Helper()
	in := Input{Desired: parse(t, desired), Live: parse(t, live)}
	addOwner(t, in.Live, nil, owner{Manager: Manager, Operation: "Apply", Fields: in.Desired.DeepCopy().Object})
	return in
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        ports: [{containerPort: 80, name: http}]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
        resources: {requests: {cpu: 1000m, memory: 128Mi}, limits: {memory: 256Mi}}
        readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 5}
      - {name: log, image: fluentd, args: [-v]}
`

const liveDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}, uid: b6a1, resourceVersion: "100", generation: 2, creationTimestamp: "2026-01-01T00:00:00Z", annotations: {deployment.kubernetes.io/revision: "1"}}
spec:
  replicas: 2
  progressDeadlineSeconds: 600
  revisionHistoryLimit: 10
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        imagePullPolicy: IfNotPresent
        ports: [{containerPort: 80, name: http, protocol: TCP}]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
        resources: {requests: {cpu: "1", memory: 128Mi}, limits: {memory: 256Mi}}
        readinessProbe: {httpGet: {path: /ready, port: http, scheme: HTTP}, periodSeconds: 5, failureThreshold: 3, successThreshold: 1, timeoutSeconds: 1}
        terminationMessagePath: /dev/termination-log
        terminationMessagePolicy: File
      - {name: log, image: fluentd, args: [-v], imagePullPolicy: Always, resources: {}, terminationMessagePath: /dev/termination-log, terminationMessagePolicy: File}
      dnsPolicy: ClusterFirst
      restartPolicy: Always
      schedulerName: default-scheduler
      securityContext: {}
      terminationGracePeriodSeconds: 30
status: {observedGeneration: 2, replicas: 2, readyReplicas: 1, conditions: [{type: Available, status: "True", lastUpdateTime: "2026-01-01T00:00:00Z"}]}
`

// A rollout ticking, a controller's heartbeat and other people's marks must not cost a dry run each: the key that
// confirmations are kept by stays the same.
func TestKeyIgnoresWhatIsNotOurs(t *testing.T) {
	in := applied(t, deployment, liveDeployment)
	before := Compare(in)
	noisy := in
	noisy.Live = in.Live.DeepCopy()
	set(t, noisy.Live, "101", "metadata", "resourceVersion")
	set(t, noisy.Live, int64(3), "metadata", "generation")
	set(t, noisy.Live, int64(2), "status", "readyReplicas")
	set(t, noisy.Live, "2026-02-02T00:00:00Z", "metadata", "annotations", "heartbeat")
	set(t, noisy.Live, int64(900), "spec", "progressDeadlineSeconds")
	addOwner(t, noisy.Live, nil, owner{Manager: "kubectl-edit", Operation: "Update",
		Fields: map[string]any{"spec": map[string]any{"progressDeadlineSeconds": int64(900)}}})
	if after := Compare(noisy); after.Key != before.Key || after.Verdict != Same {
		t.Errorf("key %v became %v, verdict %s: want no change", before.Key, after.Key, after.Verdict)
	}
	set(t, noisy.Live, int64(3), "spec", "replicas")
	if after := Compare(noisy); after.Key == before.Key {
		t.Error("a change of spec.replicas left the key as it was")
	}
}

// A field that left the source is kept by a co-owner. When that one lets go, nothing in the content changes, yet the
// field is ours alone and a difference: an answer kept under the old key must not hold.
func TestKeyFollowsCoOwners(t *testing.T) {
	in := applied(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x, b: y}}")
	fields := map[string]any{"data": map[string]any{"a": "x", "b": "y"}}
	unstructured.RemoveNestedField(in.Live.Object, "metadata", "managedFields")
	addOwner(t, in.Live, nil, owner{Manager: Manager, Operation: "Apply", Fields: fields})
	alone := Compare(in)
	addOwner(t, in.Live, nil, owner{Manager: "other", Operation: "Apply", Fields: fields})
	shared := Compare(in)
	if shared.Verdict != Same || alone.Verdict == Same || shared.Key == alone.Key {
		t.Errorf("shared: %s %v, alone: %s %v; want Same and not Same under different keys",
			shared.Verdict, shared.Key, alone.Verdict, alone.Key)
	}
}

func TestUnknownIsNeverSame(t *testing.T) {
	in := applied(t, deployment, liveDeployment)
	var zero Result
	if zero.Verdict != Unknown {
		t.Error("the zero Result is not Unknown")
	}
	if r := Compare(Input{Live: in.Live}); r.Verdict != Unknown || r.Reason == "" {
		t.Errorf("without desired: %s, reason %q", r.Verdict, r.Reason)
	}
	if r := Confirm(in, nil); r.Verdict != Unknown || r.Reason == "" {
		t.Errorf("confirmed by no answer: %s, reason %q", r.Verdict, r.Reason)
	}
	set(t, in.Live, []any{"not an entry"}, "metadata", "managedFields")
	if r := Compare(in); r.Verdict != Unknown || r.Reason == "" {
		t.Errorf("with broken managedFields: %s, reason %q", r.Verdict, r.Reason)
	}
}

// The accepted form is tied to the desired form it was learned for.
func TestAcceptedIsForOneDesired(t *testing.T) {
	in := applied(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: mutated}}")
	accepted, ok, err := Accept(object.DigestOf(in.Desired.Object), in.Live, in)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	in.Accepted = &accepted
	if r := Compare(in); r.Verdict != Same {
		t.Fatalf("live is the answer: %s %s", r.Verdict, r.Reason)
	}
	set(t, in.Desired, "y", "data", "a")
	if r := Compare(in); r.Verdict == Same || !r.NeedsConfirmation {
		t.Errorf("desired changed, live did not: %s", r.Verdict)
	}
}

// What a confirmation taught makes the next comparison one of digests.
func TestConfirmationIsLearned(t *testing.T) {
	in := applied(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: mutated}}")
	r := Confirm(in, in.Live.DeepCopy())
	if r.Verdict != Same || r.Learned == nil {
		t.Fatalf("a dry run that changes nothing: %s, learned %v", r.Verdict, r.Learned)
	}
	text, err := json.Marshal(r.Learned)
	if err != nil {
		t.Fatal(err)
	}
	var kept Accepted
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	in.Accepted = &kept
	if r := Compare(in); r.Verdict != Same || r.NeedsConfirmation {
		t.Errorf("after a restart: %s, needs confirmation %v", r.Verdict, r.NeedsConfirmation)
	}
}

// Comparisons run side by side on shared, watched objects.
func TestInputsAreNotChanged(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	for _, path := range paths {
		t.Run(strings.TrimPrefix(path, "testdata/"), func(t *testing.T) {
			t.Parallel()
			in := loadCase(t, path)
			desired, live := in.Desired.DeepCopy(), deepCopy(in.Live)
			Compare(in)
			if in.Live != nil {
				Confirm(in, in.Live)
			}
			for _, call := range []func() error{
				func() error { _, err := Adoption(in); return err },
				func() error { _, err := Folded(in, true); return err },
				func() error { _, err := Probe(in); return err },
				func() error { _, err := ForApply(in, true); return err },
			} {
				_ = call() // refusing a broken object is fine, changing one is not
			}
			if d := cmp.Diff(desired, in.Desired); d != "" {
				t.Errorf("desired was changed:\n%s", d)
			}
			if d := cmp.Diff(live, in.Live); d != "" {
				t.Errorf("live was changed:\n%s", d)
			}
		})
	}
}

func deepCopy(u *unstructured.Unstructured) *unstructured.Unstructured {
	if u == nil {
		return nil
	}
	return u.DeepCopy()
}

func set(t testing.TB, u *unstructured.Unstructured, v any, path ...string) {
	t.Helper()
	if err := unstructured.SetNestedField(u.Object, v, path...); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkCompare(b *testing.B) {
	in := applied(b, deployment, liveDeployment)
	in.DesiredDigest = object.DigestOf(in.Desired.Object)
	accepted, ok, err := Accept(in.DesiredDigest, in.Live, in)
	if err != nil || !ok {
		b.Fatal(ok, err)
	}
	steady := in
	steady.Accepted = &accepted
	drifted := in
	drifted.Live = in.Live.DeepCopy()
	set(b, drifted.Live, int64(7), "spec", "replicas")
	for _, c := range []struct {
		name string
		run  func() Result
	}{
		{"accepted", func() Result { return Compare(steady) }},
		{"canonical", func() Result { return Compare(in) }},
		{"drifted", func() Result { return Compare(drifted) }},
		{"confirm", func() Result { return Confirm(drifted, in.Live) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.run()
			}
		})
	}
}
