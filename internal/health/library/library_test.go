// SPDX-License-Identifier: Apache-2.0

package library

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/object"
)

// example is one object with the verdict that is expected of it.
type example struct {
	reason, status, message string
	obj                     *unstructured.Unstructured
}

// kinds returns the names of all rules but the conventions, sorted: "cert-manager.io/Certificate", "*.upbound.io/*".
func kinds() []string {
	var out []string
	for name := range index().rules {
		if name != conventions {
			out = append(out, strings.ReplaceAll(name, wildcard, "*"))
		}
	}
	slices.Sort(out)
	return out
}

// examples reads the examples of a rule. A section's name is "Status: reason"; its first line may be "# message: …". An
// object without apiVersion and kind is one of the rule's kind.
func examples(t testing.TB, name string) []example {
	t.Helper()
	archive, err := txtar.ParseFile(name + ".txtar")
	if err != nil {
		t.Fatalf("every rule has examples beside it: %v", err)
	}
	var out []example
	for _, f := range archive.Files {
		status, reason, ok := strings.Cut(f.Name, ": ")
		if !ok {
			t.Fatalf("%s.txtar: the section %q is not named «Status: reason»", name, f.Name)
		}
		docs, err := object.ParseYAML(f.Name, f.Data)
		if err != nil || len(docs) != 1 {
			t.Fatalf("%s.txtar: %s: %d documents, error %v", name, f.Name, len(docs), err)
		}
		obj := &unstructured.Unstructured{Object: docs[0].Data}
		if group, kind, _ := strings.Cut(name, "/"); obj.GetKind() == "" {
			obj.SetGroupVersionKind(schema.GroupVersionKind{Group: strings.TrimSuffix(group, core), Version: "v1", Kind: kind})
		}
		out = append(out, example{reason, status, messageOf(f.Data), obj})
	}
	return out
}

var messageLine = regexp.MustCompile(`(?m)^# message: (.*)$`)

func messageOf(data []byte) string {
	if m := messageLine.FindSubmatch(data); m != nil {
		return string(m[1])
	}
	return ""
}

// Every example gets its verdict, and every case of every rule decides an example: a rule that nothing shows is a guess.
func TestExamples(t *testing.T) {
	for name, rule := range index().rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, statuses := map[int]bool{}, map[string]bool{}
			for _, e := range examples(t, name) {
				gk := e.obj.GroupVersionKind().GroupKind()
				if found := ruleOf(nameOf(gk)); name != conventions && found != rule {
					t.Errorf("%s: %s is not judged by this rule", e.reason, gk)
				}
				got, decided, err := rule.judge(e.obj.Object)
				if err != nil {
					t.Fatalf("%s: %v", e.reason, err)
				}
				if got.Status == "" {
					got.Status = none
				}
				if string(got.Status) != e.status || got.Message != e.message {
					t.Errorf("%s: got %s %q by case %d, want %s %q", e.reason, got.Status, got.Message, decided+1, e.status, e.message)
				}
				seen[decided], statuses[e.status] = true, true
			}
			if !statuses["Healthy"] || len(statuses) < 2 {
				t.Errorf("the examples show only %v", statuses)
			}
			if isAlias(t, name) {
				return
			}
			for i := range rule.cases {
				if !seen[i] {
					t.Errorf("no example is decided by case %d", i+1)
				}
			}
		})
	}
}

func isAlias(t *testing.T, name string) bool {
	data, err := files.ReadFile(name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(data), "like: ")
}

// A rule's answer to the least object is Progressing or nothing: what no controller has looked at is neither good nor bad.
// Those kinds are excepted that no controller has to look at before they work.
func TestNewObjectsAreNotHealthy(t *testing.T) {
	atOnce := map[string]bool{}
	for _, name := range strings.Fields(worksAtOnce) {
		atOnce[name] = true
	}
	for name, rule := range index().rules {
		got, err := rule.Judge(map[string]any{"metadata": map[string]any{"name": "a", "generation": int64(1)}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got.Status != "" && got.Status != "Progressing" && !atOnce[name] {
			t.Errorf("%s: an object without spec and status is %s", name, got.Status)
		}
	}
}

func TestEveryExampleFileHasARule(t *testing.T) {
	names, err := filepath.Glob("*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := os.Stat(strings.TrimSuffix(name, ".txtar") + ".yaml"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheNarrowestRuleJudges(t *testing.T) {
	tests := []struct{ group, kind, want string }{
		{"cert-manager.io", "Certificate", "cert-manager.io/Certificate"},
		{"", "Node", "core/Node"},
		{"s3.aws.upbound.io", "Bucket", "_.upbound.io/_"},
		{"pkg.crossplane.io", "Provider", "pkg.crossplane.io/Provider"},
		{"upbound.io", "Anything", ""},
		{"argoproj.io", "Application", ""},
		{"", "ConfigMap", ""},
		{"example.com", "Thing", ""},
	}
	for _, tt := range tests {
		rule, ok := Of(schema.GroupKind{Group: tt.group, Kind: tt.kind})
		got := ""
		if ok {
			got = rule.name
		}
		if got != tt.want {
			t.Errorf("%s/%s: got the rule %q, want %q", tt.group, tt.kind, got, tt.want)
		}
	}
}

func TestRulesAreSafeToShare(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, name := range kinds() {
				group, kind, _ := strings.Cut(strings.ReplaceAll(name, "*", "x"), "/")
				rule, ok := Of(schema.GroupKind{Group: strings.TrimSuffix(group, core), Kind: kind})
				if !ok {
					t.Errorf("%s has no rule", name)
					continue
				}
				if _, err := rule.Judge(map[string]any{"status": map[string]any{"conditions": []any{"odd"}}}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
}
