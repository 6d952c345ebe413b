// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// With resource.respectRBAC kinds that the account may not list leave no doubt in the inventory; whoever desires an object
// of one is told all the same.
func TestRespectRBACLeavesOutWhatMayNotBeListed(t *testing.T) {
	t.Parallel()
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	gate := newGate(t, restricted(t, dev, ns, []string{"configmaps"}))
	var reviews atomic.Int32
	gate.failing(func(r *http.Request) (int, string) {
		if strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews") {
			reviews.Add(1)
		}
		if r.URL.Path == "/api/v1/pods" {
			return 403, status(403, "Forbidden") // by something in between: the account has no right, but nor is this its word
		}
		return 0, ""
	})
	for _, mode := range []settings.RespectRBAC{settings.RBACNormal, settings.RBACStrict} {
		t.Run(string(mode), func(t *testing.T) {
			reviews.Store(0)
			c := open(t, gate.config, func(_ *cluster.Config, o *cluster.Options) { o.RespectRBAC = mode })
			wait(t, c, configMapGVK, secretGVK)
			if inv := complete(t, c); len(inv.Unlistable) != 0 {
				t.Errorf("Unlistable = %v, want nothing", inv.Unlistable)
			}
			left := c.Report().LeftOut
			if reason := left[secretGVK.GroupKind()]; !strings.Contains(reason, "forbidden") {
				t.Errorf("LeftOut = %v, want Secret with the API server's reason", left)
			}
			if _, ok := left[configMapGVK.GroupKind()]; ok {
				t.Error("ConfigMaps, which may be listed, are left out")
			}
			secret := configMap(ns, "a", "")
			secret.SetKind("Secret")
			if live := get(c, secret); live.Presence != cluster.Unknown || !strings.Contains(live.Reason, "forbidden") {
				t.Errorf("a desired Secret: %+v, want unknown with the reason", live)
			}
			if asked := reviews.Load() > 0; asked != (mode == settings.RBACStrict) {
				t.Errorf("%d access reviews", reviews.Load())
			}
		})
	}
}

// In strict mode a refusal of what the account may do is an error and not a missing right.
func TestStrictRBACBelievesTheAccessReviewOnly(t *testing.T) {
	t.Parallel()
	dev := devcluster.Shared(t)
	gate := newGate(t, dev.RESTConfig())
	gate.failing(func(r *http.Request) (int, string) {
		if r.URL.Path == "/apis/batch/v1/jobs" {
			return 403, status(403, "Forbidden")
		}
		return 0, ""
	})
	job := schema.GroupKind{Group: "batch", Kind: "Job"}
	c := open(t, gate.config, func(_ *cluster.Config, o *cluster.Options) { o.RespectRBAC = settings.RBACStrict })
	if inv := complete(t, c); inv.Unlistable[job] != "injected" || len(c.Report().LeftOut) != 0 {
		t.Errorf("Unlistable = %v, LeftOut = %v, want Job as unlistable", inv.Unlistable, c.Report().LeftOut)
	}
	c.SetRespectRBAC(settings.RBACNormal)
	eventually(t, "the kind is left out by the new rule", func() bool {
		inv := c.Inventory()
		return inv.Complete && len(inv.Unlistable) == 0 && c.Report().LeftOut[job] == "injected"
	})
}

// Rights in some namespaces are rights: what these hold is known, whatever is refused in others.
func TestNamespacedModeWithRightsInSomeNamespaces(t *testing.T) {
	dev := devcluster.Shared(t)
	mine, theirs := dev.Namespace(t), dev.Namespace(t)
	config := limitedTo(t, dev, mine)
	inside := mark(configMap(mine, "a", "1"), mine)
	createOther(t, dev.RESTConfig(), "configmaps", inside, "")
	cron := mark(parse(t, mine, cronJob), mine)
	createOther(t, dev.RESTConfig(), "cronjobs.v1.batch", cron, "")
	for _, mode := range []settings.RespectRBAC{settings.RBACIgnored, settings.RBACNormal, settings.RBACStrict} {
		t.Run("mode "+string(mode), func(t *testing.T) {
			c := open(t, config, func(cfg *cluster.Config, o *cluster.Options) {
				cfg.Namespaces, o.RespectRBAC = []string{mine, theirs}, mode
			})
			wait(t, c, configMapGVK)
			inv := complete(t, c)
			_, doubtful := inv.Unlistable[configMapGVK.GroupKind()]
			if doubtful != (mode == settings.RBACIgnored) {
				t.Errorf("Unlistable = %v", inv.Unlistable)
			}
			eventually(t, "what my namespace holds is known", func() bool {
				return slices.Equal(c.Owned(mine), []object.Key{object.KeyOf(inside), object.KeyOf(cron)}) && get(c, inside).Presence == cluster.Present
			})
			if live := get(c, configMap(mine, "missing", "")); live.Presence != cluster.Absent {
				t.Errorf("an object that is not there: %+v, want absent", live)
			}
			if live := get(c, configMap(theirs, "a", "")); live.Presence != cluster.Unknown || !strings.Contains(live.Reason, theirs) {
				t.Errorf("an object in a namespace without rights: %+v, want unknown, naming the namespace", live)
			}
		})
	}
}

// limitedTo returns the credentials of an account that may read one namespace.
func limitedTo(t *testing.T, dev *devcluster.Cluster, ns string) *rest.Config {
	t.Helper()
	createOther(t, dev.RESTConfig(), "roles.v1.rbac.authorization.k8s.io", parse(t, ns, `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}]`), "")
	createOther(t, dev.RESTConfig(), "rolebindings.v1.rbac.authorization.k8s.io", parse(t, ns, `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default, namespace: `+ns+`}]`), "")
	config := dev.RESTConfig()
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + ns + ":default", Groups: []string{"system:serviceaccounts", "system:authenticated"},
	}
	return config
}
