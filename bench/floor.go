// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// floor is what the API server itself needs.
type floor struct {
	all time.Duration // every object of every application, and two patches per Application
	one time.Duration // one changed object of every application, and two patches per Application
}

var resources = map[string]schema.GroupVersionResource{
	"Deployment": {Group: "apps", Version: "v1", Resource: "deployments"},
	"Service":    {Version: "v1", Resource: "services"},
	"ConfigMap":  {Version: "v1", Resource: "configmaps"},
}

var (
	applications = v1alpha1.SchemeGroupVersion.WithResource("applications")
	namespaces   = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
)

// workers is how many applies the bare loop has under way at once.
const workers = 16

// restingNamespace holds the floor's Applications: no controller looks there.
const restingNamespace = "floor"

func measureFloor(ctx context.Context, c config, dir string) (floor, error) {
	plane, kubeconfig, err := startPlane(ctx, c.bin, dir)
	if err != nil {
		return floor{}, err
	}
	defer plane.stop(syscall.SIGTERM)
	// Bowline installs the CRDs and ends before anything is measured.
	bowline, err := startBowline(ctx, c.bin, kubeconfig, dir+"-data", freeAddress(), "127.0.0.1:0", os.Stderr)
	if err != nil {
		return floor{}, err
	}
	bowline.stop(syscall.SIGTERM)
	client, err := newDynamic(kubeconfig)
	if err != nil {
		return floor{}, err
	}
	if err := makeNamespaces(ctx, client, namespace, restingNamespace); err != nil {
		return floor{}, err
	}
	for i := range c.apps {
		if err := createApplication(ctx, client, application(i, "https://floor.example/repo.git", restingNamespace)); err != nil {
			return floor{}, err
		}
	}
	var out floor
	if out.all, err = bareLoop(ctx, client, c.fleet, c.objects, "v1"); err != nil {
		return floor{}, err
	}
	out.one, err = bareLoop(ctx, client, c.fleet, 1, "v2")
	return out, err
}

// bareLoop applies n objects of each application, the one that a push changes first among them.
func bareLoop(ctx context.Context, client dynamic.Interface, f fleet, n int, version string) (time.Duration, error) {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range f.apps {
		objects := f.manifests(i, version)
		if n == 1 {
			objects = objects[2:3]
		}
		for _, u := range objects {
			u.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAppInstance: appName(i) + ":" + u.GetKind() + "/" + u.GetName()})
			group.Go(func() error { return apply(ctx, client, u) })
		}
		for phase := range 2 {
			group.Go(func() error { return patchStatus(ctx, client, i, phase) })
		}
	}
	err := group.Wait()
	return time.Since(began), err
}

func apply(ctx context.Context, client dynamic.Interface, u *unstructured.Unstructured) error {
	_, err := client.Resource(resources[u.GetKind()]).Namespace(namespace).Apply(ctx, u.GetName(), u,
		metav1.ApplyOptions{FieldManager: v1alpha1.FieldManagerSync, Force: true})
	return err
}

// patchStatus writes a status of the size that a sync of the application writes.
func patchStatus(ctx context.Context, client dynamic.Interface, app, phase int) error {
	status := v1alpha1.ApplicationStatus{Sync: v1alpha1.SyncStatus{Status: v1alpha1.SyncStatusCodeOutOfSync, Revision: fmt.Sprint(phase)}}
	for i := range 10 {
		status.Resources = append(status.Resources, v1alpha1.ResourceStatus{Version: "v1", Kind: "ConfigMap", Namespace: namespace,
			Name: fmt.Sprintf("%s-%d", appName(app), i), Status: v1alpha1.SyncStatusCodeSynced})
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = client.Resource(applications).Namespace(restingNamespace).Patch(ctx, appName(app), types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: v1alpha1.FieldManagerHub})
	return err
}

func newDynamic(kubeconfig string) (dynamic.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return dynamic.NewForConfig(config)
}

func makeNamespaces(ctx context.Context, client dynamic.Interface, names ...string) error {
	for _, name := range names {
		ns := newObject("v1", "Namespace", name, map[string]any{})
		if _, err := client.Resource(namespaces).Create(ctx, ns, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func createApplication(ctx context.Context, client dynamic.Interface, app *v1alpha1.Application) error {
	raw, err := json.Marshal(app)
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(raw, &u.Object); err != nil {
		return err
	}
	u.SetGroupVersionKind(v1alpha1.ApplicationSchemaGroupVersionKind)
	_, err = client.Resource(applications).Namespace(app.Namespace).Create(ctx, u, metav1.CreateOptions{})
	return err
}
