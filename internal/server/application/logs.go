// SPDX-License-Identifier: Apache-2.0

package application

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/live"
	"github.com/bowline-cd/bowline/internal/server/gate"
)

// podLogs is a request for logs, read.
type podLogs struct {
	options corev1.PodLogOptions
	filter  lineFilter
	until   time.Time
}

func readLogQuery(q *application.ApplicationPodLogsQuery) (podLogs, error) {
	out := podLogs{
		options: corev1.PodLogOptions{Follow: q.Follow, Previous: q.Previous, Timestamps: true},
		filter:  newLineFilter(q.Filter, q.MatchCase),
	}
	if q.SinceSeconds != nil && *q.SinceSeconds > 0 {
		out.options.SinceSeconds = q.SinceSeconds
	} else if q.SinceTime != nil && !q.SinceTime.IsZero() {
		out.options.SinceTime = q.SinceTime
	}
	if q.TailLines != nil && *q.TailLines > 0 {
		out.options.TailLines = q.TailLines
	}
	if q.UntilTime == "" {
		return out, nil
	}
	var err error
	if out.until, err = time.Parse(time.RFC3339Nano, q.UntilTime); err != nil {
		return out, fault.New(fault.Mistake, "read logs until", q.UntilTime, "untilTime", "it is no time", "write it as in 2006-01-02T15:04:05Z")
	}
	return out, nil
}

// lineFilter chooses lines by a text that they hold, or, with "!" before it, do not hold.
type lineFilter struct {
	text              string
	inverse, anything bool
	exact             bool // letter case counts
}

func newLineFilter(text string, matchCase bool) lineFilter {
	f := lineFilter{anything: text == "", exact: matchCase}
	f.text, f.inverse = strings.CutPrefix(text, "!")
	if !matchCase {
		f.text = strings.ToLower(f.text)
	}
	return f
}

func (f lineFilter) lets(line string) bool {
	if f.anything {
		return true
	}
	if !f.exact {
		line = strings.ToLower(line)
	}
	return strings.Contains(line, f.text) != f.inverse
}

// PodLogs sends the lines of the logs of pods, the oldest first. It ends with an element that says it is the last, when the
// logs do, when untilTime is passed, or when the caller may not read them any more.
func (s *Service) PodLogs(ctx context.Context, q *application.ApplicationPodLogsQuery, send func(*application.LogEntry) error) error {
	logs, err := readLogQuery(q)
	if err != nil {
		return err
	}
	app, err := s.load(ctx, access.Get, q.Project, q.AppNamespace, q.Name)
	if err != nil {
		return err
	}
	if err := s.Gate.Enforce(ctx, s.right(access.Logs, access.Get, app)); err != nil {
		return err
	}
	ctx, end := s.Gate.Still(ctx, s.still(named{q.Project, app.Namespace, app.Name}, access.Logs, access.Get))
	defer end()
	site, err := s.site(ctx, app)
	if err != nil {
		return err
	}
	taps, err := s.taps(ctx, app, site, q)
	if err != nil {
		return err
	}
	if err := logs.pour(ctx, site, taps, s.Clock, send); err != nil {
		return orEnded(ctx, err)
	}
	return send(&application.LogEntry{Last: true, TimeStamp: &metav1.Time{Time: s.Clock.Now()}, TimeStampStr: s.Clock.Now().Format(time.RFC3339Nano)})
}

// still asks again, each time that rights may have changed, whether a caller may do something with an application.
func (s *Service) still(at named, resource, action string) func(context.Context) error {
	return func(ctx context.Context) error {
		app := &v1alpha1.Application{}
		if err := s.Hub.Get(ctx, client.ObjectKey{Namespace: at.namespace, Name: at.name}, app); err != nil {
			return gate.Hidden()
		}
		for _, right := range []access.Right{s.right(access.Applications, access.Get, app), s.right(resource, action, app)} {
			if !s.Gate.Allows(ctx, right) {
				return gate.Refusal(right)
			}
		}
		return nil
	}
}

// maxTaps bounds how many containers are read for one call: each is a connection to the cluster.
const maxTaps = 200

// tap is one container whose log is read.
type tap struct{ namespace, pod, container string }

// taps finds the containers that a request is about.
func (s *Service) taps(ctx context.Context, app *v1alpha1.Application, site *live.Site, q *application.ApplicationPodLogsQuery) ([]tap, error) {
	tree, err := s.tree(ctx, app)
	if err != nil {
		return nil, err
	}
	chosen := podsOf(tree.Nodes, q) // orphans are nobody's to read the logs of
	if len(chosen) == 0 && q.PodName != "" {
		return nil, fault.New(fault.Mistake, "read the logs of", "pod "+q.PodName, "", "not found as part of application "+q.Name, "see its pods with `bowline app resources --tree`")
	}
	if most := s.Settings().Doing.MaxPodLogs; len(chosen) > most {
		return nil, fault.New(fault.Mistake, "read the logs of", fmt.Sprintf("%d pods", len(chosen)), "",
			"max pods to view logs are reached. Please provide more granular query", fmt.Sprintf("name a pod or an object that has at most %d", most))
	}
	var out []tap
	for _, pod := range chosen {
		names, err := containersOf(ctx, site, pod, q.Container)
		if apierrors.IsNotFound(err) && q.PodName == "" {
			continue // it went while a rollout replaces it
		}
		if err != nil {
			return nil, err
		}
		for _, container := range names {
			out = append(out, tap{pod.Namespace, pod.Name, container})
		}
		if len(out) > maxTaps {
			return nil, fault.New(fault.Mistake, "read the logs of", fmt.Sprintf("more than %d containers", maxTaps), "container", "they are too many for one call", "name fewer")
		}
	}
	return out, nil
}

// containersOf are the containers that are asked for: those named, with commas between them, or all that are no init
// containers.
func containersOf(ctx context.Context, site *live.Site, pod v1alpha1.ResourceNode, asked string) ([]string, error) {
	if asked != "" {
		names := strings.Split(asked, ",")
		slices.Sort(names)
		return slices.Compact(names), nil
	}
	key := object.Key{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name}
	found, err := site.Read(ctx, corev1.SchemeGroupVersion.WithKind("Pod"), key)
	if err != nil {
		return nil, err
	}
	var read corev1.Pod
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Object, &read); err != nil {
		return nil, fault.Wrap(fault.Retry, "read", key.String(), err, "")
	}
	var names []string
	for _, c := range read.Spec.Containers {
		names = append(names, c.Name)
	}
	return names, nil
}

// podsOf chooses pods by what they are, or by what they came of.
func podsOf(nodes []v1alpha1.ResourceNode, q *application.ApplicationPodLogsQuery) []v1alpha1.ResourceNode {
	kind, name := q.Kind, q.ResourceName
	if q.PodName != "" {
		kind, name = "Pod", q.PodName
	}
	index := map[object.Key]*v1alpha1.ResourceNode{}
	for i := range nodes {
		n := &nodes[i]
		index[object.Key{Group: n.Group, Kind: n.Kind, Namespace: n.Namespace, Name: n.Name}] = n
	}
	is := func(n *v1alpha1.ResourceNode) bool {
		return (name == "" || n.Name == name) && (kind == "" || n.Kind == kind) && (q.Group == "" || n.Group == q.Group) &&
			(q.Namespace == "" || n.Namespace == q.Namespace)
	}
	var out []v1alpha1.ResourceNode
	for _, n := range nodes {
		if n.Kind == "Pod" && n.Group == "" && n.UID != "" && above(&n, index, is, map[*v1alpha1.ResourceNode]bool{}) {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b v1alpha1.ResourceNode) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// above reports whether a node, or one that it came of, is what is looked for. seen ends the way where parents name each other
// in a circle.
func above(n *v1alpha1.ResourceNode, index map[object.Key]*v1alpha1.ResourceNode, is func(*v1alpha1.ResourceNode) bool, seen map[*v1alpha1.ResourceNode]bool) bool {
	if is(n) {
		return true
	}
	seen[n] = true
	return slices.ContainsFunc(n.ParentRefs, func(r v1alpha1.ResourceRef) bool {
		parent := index[object.Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}]
		return parent != nil && !seen[parent] && above(parent, index, is, seen)
	})
}
