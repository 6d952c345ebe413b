// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	ingresses   = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}
)

// Later does what happens after something was deployed: newer commits, holds, and an edit by hand.
func (s *Scene) Later(ctx context.Context) error {
	for _, p := range fleet() {
		if p.first == nil {
			continue
		}
		if err := s.await(ctx, p); err != nil {
			return err
		}
		body := map[string]any{"metadata": map[string]any{"annotations": anyMap(p.first.annotations)}, "spec": map[string]any{"source": map[string]any{"targetRevision": "main"}}}
		if p.askedBy != "" {
			body["operation"] = operation(p.askedBy, s.hosting.commits[p.repo][p.asked])
		}
		if err := s.patch(ctx, applications, cmp.Or(p.in, s.Namespace), p.name, body); err != nil {
			return err
		}
	}
	return s.edit(ctx)
}

// await waits until an Application has synced once and is healthy: what is known of its health stays while its source is not readable.
func (s *Scene) await(ctx context.Context, p play) error {
	return until(ctx, p.name+" is not deployed", func() (bool, error) {
		u, err := s.client.Resource(applications).Namespace(cmp.Or(p.in, s.Namespace)).Get(ctx, p.name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		phase, _, _ := unstructured.NestedString(u.Object, "status", "operationState", "phase")
		health, _, _ := unstructured.NestedString(u.Object, "status", "health", "status")
		return phase == "Succeeded" && health == "Healthy", nil
	})
}

// edit is somebody with kubectl.
func (s *Scene) edit(ctx context.Context) error {
	if err := s.await(ctx, play{name: "reviews-prod"}); err != nil {
		return err
	}
	return s.patch(ctx, deployments, "shop-prod", "reviews", map[string]any{"spec": map[string]any{"replicas": 4}})
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (s *Scene) patch(ctx context.Context, resource schema.GroupVersionResource, namespace, name string, body map[string]any, subresource ...string) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = s.client.Resource(resource).Namespace(namespace).Patch(ctx, name, types.MergePatchType, raw, metav1.PatchOptions{FieldManager: "kubectl-edit"}, subresource...)
	return err
}

// until asks until it is so.
func until(ctx context.Context, otherwise string, so func() (bool, error)) error {
	for {
		done, err := so()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", otherwise, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Balance gives every Ingress an address, as the controller of a cluster does, until its context ends.
func (s *Scene) Balance(ctx context.Context) error {
	for ctx.Err() == nil {
		w, err := s.client.Resource(ingresses).Watch(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for event := range w.ResultChan() {
			u, ok := event.Object.(*unstructured.Unstructured)
			if !ok || event.Type == watch.Deleted {
				continue
			}
			if _, has, _ := unstructured.NestedSlice(u.Object, "status", "loadBalancer", "ingress"); has {
				continue
			}
			status := map[string]any{"status": map[string]any{"loadBalancer": map[string]any{"ingress": []any{map[string]any{"ip": "203.0.113.10"}}}}}
			if err := s.patch(ctx, ingresses, u.GetNamespace(), u.GetName(), status, "status"); ignoreNotFound(err) != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	return nil
}

// Settled waits until every Application is what it is going to be.
func (s *Scene) Settled(ctx context.Context) error {
	var waiting []string
	err := until(ctx, "the scene does not settle", func() (bool, error) {
		list, err := s.client.Resource(applications).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		waiting = waiting[:0]
		for i := range list.Items {
			if !settled(&list.Items[i]) {
				waiting = append(waiting, list.Items[i].GetName())
			}
		}
		return len(waiting) == 0 && len(list.Items) > len(fleet()), nil
	})
	if err != nil {
		return fmt.Errorf("%w: %v", err, waiting)
	}
	return nil
}

// settled reports whether an Application is as it stays: one never becomes healthy, one never ends, and two are broken.
func settled(u *unstructured.Unstructured) bool {
	health, _, _ := unstructured.NestedString(u.Object, "status", "health", "status")
	phase, _, _ := unstructured.NestedString(u.Object, "status", "operationState", "phase")
	switch u.GetName() {
	case "checkout-prod", "logs":
		return health == "Degraded"
	case "search-prod":
		return health == "Progressing" && phase != "Running"
	case "payouts-prod":
		return phase == "Running"
	case "stores-lisbon": // nothing is known of it
		return true
	}
	return health != "" && health != "Progressing" && phase != "Running"
}
