// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// estate is what is in the cluster of the live rows: objects of ours, what controllers make of them, and what is others'.
type estate struct{ apps, total, namespaces int }

// perApp is how many objects an application of the estate has; besides, controllers make a ReplicaSet of its Deployment
// and an EndpointSlice, an Endpoints and an IPAddress of its Service.
const (
	perApp     = 10
	madePerApp = 4
)

// newEstate is 100,000 objects, 20,000 of them of 2,000 applications, times scale.
func newEstate(scale float64) estate {
	of := func(n float64) int { return max(1, int(n*scale)) }
	return estate{apps: of(2000), total: of(100_000), namespaces: of(200)}
}

func (e estate) foreign() int {
	const perNamespace = 3 // itself, its ServiceAccount and the ConfigMap with the API server's certificate
	return e.total - e.apps*(perApp+madePerApp) - e.namespaces*perNamespace
}

func estateNamespace(i int) string { return fmt.Sprintf("estate-%03d", i) }

func (e estate) home(app int) string { return estateNamespace(app % e.namespaces) }

// kinds of the estate.
var estateKinds = map[string]schema.GroupVersionResource{
	"Deployment":     resources["Deployment"],
	"Service":        resources["Service"],
	"ConfigMap":      resources["ConfigMap"],
	"Secret":         {Version: "v1", Resource: "secrets"},
	"ServiceAccount": {Version: "v1", Resource: "serviceaccounts"},
	"Pod":            {Version: "v1", Resource: "pods"},
	"ReplicaSet":     {Group: "apps", Version: "v1", Resource: "replicasets"},
	"Role":           {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
}

const settingsText = "listen 8080\nworkers 4\nlog info\ntimeout 30s\n"

// manifests are the objects of one application, as they stand in its repository. Its Deployment has no replicas: pods
// would cost the control plane more than all the rest.
func (e estate) manifests(app int) []*unstructured.Unstructured {
	name := appName(app)
	out := fleet{objects: perApp - 2}.manifests(app, "steady")
	if err := unstructured.SetNestedField(out[0].Object, int64(0), "spec", "replicas"); err != nil {
		panic(err) // it is a map
	}
	return append(out,
		newObject("v1", "ServiceAccount", name, map[string]any{"automountServiceAccountToken": false}),
		newObject("v1", "Secret", name, map[string]any{"type": "Opaque", "data": map[string]any{"password": encoded(name)}}))
}

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func (e estate) file(app int) (string, error) {
	var docs []string
	for _, u := range e.manifests(app) {
		text, err := yaml.Marshal(u.Object)
		if err != nil {
			return "", err
		}
		docs = append(docs, string(text))
	}
	return strings.Join(docs, "---\n"), nil
}

// prepare makes all of it, without any Application: objects of ours as a sync would have applied them.
func (e estate) prepare(ctx context.Context, client dynamic.Interface) error {
	if err := e.makeNamespaces(ctx, client); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range e.apps {
		group.Go(func() error { return e.applyApp(ctx, client, i) })
	}
	for i := range e.foreign() {
		group.Go(func() error { return e.makeForeign(ctx, client, i) })
	}
	return group.Wait()
}

func (e estate) makeNamespaces(ctx context.Context, client dynamic.Interface) error {
	var names []string
	for i := range e.namespaces {
		names = append(names, estateNamespace(i))
	}
	if err := makeNamespaces(ctx, client, names...); err != nil {
		return err
	}
	last := client.Resource(estateKinds["ServiceAccount"]).Namespace(names[len(names)-1])
	return until(ctx, time.Minute, "the namespaces are usable", func(ctx context.Context) (bool, error) {
		_, err := last.Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
}

func (e estate) applyApp(ctx context.Context, client dynamic.Interface, app int) error {
	tracker := object.Tracker{}
	for _, u := range e.manifests(app) {
		u.SetNamespace(e.home(app))
		tracker.Mark(u, appName(app), e.home(app))
		_, err := client.Resource(estateKinds[u.GetKind()]).Namespace(e.home(app)).Apply(ctx, u.GetName(), u,
			metav1.ApplyOptions{FieldManager: v1alpha1.FieldManagerSync, Force: true})
		if err != nil {
			return err
		}
	}
	return nil
}

// foreignObject is an object that nobody asked us about: of twenty, nine are ConfigMaps, four Secrets, four Pods that no
// scheduler takes, two ReplicaSets and one a Role.
func foreignObject(i int) *unstructured.Unstructured {
	name := fmt.Sprintf("foreign-%06d", i)
	containers := []any{map[string]any{"name": "main", "image": "registry.example/foreign:1",
		"env": []any{map[string]any{"name": "LEVEL", "value": "info"}, map[string]any{"name": "NAME", "value": name}}}}
	labels := map[string]any{"app": name}
	switch kind := i % 20; {
	case kind < 9:
		return newObject("v1", "ConfigMap", name, map[string]any{"data": map[string]any{"version": "0", "file.conf": strings.Repeat(settingsText, 6)}})
	case kind < 13:
		return newObject("v1", "Secret", name, map[string]any{"data": map[string]any{"version": encoded("0"), "key": encoded(strings.Repeat(settingsText, 10))}})
	case kind < 17:
		return newObject("v1", "Pod", name, map[string]any{"spec": map[string]any{"schedulerName": "nobody",
			"automountServiceAccountToken": false, "containers": containers}})
	case kind < 19:
		return newObject("apps/v1", "ReplicaSet", name, map[string]any{"spec": map[string]any{"replicas": int64(0),
			"selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{"containers": containers}}}})
	default:
		return newObject("rbac.authorization.k8s.io/v1", "Role", name, map[string]any{"rules": []any{
			map[string]any{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": []any{"get"}}}})
	}
}

func (e estate) foreignHome(i int) string { return estateNamespace(i / 20 % e.namespaces) }

func (e estate) makeForeign(ctx context.Context, client dynamic.Interface, i int) error {
	u := foreignObject(i)
	_, err := client.Resource(estateKinds[u.GetKind()]).Namespace(e.foreignHome(i)).Create(ctx, u, metav1.CreateOptions{FieldManager: "somebody"})
	return err
}

// edit writes the version of one ConfigMap of an application by hand.
func (e estate) edit(ctx context.Context, client dynamic.Interface, app, n int, version string) error {
	_, err := client.Resource(resources["ConfigMap"]).Namespace(e.home(app)).Patch(ctx, fmt.Sprintf("%s-%d", appName(app), n),
		types.MergePatchType, fmt.Appendf(nil, `{"data":{"version":%q}}`, version), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	return err
}
