// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
)

// Get is not served yet.
func (s *Service) Get(_ context.Context, _ *application.ApplicationQuery) (*v1alpha1.Application, error) {
	return nil, unsupported("Get")
}

// GetApplicationSyncWindows is not served yet.
func (s *Service) GetApplicationSyncWindows(_ context.Context, _ *application.ApplicationSyncWindowsQuery) (*application.ApplicationSyncWindowsResponse, error) {
	return nil, unsupported("GetApplicationSyncWindows")
}

// GetManifests is not served yet.
func (s *Service) GetManifests(_ context.Context, _ *application.ApplicationManifestQuery) (*repository.ManifestResponse, error) {
	return nil, unsupported("GetManifests")
}

// GetManifestsWithFiles is not served yet.
func (s *Service) GetManifestsWithFiles(_ context.Context, _ func() (*application.ApplicationManifestQueryWithFilesWrapper, error)) (*repository.ManifestResponse, error) {
	return nil, unsupported("GetManifestsWithFiles")
}

// GetOCIMetadata is not served yet.
func (s *Service) GetOCIMetadata(_ context.Context, _ *application.RevisionMetadataQuery) (*v1alpha1.OCIMetadata, error) {
	return nil, unsupported("GetOCIMetadata")
}

// List is not served yet.
func (s *Service) List(_ context.Context, _ *application.ApplicationQuery) (*v1alpha1.ApplicationList, error) {
	return nil, unsupported("List")
}

// ListLinks is not served yet.
func (s *Service) ListLinks(_ context.Context, _ *application.ListAppLinksRequest) (*application.LinksResponse, error) {
	return nil, unsupported("ListLinks")
}

// ListResourceEvents is not served yet.
func (s *Service) ListResourceEvents(_ context.Context, _ *application.ApplicationResourceEventsQuery) (*corev1.EventList, error) {
	return nil, unsupported("ListResourceEvents")
}

// ListResourceLinks is not served yet.
func (s *Service) ListResourceLinks(_ context.Context, _ *application.ApplicationResourceRequest) (*application.LinksResponse, error) {
	return nil, unsupported("ListResourceLinks")
}

// ManagedResources is not served yet.
func (s *Service) ManagedResources(_ context.Context, _ *application.ResourcesQuery) (*application.ManagedResourcesResponse, error) {
	return nil, unsupported("ManagedResources")
}

// ResourceTree is not served yet.
func (s *Service) ResourceTree(_ context.Context, _ *application.ResourcesQuery) (*v1alpha1.ApplicationTree, error) {
	return nil, unsupported("ResourceTree")
}

// RevisionChartDetails is not served yet.
func (s *Service) RevisionChartDetails(_ context.Context, _ *application.RevisionMetadataQuery) (*v1alpha1.ChartDetails, error) {
	return nil, unsupported("RevisionChartDetails")
}

// RevisionMetadata is not served yet.
func (s *Service) RevisionMetadata(_ context.Context, _ *application.RevisionMetadataQuery) (*v1alpha1.RevisionMetadata, error) {
	return nil, unsupported("RevisionMetadata")
}

// ServerSideDiff is not served yet.
func (s *Service) ServerSideDiff(_ context.Context, _ *application.ApplicationServerSideDiffQuery) (*application.ApplicationServerSideDiffResponse, error) {
	return nil, unsupported("ServerSideDiff")
}

// Watch is not served yet.
func (s *Service) Watch(_ context.Context, _ *application.ApplicationQuery, _ func(*v1alpha1.ApplicationWatchEvent) error) error {
	return unsupported("Watch")
}

// WatchResourceTree is not served yet.
func (s *Service) WatchResourceTree(_ context.Context, _ *application.ResourcesQuery, _ func(*v1alpha1.ApplicationTree) error) error {
	return unsupported("WatchResourceTree")
}

// ListApplications is not served yet.
func (s *Service) ListApplications(_ context.Context, _ *bowline.ApplicationsQuery) (*bowline.ApplicationsPage, error) {
	return nil, unsupported("ListApplications")
}

// Plan is not served yet.
func (s *Service) Plan(_ context.Context, _ *bowline.PlanQuery) (*bowline.Plan, error) {
	return nil, unsupported("Plan")
}

// ClusterState is not served yet.
func (s *Service) ClusterState(_ context.Context, _ *bowline.ClusterStateQuery) (*bowline.ClusterState, error) {
	return nil, unsupported("ClusterState")
}
