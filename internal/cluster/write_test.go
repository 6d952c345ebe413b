// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// Whoever wrote sees it at the next Get, whatever the watch is doing.
func TestOwnWritesAreSeenAtOnce(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	wait(t, c, configMapGVK)
	for i := range 50 {
		u := mark(configMap(ns, "a", fmt.Sprint(i)), ns)
		answer := mustApply(t, c, u)
		live := get(c, u)
		if live.ResourceVersion != answer.GetResourceVersion() {
			t.Fatalf("round %d: Get gives version %q, the write answered %q", i, live.ResourceVersion, answer.GetResourceVersion())
		}
		if value, _, _ := unstructured.NestedString(live.Object.Object, "data", "key"); value != fmt.Sprint(i) {
			t.Fatalf("round %d: data = %q", i, value)
		}
		if len(live.Object.GetManagedFields()) == 0 {
			t.Fatal("managedFields are missing: the comparison needs them")
		}
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	wait(t, c, configMapGVK)
	u := configMap(ns, "a", "1")
	options := apply
	options.DryRun = true
	answer, err := c.Apply(t.Context(), u, options)
	if err != nil || answer.GetName() != "a" {
		t.Fatalf("dry run = %v, %v", answer, err)
	}
	if _, err := c.Read(t.Context(), configMapGVK, ns, "a"); !errors.Is(err, cluster.NotFound) {
		t.Errorf("after the dry run: %v, want not found", err)
	}
	if live := get(c, u); live.Presence != cluster.Absent {
		t.Errorf("the answer of a dry run is in the store: %+v", live)
	}
}

func TestDelete(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	configMaps := other(t, dev.RESTConfig(), "configmaps", ns)
	c := open(t, dev.RESTConfig(), nil)
	wait(t, c, configMapGVK)
	changed := func(t *testing.T, app string) {
		u := configMap(ns, "a", "changed")
		if app != "" {
			mark(u, app)
		}
		if _, err := configMaps.Update(t.Context(), u, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	veto := errors.New("vetoed")
	for _, tc := range []struct {
		name   string
		change func(*testing.T) // after the object was judged
		check  func(*unstructured.Unstructured) error
		want   error
		gone   bool
	}{
		{name: "as it was judged", change: func(*testing.T) {}, gone: true},
		{name: "already gone", change: func(t *testing.T) {
			if err := configMaps.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}, gone: true},
		{name: "changed and still ours", change: func(t *testing.T) { changed(t, "app") }, gone: true},
		{name: "changed so that the check says no", change: func(t *testing.T) { changed(t, "app") },
			check: func(*unstructured.Unstructured) error { return veto }, want: veto},
		{name: "taken over by another application", change: func(t *testing.T) { changed(t, "other") }, want: cluster.NotOwned},
		{name: "let go of", change: func(t *testing.T) { changed(t, "") }, want: cluster.NotOwned},
		{name: "another object of the same name and owner", change: func(t *testing.T) {
			if err := configMaps.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			createOther(t, dev.RESTConfig(), "configmaps", mark(configMap(ns, "a", "new"), "app"), "")
		}, want: cluster.Conflict},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := mark(configMap(ns, "a", "1"), "app")
			judged := mustApply(t, c, u)
			tc.change(t)
			err := c.Delete(t.Context(), object.KeyOf(u), cluster.DeleteOptions{
				UID: judged.GetUID(), ResourceVersion: judged.GetResourceVersion(), Owner: "app", Check: tc.check,
				Propagation: metav1.DeletePropagationBackground,
			})
			if !errors.Is(err, tc.want) {
				t.Errorf("Delete = %v, want %v", err, tc.want)
			}
			_, err = c.Read(t.Context(), configMapGVK, ns, "a")
			if gone := errors.Is(err, cluster.NotFound); gone != tc.gone {
				t.Errorf("gone = %v, want %v", gone, tc.gone)
			}
			if !tc.gone {
				if err := configMaps.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if err := c.Delete(t.Context(), object.Key{Kind: "ConfigMap", Namespace: ns, Name: "a"}, cluster.DeleteOptions{}); !fault.Is(err, fault.Bug) {
		t.Errorf("Delete without a judged version = %v, want refused", err)
	}
}

func TestReplaceAndCreate(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	o := cluster.WriteOptions{Manager: manager}
	first, err := c.Replace(t.Context(), configMap(ns, "a", "1"), o)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Replace(t.Context(), configMap(ns, "a", "2"), o)
	if err != nil || second.GetUID() != first.GetUID() || second.GetResourceVersion() == first.GetResourceVersion() {
		t.Errorf("Replace = %v, %v: not the same object in a newer version", second, err)
	}
	if _, err := c.Create(t.Context(), configMap(ns, "a", "3"), o); !errors.Is(err, cluster.AlreadyExists) {
		t.Errorf("Create = %v, want already exists", err)
	}
}

func TestRefusalsSayWhatWhereAndWhatToDo(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	for _, tc := range []struct {
		name     string
		manifest string
		reason   cluster.Reason
		kind     fault.Kind
		say      []string
	}{
		{"a field that does not exist", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndat: {}\n",
			cluster.ApplyRefused, fault.Mistake, []string{"ConfigMap " + ns + "/a", ".dat"}},
		{"a value that is not allowed", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: Sideways, ports: [{port: 80}]}\n",
			cluster.Invalid, fault.Mistake, []string{"spec.type", "Sideways", "correct the manifest"}},
		{"a name that is no name", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../secrets/x}\n",
			cluster.Invalid, fault.Mistake, []string{"not a name"}},
		{"duplicate keys of a list", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: i, env: [{name: A, value: x}, {name: A, value: y}]}]}\n",
			cluster.ApplyRefused, fault.Mistake, []string{"duplicate entries for key"}},
		{"a kind that is not there", "apiVersion: none.example.com/v1\nkind: Nothing\nmetadata: {name: a}\n",
			cluster.NoSuchKind, fault.Wait, []string{"Nothing.none.example.com", "CustomResourceDefinition"}},
		{"a version that is not served", "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\n",
			cluster.NoSuchKind, fault.Wait, []string{"in v1, not in v1beta1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := c.Apply(t.Context(), parse(t, ns, tc.manifest), apply)
			if !errors.Is(err, tc.reason) || !fault.Is(err, tc.kind) {
				t.Errorf("Apply = %v, want %s and %s", err, tc.reason, tc.kind)
			}
			for _, say := range tc.say {
				if err == nil || !strings.Contains(err.Error(), say) {
					t.Errorf("message %q does not say %q", err, say)
				}
			}
		})
	}
	t.Run("a namespace that is not there", func(t *testing.T) {
		_, err := c.Apply(t.Context(), configMap("not-there", "a", "1"), apply)
		if !errors.Is(err, cluster.NamespaceMissing) || !strings.Contains(err.Error(), "CreateNamespace=true") {
			t.Errorf("Apply = %v", err)
		}
	})
	t.Run("unknown fields are dropped when asked", func(t *testing.T) {
		options := cluster.WriteOptions{Manager: manager, Validation: cluster.Ignore}
		if _, err := c.Create(t.Context(), parse(t, ns, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: loose}\ndat: {}\n"), options); err != nil {
			t.Errorf("Create = %v", err)
		}
	})
}

// Whatever the API server says about a Secret, its values stay out of the error, however deep one looks.
func TestErrorsAboutSecretsHoldNoValues(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	for name, manifest := range map[string]string{
		"wrong type":   "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: {nested: hunter2}}\n",
		"not base64":   "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: hunter2}\n",
		"bad key":      "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {'bad key': hunter2}\n",
		"invalid type": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: 'hunter2'}\n",
		"list for map": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: [hunter2]\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Apply(t.Context(), parse(t, ns, manifest), apply)
			if err == nil {
				t.Fatal("it was accepted")
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if text := fmt.Sprintf("%+v", e); strings.Contains(text, "hunter2") {
					t.Errorf("the value is in %q", text)
				}
			}
			t.Log(err)
		})
	}
}

func TestWebhooksAndPoliciesAreNamed(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	createOther(t, dev.RESTConfig(), "validatingwebhookconfigurations.v1.admissionregistration.k8s.io", parse(t, "", `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: `+ns+`}
webhooks:
- name: guard.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {url: "https://127.0.0.1:1/"}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: `+ns+`}}
  rules: [{apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [CREATE, UPDATE]}]
`), "")
	t.Cleanup(func() {
		if err := dev.Client().AdmissionregistrationV1().ValidatingWebhookConfigurations().Delete(context.Background(), ns, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	c := open(t, dev.RESTConfig(), nil)
	var typed *cluster.Error
	tries := 0
	eventually(t, "the webhook is in force", func() bool {
		tries++
		_, err := c.Apply(t.Context(), configMap(ns, "a", fmt.Sprint(tries)), apply)
		return errors.As(err, &typed) && typed.Reason == cluster.WebhookFailed
	})
	if typed.Webhook != "guard.example.com" {
		t.Errorf("Webhook = %q", typed.Webhook)
	}
}

// A crowd of 429 is waited out, and the crowd becomes smaller.
func TestWritesBackOffWhenTheServerIsBusy(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	gate := newGate(t, dev.RESTConfig())
	c := open(t, gate.config, nil)
	wait(t, c, configMapGVK)
	refused := 0
	gate.failing(func(r *http.Request) (int, string) { // runs under the gate's lock
		if r.Method != http.MethodPatch || refused >= 20 {
			return 0, ""
		}
		refused++
		return http.StatusTooManyRequests, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"busy","reason":"TooManyRequests","code":429}`
	})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, err := c.Apply(t.Context(), configMap(ns, fmt.Sprint("a", i), "1"), apply); err != nil {
				t.Errorf("apply %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	list, err := dev.Client().CoreV1().ConfigMaps(ns).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	applied := slices.DeleteFunc(list.Items, func(m corev1.ConfigMap) bool { return !strings.HasPrefix(m.Name, "a") })
	if len(applied) != 20 {
		t.Errorf("%d of 20 were applied", len(applied))
	}
}
