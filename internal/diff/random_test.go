// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// TestRandomLives holds verdicts against the API server as TestAgreesWithTheAPIServer does, with objects whose fields, spellings,
// writers and troubles are random: each is a life of three comparisons, with admission that mutates in every second
// namespace. BOWLINE_SEED=N[,M…] runs the lives of these seeds only.
func TestRandomLives(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a control plane")
	}
	w := newWorld(t)
	seeds := seedsToRun(t)
	t.Run("lives", func(t *testing.T) {
		for i := range 4 {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				for n := i; n < len(seeds); n += 4 {
					t.Run(fmt.Sprintf("seed %d", seeds[n]), func(t *testing.T) { w.live(t, seeds[n]) })
				}
			})
		}
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("%d lives of %d kinds: verdicts %v, %d writes refused, %d without a valid object", len(seeds), len(w.kinds), w.verdicts, w.refused, w.invalid)
	if pairs := w.verdicts[Same] + w.verdicts[Different]; len(seeds) > 100 && (pairs < len(seeds)*2 || w.verdicts[Same] < pairs/5 || w.verdicts[Different] < pairs/5) {
		t.Errorf("%v are too few to prove anything", w.verdicts)
	}
}

// lives is how many lives run: each has up to three pairs of desired and live, at some 15 ms each.
const (
	lives     = 240
	soakLives = 1500
)

func seedsToRun(t *testing.T) []int {
	t.Helper()
	var seeds []int
	if given := os.Getenv("BOWLINE_SEED"); given != "" {
		for text := range strings.SplitSeq(given, ",") {
			seed, err := strconv.Atoi(text)
			if err != nil {
				t.Fatalf("BOWLINE_SEED: %v", err)
			}
			seeds = append(seeds, seed)
		}
		return seeds
	}
	n, first := lives, 0
	if os.Getenv("BOWLINE_SOAK") != "" {
		n, first = soakLives, int(time.Now().Unix()%1_000_000)*10_000
	}
	for i := range n {
		seeds = append(seeds, first+i)
	}
	t.Logf("seeds %d to %d: run one again with BOWLINE_SEED=N", first, first+n-1)
	return seeds
}

// world is what lives share.
type world struct {
	client           dynamic.Interface
	kinds            []base
	quiet, mutated   string // namespaces
	mu               sync.Mutex
	verdicts         map[Verdict]int
	refused, invalid int
	thing            *Schema
}

// base is the least of a kind that the API server takes.
type base struct {
	object *unstructured.Unstructured
	typ    typeOf
	schema *Schema
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cluster := devcluster.Shared(t)
	config := cluster.RESTConfig()
	config.WarningHandler = rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{client: client, verdicts: map[Verdict]int{}, quiet: cluster.Namespace(t), mutated: cluster.Namespace(t)}
	crd := readObject(t, "testdata/agreement/crd.yaml")
	thing := installCRD(t, client, crd)
	loose := installCRD(t, client, readObject(t, "testdata/agreement/loose.yaml"))
	installPolicies(t, cluster, w.mutated)
	for _, u := range readObjects(t, "testdata/agreement/bases.yaml") {
		b := base{object: u}
		switch u.GetKind() {
		case "Thing":
			b.typ, b.schema = crdType{thing.crd}, thing
		case "Loose":
			b.typ, b.schema = anyType{}, loose
		default:
			obj, err := typedScheme().New(u.GroupVersionKind())
			if err != nil {
				t.Fatal(err)
			}
			b.typ = goType{reflect.TypeOf(obj)}
		}
		w.kinds = append(w.kinds, b)
	}
	return w
}

func readObjects(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := object.ParseYAML(path, raw)
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for _, doc := range docs {
		out = append(out, &unstructured.Unstructured{Object: doc.Data})
	}
	return out
}

// installPolicies makes admission mutate what is written into a namespace, and waits until it does.
func installPolicies(t *testing.T, cluster *devcluster.Cluster, namespace string) {
	t.Helper()
	client, err := dynamic.NewForConfig(cluster.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	gv := schema.GroupVersion{Group: "admissionregistration.k8s.io", Version: "v1"}
	for _, policy := range readObjects(t, "testdata/agreement/policies.yaml") {
		binding := parse(t, "{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingAdmissionPolicyBinding, metadata: {name: "+policy.GetName()+"}, spec: {policyName: "+policy.GetName()+"}}")
		for resource, u := range map[string]*unstructured.Unstructured{"mutatingadmissionpolicies": policy, "mutatingadmissionpolicybindings": binding} {
			if _, err := client.Resource(gv.WithResource(resource)).Create(t.Context(), u, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
				t.Fatal(err)
			}
		}
	}
	label := []byte(`{"metadata":{"labels":{"agreement":"mutated"}}}`)
	if _, err := cluster.Client().CoreV1().Namespaces().Patch(t.Context(), namespace, "application/merge-patch+json", label, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	probes := map[string]string{
		"configmaps":  "{apiVersion: v1, kind: ConfigMap, metadata: {name: probe}}",
		"deployments": "{apiVersion: apps/v1, kind: Deployment, metadata: {name: probe}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}}",
		"things":      "{apiVersion: agreement.example.com/v1, kind: Thing, metadata: {name: probe}}",
	}
	marks := map[string]string{"configmaps": "by policy", "deployments": "INJECTED", "things": "something"}
	for resource, text := range probes {
		u := parse(t, text)
		until(t, resource+" are mutated", func() bool {
			gvr := u.GroupVersionKind().GroupVersion().WithResource(resource)
			got, err := client.Resource(gvr).Namespace(namespace).Create(t.Context(), u, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			return err == nil && strings.Contains(fmt.Sprint(got.Object), marks[resource])
		})
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1500 {
		if ok() {
			return
		}
		select {
		case <-t.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("waited in vain until %s", what)
}

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
		in := Input{Desired: desired, Live: l.get(desired), How: l.how(), Schema: l.schema, Accepted: accepted}
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

// grown returns u with n more fields, as far as the API server takes them.
func (l *life) grown(u *unstructured.Unstructured, n int) *unstructured.Unstructured {
	for range n {
		next := u.DeepCopy()
		if l.rng.IntN(6) == 0 {
			l.growMetadata(next)
		} else {
			l.grower.grow(next.Object, l.base.typ, 0)
		}
		if next = l.repaired(next); next != nil {
			u = next
		}
	}
	return u
}

func (l *life) growMetadata(u *unstructured.Unstructured) {
	metadata := u.Object["metadata"].(map[string]any)
	switch l.rng.IntN(5) {
	case 0:
		metadata["creationTimestamp"] = nil
	case 1:
		metadata["labels"] = nil
	default:
		field := pick(l.rng, "labels", "annotations")
		m, _ := metadata[field].(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		m[l.grower.word()] = pick[any](l.rng, "a", "b", "")
		metadata[field] = m
	}
}

// changed returns another form of u: with fewer, more or other fields, with lists in another order or with two
// elements of one key.
func (l *life) changed(u *unstructured.Unstructured) *unstructured.Unstructured {
	out := u.DeepCopy()
	for range 1 + l.rng.IntN(3) {
		switch l.rng.IntN(8) {
		case 0, 1, 2:
			out = l.grown(out, 1)
		case 3:
			if lists := listsIn(out.Object); len(lists) > 0 {
				list := lists[l.rng.IntN(len(lists))]
				l.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}
		case 4:
			l.repeat(out)
		default:
			l.dropOne(out)
		}
		if out = l.repaired(out); out == nil {
			return u
		}
	}
	return out
}

// repeat gives an environment two variables of one name, where there is one.
func (l *life) repeat(u *unstructured.Unstructured) {
	for _, list := range envsIn(u.Object) {
		env := list["env"].([]any)
		twin := runtime.DeepCopyJSONValue(env[0]).(map[string]any)
		delete(twin, "valueFrom")
		twin["value"] = "twin"
		list["env"] = append(env, twin)
		l.log = append(l.log, "a variable twice")
		return
	}
}

func envsIn(v any) []map[string]any {
	var out []map[string]any
	switch v := v.(type) {
	case map[string]any:
		if env, ok := v["env"].([]any); ok && len(env) > 0 && reflect.TypeOf(env[0]) == reflect.TypeFor[map[string]any]() {
			out = append(out, v)
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, envsIn(v[name])...)
		}
	case []any:
		for _, item := range v {
			out = append(out, envsIn(item)...)
		}
	}
	return out
}

// dropOne takes away a field that the base does not have.
func (l *life) dropOne(u *unstructured.Unstructured) {
	var paths [][]any
	eachPath(u.Object, nil, func(path []any) {
		if _, inBase := at(l.base.object.Object, path); !inBase && !reflect.DeepEqual(path[:1], []any{"metadata"}) || len(path) > 2 && path[1] == "labels" {
			paths = append(paths, path)
		}
	})
	if len(paths) > 0 {
		cut(u.Object, paths[l.rng.IntN(len(paths))])
	}
}

func eachPath(v any, path []any, do func([]any)) {
	if len(path) > 0 {
		do(path)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			eachPath(v[name], append(slices.Clone(path), name), do)
		}
	case []any:
		for i, item := range v {
			eachPath(item, append(slices.Clone(path), i), do)
		}
	}
}

func at(v any, path []any) (any, bool) {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok || !has(m, step) {
				return nil, false
			}
			v = m[step]
		case int:
			list, ok := v.([]any)
			if !ok || step >= len(list) {
				return nil, false
			}
			v = list[step]
		}
	}
	return v, true
}

// cut takes away what is at path.
func cut(content map[string]any, path []any) {
	above, _ := at(content, path[:len(path)-1])
	switch last := path[len(path)-1].(type) {
	case string:
		delete(above.(map[string]any), last)
	case int:
		list := slices.Delete(slices.Clone(above.([]any)), last, last+1)
		over, _ := at(content, path[:len(path)-2])
		switch name := path[len(path)-2].(type) {
		case string:
			over.(map[string]any)[name] = list
		case int:
			over.([]any)[name] = list
		}
	}
}

// repaired returns u without the fields that the API server refuses; nil if it does not get through.
func (l *life) repaired(u *unstructured.Unstructured) *unstructured.Unstructured {
	for range 8 {
		probe := u.DeepCopy()
		probe.SetName("probe-" + l.name)
		if u.GetKind() == "CustomResourceDefinition" {
			probe.SetName(l.name)
		}
		_, err := l.resource(probe).Create(l.Context(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil || apierrors.IsAlreadyExists(err) {
			return u
		}
		var status *apierrors.StatusError
		if !errors.As(err, &status) || status.ErrStatus.Details == nil {
			break
		}
		cutAny := false
		for _, cause := range status.ErrStatus.Details.Causes {
			cutAny = l.cutRefused(u, stepsIn(cause.Field)) || cutAny
		}
		if !cutAny {
			break
		}
	}
	l.w.mu.Lock()
	l.w.invalid++
	l.w.mu.Unlock()
	return nil
}

// cutRefused takes away the last of a path that is there and not in the base.
func (l *life) cutRefused(u *unstructured.Unstructured, path []any) bool {
	for n := len(path); n > 0; n-- {
		now, there := at(u.Object, path[:n])
		if !there {
			continue
		}
		before, inBase := at(l.base.object.Object, path[:n])
		if !inBase {
			cut(u.Object, path[:n])
			return true
		}
		if !reflect.DeepEqual(now, before) {
			above, _ := at(u.Object, path[:n-1])
			if m, ok := above.(map[string]any); ok {
				m[path[n-1].(string)] = runtime.DeepCopyJSONValue(before)
				return true
			}
		}
	}
	return false
}

// stepsIn reads a path as validation writes it: spec.containers[0].resources.requests[cpu].
func stepsIn(field string) []any {
	var out []any
	for field != "" {
		switch field[0] {
		case '.':
			field = field[1:]
		case '[':
			inside, rest, _ := strings.Cut(field[1:], "]")
			if i, err := strconv.Atoi(inside); err == nil {
				out = append(out, i)
			} else {
				out = append(out, inside)
			}
			field = rest
		default:
			end := strings.IndexAny(field, ".[")
			if end < 0 {
				end = len(field)
			}
			out = append(out, field[:end])
			field = field[end:]
		}
	}
	return out
}
