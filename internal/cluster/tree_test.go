// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "registry.example/web:1", resources: {requests: {cpu: 100m, memory: 64Mi}}}]}`

const statefulSet = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: "registry.example/db:1"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}`

// treeOf waits until the tree of the roots is complete and as wanted.
func treeOf(t *testing.T, c *cluster.Cluster, done func(cluster.Tree) bool, roots ...*unstructured.Unstructured) cluster.Tree {
	t.Helper()
	var keys []object.Key
	for _, root := range roots {
		keys = append(keys, object.KeyOf(root))
	}
	var tree cluster.Tree
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last tree: complete %v %q, %s", tree.Complete, tree.Reason, outline(tree.Nodes))
		}
	})
	eventually(t, "the tree is whole", func() bool {
		tree = c.Tree(keys, nil)
		return tree.Complete && done(tree)
	})
	return tree
}

// outline is "Kind name<Parent" of each node.
func outline(nodes []v1alpha1.ResourceNode) string {
	var out []string
	for _, n := range nodes {
		line := n.Kind + " " + n.Name
		for _, p := range n.ParentRefs {
			line += "<" + p.Kind
		}
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

func ofKind(nodes []v1alpha1.ResourceNode, kind string) []v1alpha1.ResourceNode {
	return slices.DeleteFunc(slices.Clone(nodes), func(n v1alpha1.ResourceNode) bool { return n.Kind != kind })
}

func healthyAll(nodes []v1alpha1.ResourceNode) bool {
	return !slices.ContainsFunc(nodes, func(n v1alpha1.ResourceNode) bool {
		return n.Health == nil || n.Health.Status != v1alpha1.HealthStatusHealthy
	})
}

func TestTreeOfADeployment(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	web := mustApply(t, c, mark(parse(t, ns, deployment), "shop"))
	tree := treeOf(t, c, func(tree cluster.Tree) bool {
		pods := ofKind(tree.Nodes, "Pod")
		return len(pods) == 2 && healthyAll(pods) && healthyAll(ofKind(tree.Nodes, "Deployment")) && len(tree.Hosts) > 0
	}, web)
	for _, n := range tree.Nodes {
		if n.UID == "" || n.ResourceVersion == "" || n.CreatedAt == nil || n.Version == "" || n.Namespace != ns {
			t.Errorf("%s %s lacks identity: %+v", n.Kind, n.Name, n)
		}
		want := map[string]string{"Deployment": "", "ReplicaSet": "Deployment", "Pod": "ReplicaSet"}[n.Kind]
		if want == "" && len(n.ParentRefs) != 0 || want != "" && (len(n.ParentRefs) != 1 || n.ParentRefs[0].Kind != want) {
			t.Errorf("parents of %s %s = %v, want %s", n.Kind, n.Name, n.ParentRefs, want)
		}
		if !slices.Equal(n.Images, []string{"registry.example/web:1"}) {
			t.Errorf("images of %s = %v", n.Kind, n.Images)
		}
	}
	pod, set := ofKind(tree.Nodes, "Pod")[0], ofKind(tree.Nodes, "ReplicaSet")[0]
	if !slices.Contains(pod.Info, v1alpha1.InfoItem{Name: "Status Reason", Value: "Running"}) || !slices.Contains(pod.Info, v1alpha1.InfoItem{Name: "Containers", Value: "1/1"}) {
		t.Errorf("info of a Pod = %v", pod.Info)
	}
	if !slices.Contains(set.Info, v1alpha1.InfoItem{Name: "Revision", Value: "Rev:1"}) {
		t.Errorf("info of the ReplicaSet = %v", set.Info)
	}
	if pod.NetworkingInfo == nil || pod.NetworkingInfo.Labels["app"] != "web" {
		t.Errorf("network of a Pod = %+v", pod.NetworkingInfo)
	}
	var cpu int64
	for _, host := range tree.Hosts {
		cpu += host.ResourcesInfo[0].RequestedByApp
		if host.ResourcesInfo[0].Capacity == 0 {
			t.Errorf("host %s has no capacity: %+v", host.Name, host)
		}
	}
	if cpu != 200 {
		t.Errorf("the hosts give the application %d thousandths of a core, want 200", cpu)
	}
}

func TestTreeFindsTheClaimsOfAStatefulSet(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	createOther(t, dev.RESTConfig(), "persistentvolumeclaims", parse(t, ns, `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: other-db-0}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}`), "")
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	db := mustApply(t, c, mark(parse(t, ns, statefulSet), "shop"))
	tree := treeOf(t, c, func(tree cluster.Tree) bool { return len(ofKind(tree.Nodes, "PersistentVolumeClaim")) > 0 }, db)
	claims := ofKind(tree.Nodes, "PersistentVolumeClaim")
	if len(claims) != 1 || claims[0].Name != "data-db-0" || claims[0].Health == nil || len(claims[0].ParentRefs) != 1 || claims[0].ParentRefs[0].Kind != "StatefulSet" {
		t.Errorf("claims = %+v, want data-db-0 alone, with its health, below the StatefulSet", claims)
	}
}

// An application takes over what others made: the descendants were there long before, and nothing was kept of them.
func TestTreeOfObjectsThatBecomeOurs(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	web := createOther(t, dev.RESTConfig(), "deployments.v1.apps", parse(t, ns, deployment), "kubectl")
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	c.WatchTrees()
	first := mustApply(t, c, mark(parse(t, dev.Namespace(t), deployment), "first"))
	treeOf(t, c, func(tree cluster.Tree) bool { return len(ofKind(tree.Nodes, "Pod")) == 2 }, first)
	eventually(t, "nothing is kept of the Pods of others", func() bool { return c.Details(ns) == 0 })
	mustApply(t, c, mark(parse(t, ns, deployment), "shop"))
	treeOf(t, c, func(tree cluster.Tree) bool {
		pods := ofKind(tree.Nodes, "Pod")
		return len(pods) == 2 && healthyAll(pods)
	}, web)
}

type always struct{ health.Status }

func (a always) Health(schema.GroupKind) (health.Check, bool) {
	return func(*unstructured.Unstructured) (health.Status, error) { return a.Status, nil }, true
}

// Users' checks change what a tree shows without any object changing.
func TestTreeIsJudgedAnew(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	web := mustApply(t, c, mark(parse(t, ns, deployment), "shop"))
	treeOf(t, c, func(tree cluster.Tree) bool { return len(ofKind(tree.Nodes, "Pod")) == 2 && healthyAll(tree.Nodes) }, web)
	c.SetJudge(health.NewJudge(always{health.Status{Status: v1alpha1.HealthStatusSuspended}}, true))
	treeOf(t, c, func(tree cluster.Tree) bool {
		return len(tree.Nodes) == 4 && !slices.ContainsFunc(tree.Nodes, func(n v1alpha1.ResourceNode) bool {
			return n.Health == nil || n.Health.Status != v1alpha1.HealthStatusSuspended
		})
	}, web)
}

// A kind that cannot be listed leaves a tree that says so.
func TestTreeNamesWhatItCannotSee(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	gate := newGate(t, dev.RESTConfig())
	gate.failing(func(r *http.Request) (int, string) {
		if r.URL.Path == "/api/v1/pods" {
			return http.StatusForbidden, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no pods for you","reason":"Forbidden","code":403}`
		}
		return 0, ""
	})
	c := open(t, gate.config, nil)
	complete(t, c)
	web := mustApply(t, c, mark(parse(t, ns, deployment), "shop"))
	eventually(t, "the tree names Pods", func() bool {
		tree := c.Tree([]object.Key{object.KeyOf(web)}, nil)
		return !tree.Complete && strings.Contains(tree.Reason, "Pod") && strings.Contains(tree.Reason, "no pods for you")
	})
	gate.failing(nil)
	treeOf(t, c, func(tree cluster.Tree) bool { return len(ofKind(tree.Nodes, "Pod")) == 2 }, web)
}

func TestOrphans(t *testing.T) {
	dev := devcluster.Shared(t)
	ns, quiet := dev.Namespace(t), dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	mustApply(t, c, mark(parse(t, ns, deployment), "shop"))
	mustApply(t, c, mark(configMap(ns, "of-a-dead-one", "1"), "dead"))
	createOther(t, dev.RESTConfig(), "configmaps", configMap(ns, "nobodys", "1"), "")
	createOther(t, dev.RESTConfig(), "secrets", parse(t, ns, "apiVersion: v1\nkind: Secret\nmetadata: {name: nobodys}"), "")
	createOther(t, dev.RESTConfig(), "configmaps", configMap(quiet, "elsewhere", "1"), "")

	counts := func(key object.Key) bool { return key.Name != "default" && key.Name != "kube-root-ca.crt" }
	alive := func(app string) bool { return app == "shop" }
	names := func() string {
		orphans := c.Orphans([]string{ns}, alive, counts)
		if !orphans.Complete {
			return orphans.Reason
		}
		var out []string
		for _, o := range orphans.Objects {
			out = append(out, o.Key.Kind+"/"+o.Key.Name)
		}
		return strings.Join(out, " ")
	}
	if got := c.Orphans([]string{ns}, alive, counts); got.Complete {
		t.Errorf("orphans are known although nobody looks for them: %+v", got)
	}
	heard := make(chan string, 100)
	cancel := c.Subscribe(func(change cluster.Change) {
		if change.Event == cluster.OrphansChanged {
			heard <- change.Key.Namespace
		}
	})
	defer cancel()
	c.SeekOrphans("shop", ns)
	const want = "ConfigMap/nobodys ConfigMap/of-a-dead-one Secret/nobodys"
	eventually(t, "the orphans are found", func() bool { return names() == want })

	createOther(t, dev.RESTConfig(), "configmaps", configMap(ns, "late", "1"), "")
	eventually(t, "a new orphan is found", func() bool { return strings.Contains(names(), "ConfigMap/late") })
	for namespace := range heard {
		if namespace != ns {
			t.Errorf("told of orphans in %s", namespace)
			continue
		}
		break
	}
	if err := other(t, dev.RESTConfig(), "configmaps", ns).Delete(t.Context(), "late", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone", func() bool { return names() == want })
	mustApply(t, c, mark(configMap(ns, "nobodys", "1"), "shop"))
	eventually(t, "it belongs to somebody", func() bool { return names() == "ConfigMap/of-a-dead-one Secret/nobodys" })

	watched := len(c.Kinds())
	c.SeekOrphans("shop")
	if now := len(c.Kinds()); now >= watched {
		t.Errorf("%d kinds are watched, as many as while somebody looked for orphans (%d)", now, watched)
	}
}
