// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	all spent // every object of every application, and two patches per Application
	one spent // one changed object of every application, and two patches per Application
}

// spent is what some work took, and what processor time this process took for it.
type spent struct{ time, cpu time.Duration }

// measured does something and returns what it took.
func measured(do func() error) (spent, error) {
	before, err := ownCPU()
	if err != nil {
		return spent{}, err
	}
	began := time.Now()
	if err := do(); err != nil {
		return spent{}, err
	}
	took := time.Since(began)
	after, err := ownCPU()
	return spent{took, after - before}, err
}

// ownCPU is the processor time of this process.
func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

var resources = map[string]schema.GroupVersionResource{
	"Deployment": {Group: "apps", Version: "v1", Resource: "deployments"},
	"Service":    {Version: "v1", Resource: "services"},
	"ConfigMap":  {Version: "v1", Resource: "configmaps"},
	"Job":        {Group: "batch", Version: "v1", Resource: "jobs"},
}

var (
	applications = v1alpha1.SchemeGroupVersion.WithResource("applications")
	namespaces   = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
)

// workers is how many applies the bare loop has under way at once.
const workers = 16

// restingNamespace holds the floor's Applications: no controller looks there.
const restingNamespace = "floor"

// measureFloor measures the floor of the fleet.
func measureFloor(ctx context.Context, c config, dir string) (out floor, err error) {
	err = onRestingPlane(ctx, c, dir, c.apps, func(client dynamic.Interface) error {
		if out.all, err = bareLoop(ctx, client, c.fleet, c.objects, "v1"); err != nil {
			return err
		}
		out.one, err = bareLoop(ctx, client, c.fleet, 1, "v2")
		return err
	})
	return out, err
}

// onRestingPlane does something on a control plane of its own, with Applications that nobody looks at.
func onRestingPlane(ctx context.Context, c config, dir string, apps int, do func(dynamic.Interface) error) error {
	plane, kubeconfig, err := startPlane(ctx, c, dir)
	if err != nil {
		return err
	}
	defer plane.stop(syscall.SIGTERM)
	// Bowline installs the CRDs and ends before anything is measured.
	bowline, err := startBowline(ctx, c.bin, kubeconfig, dir+"-data", freeAddress(), "127.0.0.1:0", os.Stderr, "--insecure")
	if err != nil {
		return err
	}
	bowline.stop(syscall.SIGTERM)
	client, err := newDynamic(kubeconfig)
	if err != nil {
		return err
	}
	if err := makeNamespaces(ctx, client, namespace, restingNamespace); err != nil {
		return err
	}
	if err := createApplications(ctx, client, apps, "https://floor.example/repo.git", restingNamespace); err != nil {
		return err
	}
	return do(client)
}

// bareLoop applies n objects of each application, the one that a push changes first among them.
func bareLoop(ctx context.Context, client dynamic.Interface, f fleet, n int, version string) (spent, error) {
	return bareApplies(ctx, client, f.apps, f.objects, func(app int) []*unstructured.Unstructured {
		objects := f.manifests(app, version)
		if n == 1 {
			objects = objects[2:3]
		}
		return objects
	})
}

// bareApplies applies the objects of each application, and writes two statuses that list so many objects.
func bareApplies(ctx context.Context, client dynamic.Interface, apps, listed int, objects func(app int) []*unstructured.Unstructured) (spent, error) {
	return measured(func() error {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(workers)
		for i := range apps {
			for _, u := range objects(i) {
				u.SetAnnotations(marked(i, u))
				group.Go(func() error { return apply(ctx, client, u) })
			}
			for phase := range 2 {
				group.Go(func() error { return patchStatus(ctx, client, i, phase, listed) })
			}
		}
		return group.Wait()
	})
}

// marked returns the annotations of an object of an application with its tracking mark.
func marked(app int, u *unstructured.Unstructured) map[string]string {
	annotations := map[string]string{v1alpha1.AnnotationKeyAppInstance: appName(app) + ":" + u.GetKind() + "/" + u.GetName()}
	maps.Copy(annotations, u.GetAnnotations())
	return annotations
}

func apply(ctx context.Context, client dynamic.Interface, u *unstructured.Unstructured) error {
	_, err := client.Resource(resources[u.GetKind()]).Namespace(namespace).Apply(ctx, u.GetName(), u,
		metav1.ApplyOptions{FieldManager: v1alpha1.FieldManagerSync, Force: true})
	return err
}

// patchStatus writes a status of the size that a sync of the application writes.
func patchStatus(ctx context.Context, client dynamic.Interface, app, phase, listed int) error {
	status := v1alpha1.ApplicationStatus{Sync: v1alpha1.SyncStatus{Status: v1alpha1.SyncStatusCodeOutOfSync, Revision: fmt.Sprint(phase)}}
	for i := range listed {
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

// createApplications creates so many Applications, some at a time.
func createApplications(ctx context.Context, client dynamic.Interface, apps int, repoURL, ns string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range apps {
		group.Go(func() error { return createApplication(ctx, client, application(i, repoURL, ns)) })
	}
	return group.Wait()
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
