// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

func TestParseDependencies(t *testing.T) {
	tests := []struct {
		value string
		want  string // names; with + for those with an expression
		err   string
	}{
		{"", "", ""},
		{" , ", "", ""},
		{"db", "db", ""},
		{" db, cache ,queue", "db cache queue", ""},
		{"[db, cache]", "db cache", ""},
		{"- db\n- name: cache\n  ready: app.status.health.status == 'Healthy'\n", "db cache+", ""},
		{"[]", "", ""},
		{"Data_Base", "", `no application can be named "Data_Base"`},
		{"- name: db\n  redy: 'true'", "", "redy"},
		{"- {}", "", `no application can be named ""`},
		{"- [db]", "", "cannot read annotation bowline.dev/depends-on"},
		{"- name: db\n  name: cache", "", "already set in map"},
		{"- name: db\n  ready: app.", "", "annotation bowline.dev/depends-on, application db: line 1, column"},
		{"- name: db\n  ready: application.status", "", "undeclared reference to 'application'"},
		{strings.Repeat("a,", maxDependencies) + "b", "", "more than 100"},
		{strings.Repeat("a", maxDependsOnText+1), "", "longer than"},
	}
	for _, tt := range tests {
		got, err := ParseDependencies(tt.value)
		if tt.err != "" {
			if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%.40q: got error %v, want a mistake with %q", tt.value, err, tt.err)
			}
			continue
		}
		var names []string
		for _, d := range got {
			if d.ready != nil {
				d.Name += "+"
			}
			names = append(names, d.Name)
		}
		if text := strings.Join(names, " "); err != nil || text != tt.want {
			t.Errorf("%q: got %q and error %v, want %q", tt.value, text, err, tt.want)
		}
	}
}

func TestUnready(t *testing.T) {
	ready := func(change func(*v1alpha1.Application)) *v1alpha1.Application {
		app := &v1alpha1.Application{}
		app.Status.Sync.Status, app.Status.Health.Status = v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusHealthy
		app.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationSucceeded}
		if change != nil {
			change(app)
		}
		return app
	}
	degraded := func(app *v1alpha1.Application) { app.Status.Health.Status = v1alpha1.HealthStatusDegraded }
	tests := []struct {
		reason   string
		upstream Upstream
		expr     string
		want     string // "" means ready
	}{
		{"all is well", Upstream{App: ready(nil)}, "", ""},
		{"never synced by anybody, and nothing to sync", Upstream{App: ready(func(a *v1alpha1.Application) { a.Status.OperationState = nil })}, "", ""},
		{"nobody has that name", Upstream{}, "", "there is no application db"},
		{"nobody has that name, whatever the expression", Upstream{}, "true", "there is no application db"},
		{"it is about to go", Upstream{App: ready(func(a *v1alpha1.Application) { a.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} })}, "true", "is being deleted"},
		{"its status is about an older commit", Upstream{App: ready(nil), Late: true}, "", "was not compared"},
		{"its status is about an older commit, whatever the expression", Upstream{App: ready(nil), Late: true}, "true", "was not compared"},
		{"it differs", Upstream{App: ready(func(a *v1alpha1.Application) { a.Status.Sync.Status = v1alpha1.SyncStatusCodeOutOfSync })}, "", "application db is OutOfSync"},
		{"it has no status yet", Upstream{App: &v1alpha1.Application{}}, "", "application db is Unknown"},
		{"it is not healthy", Upstream{App: ready(degraded)}, "", "application db is Degraded"},
		{"a sync is asked for", Upstream{App: ready(func(a *v1alpha1.Application) { a.Operation = &v1alpha1.Operation{} })}, "", "is being synced"},
		{"a sync runs", Upstream{App: ready(func(a *v1alpha1.Application) { a.Status.OperationState.Phase = v1alpha1.OperationRunning })}, "", "is being synced"},
		{"a failed sync is over", Upstream{App: ready(func(a *v1alpha1.Application) { a.Status.OperationState.Phase = v1alpha1.OperationFailed })}, "", ""},
		{"the expression takes what the rule does not", Upstream{App: ready(degraded)}, "app.status.health.status in ['Healthy', 'Degraded']", ""},
		{"the expression asks for more", Upstream{App: ready(nil)}, "app.?metadata.?labels.?open.orValue('') == 'yes'", "is not ready by its expression"},
		{"the expression reads what is not there", Upstream{App: ready(nil)}, "app.status.nothing == 1", "no such key: nothing"},
		{"the expression is no question", Upstream{App: ready(nil)}, "app.status.health.status", "is not true or false"},
		{"the expression never ends", Upstream{App: ready(nil)},
			"[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, a+b+c+d+e+f > 0))))))", "make it simpler"}, // for its steps, or on a slow machine its time
	}
	for _, tt := range tests {
		value := "db"
		if tt.expr != "" {
			value = fmt.Sprintf("- name: db\n  ready: %q\n", tt.expr)
		}
		ds, err := ParseDependencies(value)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		got := ds[0].Unready(tt.upstream)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.reason, got, tt.want)
		}
	}
}

func TestCycle(t *testing.T) {
	graph := map[string][]string{
		"a": {"c", "b"}, "b": {"d"}, "c": {"d"}, "d": {"e", "a"}, "e": nil,
		"self": {"self"}, "before": {"a"}, "left": {"right"}, "right": {"left", "before"},
	}
	on := func(name string) []string { return graph[name] }
	for from, want := range map[string]string{
		"a": "a b d a", "b": "b d a b", "d": "d a b d", "e": "", "self": "self self", "nobody": "",
		"before": "", // it leads into a circle and is not on it
		"left":   "left right left",
	} {
		if got := strings.Join(Cycle(from, on), " "); got != want {
			t.Errorf("from %s: got %q, want %q", from, got, want)
		}
	}
	long := func(name string) []string {
		n := len(name)
		if n == 5000 {
			return []string{"x"}
		}
		return []string{name + "x"}
	}
	if got := Cycle("x", long); len(got) != 5001 {
		t.Errorf("a circle of 5,000: got %d names", len(got))
	}
}

// A new revision waits for what it depends on; what was tried before, and what is asked for, does not.
func TestAwaitsOther(t *testing.T) {
	yes := true
	in := AutoSync{
		Policy: &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{SelfHeal: &yes}}, Status: v1alpha1.SyncStatusCodeOutOfSync,
		Revision: "bbb", Awaits: "application db is Progressing", Now: time.Unix(1000, 0),
		Conditions: []v1alpha1.ApplicationCondition{{Type: v1alpha1.ApplicationConditionDependencyError, Message: "a → b → a"}},
	}
	d := Decide(in)
	if d.Sync || d.Rule != "dependency" || d.Condition == nil || d.Condition.Type != v1alpha1.ApplicationConditionDependencyWarning ||
		!strings.Contains(d.Condition.Message, "application db is Progressing") {
		t.Errorf("a new revision: got %+v", d)
	}
	in.Last = &v1alpha1.OperationState{
		Phase: v1alpha1.OperationSucceeded, Operation: v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}}, SyncResult: &v1alpha1.SyncOperationResult{Revision: "bbb"},
	}
	if d := Decide(in); !d.Sync || !d.SelfHeal {
		t.Errorf("what was synced before: got %+v", d)
	}
	in.Last, in.Awaits = nil, ""
	if d := Decide(in); !d.Sync {
		t.Errorf("once it is ready: got %+v", d)
	}
}

func FuzzParseDependencies(f *testing.F) {
	for _, s := range []string{"db, cache", "- db\n- name: cache\n  ready: app.spec.project == 'x'", "[{name: a}]", "[[", "- &a [*a]", "- name: a\n  ready: '('"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		ds, err := ParseDependencies(value)
		if err != nil {
			if !fault.Is(err, fault.Mistake) {
				t.Errorf("%q: the error is not the writer's mistake: %v", value, err)
			}
			return
		}
		if len(ds) > maxDependencies || slices.ContainsFunc(ds, func(d Dependency) bool { return d.Name == "" }) {
			t.Errorf("%q: got %v", value, ds)
		}
	})
}

func TestAnExpressionReadsNoApplicationOfAnotherProject(t *testing.T) {
	app := &v1alpha1.Application{}
	app.Name, app.Labels, app.Annotations = "db", map[string]string{"open": "yes"}, map[string]string{"note": "hush"}
	app.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "hush", Helm: &v1alpha1.ApplicationSourceHelm{Values: "hush"}}
	app.Status.Sync.Status, app.Status.Sync.ComparedTo.Source.RepoURL = v1alpha1.SyncStatusCodeSynced, "hush"
	app.Status.Conditions = []v1alpha1.ApplicationCondition{{Type: "X", Message: "hush"}}
	app.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationSucceeded, Message: "hush", Operation: v1alpha1.Operation{Info: []*v1alpha1.Info{{Name: "x", Value: "hush"}}}}
	for _, tt := range []struct {
		ready         string
		ours, foreign string // what is said; "" for ready
	}{
		{"app.status.sync.status == 'Synced' && app.metadata.labels.open == 'yes' && app.status.operationState.phase == 'Succeeded'", "", ""},
		{"app.spec.source.helm.values == 'hush'", "", "no such key"},
		{"{'a': true}[app.spec.source.helm.values]", "no such key: hush", "no such key: source"},
		{"int(app.status.sync.comparedTo.source.repoURL) == 1", "line 1", "line 1"},
		{"app.metadata.annotations.note == 'hush'", "", "no such key: annotations"},
		{"app.status.conditions[0].message == 'hush'", "", "no such key: conditions"},
		{"app.status.operationState.operation.info[0].value == 'hush'", "", "no such key"},
	} {
		list, err := ParseDependencies(fmt.Sprintf("[{name: db, ready: %q}]", tt.ready))
		if err != nil {
			t.Fatal(err)
		}
		for foreign, want := range map[bool]string{false: tt.ours, true: tt.foreign} {
			got := list[0].Unready(Upstream{App: app, Foreign: foreign})
			if (got == "") != (want == "") || !strings.Contains(got, want) || foreign && strings.Contains(got, "hush") {
				t.Errorf("%s, of another project %v: got %q, want %q", tt.ready, foreign, got, want)
			}
		}
	}
}
