// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
)

// History tells of revisions, read with the credentials that the project has for the source.
type History interface {
	Commit(ctx context.Context, project string, source v1alpha1.ApplicationSource, revision string) (*v1alpha1.RevisionMetadata, error)
	Chart(ctx context.Context, project string, source v1alpha1.ApplicationSource, revision string) (*v1alpha1.ChartDetails, error)
	OCI(ctx context.Context, project string, source v1alpha1.ApplicationSource, revision string) (*v1alpha1.OCIMetadata, error)
}

// RevisionMetadata returns who made a commit of a source, when, and why.
func (s *Service) RevisionMetadata(ctx context.Context, request *application.RevisionMetadataQuery) (*v1alpha1.RevisionMetadata, error) {
	app, source, err := s.sourceOf(ctx, request)
	if err != nil {
		return nil, err
	}
	return s.History.Commit(ctx, projectOf(app), source, request.Revision)
}

// RevisionChartDetails returns what a version of a chart says of itself.
func (s *Service) RevisionChartDetails(ctx context.Context, request *application.RevisionMetadataQuery) (*v1alpha1.ChartDetails, error) {
	app, source, err := s.sourceOf(ctx, request)
	if err != nil {
		return nil, err
	}
	if source.Chart == "" {
		return nil, fault.New(fault.Mistake, "describe", "the chart of application "+app.Name, "", "the source is no chart", "ask for the metadata of the revision")
	}
	return s.History.Chart(ctx, projectOf(app), source, request.Revision)
}

// GetOCIMetadata returns what an OCI artifact says of itself.
func (s *Service) GetOCIMetadata(ctx context.Context, request *application.RevisionMetadataQuery) (*v1alpha1.OCIMetadata, error) {
	app, source, err := s.sourceOf(ctx, request)
	if err != nil {
		return nil, err
	}
	return s.History.OCI(ctx, projectOf(app), source, request.Revision)
}

// sourceOf returns the source that a request is about: one of an entry of the history, or one of the application.
func (s *Service) sourceOf(ctx context.Context, request *application.RevisionMetadataQuery) (*v1alpha1.Application, v1alpha1.ApplicationSource, error) {
	app, err := s.load(ctx, access.Get, request.Project, request.AppNamespace, request.Name)
	if err != nil {
		return nil, v1alpha1.ApplicationSource{}, err
	}
	sources, where := appSources(app), "the application"
	if request.VersionID != nil {
		if sources, err = deployedSources(app, int64(*request.VersionID)); err != nil {
			return nil, v1alpha1.ApplicationSource{}, err
		}
		where = fmt.Sprintf("deployment %d", *request.VersionID)
	}
	at := 0
	if request.SourceIndex != nil {
		at = int(*request.SourceIndex)
	}
	if at < 0 || at >= len(sources) {
		return nil, v1alpha1.ApplicationSource{}, fault.New(fault.Mistake, "find", "a source of application "+app.Name, "sourceIndex", fmt.Sprintf("%s has no source %d", where, at), "count from 0")
	}
	return app, sources[at], nil
}

func appSources(app *v1alpha1.Application) []v1alpha1.ApplicationSource {
	switch h := app.Spec.SourceHydrator; {
	case len(app.Spec.Sources) > 0:
		return app.Spec.Sources
	case app.Spec.Source != nil:
		return []v1alpha1.ApplicationSource{*app.Spec.Source}
	case h != nil:
		return []v1alpha1.ApplicationSource{{RepoURL: h.DrySource.RepoURL, TargetRevision: h.DrySource.TargetRevision, Path: h.DrySource.Path}}
	}
	return nil
}

// deployedSources returns the sources of an entry of the history.
func deployedSources(app *v1alpha1.Application, id int64) ([]v1alpha1.ApplicationSource, error) {
	for _, h := range app.Status.History {
		switch {
		case h.ID != id:
		case len(h.Sources) > 0:
			return h.Sources, nil
		default:
			return []v1alpha1.ApplicationSource{h.Source}, nil
		}
	}
	return nil, &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: fmt.Sprintf("deployment %d of application %s", id, app.Name), Where: "versionId", Err: errNotInHistory, Fix: "see which there are: `bowline app history " + app.Name + "`"}
}
