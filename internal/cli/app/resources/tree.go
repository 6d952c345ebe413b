// SPDX-License-Identifier: Apache-2.0

package resources

import (
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/output"
)

// forest is a list of nodes by who is above whom.
type forest struct {
	roots []v1alpha1.ResourceNode
	below map[string][]v1alpha1.ResourceNode // identity of a parent → its children, in order
}

// identity tells nodes apart: by uid, or, of objects that are not there, by what they are called.
func identity(ref v1alpha1.ResourceRef) string {
	if ref.UID != "" {
		return ref.UID
	}
	return strings.Join([]string{ref.Group, ref.Kind, ref.Namespace, ref.Name}, "/")
}

// forestOf puts each node below its parents. One whose parents are not among the nodes begins a tree; so does, of nodes that
// are only below each other, the first.
func forestOf(nodes []v1alpha1.ResourceNode) forest {
	f := forest{below: map[string][]v1alpha1.ResourceNode{}}
	there := map[string]bool{}
	for _, n := range nodes {
		there[identity(n.ResourceRef)] = true
	}
	reached := map[string]bool{}
	for _, n := range nodes {
		top := true
		for _, parent := range n.ParentRefs {
			if id := identity(parent); there[id] {
				f.below[id] = append(f.below[id], n)
				top = false
			}
		}
		if top {
			f.roots = append(f.roots, n)
		}
	}
	for _, root := range f.roots {
		f.reach(root, reached)
	}
	for _, n := range nodes {
		if !reached[identity(n.ResourceRef)] {
			f.roots = append(f.roots, n)
			f.reach(n, reached)
		}
	}
	return f
}

func (f *forest) reach(n v1alpha1.ResourceNode, reached map[string]bool) {
	id := identity(n.ResourceRef)
	if reached[id] {
		return
	}
	reached[id] = true
	for _, child := range f.below[id] {
		f.reach(child, reached)
	}
}

// writer makes the rows of a tree.
type writer struct {
	forest
	status   map[string]v1alpha1.ResourceStatus // of the application's own resources, by group/kind/namespace/name
	orphans  bool
	detailed bool
	now      time.Time
	drawn    map[string]bool
	rows     [][]string
}

func writeTree(w io.Writer, d Drawing, detailed bool, now time.Time) {
	t := &writer{detailed: detailed, now: now, status: map[string]v1alpha1.ResourceStatus{}}
	if d.App != nil {
		for _, res := range d.App.Status.Resources {
			t.status[place(res.Group, res.Kind, res.Namespace, res.Name)] = res
		}
	}
	t.draw(d.Tree.Nodes)
	t.orphans = true
	t.draw(d.Tree.OrphanedNodes)
	header := []string{"KIND/NAME", "STATUS", "HEALTH", "MESSAGE"}
	if detailed {
		header = []string{"KIND/NAME", "STATUS", "HEALTH", "AGE", "MESSAGE", "REASON"}
	}
	output.Table(w, header, t.rows)
}

func place(parts ...string) string { return strings.Join(parts, "/") }

func (t *writer) draw(nodes []v1alpha1.ResourceNode) {
	t.forest, t.drawn = forestOf(nodes), map[string]bool{}
	for _, root := range t.roots {
		t.node(root, "", "")
	}
}

// node writes a node and what is below it. lead stands before its name, indent before those of its children. What is below
// an object with several parents is written once: objects can own each other in a circle, or crosswise.
func (t *writer) node(n v1alpha1.ResourceNode, lead, indent string) {
	t.rows = append(t.rows, t.row(n, lead))
	id := identity(n.ResourceRef)
	if t.drawn[id] {
		return
	}
	t.drawn[id] = true
	children := t.below[id]
	for i, child := range children {
		if i == len(children)-1 {
			t.node(child, indent+"└─", indent+"  ")
		} else {
			t.node(child, indent+"├─", indent+"│ ")
		}
	}
}

func (t *writer) row(n v1alpha1.ResourceNode, lead string) []string {
	var health, message, reason, status string
	if n.Health != nil {
		health, message = string(n.Health.Status), n.Health.Message
	}
	if res, ok := t.status[place(n.Group, n.Kind, n.Namespace, n.Name)]; ok {
		status = string(res.Status)
	}
	if t.orphans {
		status = "Orphaned"
	}
	for _, item := range n.Info {
		if item.Name == "Status Reason" {
			reason = item.Value
		}
	}
	name := lead + n.Kind + "/" + n.Name
	message = output.Clean(strings.ReplaceAll(message, "\n", " "))
	if !t.detailed {
		return []string{name, status, health, message}
	}
	age := ""
	if n.CreatedAt != nil {
		age = duration.HumanDuration(t.now.Sub(n.CreatedAt.Time))
	}
	return []string{name, status, health, age, message, reason}
}
