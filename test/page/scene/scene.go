// SPDX-License-Identifier: Apache-2.0

// Package scene fills a control plane with a believable fleet, for whoever looks at the page: stories, screenshots, and people who
// work on it.
//
// The words of this room:
//
//   - Scene: settings, projects, repositories, clusters, accounts and about sixty Applications in a few teams, most of them fine,
//     some in each kind of trouble that people meet.
//   - Hosting: a Git server that answers for https://git.example.org through a proxy, so that addresses look like those that people
//     have, and nothing leaves the machine.
//   - Play: an Application and what it is to look like.
//
// Times are relative to now: what is said to be three days old always is.
package scene

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// Password is that of both accounts, admin and dev; dev may only look.
const Password = "bowline-demo"

// manager is who the scene writes as.
const manager = "scene"

// Scene is a control plane that is being filled.
type Scene struct {
	Namespace string // the control namespace
	hosting   *Hosting
	server    string // the API server's own address, with what reaches it
	config    *rest.Config
	client    dynamic.Interface
	mapper    *restmapper.DeferredDiscoveryRESTMapper
	now       time.Time
}

// New returns a scene for a control plane.
func New(config *rest.Config, namespace string, hosting *Hosting) (*Scene, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst, config.WarningHandler = -1, 0, rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Scene{Namespace: namespace, hosting: hosting, server: config.Host, config: config, client: client,
		mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found)), now: time.Now().UTC().Truncate(time.Second)}, nil
}

// Settle makes what has to be there before Bowline starts: settings, accounts, repositories, clusters, namespaces. It can be done
// again, as the addresses of a Hosting change when that starts anew.
func (s *Scene) Settle(ctx context.Context) error {
	namespaces := append([]string{s.Namespace}, destinations()...)
	for _, name := range namespaces {
		if err := s.apply(ctx, fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}", name)); err != nil {
			return err
		}
	}
	settings, err := s.settings()
	if err != nil {
		return err
	}
	for _, text := range append(settings, s.connections()...) {
		if err := s.apply(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// Play makes the projects and Applications, once Bowline has installed their kinds. Those that exist are left as they are.
func (s *Scene) Play(ctx context.Context) error {
	if err := s.awaitKinds(ctx); err != nil {
		return err
	}
	for _, text := range projects {
		if err := s.apply(ctx, s.filled(text)); err != nil {
			return err
		}
	}
	if err := s.leftovers(ctx); err != nil {
		return err
	}
	for _, p := range fleet() {
		if err := s.create(ctx, p); err != nil {
			return fmt.Errorf("application %s: %w", p.name, err)
		}
	}
	return nil
}

// awaitKinds waits until Applications and projects are kinds of the cluster.
func (s *Scene) awaitKinds(ctx context.Context) error {
	for {
		_, err := s.client.Resource(schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "appprojects"}).
			Namespace(s.Namespace).Get(ctx, "default", metav1.GetOptions{})
		if err == nil {
			s.mapper.Reset()
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("bowline has not installed its kinds"), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// create makes the Application of a play unless it exists.
func (s *Scene) create(ctx context.Context, p play) error {
	u, err := s.application(p)
	if err != nil {
		return err
	}
	_, err = s.client.Resource(applications).Namespace(u.GetNamespace()).Create(ctx, u, metav1.CreateOptions{FieldManager: manager})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

var applications = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"}

// apply applies an object that is written in YAML.
func (s *Scene) apply(ctx context.Context, text string) error {
	u, err := parse(text)
	if err != nil {
		return err
	}
	gvk := u.GroupVersionKind()
	mapping, err := s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return err
	}
	return s.put(ctx, mapping.Resource, u)
}

func (s *Scene) put(ctx context.Context, resource schema.GroupVersionResource, u *unstructured.Unstructured) error {
	_, err := s.client.Resource(resource).Namespace(u.GetNamespace()).Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: manager, Force: true})
	if err != nil {
		return fmt.Errorf("%s %s: %w", u.GetKind(), u.GetName(), err)
	}
	return nil
}

func parse(text string) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := unmarshal(text, &u.Object); err != nil {
		return nil, fmt.Errorf("%w in %s", err, text)
	}
	return u, nil
}
