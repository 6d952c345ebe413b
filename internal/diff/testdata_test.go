// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

var update = flag.Bool("update", false, "write the results of the cases in testdata into them")

// options is the file options.yaml of a case.
type options struct {
	How             string                               `json:"how,omitempty"`
	Ignore          []v1alpha1.ResourceIgnoreDifferences `json:"ignore,omitempty"`
	Status          StatusMode                           `json:"status,omitempty"`
	AggregatedRoles bool                                 `json:"aggregatedRoles,omitempty"`
	Sensitive       []string                             `json:"sensitive,omitempty"`
	KnownTypes      []KnownType                          `json:"knownTypes,omitempty"`
	RespectIgnore   bool                                 `json:"respectIgnore,omitempty"`
	Mutations       bool                                 `json:"mutations,omitempty"`
	Tracked         bool                                 `json:"tracked,omitempty"` // by annotation
	Forms           bool                                 `json:"forms,omitempty"`   // print what people see
}

// owner is an element of owners.yaml: an entry of managedFields whose fields are given as a partial object.
type owner struct {
	Manager     string         `json:"manager"`
	Operation   string         `json:"operation"`
	APIVersion  string         `json:"apiVersion,omitempty"`
	Subresource string         `json:"subresource,omitempty"`
	Fields      map[string]any `json:"fields"`
}

// testCase is a txtar file:
//
//	desired.yaml, live.yaml   the two forms; no live.yaml: the object does not exist
//	owners.yaml               managedFields of live (and of accepted.yaml), besides what live.yaml itself has
//	accepted.yaml             the API server's answer to the last apply of desired
//	answer.yaml               the API server's answer to a dry run
//	probed.yaml               the API server's answer to the probe
//	crd.yaml                  openAPIV3Schema of the kind
//	options.yaml              see options
//	want                      the outcome of Compare and of all that the files allow to ask for
type testCase struct {
	files map[string][]byte
	in    Input
	opts  options
}

func TestCases(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases found: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := readCase(t, archive)
			got := c.outcome(t)
			if *update {
				writeWant(t, path, archive, got)
				return
			}
			if diff := cmp.Diff(string(c.files["want"]), got); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", bytes.TrimSpace(archive.Comment), diff)
			}
		})
	}
}

func readCase(t *testing.T, archive *txtar.Archive) *testCase {
	t.Helper()
	c := &testCase{files: map[string][]byte{}}
	for _, f := range archive.Files {
		c.files[f.Name] = f.Data
	}
	if err := yaml.UnmarshalStrict(c.files["options.yaml"], &c.opts); err != nil {
		t.Fatal(err)
	}
	rules, err := NewRules(RuleSettings{Ignore: c.opts.Ignore, Status: c.opts.Status,
		AggregatedRoles: c.opts.AggregatedRoles, SensitiveAnnotations: c.opts.Sensitive})
	if err != nil {
		t.Fatal(err)
	}
	c.in = Input{Desired: c.object(t, "desired.yaml"), Live: c.object(t, "live.yaml"), Rules: rules, Probed: c.object(t, "probed.yaml")}
	c.in.Mutations = c.opts.Mutations
	if c.opts.Tracked {
		c.in.Tracker = &object.Tracker{}
	}
	switch c.opts.How {
	case "replace":
		c.in.How = Replace
	case "three-way":
		c.in.How = ThreeWay
	}
	if c.files["crd.yaml"] != nil || c.opts.KnownTypes != nil {
		var crd map[string]any
		if err := yaml.Unmarshal(c.files["crd.yaml"], &crd); err != nil {
			t.Fatal(err)
		}
		if c.in.Schema, err = ForCRD(c.in.Desired.GroupVersionKind(), crd, c.opts.KnownTypes); err != nil {
			t.Fatal(err)
		}
	}
	c.own(t, c.in.Live)
	return c
}

func (c *testCase) object(t *testing.T, file string) *unstructured.Unstructured {
	t.Helper()
	if c.files[file] == nil {
		return nil
	}
	return parse(t, string(c.files[file]))
}

func parse(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	docs, err := object.ParseYAML("test.yaml", []byte(text))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	return &unstructured.Unstructured{Object: docs[0].Data}
}

// own adds the entries of owners.yaml to u's managedFields.
func (c *testCase) own(t *testing.T, u *unstructured.Unstructured) {
	t.Helper()
	var owners []owner
	if err := yaml.UnmarshalStrict(c.files["owners.yaml"], &owners); err != nil {
		t.Fatal(err)
	}
	for _, o := range owners {
		addOwner(t, u, c.in.Schema, o)
	}
}

func addOwner(t testing.TB, u *unstructured.Unstructured, s *Schema, o owner) {
	t.Helper()
	if o.APIVersion == "" {
		o.APIVersion = u.GetAPIVersion()
	}
	raw, err := fieldsOf(normalNumbers(o.Fields).(map[string]any), schemaOf(u, s)).ToJSON()
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := yaml.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	entry := map[string]any{"manager": o.Manager, "operation": o.Operation, "apiVersion": o.APIVersion,
		"fieldsType": "FieldsV1", "fieldsV1": fields}
	if o.Subresource != "" {
		entry["subresource"] = o.Subresource
	}
	entries, _, err := unstructured.NestedSlice(u.Object, "metadata", "managedFields")
	if err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedSlice(u.Object, append(entries, entry), "metadata", "managedFields"); err != nil {
		t.Fatal(err)
	}
}

// outcome asks for everything that the case's files allow to ask for.
func (c *testCase) outcome(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	if accepted := c.object(t, "accepted.yaml"); accepted != nil {
		c.own(t, accepted)
		a, ok, err := Accept(object.DigestOf(c.in.Desired.Object), accepted, c.in)
		fmt.Fprintf(&b, "accept: %v %v\n", ok, errText(err))
		if ok {
			c.in.Accepted = &a
		}
	}
	writeResult(&b, "compare", Compare(c.in))
	if answer := c.object(t, "answer.yaml"); answer != nil {
		writeResult(&b, "confirm", Confirm(c.in, answer))
	}
	if takeover, err := Adoption(c.in); err == nil && takeover.Needed() {
		fmt.Fprintf(&b, "adopt: %s\n", strings.Join(takeover.Managers, " "))
		for _, p := range takeover.Held {
			fmt.Fprintf(&b, "  held    %s\n", p)
		}
		for _, p := range takeover.Unheld {
			fmt.Fprintf(&b, "  unheld  %s\n", p)
		}
	}
	if c.opts.RespectIgnore {
		c.writeApplied(t, &b)
	}
	if c.opts.Forms {
		c.writeForms(t, &b)
	}
	return b.String()
}

func (c *testCase) writeForms(t *testing.T, b *strings.Builder) {
	t.Helper()
	forms, err := FormsOf(c.in, c.object(t, "answer.yaml"))
	if err != nil {
		fmt.Fprintf(b, "forms: %v\n", err)
		return
	}
	forms = Mask(forms, func(key string) bool { return slices.Contains(c.opts.Sensitive, key) })
	for _, f := range []struct {
		name string
		form *unstructured.Unstructured
	}{{"desired", forms.Desired}, {"live", forms.Live}, {"normalized live", forms.NormalizedLive}, {"predicted", forms.Predicted}} {
		if f.form == nil {
			fmt.Fprintf(b, "%s: none\n", f.name)
			continue
		}
		unstructured.RemoveNestedField(f.form.Object, "metadata", "managedFields")
		text, err := yaml.Marshal(f.form.Object)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(b, "%s:\n%s", f.name, text)
	}
}

func (c *testCase) writeApplied(t *testing.T, b *strings.Builder) {
	t.Helper()
	u, err := ForApply(c.in, true)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(u.Object)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(b, "applied:\n%s", text)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func writeResult(b *strings.Builder, what string, r Result) {
	fmt.Fprintf(b, "%s: %s", what, r.Verdict)
	if r.How != ServerSide {
		fmt.Fprintf(b, " (by %s)", r.How)
	}
	if r.NeedsConfirmation {
		b.WriteString(", needs confirmation")
	}
	if r.NeedsProbe {
		b.WriteString(", needs probe")
	}
	if r.Missing {
		b.WriteString(", missing")
	}
	if r.ReadIn != "" {
		fmt.Fprintf(b, ", read in %s", r.ReadIn)
	}
	if r.Verdict == Unknown && !r.NeedsConfirmation {
		fmt.Fprintf(b, ": %s", r.Reason)
	}
	b.WriteByte('\n')
	for _, ch := range r.Changes {
		fmt.Fprintf(b, "  %s: %s -> %s", ch.Path, orNone(ch.Live), orNone(ch.Desired))
		if ch.Reordered {
			b.WriteString(" (order)")
		}
		if len(ch.Owners) > 0 {
			fmt.Fprintf(b, " [%s]", strings.Join(ch.Managers(), ", "))
		}
		b.WriteByte('\n')
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func writeWant(t *testing.T, path string, archive *txtar.Archive, got string) {
	t.Helper()
	for i := range archive.Files {
		if archive.Files[i].Name == "want" {
			archive.Files[i].Data = []byte(got)
			got = ""
		}
	}
	if got != "" {
		archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
