// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

var update = flag.Bool("update", false, "write the plans into the files of testdata instead of comparing them")

// testCase is a section "<reason>" of a txtar file under testdata: what a plan is made of. The section after it, with the
// same name and " =>", is the printed plan, or the error.
type testCase struct {
	Options    []string
	Metadata   *v1alpha1.ManagedNamespaceMetadata
	Prune      bool
	Force      bool
	Selection  []v1alpha1.SyncOperationResource
	TakeShared bool
	KeepSame   bool
	Guard      *struct {
		Mode    GuardMode
		Manual  bool
		Remains map[string][]string // nil: not known
	}
	Approve bool
	Items   []testItem

	NoHooks          bool
	ReplaceForbidden bool
	Try              int64
	Deletion         v1alpha1.HookType // the plan of these hooks instead
	Summary          bool              // what is printed is the line of counts
	JSON             bool              // what is printed is the form for programs
}

type testItem struct {
	Group, Kind, NS, Name string
	Desired, Live, Same   bool
	Anonymous             bool // live without uid and resourceVersion
	Unknown               bool
	Annotations           map[string]string
	SharedWith            string
	Cascade               int
	At                    string // file that it is from
	Times                 int    // as many objects of that name with a number
	Makes                 string // a definition: the kind that it makes, of group example.com
	Generate              string // generateName
}

func (i testItem) object(name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: i.Group, Version: "v1", Kind: i.Kind})
	u.SetNamespace(i.NS)
	if name != "" {
		u.SetName(name)
	}
	if i.Generate != "" {
		u.SetGenerateName(i.Generate)
	}
	u.SetAnnotations(i.Annotations)
	if i.Makes != "" {
		u.Object["spec"] = map[string]any{"group": "example.com", "names": map[string]any{"kind": i.Makes}}
	}
	return u
}

func (i testItem) items() []Item {
	var out []Item
	for n := range max(1, i.Times) {
		name := i.Name
		if i.Times > 0 {
			name = fmt.Sprintf("%s-%02d", i.Name, n)
		}
		obj := i.object(name)
		item := Item{Key: object.KeyOf(obj), Same: i.Same, SharedWith: i.SharedWith, Cascade: i.Cascade, LiveUnknown: i.Unknown, Origin: object.Origin{File: i.At, Line: 3}}
		if i.Desired {
			item.Desired = obj
		}
		if i.Live {
			item.Live = &Live{UID: types.UID("uid-" + name), ResourceVersion: "7", Object: obj}
		}
		if i.Anonymous {
			item.Live.UID = ""
		}
		out = append(out, item)
	}
	return out
}

func (c testCase) build() (Plan, error) {
	in := Input{
		App: "shop", Self: object.Key{Group: "argoproj.io", Kind: "Application", Namespace: "argocd", Name: "shop"},
		Namespace: "shop", NamespaceMetadata: c.Metadata, Options: c.Options, Prune: c.Prune, Force: c.Force,
		Selection: c.Selection, TakeShared: c.TakeShared, KeepSame: c.KeepSame, NoHooks: c.NoHooks, ReplaceForbidden: c.ReplaceForbidden,
		Revision: "abcdef0123456789", StartedAt: time.Unix(1700000000, 0), Try: c.Try,
	}
	for _, i := range c.Items {
		in.Items = append(in.Items, i.items()...)
	}
	if c.Deletion != "" {
		return DeletionPlan(in, c.Deletion)
	}
	p, err := Build(in)
	if err != nil || c.Guard == nil {
		return p, err
	}
	g := GuardInput{Mode: c.Guard.Mode, Automated: !c.Guard.Manual}
	if c.Guard.Remains != nil {
		g.Remains = func(k object.Key, deleted func(object.Key) bool) []string {
			var left []string
			for _, name := range c.Guard.Remains[k.Name] {
				if !deleted(object.Key{Kind: "ConfigMap", Namespace: k.Name, Name: name}) {
					left = append(left, "ConfigMap "+name)
				}
			}
			return left
		}
	}
	p = Guard(p, g)
	if c.Approve {
		p = p.Approve()
	}
	return p, nil
}

// print returns what the case asks to see of the plan.
func (c testCase) print(p Plan, err error) string {
	switch {
	case err != nil:
		return fmt.Sprintf("%s: %v", fault.KindOf(err), err)
	case c.Summary:
		return p.Summary()
	case c.JSON:
		v := p.View()
		v.Digest, v.Approval = "", ""
		text, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	return p.String()
}

func TestBuild(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(archive.Files); i += 2 {
			in, want := archive.Files[i], &archive.Files[i+1]
			if want.Name != in.Name+" =>" {
				t.Fatalf("%s: section %q is followed by %q", file, in.Name, want.Name)
			}
			t.Run(filepath.Base(file)+"/"+in.Name, func(t *testing.T) {
				var c testCase
				if err := yaml.UnmarshalStrict(in.Data, &c); err != nil {
					t.Fatal(err)
				}
				got := strings.TrimSpace(c.print(c.build()))
				if diff := cmp.Diff(strings.TrimSpace(string(want.Data)), got); diff != "" && !*update {
					t.Errorf("plan differs (- want, + got):\n%s", diff)
				}
				want.Data = []byte(got + "\n\n")
			})
		}
		if *update {
			if err := os.WriteFile(file, bytes.TrimSuffix(txtar.Format(archive), []byte("\n")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestStepsCarryWhatADeleteNeeds(t *testing.T) {
	c := testCase{Prune: true, Items: []testItem{{Group: "apps", Kind: "Deployment", NS: "shop", Name: "old", Live: true}}}
	p, err := c.build()
	if err != nil {
		t.Fatal(err)
	}
	steps := p.Steps()
	if len(steps) != 1 {
		t.Fatalf("got %d steps, want 1", len(steps))
	}
	if s := steps[0]; s.Live.UID != "uid-old" || s.Live.ResourceVersion != "7" || s.Version != "v1" {
		t.Errorf("got %+v, want uid, resourceVersion and version of the live object", s)
	}
}

func TestDigest(t *testing.T) {
	base := testCase{Prune: true, Items: []testItem{
		{Kind: "ConfigMap", NS: "shop", Name: "a", Desired: true, Live: true},
		{Kind: "ConfigMap", NS: "shop", Name: "b", Live: true},
	}}
	digest := func(change func(*testCase)) object.Digest {
		c := base
		c.Items = append([]testItem(nil), base.Items...)
		change(&c)
		p, err := c.build()
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest()
	}
	same := digest(func(*testCase) {})
	if got := digest(func(c *testCase) { c.Items[0], c.Items[1] = c.Items[1], c.Items[0] }); got != same {
		t.Error("the order of items changes the digest")
	}
	changes := map[string]func(*testCase){
		"another desired form":    func(c *testCase) { c.Items[0].Annotations = map[string]string{"a": "b"} },
		"another object to prune": func(c *testCase) { c.Items[1].Name = "c" },
		"no prune":                func(c *testCase) { c.Prune = false },
		"a namespace to create":   func(c *testCase) { c.Options = []string{"CreateNamespace=true"} },
		"another wave":            func(c *testCase) { c.Items[0].Annotations = map[string]string{"argocd.argoproj.io/sync-wave": "1"} },
		"a hook":                  func(c *testCase) { c.Items = append(c.Items, hook("PreSync", "")) },
	}
	for reason, change := range changes {
		if digest(change) == same {
			t.Errorf("%s leaves the digest as it was", reason)
		}
	}
}

func hook(t, policy string) testItem {
	return testItem{Group: "batch", Kind: "Job", NS: "shop", Generate: "migrate-", Desired: true, Annotations: map[string]string{
		v1alpha1.AnnotationKeyHook: t, v1alpha1.AnnotationKeyHookDeletePolicy: policy, v1alpha1.AnnotationKeyAppInstance: "shop:batch/Job:shop/",
	}}
}

func TestDigestOfHooks(t *testing.T) {
	digest := func(try int64, item testItem) object.Digest {
		p, err := testCase{Try: try, Items: []testItem{item}}.build()
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest()
	}
	same := digest(0, hook("PreSync", ""))
	if digest(3, hook("PreSync", "")) != same {
		t.Error("the name that a try gave to a hook changes the digest: what was approved would never be what is done")
	}
	if digest(0, hook("PostSync", "")) == same || digest(0, hook("PreSync", "HookFailed")) == same {
		t.Error("another phase or policy leaves the digest as it was")
	}
	left := hook("PreSync", "")
	left.Generate, left.Name = "", "migrate"
	before := digest(0, left)
	if left.Live = true; digest(0, left) != before {
		t.Error("what an earlier hook left behind changes the digest")
	}
}

func TestAGeneratedHookIsMarkedByItsName(t *testing.T) {
	c := testCase{Items: []testItem{hook("PreSync,PostSync", "")}}
	item := c.Items[0].items()[0]
	p, err := Build(Input{Items: []Item{item}, Revision: "abc", StartedAt: time.Unix(1700000000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"migrate-abc-presync-1700000000", "migrate-abc-postsync-1700000000"} {
		s := p.Steps()[i]
		if s.Key.Name != want || s.Desired.GetName() != want || s.Desired.GetAnnotations()[v1alpha1.AnnotationKeyAppInstance] != "shop:batch/Job:shop/"+want {
			t.Errorf("got %s with %v, want %s", s.Key, s.Desired.Object, want)
		}
	}
	if item.Desired.GetName() != "" {
		t.Error("the desired object itself was given a name")
	}
}
