// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
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

// goType is a Go type of the Kubernetes API.
type goType struct{ reflect.Type }

func (t goType) bare() reflect.Type {
	at := t.Type
	for at.Kind() == reflect.Pointer {
		at = at.Elem()
	}
	return at
}

var goScalars = []reflect.Type{
	reflect.TypeFor[resource.Quantity](), reflect.TypeFor[intstr.IntOrString](), reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime](),
	reflect.TypeFor[metav1.Duration](), reflect.TypeFor[runtime.RawExtension](), reflect.TypeFor[metav1.FieldsV1](), reflect.TypeFor[[]byte](),
}

func (t goType) isScalar() bool { return slices.Contains(goScalars, t.bare()) }

func (t goType) fields() (all, required []string) {
	if t.bare().Kind() != reflect.Struct || t.isScalar() {
		return nil, nil
	}
	eachField(t.bare(), func(name string, optional bool, _ reflect.Type) {
		all = append(all, name)
		if !optional || name == "name" { // by which most lists tell their elements apart
			required = append(required, name)
		}
	})
	return all, required
}

// eachField lists the fields of a struct as its JSON has them.
func eachField(t reflect.Type, do func(name string, optional bool, typ reflect.Type)) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && f.Anonymous:
			if f.Type.Kind() == reflect.Struct {
				eachField(f.Type, do)
			}
		case name != "":
			do(name, strings.Contains(options, "omit"), f.Type)
		}
	}
}

func (t goType) oneOf() bool {
	n, pointers := 0, true
	for f := range t.bare().Fields() {
		n++
		pointers = pointers && f.Type.Kind() == reflect.Pointer
	}
	return n > 2 && pointers
}

func (t goType) field(name string) typeOf {
	var found typeOf
	eachField(t.bare(), func(n string, _ bool, typ reflect.Type) {
		if n == name {
			found = goType{typ}
		}
	})
	return found
}

func (t goType) inside() (typeOf, bool) {
	if t.isScalar() {
		return nil, false
	}
	switch at := t.bare(); at.Kind() {
	case reflect.Slice:
		return goType{at.Elem()}, true
	case reflect.Map:
		return goType{at.Elem()}, false
	}
	return nil, false
}

func (t goType) scalar(rng *rand.Rand, name string) any {
	at := t.bare()
	switch at {
	case goScalars[0]:
		return quantities[rng.IntN(len(quantities))]
	case goScalars[1]:
		return pick[any](rng, int64(1), int64(80), "50%", "http", "1")
	case goScalars[2]:
		return pick[any](rng, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00")
	case goScalars[3]:
		return pick[any](rng, "2026-01-01T00:00:00.000000Z", "2026-01-01T01:00:00.500000+01:00", "2026-01-01T00:00:00Z")
	case goScalars[4]:
		return pick[any](rng, "60s", "1m", "1m0s", "90m")
	case goScalars[5], goScalars[6]:
		return map[string]any{"a": "b"}
	case goScalars[7]:
		text := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "some secret value %d", rng.IntN(5)))
		return pick(rng, text, text[:8]+"\n"+text[8:])
	}
	switch at.Kind() {
	case reflect.Bool:
		return rng.IntN(2) == 0
	case reflect.Int, reflect.Int32, reflect.Int64:
		return pick(rng, int64(0), 1, 2, 30, 8080)
	case reflect.Float32, reflect.Float64:
		return 0.5
	}
	if of := words[name]; of != nil {
		return of[rng.IntN(len(of))]
	}
	return fmt.Sprintf("w%d", rng.IntN(6))
}

// crdType is a structural schema.
type crdType struct{ schema map[string]any }

func (t crdType) fields() (all, required []string) {
	props, _ := t.schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(props)) {
		all = append(all, name)
	}
	of, _ := t.schema["required"].([]any)
	for _, name := range of {
		required = append(required, name.(string))
	}
	return all, required
}

func (t crdType) oneOf() bool { return false }

func (t crdType) field(name string) typeOf {
	props, _ := t.schema["properties"].(map[string]any)
	if p, ok := props[name].(map[string]any); ok {
		return crdType{p}
	}
	return nil
}

func (t crdType) inside() (typeOf, bool) {
	if items, ok := t.schema["items"].(map[string]any); ok {
		return crdType{items}, true
	}
	if extra, ok := t.schema["additionalProperties"].(map[string]any); ok {
		return crdType{extra}, false
	}
	return nil, false
}

func (t crdType) scalar(rng *rand.Rand, name string) any {
	word := fmt.Sprintf("w%d", rng.IntN(6))
	embedded, _ := t.schema["x-kubernetes-embedded-resource"].(bool)
	either, _ := t.schema["x-kubernetes-int-or-string"].(bool)
	options, _ := t.schema["enum"].([]any)
	switch {
	case len(options) > 0:
		return options[rng.IntN(len(options))]
	case embedded:
		return map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": word, "labels": map[string]any{word: "x"}},
			"data": map[string]any{"list": []any{int64(1), nil, map[string]any{}}}}
	case t.schema["pattern"] != nil:
		return pick[any](rng, "1", "1000m", "1Gi", int64(2), "0.5")
	case either:
		return pick[any](rng, int64(1), "50%", "1")
	}
	switch t.schema["type"] {
	case "boolean":
		return rng.IntN(2) == 0
	case "integer":
		return pick(rng, int64(0), 1, 5, 80)
	case "number":
		return pick[any](rng, 0.5, int64(2), 2.0, int64(0))
	case "object":
		return pick[any](rng, map[string]any{}, map[string]any{word: map[string]any{"x": []any{int64(1), "2"}, "empty": map[string]any{}, "null": nil}}, map[string]any{"a": word})
	}
	switch t.schema["format"] {
	case "date-time":
		return pick(rng, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00")
	case "byte":
		return "c29tZQ=="
	}
	return word
}

// anyType is a kind of which nothing is known.
type anyType struct{ deep bool }

func (t anyType) fields() (all, required []string) {
	if t.deep {
		return nil, nil
	}
	return []string{"spec", "a", "b", "c", "list"}, nil
}
func (t anyType) oneOf() bool              { return false }
func (t anyType) field(name string) typeOf { return anyType{deep: name != "spec"} }
func (t anyType) inside() (typeOf, bool)   { return nil, false }
func (t anyType) scalar(rng *rand.Rand, _ string) any {
	return pick[any](rng, int64(1), "text", true, nil, map[string]any{}, []any{}, 1.5, map[string]any{"x": nil, "y": []any{int64(1), map[string]any{"name": "a"}}}, []any{"a", "b"})
}
