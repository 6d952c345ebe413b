// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/yaml"
)

// manager is who writes objects when a script does not say.
const manager = "story"

// lastApplied is where client-side apply keeps what it applied.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// resource finds how a kind is served: "app", "deployments", "ConfigMap", "widgets.example.com".
func (s *story) resource(kind string) (schema.GroupVersionResource, bool, error) {
	name, group, _ := strings.Cut(strings.ToLower(kind), ".")
	switch name {
	case "app", "apps":
		name, group = "applications", "argoproj.io"
	case "crd":
		name, group = "customresourcedefinitions", "apiextensions.k8s.io"
	}
	gvr, err := s.mapper.ResourceFor(schema.GroupVersionResource{Group: group, Resource: name})
	if meta.IsNoMatchError(err) {
		s.mapper.Reset()
		gvr, err = s.mapper.ResourceFor(schema.GroupVersionResource{Group: group, Resource: name})
	}
	if err != nil {
		return gvr, false, err
	}
	gvk, err := s.mapper.KindFor(gvr)
	if err != nil {
		return gvr, false, err
	}
	mapping, err := s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return gvr, false, err
	}
	return gvr, mapping.Scope.Name() == meta.RESTScopeNameNamespace, nil
}

// target is an object that a script names.
type target struct {
	kind, namespace, name string
}

// target reads KIND and [NAMESPACE/]NAME. Kinds of Bowline are in the control namespace, others in the destination one.
func (s *story) target(ts *testscript.TestScript, kind, name string) target {
	t := target{kind: kind, name: name, namespace: ts.Getenv("NS")}
	switch strings.ToLower(kind) {
	case "app", "application", "appproject", "applicationset":
		t.namespace = ts.Getenv("CD")
	}
	if namespace, rest, ok := strings.Cut(name, "/"); ok {
		t.namespace, t.name = namespace, rest
	}
	return t
}

func (s *story) client(t target) (dynamic.ResourceInterface, error) {
	gvr, namespaced, err := s.resource(t.kind)
	if err != nil {
		return nil, err
	}
	if namespaced {
		return s.world.client.Resource(gvr).Namespace(t.namespace), nil
	}
	return s.world.client.Resource(gvr), nil
}

// manifests reads the objects of a file, variables replaced.
func manifests(ts *testscript.TestScript, file string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, document := range strings.Split("\n"+expand(ts, ts.ReadFile(file)), "\n---") {
		u := &unstructured.Unstructured{}
		ts.Check(yaml.Unmarshal([]byte(document), &u.Object))
		if len(u.Object) > 0 {
			out = append(out, u)
		}
	}
	return out
}

// of returns how to reach an object, once its kind is served.
func (s *story) clientOf(ctx context.Context, ts *testscript.TestScript, u *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	gvk := u.GroupVersionKind()
	for {
		mapping, err := s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if meta.IsNoMatchError(err) {
			s.mapper.Reset()
			mapping, err = s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		}
		switch {
		case err == nil && mapping.Scope.Name() == meta.RESTScopeNameNamespace:
			namespace := cmp.Or(u.GetNamespace(), ts.Getenv("NS"))
			return s.world.client.Resource(mapping.Resource).Namespace(namespace), nil
		case err == nil:
			return s.world.client.Resource(mapping.Resource), nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// apply [manager=NAME] FILE... applies objects server-side, with force.
func apply(ts *testscript.TestScript, neg bool, args []string) {
	opts, files := options(args, "manager")
	s := of(ts)
	for _, file := range files {
		for _, u := range manifests(ts, file) {
			done(ts, neg, s.write(ts, u, func(ctx context.Context, c dynamic.ResourceInterface) error {
				_, err := c.Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: cmp.Or(opts["manager"], manager), Force: true})
				return err
			}))
		}
	}
}

// create [manager=NAME] [client-side] FILE... creates objects; client-side notes the last applied configuration, as
// kubectl apply does.
func create(ts *testscript.TestScript, neg bool, args []string) {
	opts, files := options(args, "manager")
	s := of(ts)
	clientSide := len(files) > 0 && files[0] == "client-side"
	who := cmp.Or(opts["manager"], manager)
	if clientSide {
		files, who = files[1:], cmp.Or(opts["manager"], "kubectl-client-side-apply")
	}
	for _, file := range files {
		for _, u := range manifests(ts, file) {
			if clientSide {
				raw, err := json.Marshal(u.Object)
				ts.Check(err)
				annotations := u.GetAnnotations()
				if annotations == nil {
					annotations = map[string]string{}
				}
				annotations[lastApplied] = string(raw)
				u.SetAnnotations(annotations)
			}
			done(ts, neg, s.write(ts, u, func(ctx context.Context, c dynamic.ResourceInterface) error {
				_, err := c.Create(ctx, u, metav1.CreateOptions{FieldManager: who})
				return err
			}))
		}
	}
}

// replace [manager=NAME] FILE... puts objects in the place of those that are there.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	opts, files := options(args, "manager")
	s := of(ts)
	for _, file := range files {
		for _, u := range manifests(ts, file) {
			done(ts, neg, s.write(ts, u, func(ctx context.Context, c dynamic.ResourceInterface) error {
				return retry.RetryOnConflict(retry.DefaultBackoff, func() error { // its controller writes its status
					live, err := c.Get(ctx, u.GetName(), metav1.GetOptions{})
					if err != nil {
						return err
					}
					u.SetResourceVersion(live.GetResourceVersion())
					_, err = c.Update(ctx, u, metav1.UpdateOptions{FieldManager: cmp.Or(opts["manager"], manager)})
					return err
				})
			}))
		}
	}
}

func (s *story) write(ts *testscript.TestScript, u *unstructured.Unstructured, do func(context.Context, dynamic.ResourceInterface) error) error {
	ctx, cancel := bounded()
	defer cancel()
	c, err := s.clientOf(ctx, ts, u)
	if err != nil {
		return err
	}
	return do(ctx, c)
}

// done fails a command that failed, or that did not although it should.
func done(ts *testscript.TestScript, neg bool, err error) {
	switch {
	case !neg:
		ts.Check(err)
	case err == nil:
		ts.Fatalf("that should have been refused")
	default:
		_, _ = fmt.Fprintln(ts.Stderr(), err)
	}
}

var patchTypes = map[string]types.PatchType{"": types.MergePatchType, "merge": types.MergePatchType,
	"json": types.JSONPatchType, "strategic": types.StrategicMergePatchType}

// patch [manager=NAME] [type=merge|json|strategic] KIND NAME JSON
func patch(ts *testscript.TestScript, neg bool, args []string) {
	opts, args := options(args, "manager", "type")
	if len(args) != 3 {
		ts.Fatalf("usage: patch [manager=NAME] [type=merge|json|strategic] KIND [NAMESPACE/]NAME JSON")
	}
	how, ok := patchTypes[opts["type"]]
	if !ok {
		ts.Fatalf("patch type %q", opts["type"])
	}
	s := of(ts)
	done(ts, neg, s.patch(s.target(ts, args[0], args[1]), how, expand(ts, args[2]), cmp.Or(opts["manager"], manager)))
}

func (s *story) patch(t target, how types.PatchType, body, manager string) error {
	ctx, cancel := bounded()
	defer cancel()
	c, err := s.client(t)
	if err != nil {
		return err
	}
	_, err = c.Patch(ctx, t.name, how, []byte(body), metav1.PatchOptions{FieldManager: manager})
	return err
}

// annotate KIND NAME KEY=VALUE; the value now is the present time, and an empty one takes the annotation away.
func annotate(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: annotate KIND [NAMESPACE/]NAME KEY=VALUE")
	}
	key, value, _ := strings.Cut(args[2], "=")
	var set any = value
	switch value {
	case "now":
		set = time.Now().UTC().Format(time.RFC3339Nano)
	case "":
		set = nil
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{key: set}}})
	ts.Check(err)
	s := of(ts)
	done(ts, neg, s.patch(s.target(ts, args[0], args[1]), types.MergePatchType, string(body), manager))
}

// delete [propagation=background|foreground|orphan] KIND NAME...
func remove(ts *testscript.TestScript, neg bool, args []string) {
	opts, args := options(args, "propagation")
	if len(args) < 2 {
		ts.Fatalf("usage: delete [propagation=...] KIND [NAMESPACE/]NAME...")
	}
	s := of(ts)
	how := map[string]metav1.DeletionPropagation{"": metav1.DeletePropagationBackground, "background": metav1.DeletePropagationBackground,
		"foreground": metav1.DeletePropagationForeground, "orphan": metav1.DeletePropagationOrphan}[opts["propagation"]]
	for _, name := range args[1:] {
		done(ts, neg, s.remove(s.target(ts, args[0], name), how))
	}
}

func (s *story) remove(t target, how metav1.DeletionPropagation) error {
	ctx, cancel := bounded()
	defer cancel()
	c, err := s.client(t)
	if err != nil {
		return err
	}
	return c.Delete(ctx, t.name, metav1.DeleteOptions{PropagationPolicy: &how})
}

// describeApplications tells the state of the story's Applications, for failures.
func (s *story) describeApplications() string {
	ctx, cancel := bounded()
	defer cancel()
	gvr, _, err := s.resource("app")
	if err != nil {
		return err.Error()
	}
	list, err := s.world.client.Resource(gvr).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, app := range list.Items {
		if !strings.HasPrefix(app.GetNamespace(), s.id) && !strings.HasPrefix(app.GetName(), s.id) {
			continue
		}
		text, err := yaml.Marshal(map[string]any{"annotations": app.GetAnnotations(), "finalizers": app.GetFinalizers(), "operation": app.Object["operation"], "status": app.Object["status"]})
		fmt.Fprintf(&b, "Application %s/%s: %s%v\n", app.GetNamespace(), app.GetName(), text, orNothing(err))
	}
	return b.String()
}

func orNothing(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// plain turns an object into what jq takes: no integers of a fixed size.
func plain(u *unstructured.Unstructured) (any, error) {
	raw, err := u.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var out any
	return out, json.Unmarshal(raw, &out)
}
