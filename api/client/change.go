// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Change is what a request writes into an application: a JSON merge patch (RFC 7386). It fits only the version of the
// application that it was made for.
type Change map[string]any

// annotate is the change that sets one annotation; nil takes it away.
func annotate(name string, value any) Change {
	return Change{"metadata": Change{"annotations": Change{name: value}}}
}

// RefreshChange is what asks for a comparison.
func RefreshChange(how v1alpha1.RefreshType, now time.Time) Change {
	return Change{"metadata": Change{"annotations": Change{
		v1alpha1.AnnotationKeyRefresh:          how,
		v1alpha1.AnnotationKeyRefreshTimestamp: now.UTC().Format(time.RFC3339Nano),
	}}}
}

// attempts is how often a write is tried anew after a conflict: the controller writes the status of the same object.
const attempts = 8

// Writer writes changes. What it reads from should not lag behind what it writes to.
type Writer struct {
	From kube.Reader
	To   kube.Writer
}

// Update reads the application, has change make a Change for exactly what was read, and writes it; on a conflict it begins
// anew. A nil Change writes nothing. verb is what is done, for errors, which are *fault.Error.
func (w Writer) Update(ctx context.Context, key types.NamespacedName, verb string, change func(*v1alpha1.Application) (Change, error)) (*v1alpha1.Application, error) {
	for attempt := 1; ; attempt++ {
		app := &v1alpha1.Application{}
		if err := w.From.Get(ctx, key, app); err != nil {
			return nil, explain(err, "read", "application "+key.String())
		}
		body, err := change(app)
		if err != nil || body == nil {
			return app, err
		}
		err = w.write(ctx, app, body)
		if err == nil {
			return app, nil
		}
		if !errors.IsConflict(err) || attempt == attempts {
			return nil, explain(err, verb, "application "+key.String())
		}
	}
}

// write writes a change that only fits the version of app that was read, and puts the answer into app.
func (w Writer) write(ctx context.Context, app *v1alpha1.Application, body Change) error {
	metadata, _ := body["metadata"].(Change)
	if metadata == nil {
		metadata = Change{}
	}
	metadata["resourceVersion"] = app.ResourceVersion
	body["metadata"] = metadata
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	target := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: app.Name}}
	err = w.To.Patch(ctx, target, kube.RawPatch(types.MergePatchType, data), kube.FieldOwner(v1alpha1.FieldManagerHub))
	if err != nil {
		return err
	}
	*app = *target
	return nil
}

func (d *Direct) update(ctx context.Context, name, verb string, change func(*v1alpha1.Application) (Change, error)) (*v1alpha1.Application, error) {
	return Writer{From: d.kube, To: d.kube}.Update(ctx, d.key(name), verb, change)
}
