// SPDX-License-Identifier: Apache-2.0

package object

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	idKey    = "argocd.argoproj.io/tracking-id"
	instKey  = "argocd.argoproj.io/installation-id"
	labelKey = "app.kubernetes.io/instance"
)

func thing(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}}}
	u.SetNamespace(namespace)
	return u
}

func TestMark(t *testing.T) {
	long := strings.Repeat("a", 60) + "-.x" + strings.Repeat("b", 20)
	awkward := strings.Repeat("a", 60) + "-._" + strings.Repeat("b", 20)
	for _, c := range []struct {
		name        string
		tracker     Tracker
		object      *unstructured.Unstructured
		app         string
		annotations map[string]string
		labels      map[string]string
	}{
		{name: "the default is the annotation", object: thing("apps/v1", "Deployment", "shop", "web"), app: "web",
			annotations: map[string]string{idKey: "web:apps/Deployment:shop/web"}},
		{name: "the core group is empty", object: thing("v1", "ConfigMap", "shop", "web"), app: "web",
			annotations: map[string]string{idKey: "web:/ConfigMap:shop/web"}},
		{name: "the destination's namespace stands in for none", object: thing("v1", "Namespace", "", "shop"), app: "web",
			annotations: map[string]string{idKey: "web:/Namespace:dest/shop"}},
		{name: "RBAC names hold colons", object: thing("rbac.authorization.k8s.io/v1", "ClusterRole", "", "system:node:x"), app: "web",
			annotations: map[string]string{idKey: "web:rbac.authorization.k8s.io/ClusterRole:dest/system:node:x"}},
		{name: "an installation id", tracker: Tracker{InstallationID: "one"}, object: thing("v1", "ConfigMap", "shop", "web"), app: "team_web",
			annotations: map[string]string{idKey: "team_web:/ConfigMap:shop/web", instKey: "one"}},
		{name: "label only", tracker: Tracker{Method: TrackByLabel, InstallationID: "one"}, object: thing("v1", "ConfigMap", "shop", "web"), app: "web",
			labels: map[string]string{labelKey: "web"}},
		{name: "a label of its own", tracker: Tracker{Method: TrackByLabel, LabelKey: "corp/app"}, object: thing("v1", "ConfigMap", "shop", "web"), app: "web",
			labels: map[string]string{"corp/app": "web"}},
		{name: "label mode cuts nothing: it would make two applications one", tracker: Tracker{Method: TrackByLabel},
			object: thing("v1", "ConfigMap", "shop", "web"), app: long, labels: map[string]string{labelKey: long}},
		{name: "both, the label cut", tracker: Tracker{Method: TrackByAnnotationAndLabel}, object: thing("v1", "ConfigMap", "shop", "web"), app: long,
			annotations: map[string]string{idKey: long + ":/ConfigMap:shop/web"}, labels: map[string]string{labelKey: long[:63]}},
		{name: "both, cut where a label may end", tracker: Tracker{Method: TrackByAnnotationAndLabel}, object: thing("v1", "ConfigMap", "shop", "web"), app: awkward,
			annotations: map[string]string{idKey: awkward + ":/ConfigMap:shop/web"}, labels: map[string]string{labelKey: awkward[:60]}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.tracker.Mark(c.object, c.app, "dest")
			if diff := cmp.Diff(c.annotations, c.object.GetAnnotations()); diff != "" {
				t.Errorf("annotations (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(c.labels, c.object.GetLabels()); diff != "" {
				t.Errorf("labels (-want +got)\n%s", diff)
			}
			key := KeyOf(c.object)
			if got := c.tracker.Owner(key, c.tracker.MarksOf(c.object)); got != c.app {
				t.Errorf("its owner reads back as %q", got)
			}
		})
	}
}

func TestMarkKeepsWhatIsThere(t *testing.T) {
	u := thing("v1", "ConfigMap", "shop", "web")
	u.SetAnnotations(map[string]string{"a": "1", idKey: "other:/ConfigMap:shop/web"})
	u.SetLabels(map[string]string{"b": "2"})
	Tracker{Method: TrackByAnnotationAndLabel}.Mark(u, "web", "shop")
	want := []map[string]string{{"a": "1", idKey: "web:/ConfigMap:shop/web"}, {"b": "2", labelKey: "web"}}
	if diff := cmp.Diff(want, []map[string]string{u.GetAnnotations(), u.GetLabels()}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOwner(t *testing.T) {
	deployment := Key{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}
	role := Key{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "system:web"}
	for _, c := range []struct {
		name    string
		tracker Tracker
		key     Key
		marks   Marks
		want    string
	}{
		{"its own", Tracker{}, deployment, Marks{ID: "web:apps/Deployment:shop/web"}, "web"},
		{"no mark", Tracker{}, deployment, Marks{}, ""},
		{"only a label, which others write too", Tracker{}, deployment, Marks{Label: "web"}, ""},
		{"only a label, with both asked for", Tracker{Method: TrackByAnnotationAndLabel}, deployment, Marks{Label: "web"}, ""},
		{"a copy under another name", Tracker{}, deployment, Marks{ID: "web:apps/Deployment:shop/api"}, ""},
		{"a copy in another namespace", Tracker{}, deployment, Marks{ID: "web:apps/Deployment:prod/web"}, ""},
		{"a mark handed down to another kind", Tracker{}, Key{Group: "apps", Kind: "ReplicaSet", Namespace: "shop", Name: "web"}, Marks{ID: "web:apps/Deployment:shop/web"}, ""},
		{"a mark of another group", Tracker{}, deployment, Marks{ID: "web:extensions/Deployment:shop/web"}, ""},
		{"a cluster-scoped object's namespace is a stand-in", Tracker{}, role, Marks{ID: "web:rbac.authorization.k8s.io/ClusterRole:anything/system:web"}, "web"},
		{"a namespaced object's namespace is not", Tracker{}, deployment, Marks{ID: "web:apps/Deployment:/web"}, ""},
		{"not a tracking id", Tracker{}, deployment, Marks{ID: "web"}, ""},
		{"an instance name with a namespace", Tracker{}, deployment, Marks{ID: "team_web:apps/Deployment:shop/web"}, "team_web"},
		{"our installation", Tracker{InstallationID: "one"}, deployment, Marks{ID: "web:apps/Deployment:shop/web", Installation: "one"}, "web"},
		{"another installation", Tracker{InstallationID: "one"}, deployment, Marks{ID: "web:apps/Deployment:shop/web", Installation: "two"}, ""},
		{"no installation named", Tracker{InstallationID: "one"}, deployment, Marks{ID: "web:apps/Deployment:shop/web"}, ""},
		{"the label alone decides in label mode", Tracker{Method: TrackByLabel, InstallationID: "one"}, deployment,
			Marks{ID: "other:apps/Deployment:shop/web", Label: "web", Installation: "two"}, "web"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.tracker.Owner(c.key, c.marks); got != c.want {
				t.Errorf("owner %q, want %q", got, c.want)
			}
		})
	}
}

func TestParseTrackingID(t *testing.T) {
	for value, want := range map[string]*TrackingID{
		"web:apps/Deployment:shop/web":     {App: "web", Key: Key{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}},
		"web:/Secret:shop/a.b":             {App: "web", Key: Key{Kind: "Secret", Namespace: "shop", Name: "a.b"}},
		"w:rbac/ClusterRole:d/system:a:b":  {App: "w", Key: Key{Group: "rbac", Kind: "ClusterRole", Namespace: "d", Name: "system:a:b"}},
		"":                                 nil,
		"web":                              nil,
		"web:apps/Deployment":              nil,
		"web:Deployment:shop/web":          nil,
		"web:apps/Deployment:web":          nil,
		"web:apps/v1/Deployment:shop/web":  nil,
		"web:apps/Deployment:shop/web/sub": nil,
	} {
		got, ok := ParseTrackingID(value)
		if ok != (want != nil) {
			t.Errorf("%q: ok is %v", value, ok)
		} else if ok && got != *want {
			t.Errorf("%q: %+v", value, got)
		}
	}
}

func FuzzParseTrackingID(f *testing.F) {
	for _, s := range []string{"web:apps/Deployment:shop/web", "::/:/", "a:b/c:d/e:f:g", "a:b/c/d:e/f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		id, ok := ParseTrackingID(value)
		if !ok {
			if id != (TrackingID{}) {
				t.Errorf("%q is none and yet gives %+v", value, id)
			}
			return
		}
		if id.String() != value {
			t.Errorf("%q is written back as %q", value, id.String())
		}
	})
}
