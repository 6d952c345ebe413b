// SPDX-License-Identifier: Apache-2.0

package application

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Viewed is one of an application's own objects. What people may not see is masked in all of it.
type Viewed struct {
	Forms diff.Forms
	// Changes are the fields that differ.
	Changes []diff.Change
	// Reason says why it is not known how the object compares; "" if it is, or if it is not to be compared.
	Reason string
}

// ViewObject shows one object of an application: as its source wants it, as it is, what differs and who wrote that, and what the
// caller may do with it.
func (s *Service) ViewObject(ctx context.Context, q *bowline.ObjectQuery) (*bowline.ObjectView, error) {
	app, err := s.load(ctx, access.Get, "", q.AppNamespace, q.Name)
	if err != nil {
		return nil, err
	}
	key := object.Key{Group: q.Group, Kind: q.Kind, Namespace: q.Namespace, Name: q.ResourceName}
	own, err := s.Managed.View(ctx, app, key)
	if err != nil && !fault.Is(err, fault.Wait) {
		return nil, err
	}
	out := &bowline.ObjectView{Managed: own != nil}
	if err != nil {
		out.Reason = notCompared(app, err)
		out.Managed = own != nil || slices.ContainsFunc(app.Status.Resources, func(r v1alpha1.ResourceStatus) bool {
			return !r.Hook && object.Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name} == key
		})
	}
	if own == nil || own.Forms.Live == nil && out.Reason != "" {
		live, err := s.liveOf(ctx, q)
		switch {
		case err == nil && own == nil:
			own = &Viewed{Forms: diff.Forms{Live: live}}
		case err == nil:
			own.Forms.Live = live
		case own == nil:
			return nil, err
		}
	}
	out.Reason = cmp.Or(own.Reason, out.Reason)
	if !out.Managed {
		out.Reason = "" // it is not to be compared
	}
	if err := s.showForms(out, own); err != nil {
		return nil, err
	}
	if own.Forms.Live != nil {
		s.showMay(ctx, app, key, own.Forms.Live, out)
	}
	return out, nil
}

// notCompared says why it is not known how an object compares: what keeps the application from being compared, if something does.
func notCompared(app *v1alpha1.Application, err error) string {
	for _, c := range app.Status.Conditions {
		if c.Type == v1alpha1.ApplicationConditionInvalidSpecError || c.Type == v1alpha1.ApplicationConditionComparisonError {
			return c.Message
		}
	}
	return err.Error()
}

// liveOf reads an object of the tree that is none of the application's own, or of which it is not known how it compares.
func (s *Service) liveOf(ctx context.Context, q *bowline.ObjectQuery) (*unstructured.Unstructured, error) {
	p, err := s.part(ctx, access.Get, &application.ApplicationResourceRequest{
		Name: q.Name, AppNamespace: q.AppNamespace, Namespace: q.Namespace, ResourceName: q.ResourceName, Version: q.Version, Group: q.Group, Kind: q.Kind,
	})
	if err != nil {
		return nil, err
	}
	found, err := p.read(ctx, "", false)
	if err != nil {
		return nil, err
	}
	return p.shown(found), nil
}

// showForms adds the forms to an answer. Who wrote the fields is told by name, and not again in the object.
func (s *Service) showForms(out *bowline.ObjectView, own *Viewed) error {
	if live := own.Forms.Live; live != nil {
		out.Owners = fieldOwners(diff.Owners(live))
		own.Forms.Live = live.DeepCopy()
		unstructured.RemoveNestedField(own.Forms.Live.Object, "metadata", "managedFields")
	}
	for _, c := range own.Changes {
		out.Differences = append(out.Differences, differenceOf(c))
	}
	for _, form := range []struct {
		to **runtime.RawExtension
		of *unstructured.Unstructured
	}{
		{&out.Desired, own.Forms.Desired}, {&out.Live, own.Forms.Live}, {&out.Compared, own.Forms.NormalizedLive}, {&out.Predicted, own.Forms.Predicted},
	} {
		if form.of == nil {
			continue
		}
		text, err := json.Marshal(form.of.Object)
		if err != nil {
			return fault.Wrap(fault.Bug, "write", form.of.GetKind()+" "+form.of.GetName(), err, "")
		}
		*form.to = &runtime.RawExtension{Raw: text}
	}
	return nil
}

func differenceOf(c diff.Change) bowline.Difference {
	return bowline.Difference{Path: c.Path, Desired: c.Desired, Live: c.Live, Reordered: c.Reordered, Owners: fieldOwners(c.Owners)}
}

// fieldOwners are owners as the API has them, newest first.
func fieldOwners(owners []diff.Owner) []bowline.FieldOwner {
	out := make([]bowline.FieldOwner, 0, len(owners))
	for _, o := range owners {
		one := bowline.FieldOwner{Manager: o.Manager, Operation: o.Operation, Subresource: o.Subresource, Ours: o.Manager == v1alpha1.FieldManagerSync}
		if at, err := time.Parse(time.RFC3339, o.Time); err == nil {
			one.Time = &metav1.Time{Time: at}
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b bowline.FieldOwner) int {
		switch {
		case a.Time == nil || b.Time == nil:
			return 0
		default:
			return b.Time.Compare(a.Time.Time)
		}
	})
	return out
}

// showMay adds what the caller may do with a live object.
func (s *Service) showMay(ctx context.Context, app *v1alpha1.Application, key object.Key, live *unstructured.Unstructured, out *bowline.ObjectView) {
	tracker := s.Settings().Tracker
	owner := tracker.Owner(key, tracker.MarksOf(live))
	ours := owner == "" || owner == s.instance(app) // nobody else's mark is on it
	for _, verb := range []string{access.Update, access.Delete} {
		if ours && s.mayChange(ctx, verb, app, key) {
			out.May = append(out.May, verb)
		}
	}
	if s.hasPods(ctx, app, key) {
		if s.Gate.Allows(ctx, s.right(access.Logs, access.Get, app)) {
			out.May = append(out.May, access.Logs)
		}
		if s.Settings().Doing.Terminal && s.Gate.Allows(ctx, s.right(access.Exec, access.Create, app)) {
			out.May = append(out.May, access.Exec)
		}
	}
	offered, err := s.catalog().Discover(live)
	if err != nil {
		out.ActionsUnknown = err.Error()
		return
	}
	for _, a := range offered {
		shown := v1alpha1.ResourceAction{Name: a.Name, DisplayName: a.DisplayName, IconClass: a.IconClass, Disabled: a.Disabled || !ours}
		right := s.right(access.Applications, fmt.Sprintf("action/%s/%s/%s", key.Group, key.Kind, a.Name), app)
		shown.Disabled = shown.Disabled || !s.Gate.Allows(ctx, right)
		for _, p := range a.Params {
			shown.Params = append(shown.Params, v1alpha1.ResourceActionParam{Name: p.Name})
		}
		out.Actions = append(out.Actions, shown)
	}
}

// mayChange reports whether the caller may update or delete an object, by the rule of loadPart.
func (s *Service) mayChange(ctx context.Context, verb string, app *v1alpha1.Application, key object.Key) bool {
	fine := s.right(access.Applications, fmt.Sprintf("%s/%s/%s/%s/%s", verb, key.Group, key.Kind, key.Namespace, key.Name), app)
	return s.Gate.Allows(ctx, fine) || !s.Settings().Doing.FineGrained && s.Gate.Allows(ctx, s.right(access.Applications, verb, app))
}

// hasPods reports whether an object is a pod of the application, or pods came of it.
func (s *Service) hasPods(ctx context.Context, app *v1alpha1.Application, key object.Key) bool {
	seen, err := s.Looks.Glance(ctx, app)
	return err == nil && len(podsOf(seen.Tree.Nodes, &application.ApplicationPodLogsQuery{
		Group: key.Group, Kind: key.Kind, Namespace: key.Namespace, ResourceName: key.Name,
	})) > 0
}
