// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

var crdKind = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// migrated returns the marks that are not compared because live still has those of the tracking method that was in use before:
// the application's instance label and no tracking id. Whoever changes the method would otherwise see every object differ. The
// next write marks them. CustomResourceDefinitions are compared all the same: applications share them, and only the tracking id
// says whose they are (https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/). nil means all marks count.
func migrated(desired, live *unstructured.Unstructured, tracker *object.Tracker) *fieldpath.Set {
	if tracker == nil || desired.GroupVersionKind().GroupKind() == crdKind {
		return nil
	}
	wanted, has := tracker.MarksOf(desired), tracker.MarksOf(live)
	id, ok := object.ParseTrackingID(wanted.ID)
	if !ok || has.ID != "" || !labels(has.Label, id.App) {
		return nil
	}
	set := fieldpath.NewSet(
		fieldpath.MakePathOrDie("metadata", "annotations", v1alpha1.AnnotationKeyAppInstance),
		fieldpath.MakePathOrDie("metadata", "annotations", v1alpha1.AnnotationInstallationID),
	)
	if wanted.Label == "" {
		key := tracker.LabelKey
		if key == "" {
			key = v1alpha1.LabelKeyAppInstance
		}
		set.Insert(fieldpath.MakePathOrDie("metadata", "labels", key))
	}
	return set
}

// labels reports whether an instance label names an application. Names that are too long for a label were cut.
func labels(label, app string) bool {
	return label != "" && strings.HasPrefix(app, label) && (len(app) == len(label) || len(app) > 63)
}
