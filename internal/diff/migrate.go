// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

var crdKind = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// migrated returns the marks that are not compared because live still has those of the tracking method that was in use before:
// the application's instance label, written by Argo CD or by us, and no tracking id. (Helm writes the same label, which makes
// nothing ours.) Whoever changes the method would otherwise see every object differ. The next write marks them; until then an
// object that leaves its source is nobody's, so callers that heal by themselves do better without this rule.
// CustomResourceDefinitions are compared all the same: applications share them, and only the tracking id says whose they are
// (https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/). nil means that all marks count.
func (c *comparison) migrated() *fieldpath.Set {
	tracker := c.in.Tracker
	if tracker == nil || c.in.Desired.GroupVersionKind().GroupKind() == crdKind {
		return nil
	}
	key := tracker.LabelKey
	if key == "" {
		key = v1alpha1.LabelKeyAppInstance
	}
	label := fieldpath.MakePathOrDie("metadata", "labels", key)
	wanted, has := tracker.MarksOf(c.in.Desired), tracker.MarksOf(c.in.Live)
	id, ok := object.ParseTrackingID(wanted.ID)
	if !ok || has.ID != "" || !labels(has.Label, id.App) || !slices.ContainsFunc(c.own.owners(label), func(o Owner) bool { return isArgo(o.Manager) }) {
		return nil
	}
	set := fieldpath.NewSet(
		fieldpath.MakePathOrDie("metadata", "annotations", v1alpha1.AnnotationKeyAppInstance),
		fieldpath.MakePathOrDie("metadata", "annotations", v1alpha1.AnnotationInstallationID),
	)
	if wanted.Label == "" {
		set.Insert(label)
	}
	return set
}

// isArgo reports whether a field manager is one of those that Argo CD and we write under.
func isArgo(manager string) bool {
	return manager == Manager || manager == "argocd-application-controller"
}

// labels reports whether an instance label names an application. Names that are too long for a label were cut.
func labels(label, app string) bool {
	return label != "" && strings.HasPrefix(app, label) && (len(app) == len(label) || len(app) > 63)
}
