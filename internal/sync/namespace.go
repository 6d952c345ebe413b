// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

var namespaceKind = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}

// namespace makes sure of the destination namespace. It gets no tracking mark: it is not the application's object, and
// stays when the application goes.
func (r *run) namespace() error {
	want := r.plan.Namespace
	if want == nil {
		return nil
	}
	live, err := r.target.Read(r.whole(), namespaceKind, "", want.Name)
	missing := err != nil
	switch {
	case missing && r.target.Reason(err) != NotFound:
		return fault.Wrap(fault.KindOf(err), "look for", "namespace "+want.Name, err, "")
	case !missing && live.GetDeletionTimestamp() != nil:
		return fault.New(fault.Wait, "use", "namespace "+want.Name, "", "it is being deleted", "wait until it is gone; then it is created again")
	case !missing && want.Metadata == nil:
		return nil
	}
	// As in Argo CD the project is asked as if a source had the namespace: the option is no way round its lists.
	if err := r.Permit(object.Key{Kind: namespaceKind.Kind, Name: want.Name}, false); err != nil {
		return err
	}
	if missing {
		if err := r.createNamespace(); err != nil {
			return err
		}
	}
	if want.Metadata == nil {
		return nil
	}
	return r.labelNamespace()
}

func (r *run) createNamespace() error {
	_, err := r.target.Write(r.whole(), Write{Method: Create, Object: r.bareNamespace(), Manager: diff.Manager, DryRun: r.DryRun})
	if err != nil && r.target.Reason(err) != AlreadyExists {
		return err
	}
	r.report.note(fmt.Sprintf("namespace %s created", r.plan.Namespace.Name))
	return nil
}

func (r *run) bareNamespace() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(namespaceKind)
	u.SetName(r.plan.Namespace.Name)
	return u
}

// labelNamespace applies the managed labels and annotations. Server-side apply also takes away those that an earlier
// sync set and that are no longer asked for.
func (r *run) labelNamespace() error {
	u := r.bareNamespace()
	u.SetLabels(r.plan.Namespace.Metadata.Labels)
	u.SetAnnotations(r.plan.Namespace.Metadata.Annotations)
	_, err := r.target.Write(r.whole(), Write{Method: Apply, Object: u, Manager: diff.Manager, Force: true, DryRun: r.DryRun})
	if r.DryRun && err != nil && r.target.Reason(err) == NotFound {
		return nil
	}
	return err
}
