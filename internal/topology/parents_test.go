// SPDX-License-Identifier: Apache-2.0

package topology_test

import (
	"slices"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	keys "github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/topology"
)

func key(group, kind, name string) keys.Key {
	return keys.Key{Group: group, Kind: kind, Namespace: "shop", Name: name}
}

func TestParents(t *testing.T) {
	type words = map[string]string
	for _, tc := range []struct {
		name                string
		child               keys.Key
		labels, annotations words
		parent              keys.Key
		claims              []string
		want                bool
	}{
		{"Endpoints of a Service", key("", "Endpoints", "web"), nil, nil, key("", "Service", "web"), nil, true},
		{"Endpoints of another name", key("", "Endpoints", "api"), nil, nil, key("", "Service", "web"), nil, false},
		{"a slice", key("discovery.k8s.io", "EndpointSlice", "web-x2x"), words{"kubernetes.io/service-name": "web"}, nil, key("", "Service", "web"), nil, true},
		{"a slice without the label", key("discovery.k8s.io", "EndpointSlice", "web"), nil, nil, key("", "Service", "web"), nil, false},
		{"a token", key("", "Secret", "t"), nil, words{"kubernetes.io/service-account.name": "bot"}, key("", "ServiceAccount", "bot"), nil, true},
		{"a Secret", key("", "Secret", "bot"), nil, nil, key("", "ServiceAccount", "bot"), nil, false},
		{"a claim", key("", "PersistentVolumeClaim", "data-db-0"), nil, nil, key("apps", "StatefulSet", "db"), []string{"data"}, true},
		{"the twelfth claim of the second template", key("", "PersistentVolumeClaim", "log-db-11"), nil, nil, key("apps", "StatefulSet", "db"), []string{"data", "log"}, true},
		{"a claim of no template", key("", "PersistentVolumeClaim", "tmp-db-0"), nil, nil, key("apps", "StatefulSet", "db"), []string{"data"}, false},
		{"a claim without a number", key("", "PersistentVolumeClaim", "data-db"), nil, nil, key("apps", "StatefulSet", "db"), []string{"data"}, false},
		{"a claim with letters for a number", key("", "PersistentVolumeClaim", "data-db-0a"), nil, nil, key("apps", "StatefulSet", "db"), []string{"data"}, false},
		{"a claim with nothing for a number", key("", "PersistentVolumeClaim", "data-db-"), nil, nil, key("apps", "StatefulSet", "db"), []string{"data"}, false},
		{"a StatefulSet of another group", key("", "PersistentVolumeClaim", "data-db-0"), nil, nil, key("apps.kruise.io", "StatefulSet", "db"), []string{"data"}, false},
		{"an operator's version", key("operators.coreos.com", "ClusterServiceVersion", "v1"), nil, words{"olm.operatorGroup": "g"}, key("operators.coreos.com", "OperatorGroup", "g"), nil, true},
	} {
		inferred := topology.Infer(tc.child, tc.labels, tc.annotations)
		got := slices.ContainsFunc(topology.Roles(tc.parent, tc.claims), func(role keys.Key) bool { return slices.Contains(inferred.Roles, role) })
		if got != tc.want || len(inferred.UIDs) > 0 {
			t.Errorf("%s: %v of %v is %v, want %v (uids %v)", tc.name, tc.child, tc.parent, got, tc.want, inferred.UIDs)
		}
	}
}

// An account that was deleted and made again is not the parent of the tokens of the one before.
func TestTokensOfAnAccountThatWasReplaced(t *testing.T) {
	got := topology.Infer(key("", "Secret", "t"), nil, map[string]string{"kubernetes.io/service-account.name": "bot", "kubernetes.io/service-account.uid": "u"})
	if len(got.Roles) != 0 || len(got.UIDs) != 1 || got.UIDs[0] != "u" {
		t.Errorf("parents = %+v, want the uid alone", got)
	}
}

func TestOrphanRules(t *testing.T) {
	if rules, err := topology.CompileOrphanRules(nil); rules != nil || err != nil {
		t.Errorf("a project that does not ask: %v, %v", rules, err)
	}
	no := false
	rules, err := topology.CompileOrphanRules(&v1alpha1.OrphanedResourcesMonitorSettings{Warn: &no, Ignore: []v1alpha1.OrphanedResourceKey{
		{Kind: "ConfigMap", Name: "cache-*"}, {Group: "*.example.com"}, {Group: "apps", Kind: "Deploy*"}, {Kind: "["},
	}})
	if err == nil || rules.Warn {
		t.Errorf("warn %v, error %v; want no warning, and an error about the last pattern", rules.Warn, err)
	}
	for _, tc := range []struct {
		key  keys.Key
		want bool
	}{
		{key("", "ConfigMap", "mine"), true},
		{key("", "ConfigMap", "cache-1"), false},
		{key("", "Secret", "cache-1"), true},
		{key("a.example.com", "Thing", "x"), false},
		{key("apps", "Deployment", "x"), false},
		{key("apps", "StatefulSet", "x"), true},
		{key("extensions", "Deployment", "x"), true},
		{key("", "ServiceAccount", "default"), false},
		{key("", "ServiceAccount", "bot"), true},
		{key("", "ConfigMap", "kube-root-ca.crt"), false},
		{key("", "Service", "kubernetes"), true},
		{keys.Key{Kind: "Service", Namespace: "default", Name: "kubernetes"}, false},
		{keys.Key{Group: "serving.knative.dev", Kind: "Service", Namespace: "default", Name: "kubernetes"}, true},
	} {
		if got := rules.Counts(tc.key); got != tc.want {
			t.Errorf("%v counts: %v, want %v", tc.key, got, tc.want)
		}
	}
	if rules, _ := topology.CompileOrphanRules(&v1alpha1.OrphanedResourcesMonitorSettings{}); !rules.Warn {
		t.Error("a project that says nothing else wants no warning")
	}
}

func TestReadPod(t *testing.T) {
	const pod = `{"spec":{"nodeName":"n","overhead":{"cpu":"10m"},"containers":[{"resources":{"requests":{"cpu":"100m","memory":"1Ki"}}},{"resources":{"requests":{"cpu":"1"}}}],
		"initContainers":[{"resources":{"requests":{"cpu":"2"}}},{"restartPolicy":"Always","resources":{"requests":{"cpu":"500m"}}},{"resources":{"requests":{"cpu":"1"}}}]},"status":{"phase":"Running"}}`
	got := topology.ReadPod([]byte(pod))
	// Together 100m + 1 + the sidecar's 500m; while it starts 2, and later 500m + 1; and 10m in any case.
	if got == nil || got.Host != "n" || got.CPU != 2010 || got.Memory != 1024*1000 {
		t.Errorf("takes %+v", got)
	}
	for _, none := range []string{
		`{"spec":{"containers":[{}]}}`, `{"spec":{"nodeName":"n"},"status":{"phase":"Succeeded"}}`, `{"spec":{"nodeName":7}}`, `{"spec":{"nodeName":"n","containers":[{"resources":{"requests":{"cpu":"much"}}}]}}`,
	} {
		if got := topology.ReadPod([]byte(none)); got != nil {
			t.Errorf("%s takes %+v", none, got)
		}
	}
}

func TestShows(t *testing.T) {
	for _, tc := range []struct {
		group, kind string
		want        bool
	}{
		{"", "Pod", true}, {"", "Secret", false}, {"", "ConfigMap", false}, {"rbac.authorization.k8s.io", "Role", false},
		{"cert-manager.io", "Certificate", true}, {"gateway.networking.k8s.io", "HTTPRoute", true}, {"discovery.k8s.io", "EndpointSlice", false},
	} {
		if got := topology.Shows(keys.Key{Group: tc.group, Kind: tc.kind}.GroupKind()); got != tc.want {
			t.Errorf("%s/%s shows more than its identity: %v, want %v", tc.group, tc.kind, got, tc.want)
		}
	}
}
