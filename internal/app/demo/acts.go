// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

const (
	appName      = "api-production"
	parentName   = "applications"
	appNamespace = "production"
	nextImage    = "registry.example/api:1.1.0"
)

// actTimeout bounds the wait for one effect: far more than Bowline needs, so that only a defect meets it.
const actTimeout = 2 * time.Minute

// application is one of the sample repository, automated.
func (s *stage) application(name, path, namespace string) *v1alpha1.Application {
	yes := true
	return &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: v1alpha1.DefaultNamespace},
		Spec: v1alpha1.ApplicationSpec{
			Project:     v1alpha1.DefaultAppProjectName,
			Source:      &v1alpha1.ApplicationSource{RepoURL: s.repo.url, TargetRevision: "main", Path: path},
			Destination: v1alpha1.ApplicationDestination{Server: v1alpha1.KubernetesInternalAPIServerAddr, Namespace: namespace},
			SyncPolicy: &v1alpha1.SyncPolicy{
				Automated:   &v1alpha1.SyncPolicyAutomated{Prune: &yes, SelfHeal: &yes},
				SyncOptions: v1alpha1.SyncOptions{"CreateNamespace=true"},
			},
		},
	}
}

// others are the Applications below applicationsPath, with what renders them.
var others = []struct{ name, kind string }{
	{"web", "a Helm chart with values from a second source"},
	{"shop", "a kustomization with a base"},
	{"dashboards", "Jsonnet with a library"},
	{"cache", "a chart of a Helm repository"},
	{"platform", "manifests of an OCI registry"},
}

// registry is the Secret that says how the demo's registry is read: without TLS.
func (s *stage) registry() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: "registry", Namespace: v1alpha1.DefaultNamespace,
			Labels: map[string]string{v1alpha1.LabelKeySecretType: v1alpha1.LabelValueSecretTypeRepository},
		},
		StringData: map[string]string{"type": "oci", "url": "oci://" + s.repo.host + "/platform", "insecureOCIForceHttp": "true"},
	}
}

// deployAll creates an Application whose objects are Applications, one for each kind of source.
func (s *stage) deployAll(ctx context.Context) error {
	if err := s.client.Create(ctx, s.registry()); err != nil {
		return fmt.Errorf("create the Secret of the registry: %w", err)
	}
	began := time.Now()
	if err := s.client.Create(ctx, s.application(parentName, applicationsPath, v1alpha1.DefaultNamespace)); err != nil {
		return fmt.Errorf("create the Application: %w", err)
	}
	s.say("created Application %s: it brings one Application for each kind of source", parentName)
	for _, other := range others {
		err := s.waitFor(ctx, other.name, "to be synced and healthy", func(a *v1alpha1.Application) bool {
			return a.Status.Sync.Status == v1alpha1.SyncStatusCodeSynced && a.Status.Health.Status == v1alpha1.HealthStatusHealthy
		})
		if err != nil {
			return err
		}
		s.say("%s (%s) is synced and healthy after %d ms", other.name, other.kind, time.Since(began).Milliseconds())
	}
	return nil
}

// deploy creates the first Application and waits until its objects run.
func (s *stage) deploy(ctx context.Context) error {
	app := s.application(appName, samplePath, appNamespace)
	began := time.Now()
	if err := s.client.Create(ctx, app); err != nil {
		return fmt.Errorf("create the Application: %w", err)
	}
	s.say("created Application %s: path %s of the repository, automated with prune and self-heal", appName, samplePath)
	synced := false
	return s.waitApp(ctx, "to be synced and healthy", func(a *v1alpha1.Application) bool {
		if a.Status.Sync.Status != v1alpha1.SyncStatusCodeSynced {
			return false
		}
		if !synced {
			synced = true
			s.say("synced at commit %.7s after %d ms", a.Status.Sync.Revision, time.Since(began).Milliseconds())
		}
		if a.Status.Health.Status == v1alpha1.HealthStatusHealthy {
			s.say("healthy after %d ms", time.Since(began).Milliseconds())
			return true
		}
		return false
	})
}

// drift edits the Deployment by hand and waits until it is as in Git again.
func (s *stage) drift(ctx context.Context) error {
	s.say("now I edit the Deployment by hand: replicas 2 → 5, image → registry.example/api:hacked")
	patch := `{"spec":{"replicas":5,"template":{"spec":{"containers":[{"name":"api","image":"registry.example/api:hacked"}]}}}}`
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "api", Namespace: appNamespace}}
	err := s.client.Patch(ctx, d, client.RawPatch(types.StrategicMergePatchType, []byte(patch)), client.FieldOwner("kubectl-edit"))
	if err != nil {
		return fmt.Errorf("edit the Deployment: %w", err)
	}
	began := time.Now()
	err = s.waitDeployment(ctx, "to be put back", func(d *appsv1.Deployment) bool {
		return *d.Spec.Replicas == 2 && d.Spec.Template.Spec.Containers[0].Image == "registry.example/api:1.0.0"
	})
	if err == nil {
		s.say("put back after %d ms", time.Since(began).Milliseconds())
	}
	return err
}

// push commits a new image and waits until the cluster has it.
func (s *stage) push(ctx context.Context) error {
	if err := s.repo.replace("deployment.yaml", "registry.example/api:1.0.0", nextImage); err != nil {
		return err
	}
	commit, err := s.repo.commit(ctx, "Release 1.1.0")
	if err != nil {
		return err
	}
	s.say("now commit %.7s changes the image to %s; its webhook tells Bowline", commit, nextImage)
	began := time.Now()
	if err := s.webhook(ctx, commit); err != nil {
		return err
	}
	err = s.waitDeployment(ctx, "to have the new image", func(d *appsv1.Deployment) bool {
		return d.Spec.Template.Spec.Containers[0].Image == nextImage
	})
	if err != nil {
		return err
	}
	s.say("applied after %d ms", time.Since(began).Milliseconds())
	return s.waitApp(ctx, "to be synced at the new commit", func(a *v1alpha1.Application) bool {
		done := a.Status.Sync.Status == v1alpha1.SyncStatusCodeSynced && a.Status.Sync.Revision == commit &&
			a.Status.Health.Status == v1alpha1.HealthStatusHealthy
		if done {
			s.say("synced and healthy at commit %.7s", commit)
		}
		return done
	})
}

func (s *stage) waitApp(ctx context.Context, what string, done func(*v1alpha1.Application) bool) error {
	return s.waitFor(ctx, appName, what, done)
}

func (s *stage) waitFor(ctx context.Context, name, what string, done func(*v1alpha1.Application) bool) error {
	last := "it has no status yet"
	err := s.wait(ctx, &v1alpha1.ApplicationList{}, v1alpha1.DefaultNamespace, name, func(o client.Object) bool {
		a, ok := o.(*v1alpha1.Application)
		if !ok {
			return false
		}
		last = fmt.Sprintf("sync %s, health %s, conditions %v", a.Status.Sync.Status, a.Status.Health.Status, a.Status.Conditions)
		return done(a)
	})
	if err != nil {
		return fmt.Errorf("wait for Application %s %s: %w (%s)", name, what, err, last)
	}
	return nil
}

func (s *stage) waitDeployment(ctx context.Context, what string, done func(*appsv1.Deployment) bool) error {
	err := s.wait(ctx, &appsv1.DeploymentList{}, appNamespace, "api", func(o client.Object) bool {
		d, ok := o.(*appsv1.Deployment)
		return ok && done(d)
	})
	if err != nil {
		return fmt.Errorf("wait for Deployment api %s: %w", what, err)
	}
	return nil
}

// wait watches one object until done, from its present state on.
func (s *stage) wait(ctx context.Context, list client.ObjectList, namespace, name string, done func(client.Object) bool) error {
	ctx, cancel := context.WithTimeout(ctx, actTimeout)
	defer cancel()
	for {
		w, err := s.client.Watch(ctx, list, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name})
		if err != nil {
			return err
		}
		for event := range w.ResultChan() {
			if o, ok := event.Object.(client.Object); ok && done(o) {
				w.Stop()
				return nil
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
