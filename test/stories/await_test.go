// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// await KIND NAME CONDITION... waits until all hold at once.
// await event NAME REASON [REGEXP], await metric REGEXP, await ready, await create FILE CONDITION... are for what is no object.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("there is no waiting for what never comes: wait for what comes instead, then check it")
	}
	s := of(ts)
	switch {
	case len(args) >= 1 && args[0] == "ready":
		p, _ := s.addressed(ts, args[1:])
		ts.Check(s.poll(p, "/readyz", p.address, func(code int, _ string) bool { return code == http.StatusOK }))
	case len(args) >= 2 && args[0] == "metric":
		p, rest := s.addressed(ts, args[1:])
		re, err := regexp.Compile("(?m)" + expand(ts, strings.Join(rest, " ")))
		ts.Check(err)
		ts.Check(s.poll(p, "/metrics", p.metrics, func(_ int, text string) bool { return re.MatchString(text) }))
	case len(args) >= 3 && args[0] == "create":
		ts.Check(s.awaitCreation(ts, args[1], parse(ts, args[2:])))
	case len(args) >= 3 && args[0] == "event":
		ts.Check(s.awaitEvent(s.target(ts, "app", args[1]), args[2], expand(ts, strings.Join(args[3:], " "))))
	case len(args) >= 3:
		conditions := parse(ts, args[2:])
		ts.Check(s.awaitObject(s.target(ts, args[0], args[1]), conditions))
	default:
		ts.Fatalf("usage: await KIND [NAMESPACE/]NAME CONDITION...")
	}
}

func parse(ts *testscript.TestScript, texts []string) []condition {
	conditions := make([]condition, 0, len(texts))
	for _, text := range texts {
		c, err := parseCondition(expand(ts, text))
		ts.Check(err)
		conditions = append(conditions, c)
	}
	return conditions
}

// check KIND NAME CONDITION... fails unless all hold now.
func check(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: check KIND [NAMESPACE/]NAME CONDITION...")
	}
	s := of(ts)
	u, err := s.get(s.target(ts, args[0], args[1]))
	ts.Check(err)
	wrong := failing(parse(ts, args[2:]), u)
	switch {
	case neg && len(wrong) == 0:
		ts.Fatalf("%s %s is so: %s", args[0], args[1], strings.Join(args[2:], " "))
	case !neg && len(wrong) > 0:
		ts.Fatalf("%s %s should be %s", args[0], args[1], strings.Join(wrong, "; "))
	}
}

// show KIND NAME [QUERY] prints an object, or what a jq query makes of it, for stdout and cmp.
func show(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: show KIND [NAMESPACE/]NAME [QUERY]")
	}
	s := of(ts)
	u, err := s.get(s.target(ts, args[0], args[1]))
	ts.Check(err)
	if u == nil {
		ts.Fatalf("%s %s does not exist", args[0], args[1])
	}
	var text string
	if len(args) == 2 {
		raw, err := yaml.Marshal(u.Object)
		ts.Check(err)
		text = string(raw)
	} else {
		code, err := compile(strings.Join(args[2:], " "))
		ts.Check(err)
		text, err = evaluate(code, u)
		ts.Check(err)
	}
	_, err = fmt.Fprintln(ts.Stdout(), text)
	ts.Check(err)
}

// get returns an object, nil if there is none.
func (s *story) get(t target) (*unstructured.Unstructured, error) {
	ctx, cancel := bounded()
	defer cancel()
	c, err := s.client(t)
	if err != nil {
		return nil, err
	}
	list, err := c.List(ctx, metav1.ListOptions{FieldSelector: named(t.name)})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

func named(name string) string {
	return fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
}

func (s *story) awaitObject(t target, conditions []condition) error {
	var last *unstructured.Unstructured
	wrong := []string{"(never seen)"}
	err := s.follow(t, named(t.name), func(objects map[string]*unstructured.Unstructured) bool {
		last = objects[t.name]
		wrong = failing(conditions, last)
		return len(wrong) == 0
	})
	if err == nil {
		return nil
	}
	text := ""
	if last != nil {
		raw, _ := yaml.Marshal(withoutNoise(last).Object)
		text = "\n" + string(raw)
	}
	return fmt.Errorf("%w: %s %s should be %s%s", err, t.kind, t.name, strings.Join(wrong, "; "), text)
}

func withoutNoise(u *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	u.SetManagedFields(nil)
	return u
}

// awaitEvent waits for an Event about an application.
func (s *story) awaitEvent(t target, reason, expression string) error {
	re, err := regexp.Compile(expression)
	if err != nil {
		return err
	}
	t.kind = "events"
	var seen []string
	selector := fields.Set{"involvedObject.name": t.name}.String()
	err = s.follow(t, selector, func(objects map[string]*unstructured.Unstructured) bool {
		seen = seen[:0]
		for _, name := range slices.Sorted(maps.Keys(objects)) {
			u := objects[name].Object
			seen = append(seen, fmt.Sprintf("%v %v: %v", u["type"], u["reason"], u["message"]))
			if message, _ := u["message"].(string); u["reason"] == reason && re.MatchString(message) {
				return true
			}
		}
		return false
	})
	if err != nil {
		return fmt.Errorf("%w: no Event %s %q; there were %q", err, reason, expression, seen)
	}
	return nil
}

// follow watches the objects that a selector selects, from their present state on, until they are as wanted.
func (s *story) follow(t target, selector string, done func(map[string]*unstructured.Unstructured) bool) error {
	ctx, cancel := bounded()
	defer cancel()
	for {
		err := s.followOnce(ctx, t, selector, done)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond): // the kind is not served yet, or the watch has ended
		}
	}
}

func (s *story) followOnce(ctx context.Context, t target, selector string, done func(map[string]*unstructured.Unstructured) bool) error {
	c, err := s.client(t)
	if err != nil {
		return err
	}
	list, err := c.List(ctx, metav1.ListOptions{FieldSelector: selector})
	if err != nil {
		return err
	}
	objects := map[string]*unstructured.Unstructured{}
	for i := range list.Items {
		objects[list.Items[i].GetName()] = &list.Items[i]
	}
	if done(objects) {
		return nil
	}
	return s.changes(ctx, c, metav1.ListOptions{FieldSelector: selector, ResourceVersion: list.GetResourceVersion()}, objects, done)
}

func (s *story) changes(ctx context.Context, c dynamic.ResourceInterface, from metav1.ListOptions, objects map[string]*unstructured.Unstructured,
	done func(map[string]*unstructured.Unstructured) bool) error {
	w, err := c.Watch(ctx, from)
	if err != nil {
		return err
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		u, ok := event.Object.(*unstructured.Unstructured)
		if !ok || event.Type == watch.Error {
			return fmt.Errorf("watch: %v", event.Object)
		}
		objects[u.GetName()] = u
		if event.Type == watch.Deleted {
			delete(objects, u.GetName())
		}
		if done(objects) {
			return nil
		}
	}
	return fmt.Errorf("the watch ended")
}

// poll asks an address of a process until the answer is as wanted.
func (s *story) poll(p *process, path, address string, done func(code int, text string) bool) error {
	ctx, cancel := bounded()
	defer cancel()
	for {
		answer, text, err := s.ask(http.MethodGet, "http://"+address+path, nil, nil)
		if err == nil && done(answer.StatusCode, string(text)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %s answered last %s %s", context.Cause(ctx), path, fmt.Sprint(err), text)
		case <-p.done:
			return fmt.Errorf("bowline has ended: %w", p.status)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
