// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/script/cel"
)

// Dependency is one application that another waits for.
type Dependency struct {
	Name string
	// ready is a person's own idea of readiness; nil for the rule.
	ready *cel.Program
}

// Bounds of an annotation that whoever may edit an Application writes.
const (
	maxDependencies  = 100
	maxDependsOnText = 64 << 10
)

// readyBounds keep a look at an application that many wait for cheap.
var readyBounds = cel.Bounds{Cost: 200_000}

// ParseDependencies reads the annotation bowline.dev/depends-on: names separated by commas, or a YAML list whose entries are
// names or {name: NAME, ready: EXPRESSION}. An expression is CEL over app, the Application as JSON, and has to be true.
// Nothing in it is no dependency. The error is a fault.Mistake that says which part is wrong.
func ParseDependencies(value string) ([]Dependency, error) {
	if len(value) > maxDependsOnText {
		return nil, badDependencies(fmt.Errorf("it is longer than %d bytes", maxDependsOnText))
	}
	entries, err := dependencyEntries(value)
	if err != nil {
		return nil, badDependencies(err)
	}
	if len(entries) > maxDependencies {
		return nil, badDependencies(fmt.Errorf("it names %d applications, more than %d", len(entries), maxDependencies))
	}
	var out []Dependency
	for _, e := range entries {
		if problems := validation.IsDNS1123Subdomain(e.Name); len(problems) > 0 {
			return nil, badDependencies(fmt.Errorf("no application can be named %q", e.Name))
		}
		d := Dependency{Name: e.Name}
		if e.Ready != "" {
			if d.ready, err = cel.CompileAs("annotation "+v1alpha1.AnnotationDependsOn+", application "+e.Name, e.Ready, "app", readyBounds); err != nil {
				return nil, err
			}
		}
		out = append(out, d)
	}
	return out, nil
}

func badDependencies(cause error) error {
	return fault.Wrap(fault.Mistake, "read", "annotation "+v1alpha1.AnnotationDependsOn, cause,
		"write names separated by commas, or a YAML list of {name: NAME, ready: EXPRESSION}")
}

type dependencyEntry struct {
	Name  string `json:"name"`
	Ready string `json:"ready"`
}

func dependencyEntries(value string) ([]dependencyEntry, error) {
	text := strings.TrimSpace(value)
	if !strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "[") {
		var out []dependencyEntry
		for name := range strings.SplitSeq(text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				out = append(out, dependencyEntry{Name: name})
			}
		}
		return out, nil
	}
	list, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, err
	}
	return decodeEntries(list)
}

// decodeEntries reads a list of names and mappings. A key that is not known is a mistake: one misspelt would make another
// rule than the one that was meant.
func decodeEntries(list []byte) ([]dependencyEntry, error) {
	var items []rawEntry
	if err := yaml.Unmarshal(list, &items); err != nil {
		return nil, err
	}
	out := make([]dependencyEntry, 0, len(items))
	for _, item := range items {
		var e dependencyEntry
		if bytes.HasPrefix(item, []byte(`"`)) {
			if err := yaml.Unmarshal(item, &e.Name); err != nil {
				return nil, err
			}
		} else if err := yaml.UnmarshalStrict(item, &e); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// rawEntry is an entry that is not read yet.
type rawEntry []byte

// UnmarshalJSON implements json.Unmarshaler.
func (r *rawEntry) UnmarshalJSON(b []byte) error {
	*r = slices.Clone(b)
	return nil
}

// Upstream is what is known of an application that another depends on.
type Upstream struct {
	// App is its resource; nil if there is none of that name.
	App *v1alpha1.Application
	// Late says that nobody has looked at it yet since the last news of its sources, or that what was found is not in App.
	Late bool
	// Foreign says that it is of another project than the application that depends on it. Whoever writes an expression about
	// it sees only how it stands: a name of it in an annotation is no right to read it.
	Foreign bool
}

// Unready returns why the application is not ready to be built upon; "" if it is. Ready means Synced and Healthy, with no
// operation asked for or under way; an expression says something else instead. An application that is late or is being
// deleted is not ready in any case: what its status says is about something that is over.
func (d Dependency) Unready(u Upstream) string {
	switch {
	case u.App == nil:
		return "there is no application " + d.Name
	case !u.App.DeletionTimestamp.IsZero():
		return "application " + d.Name + " is being deleted"
	case u.Late:
		return "application " + d.Name + " was not compared since the news of its sources"
	case d.ready != nil:
		return d.askExpression(u)
	}
	status := &u.App.Status
	switch {
	case u.App.Operation != nil || operating(status.OperationState):
		return "application " + d.Name + " is being synced"
	case status.Sync.Status != v1alpha1.SyncStatusCodeSynced:
		return fmt.Sprintf("application %s is %s", d.Name, orUnknown(string(status.Sync.Status)))
	case status.Health.Status != v1alpha1.HealthStatusHealthy:
		return fmt.Sprintf("application %s is %s", d.Name, orUnknown(string(status.Health.Status)))
	}
	return ""
}

func operating(state *v1alpha1.OperationState) bool {
	return state != nil && !state.Phase.Completed()
}

func orUnknown(code string) string {
	if code == "" {
		return "Unknown"
	}
	return code
}

// askExpression returns why the expression does not call the application ready.
func (d Dependency) askExpression(u Upstream) string {
	app := u.App
	if u.Foreign {
		app = standing(app)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(app)
	if err != nil {
		return fmt.Sprintf("application %s cannot be read: %v", d.Name, err)
	}
	value, err := d.ready.Eval(fields)
	if err != nil {
		return err.Error()
	}
	switch ready, ok := value.(bool); {
	case !ok:
		return fmt.Sprintf("the expression about application %s is not true or false but a value of type %T", d.Name, value)
	case !ready:
		return "application " + d.Name + " is not ready by its expression"
	}
	return ""
}

// standing returns what everybody may know of an application: its name, its labels, and how it stands. What it is made of, which
// may hold values that are nobody else's business, is left out, as are texts.
func standing(app *v1alpha1.Application) *v1alpha1.Application {
	out := &v1alpha1.Application{}
	out.Name, out.Namespace, out.Labels = app.Name, app.Namespace, app.Labels
	from, to := &app.Status, &out.Status
	to.Sync.Status, to.Sync.Revision, to.Sync.Revisions = from.Sync.Status, from.Sync.Revision, from.Sync.Revisions
	to.Health.Status, to.Health.LastTransitionTime = from.Health.Status, from.Health.LastTransitionTime
	to.ReconciledAt = from.ReconciledAt
	if state := from.OperationState; state != nil {
		to.OperationState = &v1alpha1.OperationState{Phase: state.Phase, StartedAt: state.StartedAt, FinishedAt: state.FinishedAt, RetryCount: state.RetryCount}
	}
	return out
}

// Cycle returns the names on a shortest way from an application back to itself along the applications that each depends on,
// beginning and ending with it; nil if there is none. It is the same one each time.
func Cycle(from string, on func(name string) []string) []string {
	reachedFrom := map[string]string{}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, next := range slices.Sorted(slices.Values(on(at))) {
			if next == from {
				return wayTo(at, from, reachedFrom)
			}
			if _, seen := reachedFrom[next]; !seen {
				reachedFrom[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// wayTo returns the way from an application to another, and from there back to the first.
func wayTo(last, first string, reachedFrom map[string]string) []string {
	way := []string{first}
	for at := last; at != first; at = reachedFrom[at] {
		way = append(way, at)
	}
	way = append(way, first)
	slices.Reverse(way)
	return way
}
