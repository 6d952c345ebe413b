// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// definitions handles the definitions of all kinds, then waits for them: the API server establishes them side by side. It
// goes on to the next after an error, so that all errors are said at once.
func (i *installer) definitions(ctx context.Context) error {
	wanted, err := Definitions()
	if err != nil {
		return err
	}
	var errs []error
	var pending []*Definition
	for _, want := range wanted {
		err := i.definition(ctx, want)
		errs = append(errs, err)
		if err == nil && i.opts.What == Everything {
			pending = append(pending, want)
		}
	}
	for _, want := range pending {
		errs = append(errs, i.waitUntilEstablished(ctx, want))
	}
	return errors.Join(errs...)
}

func (i *installer) definition(ctx context.Context, want *Definition) error {
	have, err := i.extensions.Get(ctx, want.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		have, err = nil, nil
	}
	if err != nil {
		return judge("read", describe(want), err)
	}
	if have != nil && have.DeletionTimestamp != nil {
		return fault.New(fault.Wait, "use", describe(want), "", "it is being deleted", "wait until it is gone")
	}
	if i.opts.What != Everything {
		return errors.Join(i.verify(have, want), i.serves(ctx, have))
	}
	return i.act(ctx, Decide(have, want), have, want)
}

// serves waits until a definition that somebody else brought is served: it may have been brought a moment ago.
func (i *installer) serves(ctx context.Context, have *Definition) error {
	if have == nil || established(have) {
		return nil
	}
	return i.waitUntilEstablished(ctx, have)
}

// verify is for a run that may not write.
func (i *installer) verify(have, want *Definition) error {
	const fix = "run once with --install, or apply the definitions by hand"
	switch {
	case have == nil && want.Spec.Names.Kind == v1alpha1.ApplicationSetKind:
		i.report.Missing = append(i.report.Missing, describe(want)+" is absent, so that there are no ApplicationSets; "+fix)
		return nil
	case have == nil:
		return fault.New(fault.Stalled, "find", describe(want), "", "it is absent", fix)
	}
	i.report.Kept = append(i.report.Kept, describe(want))
	i.report.Missing = append(i.report.Missing, Verify(have, want)...)
	return nil
}

// act carries out a decision. An update is guarded by the resourceVersion that the decision was made on.
func (i *installer) act(ctx context.Context, d Decision, have, want *Definition) error {
	i.report.Missing = append(i.report.Missing, d.Missing...)
	switch d.Action {
	case Create:
		return i.create(describe(want), func() error {
			_, err := i.extensions.Create(ctx, want, createOptions())
			return err
		})
	case Update:
		changed := have.DeepCopy()
		changed.Spec = want.Spec
		if _, err := i.extensions.Update(ctx, changed, metav1.UpdateOptions{FieldManager: v1alpha1.FieldManagerHub}); err != nil {
			return judge("update", describe(want), err)
		}
		i.report.Updated = append(i.report.Updated, describe(want))
	case Keep:
		line := describe(want)
		if d.Reason != "" {
			line += ": " + d.Reason
		}
		i.report.Kept = append(i.report.Kept, line)
	}
	return nil
}

// establishedEvery is how often the API server is asked whether it serves a kind by now: reading is the right that a run always has.
const establishedEvery = 200 * time.Millisecond

// waitUntilEstablished returns when the API server serves the kind.
func (i *installer) waitUntilEstablished(ctx context.Context, want *Definition) error {
	err := wait.PollUntilContextCancel(ctx, establishedEvery, true, func(ctx context.Context) (bool, error) {
		definition, err := i.extensions.Get(ctx, want.Name, metav1.GetOptions{})
		if apierrors.IsForbidden(err) {
			return false, err
		}
		return err == nil && established(definition), nil // anything else may pass; ctx bounds the wait
	})
	return fault.Wrap(fault.Wait, "wait for", describe(want), err, "look at the conditions in its status")
}

func established(definition *Definition) bool {
	for _, c := range definition.Status.Conditions {
		if c.Type == apiextensionsv1.Established {
			return c.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}

func (i *installer) namespace(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: i.opts.Namespace, Labels: mark(nil)}}
	return i.create("Namespace "+i.opts.Namespace, func() error {
		_, err := i.core.Namespaces().Create(ctx, namespace, createOptions())
		return err
	})
}

func (i *installer) configMaps(ctx context.Context) error {
	for _, cm := range defaultConfigMaps(i.opts.Namespace) {
		err := i.create("ConfigMap "+cm.Namespace+"/"+cm.Name, func() error {
			_, err := i.core.ConfigMaps(cm.Namespace).Create(ctx, cm, createOptions())
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// secret creates the Secret. One that is there without a key, as manifests bring it, is given one.
func (i *installer) secret(ctx context.Context) error {
	secret := defaultSecret(i.opts.Namespace)
	secrets := i.core.Secrets(secret.Namespace)
	thing := "Secret " + secret.Namespace + "/" + secret.Name
	if err := i.create(thing, func() error {
		_, err := secrets.Create(ctx, secret, createOptions())
		return err
	}); err != nil {
		return err
	}
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		found, err := secrets.Get(ctx, secret.Name, metav1.GetOptions{})
		if err != nil || len(found.Data[signingKey]) > 0 {
			return err
		}
		if found.Data == nil {
			found.Data = map[string][]byte{}
		}
		found.Data[signingKey] = secret.Data[signingKey]
		if _, err := secrets.Update(ctx, found, metav1.UpdateOptions{FieldManager: v1alpha1.FieldManagerHub}); err != nil {
			return err
		}
		i.report.Updated = append(i.report.Updated, thing+" (its key "+signingKey+" was missing)")
		return nil
	})
	if err != nil {
		return judge("put a key into", thing, err)
	}
	return nil
}

// project creates the default project. Its kind was established just now; for a moment an API server may still answer
// that it does not know it, so that answer is tried again.
func (i *installer) project(ctx context.Context) error {
	project := defaultProject(i.opts.Namespace)
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(project)
	if err != nil {
		return fault.Wrap(fault.Bug, "encode", "the default project", err, "")
	}
	return i.create("AppProject "+project.Namespace+"/"+project.Name, func() error {
		return retry.OnError(retry.DefaultBackoff, apierrors.IsNotFound, func() error {
			_, err := i.appProjects.Create(ctx, &unstructured.Unstructured{Object: object}, createOptions())
			return err
		})
	})
}
