// SPDX-License-Identifier: Apache-2.0

// Package hub is how services read and write the control namespace: so that who wrote something finds it there at once, and that
// two who write at a time lose nothing.
//
// The words of this room:
//
//   - Hub: the control plane that holds projects, settings and the Secrets of repositories and clusters.
//   - Settled: said of a write that this process knows of everywhere: its cache shows it, or its settings were read again.
package hub

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// Hub reads from the cache that the controllers share, and writes. Its errors are those of Failed.
type Hub struct {
	Client client.Client
	// Fresh reads from the API server: what is changed is read by it.
	Fresh client.Reader
	// Home is the control namespace.
	Home string
	// Reload reads the settings again, Secrets and ConfigMaps included; nil does nothing.
	Reload func(ctx context.Context) error
	Clock  clock.WithTicker
}

// attempts is how often a change is tried against others who change the same thing.
const attempts = 5

// Key is a name in the control namespace.
func (h *Hub) Key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: h.Home, Name: name}
}

// Create creates an object in the control namespace. One of that name is an error with the code AlreadyExists.
func (h *Hub) Create(ctx context.Context, thing string, object client.Object) error {
	object.SetNamespace(h.Home)
	if err := h.Client.Create(ctx, object, client.FieldOwner(v1alpha1.FieldManagerHub)); err != nil {
		return failed("create", thing, object, err)
	}
	return h.settle(ctx, object, shows(object))
}

// Change reads an object into a value of its type, lets change work on it, and writes it. It begins anew if somebody else wrote it
// meanwhile. An error of change ends it.
func (h *Hub) Change(ctx context.Context, thing string, object client.Object, change func() error) error {
	key := h.Key(object.GetName())
	for tried := 1; ; tried++ {
		reflect.ValueOf(object).Elem().SetZero() // an answer in JSON leaves what it does not name
		if err := h.Fresh.Get(ctx, key, object); err != nil {
			return failed("read", thing, object, err)
		}
		if err := change(); err != nil {
			return err
		}
		err := h.Client.Update(ctx, object, client.FieldOwner(v1alpha1.FieldManagerHub))
		if apierrors.IsConflict(err) && tried < attempts {
			continue
		}
		if err != nil {
			return failed("write", thing, object, err)
		}
		return h.settle(ctx, object, shows(object))
	}
}

// Delete deletes exactly this object.
func (h *Hub) Delete(ctx context.Context, thing string, object client.Object) error {
	uid := object.GetUID()
	if err := h.Client.Delete(ctx, object, client.Preconditions{UID: &uid}); err != nil {
		return failed("delete", thing, object, err)
	}
	return h.settle(ctx, object, gone(object))
}

// Withdraw takes back what a Secret declares: one that was made over the API is deleted, one that a person made loses its label.
func (h *Hub) Withdraw(ctx context.Context, thing string, secret *corev1.Secret) error {
	if declared.Ours(secret) {
		return h.Delete(ctx, thing, secret)
	}
	kept := &corev1.Secret{}
	kept.Name = secret.Name
	return h.Change(ctx, thing, kept, func() error {
		delete(kept.Labels, v1alpha1.LabelKeySecretType)
		return nil
	})
}

// Secrets returns the labelled Secrets of a type, as the API server has them.
func (h *Hub) Secrets(ctx context.Context, kind string) ([]corev1.Secret, error) {
	list := &corev1.SecretList{}
	if err := h.Fresh.List(ctx, list, client.InNamespace(h.Home), client.MatchingLabels{v1alpha1.LabelKeySecretType: kind}); err != nil {
		return nil, Failed("list", "the Secrets labelled "+kind, err)
	}
	return list.Items, nil
}

// Data returns the data of a ConfigMap; none if there is no such ConfigMap.
func (h *Hub) Data(ctx context.Context, name string) (map[string]string, error) {
	cm := &corev1.ConfigMap{}
	if err := h.Fresh.Get(ctx, h.Key(name), cm); err != nil && !apierrors.IsNotFound(err) {
		return nil, Failed("read", "ConfigMap "+h.Home+"/"+name, err)
	}
	return cm.Data, nil
}

// ChangeData lets change work on the data of a ConfigMap, which is made if it is not there.
func (h *Hub) ChangeData(ctx context.Context, name string, change func(data map[string]string) error) error {
	thing := "ConfigMap " + h.Home + "/" + name
	cm := &corev1.ConfigMap{}
	cm.Name = name
	err := h.Change(ctx, thing, cm, func() error {
		if cm.Data == nil {
			cm.Data = map[string]string{}
		}
		return change(cm.Data)
	})
	if fault.CodeOf(err) != fault.NotFound {
		return err
	}
	cm = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1alpha1.LabelKeyPartOf: v1alpha1.LabelValuePartOfArgoCD}}, Data: map[string]string{}}
	if err := change(cm.Data); err != nil {
		return err
	}
	return h.Create(ctx, thing, cm)
}

// Events returns what Kubernetes Events tell of an object.
func (h *Hub) Events(ctx context.Context, about client.Object) (*corev1.EventList, error) {
	list := &corev1.EventList{}
	selector := fields.Set{"involvedObject.name": about.GetName(), "involvedObject.namespace": about.GetNamespace(), "involvedObject.uid": string(about.GetUID())}
	err := h.Fresh.List(ctx, list, client.InNamespace(about.GetNamespace()), client.MatchingFieldsSelector{Selector: selector.AsSelector()})
	if err != nil {
		return nil, Failed("list the Events of", about.GetName(), err)
	}
	if list.Items == nil {
		list.Items = []corev1.Event{} // clients take a list without any for granted
	}
	for i := range list.Items {
		list.Items[i].ManagedFields = nil
	}
	return list, nil
}

const (
	settleFor  = 2 * time.Second
	settleLook = 5 * time.Millisecond
)

// settle waits until this process knows of a write. That it does not in time is no failure: the write happened.
func (h *Hub) settle(ctx context.Context, written client.Object, known func(seen client.Object) bool) error {
	switch written.(type) {
	case *corev1.Secret, *corev1.ConfigMap:
		if h.Reload != nil {
			return h.Reload(ctx)
		}
		return nil
	}
	look := h.Clock.NewTicker(settleLook)
	defer look.Stop()
	end := h.Clock.NewTimer(settleFor)
	defer end.Stop()
	for {
		seen := written.DeepCopyObject().(client.Object)
		err := h.Client.Get(ctx, client.ObjectKeyFromObject(written), seen)
		if apierrors.IsNotFound(err) {
			seen = nil
		}
		if err == nil && known(seen) || seen == nil && known(nil) {
			return nil
		}
		select {
		case <-look.C():
		case <-end.C():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// shows says when the cache knows of an object that was written.
func shows(written client.Object) func(client.Object) bool {
	return func(seen client.Object) bool {
		if seen == nil {
			return false
		}
		order, err := resourceversion.CompareResourceVersion(seen.GetResourceVersion(), written.GetResourceVersion())
		return err != nil || order >= 0
	}
}

// gone says when the cache knows that an object was deleted, or is being deleted.
func gone(deleted client.Object) func(client.Object) bool {
	uid := deleted.GetUID()
	return func(seen client.Object) bool {
		return seen == nil || seen.GetUID() != uid || seen.GetDeletionTimestamp() != nil
	}
}

// failed is Failed for an object; what is said of a Secret's content is taken out.
func failed(op, thing string, object client.Object, err error) error {
	out := Failed(op, thing, err)
	if _, secret := object.(*corev1.Secret); secret {
		if f := (*fault.Error)(nil); errors.As(out, &f) {
			f.Err = errors.New(fault.RedactValues(f.Err.Error()))
		}
	}
	return out
}

// Failed translates an answer of the API server about a thing.
func Failed(op, thing string, err error) error {
	if err == nil {
		return nil
	}
	out := &fault.Error{Kind: fault.Retry, Op: op, Thing: thing, Err: err, Fix: "try again"}
	switch {
	case apierrors.IsNotFound(err):
		out.Kind, out.Code, out.Err, out.Fix = fault.Mistake, fault.NotFound, errors.New("there is none of that name"), ""
	case apierrors.IsAlreadyExists(err):
		out.Kind, out.Code, out.Err, out.Fix = fault.Mistake, fault.AlreadyExists, errors.New("there is one of that name"), ""
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		out.Kind, out.Fix = fault.Mistake, "correct it"
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		out.Kind, out.Fix = fault.Stalled, "give the account this runs as the right to do it"
	case apierrors.IsConflict(err):
		out.Err, out.Fix = errors.New("somebody else keeps changing it"), "try again"
	}
	return out
}

// Different is the error for a thing that exists and is not as it was asked for.
func Different(thing, fields string) error {
	return &fault.Error{Kind: fault.Mistake, Code: fault.AlreadyExists, Op: "create", Thing: thing,
		Err: fmt.Errorf("existing %s spec is different: %s", thing, fields), Fix: "use upsert flag to force update"}
}
