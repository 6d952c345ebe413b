// SPDX-License-Identifier: Apache-2.0

package repository

import (
	"context"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	rpcrepository "github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/tree"
)

// GetAppDetails returns what a source of an application can be given: values and parameters of a chart, images of a kustomization,
// parameters of a plugin. For an application that exists only its own sources are looked into, those of its history included.
func (s *Service) GetAppDetails(ctx context.Context, query *rpcrepository.RepoAppDetailsQuery) (*rpcrepository.RepoAppDetailsResponse, error) {
	src := query.Source
	if src == nil {
		return nil, mistaken("", "source", "there is none in the request", "describe it")
	}
	if _, err := s.see(ctx, src.RepoURL, query.AppProject); err != nil {
		return nil, err
	}
	app, err := s.mayLookInto(ctx, query)
	if err != nil {
		return nil, err
	}
	if err := s.Permits(ctx, query.AppProject, src.RepoURL); err != nil {
		return nil, err
	}
	files, err := s.open(ctx, desired.WantedOf(*src, query.AppProject), []string{src.Path})
	if err != nil {
		return nil, err
	}
	in := render.Input{Tree: files, Source: *src, App: query.AppName, Release: query.AppName, Options: optionsOf(s.Settings())}
	if app != nil {
		in.Release, in.Namespace = app.Name, app.Spec.Destination.Namespace
	}
	return s.describe(ctx, in)
}

// mayLookInto checks the rights on the application that is asked for, and returns it if it exists.
func (s *Service) mayLookInto(ctx context.Context, query *rpcrepository.RepoAppDetailsQuery) (*v1alpha1.Application, error) {
	right := access.Right{Resource: access.Applications, Action: access.Get, Object: query.AppProject + "/" + query.AppName}
	if err := s.Gate.Enforce(ctx, right); err != nil {
		return nil, err
	}
	key := client.ObjectKey{Namespace: s.Hub.Home, Name: query.AppName}
	if namespace, name, qualified := strings.Cut(query.AppName, "/"); qualified {
		key = client.ObjectKey{Namespace: namespace, Name: name}
	}
	app := &v1alpha1.Application{}
	err := s.Hub.Client.Get(ctx, key, app)
	switch {
	case apierrors.IsNotFound(err):
		right.Action = access.Create
		return nil, s.Gate.Enforce(ctx, right)
	case err != nil:
		return nil, hub.Failed("read", "application "+query.AppName, err)
	case desired.ProjectOf(app) != query.AppProject, !isOf(app, query):
		return nil, gate.Hidden()
	}
	return app, nil
}

// isOf reports whether a source is one that the application has, or had when it was synced.
func isOf(app *v1alpha1.Application, query *rpcrepository.RepoAppDetailsQuery) bool {
	same := func(other v1alpha1.ApplicationSource) bool { return equality.Semantic.DeepEqual(*query.Source, other) }
	if slices.ContainsFunc(desired.SourcesOf(app), same) {
		return true
	}
	at := int(query.SourceIndex)
	for _, h := range app.Status.History {
		switch {
		case len(h.Sources) == 0:
			h.Source.TargetRevision = h.Revision
			if same(h.Source) {
				return true
			}
		case h.ID == int64(query.VersionID) && at >= 0 && at < len(h.Sources) && at < len(h.Revisions):
			source := h.Sources[at]
			source.TargetRevision = h.Revisions[at]
			if same(source) {
				return true
			}
		}
	}
	return false
}

// describe finds out which tool renders a source, and what it can be given.
func (s *Service) describe(ctx context.Context, in render.Input) (*rpcrepository.RepoAppDetailsResponse, error) {
	dir, err := in.Folder(ctx)
	if err != nil {
		return nil, err
	}
	kind, err := s.typeOf(ctx, in, dir)
	if err != nil {
		return nil, err
	}
	out := &rpcrepository.RepoAppDetailsResponse{Type: string(kind)}
	switch kind {
	case v1alpha1.ApplicationSourceTypeHelm:
		out.Helm, err = describeChart(ctx, in, dir)
	case v1alpha1.ApplicationSourceTypeKustomize:
		out.Kustomize, err = s.describeKustomization(ctx, in)
	case v1alpha1.ApplicationSourceTypePlugin:
		out.Plugin, err = s.describePlugin(ctx, in)
	default:
		out.Directory = &rpcrepository.DirectoryAppSpec{}
	}
	return out, err
}

func (s *Service) typeOf(ctx context.Context, in render.Input, dir string) (v1alpha1.ApplicationSourceType, error) {
	src := in.Source
	switch {
	case src.Plugin != nil:
		return v1alpha1.ApplicationSourceTypePlugin, nil
	case src.Helm != nil || src.Chart != "":
		return v1alpha1.ApplicationSourceTypeHelm, nil
	case src.Kustomize != nil:
		return v1alpha1.ApplicationSourceTypeKustomize, nil
	case src.Directory != nil:
		return v1alpha1.ApplicationSourceTypeDirectory, nil
	}
	entries, err := in.Tree.List(ctx, dir)
	if err != nil {
		return "", err
	}
	kind := v1alpha1.ApplicationSourceTypeDirectory
	for _, e := range entries {
		switch markers[e.Name] {
		case kustomizeType:
			return v1alpha1.ApplicationSourceTypeKustomize, nil
		case helmType:
			kind = v1alpha1.ApplicationSourceTypeHelm
		}
	}
	return kind, nil
}

// describePlugin asks the plugin which parameters it takes.
func (s *Service) describePlugin(ctx context.Context, in render.Input) (*rpcrepository.PluginAppSpec, error) {
	all, err := s.Announce(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &rpcrepository.PluginAppSpec{}
	for _, a := range all {
		out.ParametersAnnouncement = append(out.ParametersAnnouncement, rpcrepository.ParameterAnnouncement{
			Name: a.Name, Title: a.Title, Tooltip: a.Tooltip, Required: a.Required, ItemType: a.ItemType, CollectionType: a.CollectionType,
			String: a.String, Array: a.Array, Map: a.Map,
		})
	}
	return out, nil
}

// readFile returns a file of the source's tree; ok is false if there is none.
func readFile(ctx context.Context, files tree.Tree, path string) (content []byte, ok bool, err error) {
	content, err = tree.ReadFile(ctx, files, path, maxValues)
	switch {
	case errors.Is(err, tree.ErrAbsent):
		return nil, false, nil
	case errors.Is(err, tree.ErrTooLarge):
		return nil, false, fault.New(fault.Mistake, "read", path, "", "it is larger than 1 MiB", "make it smaller")
	}
	return content, err == nil, err
}

const maxValues = 1 << 20
