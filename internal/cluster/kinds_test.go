// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

const crdsResource = "customresourcedefinitions.v1.apiextensions.k8s.io"

// crd writes a definition with one served and stored version.
func crd(group, version, scope, fields string) string {
	return `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.` + group + `}
spec:
  group: ` + group + `
  names: {plural: widgets, kind: Widget}
  scope: ` + scope + `
  versions:
  - name: ` + version + `
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {` + fields + `}}}}}
`
}

func widget(t *testing.T, namespace, group, version string) *unstructured.Unstructured {
	t.Helper()
	return parse(t, namespace, "apiVersion: "+group+"/"+version+"\nkind: Widget\nmetadata: {name: one}\nspec: {}\n")
}

// createWidget waits until the API server serves the kind, as whoever installs a CRD has to.
func createWidget(t *testing.T, config *rest.Config, u *unstructured.Unstructured) {
	t.Helper()
	gvk := u.GroupVersionKind()
	widgets := other(t, config, "widgets."+gvk.Version+"."+gvk.Group, u.GetNamespace())
	eventually(t, "the widget can be created", func() bool {
		_, err := widgets.Create(t.Context(), u, metav1.CreateOptions{})
		return err == nil
	})
}

// A CRD that comes back with another version, schema and scope is another kind of the same name: nothing of the old one
// is left, and the new one is watched.
func TestCRDRecreatedWithAnotherSchema(t *testing.T) {
	t.Parallel() // the API server takes its time to delete a definition
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	group := ns + ".example.com"
	crds := other(t, dev.RESTConfig(), crdsResource, "")
	createOther(t, dev.RESTConfig(), crdsResource, parse(t, "", crd(group, "v1", "Namespaced", "size: {type: integer}")), "")
	old := mark(widget(t, ns, group, "v1"), ns)
	c.Watch(old.GroupVersionKind())
	createWidget(t, dev.RESTConfig(), old)
	eventually(t, "the first widget is known", func() bool { return get(c, old).Presence == cluster.Present && len(c.Owned(ns)) == 1 })

	if err := crds.Delete(t.Context(), "widgets."+group, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the definition is gone", func() bool {
		_, err := crds.Get(t.Context(), "widgets."+group, metav1.GetOptions{})
		return err != nil
	})
	createOther(t, dev.RESTConfig(), crdsResource, parse(t, "", crd(group, "v2", "Cluster", "color: {type: string, default: red}")), "")
	now := mark(widget(t, "", group, "v2"), ns)
	createWidget(t, dev.RESTConfig(), now)
	eventually(t, "only the new widget is known", func() bool {
		live, owned := get(c, now), c.Owned(ns)
		return live.Presence == cluster.Present && len(owned) == 1 && owned[0] == object.KeyOf(now)
	})
	if live := get(c, old); live.Presence == cluster.Present {
		t.Errorf("the old one: %+v", live)
	}
	s, err := c.Schema(t.Context(), now.GroupVersionKind())
	if err != nil || s == nil || s.Props.Properties["spec"].Properties["color"].Default == nil {
		t.Errorf("Schema = %+v, %v, want the new one", s, err)
	}
}

// A conversion webhook that does not answer takes its own kind along and no other.
func TestBrokenConversionWebhook(t *testing.T) {
	t.Parallel()
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	group := ns + ".example.com"
	crds := other(t, dev.RESTConfig(), crdsResource, "")
	createOther(t, dev.RESTConfig(), crdsResource, parse(t, "", crd(group, "v1", "Namespaced", "size: {type: integer}")), "")
	stored := mark(widget(t, ns, group, "v1"), ns)
	createWidget(t, dev.RESTConfig(), stored)
	patch := func(text string) {
		t.Helper()
		u, err := crds.Get(t.Context(), "widgets."+group, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		spec := parse(t, "", text).Object
		for key, value := range spec {
			u.Object["spec"].(map[string]any)[key] = value
		}
		if _, err := crds.Update(t.Context(), u, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	versions := `
versions:
- {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
- {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`
	patch(versions + `
conversion:
  strategy: Webhook
  webhook: {conversionReviewVersions: [v1], clientConfig: {url: "https://127.0.0.1:1/convert"}}
`)
	c := open(t, dev.RESTConfig(), nil)
	wanted := widget(t, ns, group, "v2")
	c.Watch(wanted.GroupVersionKind(), configMapGVK)
	eventually(t, "the kind is unknown, with the reason", func() bool {
		live := get(c, wanted)
		if live.Presence == cluster.Absent && c.Inventory().Complete {
			t.Fatalf("an object that is there: %+v", live)
		}
		return live.Presence == cluster.Unknown && strings.Contains(live.Reason, "conversion webhook")
	})
	present := mark(configMap(ns, "beside", "1"), ns)
	mustApply(t, c, present)
	eventually(t, "other kinds are known", func() bool { return get(c, present).Presence == cluster.Present })
	patch("conversion: {strategy: None, webhook: null}")
	eventually(t, "the kind is known", func() bool { return get(c, wanted).Presence == cluster.Present })
}

// What stands behind an APIService that does not answer is unknown, not absent, and nothing else is.
func TestAPIServiceThatIsDown(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	group := ns + ".example.com"
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	gv := schema.GroupVersion{Group: group, Version: "v1"}
	thing := widget(t, ns, group, "v1")
	createOther(t, dev.RESTConfig(), "apiservices.v1.apiregistration.k8s.io", parse(t, "", `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.`+group+`}
spec:
  group: `+group+`
  version: v1
  groupPriorityMinimum: 1000
  versionPriority: 10
  insecureSkipTLSVerify: true
  service: {name: nothing, namespace: default}
`), "")
	eventually(t, "the group is unknown", func() bool {
		return c.Inventory().UnknownGroups[gv] != "" && get(c, thing).Presence == cluster.Unknown
	})
	if inv := c.Inventory(); !inv.Complete {
		t.Errorf("the inventory is incomplete for it: %s", inv.Reason)
	}
	if err := other(t, dev.RESTConfig(), "apiservices.v1.apiregistration.k8s.io", "").Delete(t.Context(), "v1."+group, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the group is gone", func() bool {
		return c.Inventory().UnknownGroups[gv] == "" && get(c, thing).Presence == cluster.Absent
	})
}

// A list that hangs keeps only its own kind waiting.
func TestSlowListKeepsNoOtherKindWaiting(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	u := mark(configMap(ns, "a", "1"), ns)
	createOther(t, dev.RESTConfig(), "configmaps", u, "")
	gate := newGate(t, dev.RESTConfig())
	release := make(chan struct{})
	gate.holding(func(r *http.Request) <-chan struct{} {
		if r.URL.Path == configMapsPath && !isWatching(r) {
			return release
		}
		return nil
	})
	c := open(t, gate.config, nil)
	c.Watch(configMapGVK)
	wait(t, c, secretGVK)
	if live := get(c, u); live.Presence != cluster.Unknown || !strings.Contains(live.Reason, "listed") {
		t.Errorf("while it is listed: %+v", live)
	}
	if inv := c.Inventory(); inv.Complete || inv.Reason == "" {
		t.Errorf("Inventory = %+v", inv)
	}
	close(release)
	eventually(t, "it is known", func() bool { return get(c, u).Presence == cluster.Present && c.Inventory().Complete })
}

// jumpyClock is a clock that somebody sets.
type jumpyClock struct {
	clock.RealClock
	mu  sync.Mutex
	off time.Duration
}

func (c *jumpyClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Round(0).Add(c.off)
}

func (c *jumpyClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func (c *jumpyClock) jump(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += by
}

// Hours that pass at once, or back, make nothing stale that is current, and nobody lists anew.
func TestClockThatJumps(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	gate := newGate(t, dev.RESTConfig())
	now := &jumpyClock{}
	c := open(t, gate.config, func(_ *cluster.Config, o *cluster.Options) { o.Clock = now })
	u := mustApply(t, c, mark(configMap(ns, "a", "1"), ns))
	complete(t, c)
	eventually(t, "it is known", func() bool { return get(c, u).Presence == cluster.Present })
	lists := gate.requests("GET " + configMapsPath)
	for _, by := range []time.Duration{6 * time.Hour, -18 * time.Hour, 12 * time.Hour} {
		now.jump(by)
		if live := get(c, u); live.Presence != cluster.Present || !c.Inventory().Complete {
			t.Errorf("after a jump by %s: %+v, inventory %q", by, live, c.Inventory().Reason)
		}
		for _, k := range c.Kinds() {
			if k.Age < 0 {
				t.Errorf("after a jump by %s %s was heard of %s ago", by, k.Kind, k.Age)
			}
		}
		changed := u.DeepCopy()
		changed.Object["data"] = map[string]any{"key": by.String()}
		changed.SetManagedFields(nil)
		changed.SetResourceVersion("")
		if _, err := c.Apply(t.Context(), changed, apply); err != nil {
			t.Fatal(err)
		}
		eventually(t, "changes arrive", func() bool {
			live := get(c, u)
			return live.Presence == cluster.Present && live.Object.Object["data"].(map[string]any)["key"] == by.String()
		})
	}
	if n := gate.requests("GET " + configMapsPath); n != lists {
		t.Errorf("%d lists more", n-lists)
	}
}

// After the API server was restarted everything goes on, and nothing was absent meanwhile.
func TestAPIServerRestarted(t *testing.T) {
	if os.Getenv("BOWLINE_SOAK") == "" {
		t.Skip("it starts a control plane of its own, twice: run it with BOWLINE_SOAK=1")
	}
	t.Parallel()
	dev := devcluster.Start(t)
	c := open(t, dev.RESTConfig(), func(_ *cluster.Config, o *cluster.Options) { o.Grace = time.Millisecond })
	u := mustApply(t, c, mark(configMap("default", "a", "1"), "app"))
	eventually(t, "it is known", func() bool { return get(c, u).Presence == cluster.Present })
	dev.Stop(t)
	eventually(t, "nothing is known", func() bool {
		live := get(c, u)
		if live.Presence == cluster.Absent {
			t.Fatalf("%+v", live)
		}
		return live.Presence == cluster.Unknown && !c.Connection().Connected
	})
	dev.Resume(t)
	eventually(t, "everything is known", func() bool {
		live := get(c, u)
		if live.Presence == cluster.Absent {
			t.Fatalf("%+v", live)
		}
		return live.Presence == cluster.Present && c.Inventory().Complete
	})
}
