// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/spec"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// request returns what to ask of one application: the flags, with what only the application says.
func (o *Options) request(ctx context.Context, s *session.Session, c client.Applications, name string) (client.SyncRequest, error) {
	out := o.Request
	out.Info = append(slices.Clone(out.Info), &v1alpha1.Info{Name: v1alpha1.InfoRequest, Value: requestID(s)})
	out.Revisions = o.Revisions
	added := o.Applying.options()
	if len(added) == 0 && !command.Patterns(o.Resources) && len(o.Positions)+len(o.Names)+len(o.Labels) == 0 {
		return out, nil
	}
	app, err := c.Get(ctx, name)
	if err != nil {
		return out, err
	}
	if len(added) > 0 {
		out.Options = withOptions(app, added)
	}
	if out.Revisions, err = o.revisions(app); err != nil {
		return out, err
	}
	out.Resources, err = o.resources(ctx, s, app, name)
	return out, err
}

// requestID is what an operation is known by again. A client asks for one operation of an application at a time.
func requestID(s *session.Session) string { return strconv.FormatInt(s.Now().UnixNano(), 36) }

// withOptions returns the sync options of an application with others in the place of those of the same name.
func withOptions(app *v1alpha1.Application, added v1alpha1.SyncOptions) v1alpha1.SyncOptions {
	var out v1alpha1.SyncOptions
	if policy := app.Spec.SyncPolicy; policy != nil {
		for _, option := range policy.SyncOptions {
			name, _, _ := strings.Cut(option, "=")
			if !slices.ContainsFunc(added, func(other string) bool { return strings.HasPrefix(other, name+"=") }) {
				out = append(out, option)
			}
		}
	}
	return append(out, added...)
}

// revisions returns one for each source: that of the flags, else its own.
func (o *Options) revisions(app *v1alpha1.Application) ([]string, error) {
	positions := slices.Clone(o.Positions)
	for _, name := range o.Names {
		position, err := spec.Position(app, 0, name)
		if err != nil {
			return nil, fault.Wrap(fault.Mistake, "sync", "application "+app.Name, err, "see `bowline app get "+app.Name+" -o yaml`")
		}
		positions = append(positions, int64(position))
	}
	if len(positions) == 0 {
		return o.Revisions, nil
	}
	sources := client.Sources(app)
	out := make([]string, len(sources))
	for i, source := range sources {
		out[i] = source.TargetRevision
	}
	for i, position := range positions {
		if int(position) > len(out) {
			return nil, fault.New(fault.Mistake, "sync", "application "+app.Name, "--source-positions", "it has only "+strconv.Itoa(len(out))+" sources", "")
		}
		out[position-1] = o.Revisions[i]
	}
	return out, nil
}

// resources returns the objects that --resource and --label choose; none is all.
func (o *Options) resources(ctx context.Context, s *session.Session, app *v1alpha1.Application, name string) ([]v1alpha1.SyncOperationResource, error) {
	out := o.Request.Resources
	if command.Patterns(o.Resources) {
		out = o.chosen.Resources(app)
	}
	if len(o.Labels) > 0 {
		labelled, err := o.labelled(ctx, s, name)
		if err != nil {
			return nil, err
		}
		out = append(out, labelled...)
	}
	if len(out) == 0 && len(o.Resources)+len(o.Labels) > 0 {
		return nil, fault.New(fault.Mistake, "sync", "application "+name, "", "none of its objects is chosen by --resource and --label", "see `bowline app resources "+app.Name+"`")
	}
	return out, nil
}

// labelled returns the desired objects that have one of the labels.
func (o *Options) labelled(ctx context.Context, s *session.Session, name string) ([]v1alpha1.SyncOperationResource, error) {
	wanted, err := spec.Pairs(o.Labels)
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "use", "--label", err, "write NAME=VALUE")
	}
	services, err := s.Services(ctx)
	if err != nil {
		return nil, err
	}
	namespace, bare := s.Split(name)
	answer, err := services.Applications.GetManifests(ctx, &application.ApplicationManifestQuery{
		Name: bare, AppNamespace: namespace, Revision: o.Request.Revision, Revisions: o.Revisions, SourcePositions: o.Positions,
	})
	if err != nil {
		return nil, err
	}
	var out []v1alpha1.SyncOperationResource
	for _, manifest := range answer.Manifests {
		u := unstructured.Unstructured{}
		if err := json.Unmarshal([]byte(manifest), &u.Object); err != nil {
			return nil, fault.Wrap(fault.Retry, "read", "a manifest", err, "")
		}
		for key, value := range wanted {
			if has, ok := u.GetLabels()[key]; ok && has == value {
				out = append(out, v1alpha1.SyncOperationResource{Group: u.GroupVersionKind().Group, Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()})
				break
			}
		}
	}
	return out, nil
}
