// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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
	lives     = 320
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
