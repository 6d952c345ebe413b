// SPDX-License-Identifier: Apache-2.0

package action

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings"
)

// catalog is what an argocd-cm with these actions gives.
func catalog(t *testing.T, cm map[string]string) (*Catalog, []error) {
	t.Helper()
	s, errs := settings.Defaults().With(cm, nil)
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	return New(s.Customizations)
}

func names(t *testing.T, c *Catalog, apiVersion, kind string) string {
	t.Helper()
	found, err := c.Discover(parse(t, apiVersion, kind, "spec: {}"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range found {
		name := a.Name
		if a.Disabled {
			name += "(disabled)"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// The example of Argo CD's documentation, as people have it.
const suspendAndResume = `
discovery.lua: |
  actions = {}
  actions["suspend"] = {["disabled"] = true}
  actions["resume"] = {["disabled"] = true, ["displayName"] = "Go On", ["iconClass"] = "fa fa-play"}
  local suspend = false
  if obj.spec.suspend ~= nil then
      suspend = obj.spec.suspend
  end
  if suspend then
      actions["resume"]["disabled"] = false
  else
      actions["suspend"]["disabled"] = false
  end
  return actions
definitions:
- name: suspend
  action.lua: |
    obj.spec.suspend = true
    return obj
- name: resume
  action.lua: |
    if obj.spec.suspend ~= nil and obj.spec.suspend then
        obj.spec.suspend = false
    end
    return obj
`

func TestUsersActionsReplaceBundledOnesOrJoinThem(t *testing.T) {
	c, errs := catalog(t, map[string]string{
		"resource.customizations.actions.batch_CronJob":       suspendAndResume,
		"resource.customizations.actions.apps_Deployment":     "mergeBuiltinActions: true\ndefinitions: [{name: restart, action.lua: 'obj.spec.mine = true return obj'}, {name: own, action.lua: return obj}]",
		"resource.customizations.actions.example.com_Nothing": "discovery.lua: return {}",
	})
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	if got := names(t, c, "batch/v1", "CronJob"); got != "resume(disabled) suspend" {
		t.Errorf("CronJob has %s", got)
	}
	if got := names(t, c, "apps/v1", "Deployment"); got != "own pause restart resume(disabled) scale" {
		t.Errorf("Deployment has %s", got)
	}
	if got := names(t, c, "example.com/v1", "Nothing"); got != "" {
		t.Errorf("Nothing has %s", got)
	}
	if got := names(t, c, "apps/v1", "DaemonSet"); got != "restart" {
		t.Errorf("DaemonSet has %s", got)
	}
	for gk, want := range map[schema.GroupKind]bool{kind("batch", "CronJob"): true, kind("apps", "DaemonSet"): true, kind("example.com", "Nothing"): true, kind("", "ConfigMap"): false} {
		if c.Offers(gk) != want {
			t.Errorf("offers of %s: want %t", gk, want)
		}
	}
	impacts, err := c.Run("restart", parse(t, "apps/v1", "Deployment", "spec: {list: []}"), nil, now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(yamlMap(t, "spec: {mine: true}"), impacts[0].Patch); diff != "" {
		t.Errorf("the user's restart: %s", diff)
	}
}

func TestUsersActionsMayCreateAndPatch(t *testing.T) {
	c, errs := catalog(t, map[string]string{"resource.customizations.actions.ConfigMap": `
discovery.lua: |
  return {["do-things"] = {params = {{name = "key", type = "string", default = "a"}}}}
definitions:
- name: do-things
  action.lua: |
    local os = require("os")
    local cm1 = {apiVersion = "v1", kind = "ConfigMap", metadata = {name = obj.metadata.name .. "-copy", namespace = obj.metadata.namespace}, data = {}}
    cm1.data[actionParams["key"]] = os.date("!%Y-%m-%dT%H:%M:%SZ")
    obj.metadata.labels = obj.metadata.labels or {}
    obj.metadata.labels["aKey"] = "aValue"
    obj.status = {seen = true}
    return {{operation = "create", resource = cm1}, {operation = "patch", resource = obj}}
`})
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	obj := parse(t, "v1", "ConfigMap", "{metadata: {generation: 3, resourceVersion: '7', managedFields: [{manager: x}]}, data: {b: c}}")
	impacts, err := c.Run("do-things", obj, map[string]string{"key": "when"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(impacts) != 2 || impacts[0].Operation != Create || impacts[1].Operation != Patch {
		t.Fatalf("impacts: %+v", impacts)
	}
	want := "{apiVersion: v1, kind: ConfigMap, metadata: {name: web-copy, namespace: shop}, data: {when: '2026-03-04T05:06:07Z'}}"
	if diff := cmp.Diff(yamlMap(t, want), impacts[0].Object.Object); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(yamlMap(t, "metadata: {labels: {aKey: aValue}}"), impacts[1].Patch); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(yamlMap(t, "status: {seen: true}"), impacts[1].StatusPatch); diff != "" {
		t.Error(diff)
	}
}

func TestActionsStayWithTheirObject(t *testing.T) {
	tests := map[string]struct{ lua, want string }{
		"another name":        {`obj.metadata.name = "other" return obj`, "patches its own object only"},
		"another kind":        {`obj.kind = "Secret" return obj`, "patches its own object only"},
		"another group":       {`obj.apiVersion = "apps/v1" return obj`, "patches its own object only"},
		"another version":     {`obj.apiVersion = "v2" return obj`, "patches its own object only"},
		"another namespace":   {`obj.metadata.namespace = "kube-system" return obj`, "patches its own object only"},
		"another uid":         {`obj.metadata.uid = "u-2" return obj`, "cannot change which object"},
		"a foreign namespace": {`return {{operation = "create", resource = {apiVersion = "v1", kind = "Secret", metadata = {name = "x", namespace = "kube-system"}}}}`, "in the namespace of its own object only"},
		"no name":             {`return {{operation = "create", resource = {apiVersion = "v1", kind = "Secret", metadata = {}}}}`, "no valid name"},
		"a path as a name":    {`return {{operation = "create", resource = {apiVersion = "v1", kind = "Secret", metadata = {name = "../x"}}}}`, "no valid name"},
		"no kind":             {`return {{operation = "create", resource = {metadata = {name = "x"}}}}`, "lacks its apiVersion or kind"},
		"two patches":         {`return {{operation = "patch", resource = obj}, {operation = "patch", resource = obj}}`, "more than once"},
		"deletion":            {`return {{operation = "delete", resource = obj}}`, `operation "delete"`},
		"nothing":             {`local x = 1`, "neither an object nor a list"},
		"too many":            {`local t = {} for i = 1, 51 do t[i] = {operation = "create", resource = obj} end return t`, "51 objects"},
		"no metadata":         {`obj.metadata = nil return obj`, "patches its own object only"},
		"metadata of text":    {`obj.metadata = "x" return obj`, "patches its own object only"},
		"endless":             {`while true do end`, "it takes"},
		"an error":            {`error("not today")`, "not today"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, errs := catalog(t, map[string]string{"resource.customizations.actions.ConfigMap": "definitions:\n- name: go\n  action.lua: |\n    " + tt.lua})
			if len(errs) != 0 {
				t.Fatal(errs)
			}
			impacts, err := c.Run("go", parse(t, "v1", "ConfigMap", "data: {a: b}"), nil, now)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !fault.Is(err, fault.Mistake) {
				t.Errorf("got %+v, %v; want it to say %q", impacts, err, tt.want)
			}
		})
	}
}

func TestWhatTheAPIServerKeepsIsNotWritten(t *testing.T) {
	c, _ := catalog(t, map[string]string{"resource.customizations.actions.ConfigMap": `
definitions:
- name: go
  action.lua: |
    obj.metadata.managedFields = nil
    obj.metadata.resourceVersion = "1"
    obj.metadata.generation = 9
    obj.data.a = "c"
    return obj
`})
	obj := parse(t, "v1", "ConfigMap", "{metadata: {generation: 3, resourceVersion: '7', managedFields: [{manager: x}]}, data: {a: b}}")
	impacts, err := c.Run("go", obj, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(yamlMap(t, "data: {a: c}"), impacts[0].Patch); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenActionsSayWhyAndBreakOnlyTheirKind(t *testing.T) {
	kinds := map[string]struct {
		text, want string
	}{
		"A": {"definitions: [{name: x, action.lua: 'return ('}]", "action x, line 1"},
		"B": {"discovery.lua: return (", "discovery.lua, line 1"},
		"C": {"discovery.lua: return 3", "no table of actions by name"},
		"D": {"discovery.lua: return {x = {disabled = 'no'}}", "disabled is neither true nor false"},
		"E": {"discovery.lua: return obj.nothing.there", "attempt to index"},
		"F": {"discovery.lua: return {x = {params = {{}}}}", "a parameter has no name"},
		"G": {"discovery.lua: return {x = {displayName = {}}}", "displayName is no text"},
	}
	cm := map[string]string{}
	for kind, k := range kinds {
		cm["resource.customizations.actions.example.com_"+kind] = k.text
	}
	c, errs := catalog(t, cm)
	if len(errs) != 2 {
		t.Errorf("want two errors, got %v", errs)
	}
	for kind, k := range kinds {
		_, err := c.Discover(parse(t, "example.com/v1", kind, "{}"))
		if err == nil || !strings.Contains(err.Error(), "actions.example.com_"+kind) || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v, want it to say %q", kind, err, k.want)
		}
	}
	if got := names(t, c, "apps/v1", "DaemonSet"); got != "restart" {
		t.Errorf("DaemonSet has %s", got)
	}
}

func FuzzActions(f *testing.F) {
	f.Add(suspendAndResume, "suspend")
	f.Add("definitions: [{name: x, action.lua: 'return {{operation = \"create\", resource = obj}}'}]", "x")
	f.Fuzz(func(t *testing.T, text, name string) {
		if len(text) > 4<<10 {
			return
		}
		c, _ := New([]settings.Customization{{Kind: "ConfigMap", Where: "key", Actions: text}})
		obj := parse(t, "v1", "ConfigMap", "data: {a: b}")
		if _, err := c.Discover(obj); err != nil {
			return
		}
		impacts, err := c.Run(name, obj, nil, now)
		if err != nil {
			return
		}
		for _, impact := range impacts {
			if impact.Object.GetNamespace() != "shop" || impact.Operation == Patch && impact.Object.GetName() != "web" {
				t.Fatalf("it got away: %+v", impact.Object)
			}
		}
	})
}
