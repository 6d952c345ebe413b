// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
)

// mayRecreate reports whether the option Force may delete the object: a Namespace or a custom resource definition would
// take along all that it holds, and is only ever updated.
func (a *attempt) mayRecreate() bool {
	k := a.step.Key
	return !isDefinition(k) && (k.Group != "" || k.Kind != "Namespace")
}

// forces reports whether the object is deleted and created anew if it cannot be changed.
func (a *attempt) forces() bool { return a.step.Options.Force && a.in.Live != nil && a.mayRecreate() }

// recreate deletes the object and creates it anew. cause is why it could not be changed, nil if it was not tried.
func (a *attempt) recreate(cause error) (*unstructured.Unstructured, error) {
	if !a.mayRecreate() {
		return nil, fmt.Errorf("%w; Force does not delete a %s, which would take along all that it holds", cause, a.step.Key.Kind)
	}
	if err := a.creatable(cause); err != nil {
		return nil, err
	}
	live := a.in.Live
	err := a.target.Delete(a.ctx, Deletion{
		Key: a.step.Key, Version: live.GroupVersionKind().Version, UID: live.GetUID(), ResourceVersion: live.GetResourceVersion(),
		Propagation: metav1.DeletePropagationBackground,
	})
	if err != nil {
		return nil, err
	}
	gone, err := a.until(a.ctx, a.Wait, func() (bool, error) {
		now, err := a.liveOf(a.step)
		return now == nil || now.GetUID() != live.GetUID(), err
	})
	if err != nil {
		return nil, err
	}
	if !gone {
		return nil, fault.New(fault.Wait, "create anew", a.step.Key.String(), "",
			fmt.Sprintf("it was deleted for the option Force and is not gone after %s; finalizers: %s", a.Wait, some(live.GetFinalizers())),
			"see what holds it; it is created when the sync is tried again")
	}
	a.in.Live, a.anew = nil, true
	if err := a.decide(); err != nil {
		return nil, err
	}
	return a.write()
}

// creatable asks whether the API server would take the object if it were not there, so that nothing is deleted for an
// object that is wrong in itself. The API server judges an object before it finds that the name is taken.
func (a *attempt) creatable(cause error) error {
	_, err := a.target.Write(a.ctx, Write{Method: Create, Object: a.form, Manager: diff.Manager, DryRun: true, DropUnknown: a.step.Options.SkipValidation})
	if err == nil {
		return nil
	}
	switch a.target.Reason(err) {
	case AlreadyExists, DryRunRefused:
		return nil
	}
	if cause == nil {
		cause = err
	}
	return fmt.Errorf("%w; it was not deleted, for it could not be created anew either", cause)
}
