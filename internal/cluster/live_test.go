// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/test/devcluster"
)

const cronJob = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}}}}
`

// The last object of its kind is found although nobody asks for the kind: otherwise it could never be pruned.
func TestSweepFindsMarkedObjectsOfKindsNobodyAskedFor(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	cron := mark(parse(t, ns, cronJob), ns+"-app")
	createOther(t, dev.RESTConfig(), "cronjobs.v1.batch", cron, "someone")

	c := open(t, dev.RESTConfig(), nil)
	inv := complete(t, c)
	if inv.Version == "" || len(inv.UnknownGroups) != 0 {
		t.Errorf("Inventory = %+v", inv)
	}
	if got, want := c.Owned(ns+"-app"), []object.Key{object.KeyOf(cron)}; !slices.Equal(got, want) {
		t.Errorf("Owned = %v, want %v", got, want)
	}
	if live := get(c, cron); live.Presence != cluster.Present || live.Owner != ns+"-app" || live.Object.GetKind() != "CronJob" {
		t.Errorf("Get = %+v", live)
	}
}

// Whoever draws trees has to know which kinds hold descendants, although nobody manages objects of these kinds.
func TestSweepNamesKindsWithOwners(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	parent := createOther(t, dev.RESTConfig(), "configmaps", configMap(ns, "parent", "1"), "")
	budget := parse(t, ns, "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: child}\nspec: {minAvailable: 1, selector: {matchLabels: {a: b}}}")
	budget.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "parent", UID: parent.GetUID()}})
	createOther(t, dev.RESTConfig(), "poddisruptionbudgets.v1.policy", budget, "")
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	kinds := c.KindsWithOwners()
	if !slices.Contains(kinds, schema.GroupKind{Group: "policy", Kind: "PodDisruptionBudget"}) || slices.Contains(kinds, schema.GroupKind{Kind: "Namespace"}) {
		t.Errorf("kinds with owners = %v, want PodDisruptionBudget and not Namespace", kinds)
	}
	if _, err := c.Sweep(t.Context()); err != nil || !slices.Equal(c.KindsWithOwners(), kinds) {
		t.Errorf("after another sweep: %v, %v, want %v as before", c.KindsWithOwners(), err, kinds)
	}
}

func TestNothingIsKnownBeforeTheClusterAnswered(t *testing.T) {
	c, err := cluster.Open(cluster.Hub(&rest.Config{Host: "https://127.0.0.1:1"}), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if live := get(c, configMap("default", "a", "")); live.Presence != cluster.Unknown || live.Reason == "" {
		t.Errorf("Get = %+v, want unknown with a reason", live)
	}
	if inv := c.Inventory(); inv.Complete || inv.Reason == "" {
		t.Errorf("Inventory = %+v, want incomplete with a reason", inv)
	}
	if _, presence, reason := c.Resource(configMapGVK); presence != cluster.Unknown || reason == "" {
		t.Errorf("Resource = %v %q, want unknown with a reason", presence, reason)
	}
}

func widgetCRD(plural, group, kind string) string {
	return `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ` + plural + `.` + group + `}
spec:
  group: ` + group + `
  names: {plural: ` + plural + `, kind: ` + kind + `}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer, default: 3}}}}}}
`
}

// A CRD and an object of its kind in one sync: the kind is unknown to the cluster at first, then watched by itself.
func TestKindsComeAndGoWithTheirCRD(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)

	group := ns + ".example.com"
	widget := mark(parse(t, ns, "apiVersion: "+group+"/v1\nkind: Widget\nmetadata: {name: one}\nspec: {}\n"), ns)
	if live := get(c, widget); live.Presence != cluster.Absent || !strings.Contains(live.Reason, "does not serve the kind") {
		t.Fatalf("before the CRD: %+v, want absent because the kind is not served", live)
	}
	crd := parse(t, "", widgetCRD("widgets", group, "Widget"))
	mustApply(t, c, crd)
	eventually(t, "the widget can be applied", func() bool {
		_, err := c.Apply(t.Context(), widget, apply)
		return err == nil
	})
	eventually(t, "the widget is seen", func() bool { return get(c, widget).Presence == cluster.Present })

	schema, err := c.Schema(t.Context(), widget.GroupVersionKind())
	if err != nil || schema == nil || string(schema.Props.Properties["spec"].Properties["size"].Default.Raw) != "3" {
		t.Errorf("Schema = %+v, %v", schema, err)
	}
	if schema, err := c.Schema(t.Context(), cronGVK); schema != nil || err != nil {
		t.Errorf("Schema of a built-in kind = %v, %v, want none", schema, err)
	}

	if err := other(t, dev.RESTConfig(), "customresourcedefinitions.v1.apiextensions.k8s.io", "").Delete(t.Context(), crd.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the kind is gone", func() bool {
		_, presence, _ := c.Resource(widget.GroupVersionKind())
		return presence == cluster.Absent && len(c.Owned(ns)) == 0
	})
}

var cronGVK = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}

// One kind that the account may not list is unknown and named; all others work.
func TestKindThatMayNotBeListedIsUnknownAndNamed(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	config := restricted(t, dev, ns, []string{"configmaps"})
	c := open(t, config, nil)
	inv := complete(t, c)
	if reason := inv.Unlistable[schema.GroupKind{Kind: "Secret"}]; !strings.Contains(reason, "forbidden") {
		t.Errorf("Unlistable = %v, want Secret with the API server's reason", inv.Unlistable)
	}
	if _, ok := inv.Unlistable[configMapGVK.GroupKind()]; ok {
		t.Errorf("ConfigMap is named as unlistable: %v", inv.Unlistable)
	}
	wait(t, c, configMapGVK, secretGVK)
	missing := configMap(ns, "missing", "")
	if live := get(c, missing); live.Presence != cluster.Absent {
		t.Errorf("ConfigMap: %+v, want absent", live)
	}
	missing.SetKind("Secret")
	if live := get(c, missing); live.Presence != cluster.Unknown || !strings.Contains(live.Reason, "forbidden") {
		t.Errorf("Secret: %+v, want unknown with the reason", live)
	}
}

// restricted returns the credentials of an account that may only list some core resources, everywhere.
func restricted(t *testing.T, dev *devcluster.Cluster, ns string, resources []string) *rest.Config {
	t.Helper()
	list := strings.Join(resources, ", ")
	createOther(t, dev.RESTConfig(), "clusterroles.v1.rbac.authorization.k8s.io", parse(t, "", `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: `+ns+`}
rules: [{apiGroups: [""], resources: [`+list+`], verbs: [get, list, watch]}]`), "")
	createOther(t, dev.RESTConfig(), "clusterrolebindings.v1.rbac.authorization.k8s.io", parse(t, "", `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: `+ns+`}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: `+ns+`}
subjects: [{kind: User, name: limited, apiGroup: rbac.authorization.k8s.io}]`), "")
	config := dev.RESTConfig()
	config.Impersonate = rest.ImpersonationConfig{UserName: "limited", Groups: []string{"system:authenticated"}}
	return config
}

func TestSecretsOfOthersAreNotKept(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	secret := parse(t, ns, "apiVersion: v1\nkind: Secret\nmetadata: {name: theirs}\nstringData: {password: hunter2}\n")
	createOther(t, dev.RESTConfig(), "secrets", secret, "")
	c := open(t, dev.RESTConfig(), nil)
	wait(t, c, secretGVK)
	if kept := c.Kept(object.KeyOf(secret)); kept {
		t.Error("the payload of a Secret without our mark is in the store")
	}
	// Somebody desires it after all: an adoption. Now it is read, whole, and stays current.
	if live := get(c, secret); live.Presence != cluster.Present || live.Owner != "" || live.Object.Object["data"] == nil {
		t.Errorf("Get = %+v, want the whole object, nobody's", live)
	}
	if !c.Kept(object.KeyOf(secret)) {
		t.Error("an object somebody asked for is read again each time")
	}
}

func TestNamespacedModeLooksAtItsNamespacesOnly(t *testing.T) {
	dev := devcluster.Shared(t)
	mine, theirs := dev.Namespace(t), dev.Namespace(t)
	inside, outside := mark(configMap(mine, "a", "1"), mine), mark(configMap(theirs, "a", "1"), mine)
	createOther(t, dev.RESTConfig(), "configmaps", inside, "")
	createOther(t, dev.RESTConfig(), "configmaps", outside, "")
	c := open(t, dev.RESTConfig(), func(cfg *cluster.Config, _ *cluster.Options) { cfg.Namespaces = []string{mine} })
	complete(t, c)
	if got, want := c.Owned(mine), []object.Key{object.KeyOf(inside)}; !slices.Equal(got, want) {
		t.Errorf("Owned = %v, want %v", got, want)
	}
	if live := get(c, outside); live.Presence != cluster.Unknown || !strings.Contains(live.Reason, theirs) {
		t.Errorf("outside: %+v, want unknown, naming the namespace", live)
	}
	namespace := parse(t, "", "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}")
	if live := get(c, namespace); live.Presence != cluster.Unknown || !strings.Contains(live.Reason, "clusterResources") {
		t.Errorf("cluster-scoped: %+v, want unknown, naming the setting", live)
	}
}

// An object whose mark goes away is news for the application that owned it.
func TestChangesNameOwnersBeforeAndAfter(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	wait(t, c, configMapGVK)
	var mu sync.Mutex
	var seen []cluster.Change
	cancel := c.Subscribe(func(change cluster.Change) {
		mu.Lock()
		defer mu.Unlock()
		if change.Key.Namespace == ns && change.Key.Name == "a" {
			seen = append(seen, change)
		}
	})
	defer cancel()
	last := func() (cluster.Change, int) {
		mu.Lock()
		defer mu.Unlock()
		if len(seen) == 0 {
			return cluster.Change{}, 0
		}
		return seen[len(seen)-1], len(seen)
	}
	u := mark(configMap(ns, "a", "1"), "first")
	createOther(t, dev.RESTConfig(), "configmaps", u, "")
	eventually(t, "the addition is told", func() bool {
		got, _ := last()
		return got.Event == cluster.Added && slices.Equal(got.Owners, []string{"first"})
	})

	configMaps := other(t, dev.RESTConfig(), "configmaps", ns)
	for _, step := range []struct {
		app    string
		owners []string
	}{{"second", []string{"first", "second"}}, {"", []string{"second"}}} {
		live, err := configMaps.Get(t.Context(), "a", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		live.SetAnnotations(nil)
		if step.app != "" {
			mark(live, step.app)
		}
		if _, err := configMaps.Update(t.Context(), live, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the change of owner is told to "+strings.Join(step.owners, ", "), func() bool {
			got, _ := last()
			return got.Event == cluster.Modified && slices.Equal(got.Owners, step.owners)
		})
	}
	if owned := c.Owned("second"); len(owned) != 0 {
		t.Errorf("Owned = %v after the mark was removed", owned)
	}
}

// A tracking method that changes makes everything unknown until it was read by the new rules.
func TestSetTrackerReadsMarksAnew(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	u := configMap(ns, "a", "1")
	u.SetLabels(map[string]string{"app.kubernetes.io/instance": ns})
	createOther(t, dev.RESTConfig(), "configmaps", u, "")
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	if owned := c.Owned(ns); len(owned) != 0 {
		t.Fatalf("Owned by annotation = %v", owned)
	}
	c.SetTracker(object.Tracker{Method: object.TrackByLabel})
	complete(t, c)
	if owned := c.Owned(ns); !slices.Equal(owned, []object.Key{object.KeyOf(u)}) {
		t.Errorf("Owned by label = %v", owned)
	}
}

func TestSetFilterStopsLooking(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	u := mark(configMap(ns, "a", "1"), ns)
	createOther(t, dev.RESTConfig(), "configmaps", u, "")
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	parsed, problems := settings.Defaults().With(map[string]string{"resource.exclusions": "[{kinds: [ConfigMap]}]"}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c.SetFilter(parsed.Filter)
	if live := get(c, u); live.Presence != cluster.Unknown || !strings.Contains(live.Reason, "resource.exclusions") || len(c.Owned(ns)) != 0 {
		t.Errorf("excluded: %+v, owned %v", live, c.Owned(ns))
	}
	c.SetFilter(settings.Filter{})
	eventually(t, "the kind is back", func() bool { return get(c, u).Presence == cluster.Present && len(c.Owned(ns)) == 1 })
}

// An object that is desired in another version than the watched one is read in its own.
func TestGetInAnotherVersion(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	wait(t, c, schema.GroupVersionKind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"})
	hpa := mark(parse(t, ns, `
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 3, targetCPUUtilizationPercentage: 60, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}`), ns)
	mustApply(t, c, hpa)
	live := get(c, hpa)
	if live.Presence != cluster.Present || live.Object.GetAPIVersion() != "autoscaling/v1" {
		t.Fatalf("in v1: %+v", live)
	}
	if spec := live.Object.Object["spec"].(map[string]any); spec["targetCPUUtilizationPercentage"] != int64(60) {
		t.Errorf("spec in v1 = %v", spec)
	}
	if live := c.Get(t.Context(), object.KeyOf(hpa), "v2"); live.Object == nil || live.Object.Object["spec"].(map[string]any)["metrics"] == nil {
		t.Errorf("in v2: %+v", live)
	}
}

func TestChildren(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	wait(t, c, configMapGVK)
	parent := mustApply(t, c, configMap(ns, "parent", "1"))
	child := configMap(ns, "child", "1")
	child.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "parent", UID: parent.GetUID()}})
	createOther(t, dev.RESTConfig(), "configmaps", child, "")
	eventually(t, "the child is known", func() bool {
		return slices.Equal(c.Children(parent.GetUID()), []object.Key{object.KeyOf(child)})
	})
}
