// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// typeOf is what a grower knows of a value's type: a Go type of the Kubernetes API or a structural schema.
type typeOf interface {
	// fields names the fields of a struct, and which of them have to be there; nil for other types.
	fields() (all, required []string)
	// oneOf is set if a struct has one of its fields only.
	oneOf() bool
	field(name string) typeOf
	// inside is the type of the elements of a list or a map, nil for others.
	inside() (elem typeOf, list bool)
	// scalar returns a value of the field of that name; of more than a few, the API server takes.
	scalar(rng *rand.Rand, name string) any
}

// grower adds random fields to objects, as their types allow; the API server's validation may still refuse them.
type grower struct {
	rng *rand.Rand
}

// grow adds a field to m, or to something in it, or an element to a list.
func (g grower) grow(m map[string]any, t typeOf, depth int) {
	names, _ := t.fields()
	if len(names) == 0 {
		if elem, list := t.inside(); elem != nil && !list {
			m[g.word()] = g.value(elem, "", depth)
		}
		return
	}
	name := names[g.rng.IntN(len(names))]
	if into := g.containers(m); len(into) > 0 && g.rng.IntN(3) > 0 {
		name = into[g.rng.IntN(len(into))]
	}
	if depth == 0 && slices.Contains([]string{"apiVersion", "kind", "metadata", "status"}, name) {
		return
	}
	child := t.field(name)
	if child == nil {
		return
	}
	switch v := m[name].(type) {
	case map[string]any:
		if g.rng.IntN(10) > 0 {
			g.grow(v, child, depth+1)
			return
		}
	case []any:
		elem, _ := child.inside()
		if elem == nil {
			return
		}
		if i := g.rng.IntN(len(v) + 1); i < len(v) {
			if item, ok := v[i].(map[string]any); ok {
				g.grow(item, elem, depth+1)
				return
			}
		}
		m[name] = append(v, g.value(elem, name, depth+1))
		return
	}
	if g.rng.IntN(8) == 0 && name != "name" && name != "uid" {
		m[name] = g.nothing(child)
		return
	}
	m[name] = g.value(child, name, depth+1)
}

// containers names the fields of m that hold something to grow.
func (g grower) containers(m map[string]any) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		switch m[name].(type) {
		case map[string]any, []any:
			if name != "metadata" && name != "status" {
				out = append(out, name)
			}
		}
	}
	return out
}

// nothing is a way to write that a field has no value.
func (g grower) nothing(t typeOf) any {
	if g.rng.IntN(2) == 0 {
		return nil
	}
	if elem, list := t.inside(); elem != nil && list {
		return []any{}
	}
	if elem, _ := t.inside(); elem != nil {
		return map[string]any{}
	}
	if all, _ := t.fields(); len(all) > 0 {
		return map[string]any{}
	}
	switch t.scalar(g.rng, "").(type) {
	case bool:
		return false
	case int64:
		return int64(0)
	default:
		return ""
	}
}

func (g grower) value(t typeOf, name string, depth int) any {
	if elem, list := t.inside(); elem != nil {
		if list {
			items := make([]any, 0, 2)
			for range 1 + g.rng.IntN(2) {
				items = append(items, g.value(elem, name, depth+1))
			}
			return items
		}
		m := map[string]any{}
		for range 1 + g.rng.IntN(2) {
			m[g.key(name)] = g.value(elem, "", depth+1)
		}
		return m
	}
	all, required := t.fields()
	if len(all) == 0 {
		return t.scalar(g.rng, name)
	}
	if depth > 12 {
		return map[string]any{}
	}
	if t.oneOf() {
		only := all[g.rng.IntN(len(all))]
		return map[string]any{only: g.value(t.field(only), only, depth+1)}
	}
	m := map[string]any{}
	for _, name := range all {
		if slices.Contains(required, name) || g.rng.IntN(4+depth) == 0 {
			m[name] = g.value(t.field(name), name, depth+1)
		}
	}
	return m
}

// key is a name for an element of a map.
func (g grower) key(of string) string {
	switch of {
	case "requests", "limits", "max", "min", "default", "defaultRequest":
		return pick(g.rng, "cpu", "memory", "ephemeral-storage")
	case "hard":
		return pick(g.rng, "requests.cpu", "limits.memory", "count/things.none.example.com")
	default:
		return g.word()
	}
}

func (g grower) word() string { return fmt.Sprintf("w%d", g.rng.IntN(6)) }

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// words are values for fields of these names, of which the API server takes only some.
var words = map[string][]any{
	"protocol": {"TCP", "UDP"}, "imagePullPolicy": {"Always", "IfNotPresent"}, "terminationMessagePolicy": {"File", "FallbackToLogsOnError"},
	"dnsPolicy": {"ClusterFirst", "Default"}, "effect": {"NoSchedule", "NoExecute"}, "operator": {"Exists", "In", "Equal"},
	"pathType": {"Prefix", "Exact"}, "path": {"/p", "/q"}, "mountPath": {"/m", "/n"}, "subPath": {"s"}, "policyTypes": {"Ingress", "Egress"},
	"sessionAffinity": {"ClientIP", "None"}, "externalTrafficPolicy": {"Cluster"}, "internalTrafficPolicy": {"Cluster", "Local"},
	"type":           {"ClusterIP", "NodePort", "RollingUpdate", "Recreate", "OnDelete", "Directory", "Container", "RuntimeDefault", "Resource"},
	"ipFamilyPolicy": {"SingleStack", "PreferDualStack"}, "ipFamilies": {"IPv4"}, "concurrencyPolicy": {"Forbid", "Replace"}, "podManagementPolicy": {"Parallel"},
	"whenDeleted": {"Delete", "Retain"}, "whenScaled": {"Delete", "Retain"}, "scheme": {"HTTP", "HTTPS"}, "topologyKey": {"zone", "host"},
	"whenUnsatisfiable": {"DoNotSchedule", "ScheduleAnyway"}, "failurePolicy": {"Ignore", "Fail"}, "matchPolicy": {"Exact", "Equivalent"},
	"reclaimPolicy": {"Delete", "Retain"}, "persistentVolumeReclaimPolicy": {"Delete", "Retain"}, "volumeBindingMode": {"Immediate", "WaitForFirstConsumer"},
	"preemptionPolicy": {"Never", "PreemptLowerPriority"}, "apiGroups": {"none.example.com"}, "apiGroup": {"", "none.example.com"},
	"verbs": {"get", "list", "watch"}, "resources": {"things"}, "cidr": {"192.0.2.0/24", "192.0.2.0/28"}, "except": {"192.0.2.0/30"},
	"accessModes": {"ReadWriteOnce", "ReadOnlyMany"}, "volumeMode": {"Filesystem"}, "image": {"a:1", "b:2"}, "ip": {"192.0.2.7", "192.0.2.3"}, "ips": {"192.0.2.9"},
	"hostname": {"h1", "h2"}, "namespace": {"n1"}, "restartPolicy": {"Always", "Never"}, "completionMode": {"NonIndexed"}, "fsGroupPolicy": {"File", "None"},
	"unhealthyPodEvictionPolicy": {"AlwaysAllow", "IfHealthyBudget"}, "timeZone": {"Etc/UTC"}, "clusterIP": {"None"}, "add": {"NET_ADMIN", "CHOWN"}, "drop": {"ALL"},
	"addresses": {"192.0.2.5", "192.0.2.4"}, "externalIPs": {"192.0.2.8"}, "loadBalancerSourceRanges": {"192.0.2.0/24"}, "medium": {"Memory"}, "operations": {"CREATE", "UPDATE"},
	"apiVersions": {"v1", "v2"}, "scope": {"*", "Namespaced"}, "sideEffects": {"None"}, "admissionReviewVersions": {"v1", "v2"}, "podReplacementPolicy": {"Failed"},
	"nodeInclusionPolicy": {"Honor"}, "nodeAffinityPolicy": {"Honor", "Ignore"}, "nodeTaintsPolicy": {"Honor", "Ignore"}, "selectPolicy": {"Max", "Min"},
	"fieldPath": {"metadata.name", "metadata.namespace"}, "resource": {"limits.cpu", "requests.memory"}, "apiVersion": {"v1"}, "kind": {"ServiceAccount", "User", "ConfigMap"},
	"procMount": {"Default"}, "hostPath": {"/h"}, "expression": {"true", "object != null"}, "message": {"a", "b"}, "divisor": {"1", "1Mi", 1},
	"hosts": {"a.example", "b.example"}, "host": {"a.example", "c.example"}, "shortNames": {"x1", "x2"}, "categories": {"c1"}, "provisioner": {"example.com/other"},
	"mountOptions": {"ro", "nolock"}, "volumeLifecycleModes": {"Persistent", "Ephemeral"}, "reason": {"Invalid", "Forbidden"}, "strategy": {"CSA"},
	"uid": {"u1", "u2"}, "storageClassName": {"none"}, "nodeName": {"n"}, "zone": {"z1"}, "finalizers": {"kubernetes"}, "value": {"v1", "$(A)", "", "a b"}, "args": {"-v", "-x"}, "command": {"c", "d"},
}

var quantities = []any{"1", "1000m", "0.5", "500m", "2", "1Gi", "1024Mi", "1.5Gi", "2k", "1e3", int64(1), 0.5, "100M", "0"}
