// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

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
}

func (i testItem) object(name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: i.Group, Version: "v1", Kind: i.Kind})
	u.SetNamespace(i.NS)
	u.SetName(name)
	u.SetAnnotations(i.Annotations)
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
		Selection: c.Selection, TakeShared: c.TakeShared, KeepSame: c.KeepSame,
	}
	for _, i := range c.Items {
		in.Items = append(in.Items, i.items()...)
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
			in, want := archive.Files[i], archive.Files[i+1]
			if want.Name != in.Name+" =>" {
				t.Fatalf("%s: section %q is followed by %q", file, in.Name, want.Name)
			}
			t.Run(filepath.Base(file)+"/"+in.Name, func(t *testing.T) {
				var c testCase
				if err := yaml.UnmarshalStrict(in.Data, &c); err != nil {
					t.Fatal(err)
				}
				p, err := c.build()
				got := p.String()
				if err != nil {
					got = fmt.Sprintf("%s: %v\n", fault.KindOf(err), err)
				}
				if diff := cmp.Diff(strings.TrimSpace(string(want.Data)), strings.TrimSpace(got)); diff != "" {
					t.Errorf("plan differs (- want, + got):\n%s", diff)
				}
			})
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
	}
	for reason, change := range changes {
		if digest(change) == same {
			t.Errorf("%s leaves the digest as it was", reason)
		}
	}
}
