// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// tenant gives a service account the right to write ConfigMaps and Deployments of its namespace, and returns its user name.
func tenant(t *testing.T, dev *devcluster.Cluster, ns string) string {
	t.Helper()
	createOther(t, dev.RESTConfig(), "roles.v1.rbac.authorization.k8s.io", parse(t, ns, `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: tenant}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, create, update, patch, delete]}
- {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [get, create, patch]}`), "")
	createOther(t, dev.RESTConfig(), "rolebindings.v1.rbac.authorization.k8s.io", parse(t, ns, `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenant}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: tenant}
subjects: [{kind: ServiceAccount, name: tenant, namespace: `+ns+`}]`), "")
	return "system:serviceaccount:" + ns + ":tenant"
}

// users returns who made the direct calls about objects of a namespace.
func users(t *testing.T, dev *devcluster.Cluster, since devcluster.AuditMark, ns, resource string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, e := range dev.Audit(t, since, func(e devcluster.AuditEntry) bool {
		return e.Namespace == ns && e.Resource == resource && (e.Verb == "get" || e.Writes())
	}) {
		out[e.User] = append(out[e.User], e.Verb)
	}
	return out
}

func TestDirectCallsAreMadeAsTheOtherUser(t *testing.T) {
	t.Parallel()
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	user := tenant(t, dev, ns)
	c := open(t, dev.RESTConfig(), nil)
	wait(t, c, configMapGVK)
	complete(t, c)
	since := dev.AuditMark(t)
	ctx := cluster.As(context.Background(), user)

	obj := mark(configMap(ns, "a", "1"), ns)
	if _, err := c.Apply(ctx, obj, cluster.WriteOptions{Manager: manager, DryRun: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Create(ctx, configMap(ns, "b", "1"), apply); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Replace(ctx, configMap(ns, "b", "2"), apply); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Patch(ctx, configMapGVK, ns, "b", types.MergePatchType, []byte(`{"data":{"key":"3"}}`), apply); err != nil {
		t.Fatal(err)
	}
	applied, err := c.Apply(ctx, obj, apply)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(ctx, configMapGVK, ns, "a"); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, object.KeyOf(applied), cluster.DeleteOptions{UID: applied.GetUID(), ResourceVersion: applied.GetResourceVersion(), Owner: ns,
		Propagation: metav1.DeletePropagationBackground}); err != nil {
		t.Fatal(err)
	}
	by := users(t, dev, since, ns, "configmaps")
	if len(by) != 1 || len(by[user]) != 8 {
		t.Errorf("the audit log has %v, want eight calls, all by %s", by, user)
	}
}

func TestWhatIsKeptIsReadAsOurselves(t *testing.T) {
	t.Parallel()
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	user := tenant(t, dev, ns)
	watched := schema.GroupVersionKind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}
	c := open(t, dev.RESTConfig(), nil)
	wait(t, c, watched, configMapGVK)
	complete(t, c)
	scaler := mark(parse(t, ns, `
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 3, minReplicas: 1, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}`), ns)
	since := dev.AuditMark(t)
	ctx := cluster.As(context.Background(), user)
	if _, err := c.Apply(ctx, scaler, apply); err != nil {
		t.Fatal(err)
	}
	// The answer came in another version than the watched one: it is converted for the store.
	by := users(t, dev, since, ns, "horizontalpodautoscalers")
	if writes := by[user]; len(writes) != 1 || writes[0] != "patch" {
		t.Errorf("by the tenant: %v, want its one patch", writes)
	}
	// An object without a mark is kept without its content, and read when it is asked for.
	createOther(t, dev.RESTConfig(), "configmaps", configMap(ns, "loose", "x"), "kubectl")
	eventually(t, "the watch has the unmarked object", func() bool {
		return c.Get(ctx, object.Key{Kind: "ConfigMap", Namespace: ns, Name: "loose"}, "v1").Presence == cluster.Present
	})
	if by := users(t, dev, since, ns, "configmaps"); len(by[user]) != 0 {
		t.Errorf("what the store lacked was read as the tenant: %v", by)
	}
	// The tenant may list nothing; the hub still knows what would go with the namespace.
	inside, err := c.Inside(ctx, object.Key{Kind: "Namespace", Name: ns})
	if err != nil || len(inside) < 2 {
		t.Errorf("inside the namespace: %v, %v", inside, err)
	}
}

func TestRefusalsNameWhoLacksTheRight(t *testing.T) {
	t.Parallel()
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	user := tenant(t, dev, ns)
	c := open(t, dev.RESTConfig(), nil)
	secret := configMap(ns, "s", "1")
	secret.SetGroupVersionKind(secretGVK)
	secret.Object["data"] = map[string]any{"key": "aHVudGVyMg=="}
	_, err := c.Apply(cluster.As(t.Context(), user), secret, apply)
	if !errors.Is(err, cluster.Forbidden) || !strings.Contains(err.Error(), "grant this right to "+user) {
		t.Errorf("a right that the tenant lacks: %v", err)
	}

	createOther(t, dev.RESTConfig(), "serviceaccounts", parse(t, ns, `{apiVersion: v1, kind: ServiceAccount, metadata: {name: tenant}}`), "")
	answer, err := other(t, dev.RESTConfig(), "serviceaccounts", ns).Create(t.Context(),
		parse(t, ns, `{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, metadata: {name: tenant}}`), metav1.CreateOptions{}, "token")
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(dev.RESTConfig())
	config.BearerToken, _, _ = unstructured.NestedString(answer.Object, "status", "token")
	weak := open(t, config, nil)
	_, err = weak.Read(cluster.As(t.Context(), "system:serviceaccount:"+ns+":default"), configMapGVK, ns, "a")
	if !errors.Is(err, cluster.Forbidden) || !strings.Contains(err.Error(), "let the account Bowline uses on the cluster impersonate system:serviceaccount:"+ns+":default") {
		t.Errorf("a connection that may not act as another: %v", err)
	}
}

func TestAConnectionThatActsAsSomebodyActsAsTheOtherInstead(t *testing.T) {
	t.Parallel()
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	user := tenant(t, dev, ns)
	c := open(t, limitedTo(t, dev, ns), nil)
	if _, err := c.Apply(t.Context(), configMap(ns, "a", "1"), apply); !errors.Is(err, cluster.Forbidden) {
		t.Fatalf("the connection's own user may only read: %v", err)
	}
	if _, err := c.Apply(cluster.As(t.Context(), user), configMap(ns, "a", "1"), apply); err != nil {
		t.Errorf("the other one may write: %v", err)
	}
}
