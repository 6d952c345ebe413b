// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Create is not served yet.
func (s *Service) Create(_ context.Context, _ *application.ApplicationCreateRequest) (*v1alpha1.Application, error) {
	return nil, unsupported("Create")
}

// Delete is not served yet.
func (s *Service) Delete(_ context.Context, _ *application.ApplicationDeleteRequest) (*application.ApplicationResponse, error) {
	return nil, unsupported("Delete")
}

// DeleteResource is not served yet.
func (s *Service) DeleteResource(_ context.Context, _ *application.ApplicationResourceDeleteRequest) (*application.ApplicationResponse, error) {
	return nil, unsupported("DeleteResource")
}

// GetResource is not served yet.
func (s *Service) GetResource(_ context.Context, _ *application.ApplicationResourceRequest) (*application.ApplicationResourceResponse, error) {
	return nil, unsupported("GetResource")
}

// ListResourceActions is not served yet.
func (s *Service) ListResourceActions(_ context.Context, _ *application.ApplicationResourceRequest) (*application.ResourceActionsListResponse, error) {
	return nil, unsupported("ListResourceActions")
}

// Patch is not served yet.
func (s *Service) Patch(_ context.Context, _ *application.ApplicationPatchRequest) (*v1alpha1.Application, error) {
	return nil, unsupported("Patch")
}

// PatchResource is not served yet.
func (s *Service) PatchResource(_ context.Context, _ *application.ApplicationResourcePatchRequest) (*application.ApplicationResourceResponse, error) {
	return nil, unsupported("PatchResource")
}

// PodLogs is not served yet.
func (s *Service) PodLogs(_ context.Context, _ *application.ApplicationPodLogsQuery, _ func(*application.LogEntry) error) error {
	return unsupported("PodLogs")
}

// Rollback is not served yet.
func (s *Service) Rollback(_ context.Context, _ *application.ApplicationRollbackRequest) (*v1alpha1.Application, error) {
	return nil, unsupported("Rollback")
}

// RunResourceAction is not served yet.
func (s *Service) RunResourceAction(_ context.Context, _ *application.ResourceActionRunRequest) (*application.ApplicationResponse, error) {
	return nil, unsupported("RunResourceAction")
}

// RunResourceActionV2 is not served yet.
func (s *Service) RunResourceActionV2(_ context.Context, _ *application.ResourceActionRunRequestV2) (*application.ApplicationResponse, error) {
	return nil, unsupported("RunResourceActionV2")
}

// Sync is not served yet.
func (s *Service) Sync(_ context.Context, _ *application.ApplicationSyncRequest) (*v1alpha1.Application, error) {
	return nil, unsupported("Sync")
}

// TerminateOperation is not served yet.
func (s *Service) TerminateOperation(_ context.Context, _ *application.OperationTerminateRequest) (*application.OperationTerminateResponse, error) {
	return nil, unsupported("TerminateOperation")
}

// Update is not served yet.
func (s *Service) Update(_ context.Context, _ *application.ApplicationUpdateRequest) (*v1alpha1.Application, error) {
	return nil, unsupported("Update")
}

// UpdateSpec is not served yet.
func (s *Service) UpdateSpec(_ context.Context, _ *application.ApplicationUpdateSpecRequest) (*v1alpha1.ApplicationSpec, error) {
	return nil, unsupported("UpdateSpec")
}

// Approve is not served yet.
func (s *Service) Approve(_ context.Context, _ *bowline.ApproveRequest) (*v1alpha1.Application, error) {
	return nil, unsupported("Approve")
}

// Hold is not served yet.
func (s *Service) Hold(_ context.Context, _ *bowline.HoldRequest) (*v1alpha1.Application, error) {
	return nil, unsupported("Hold")
}

// Release is not served yet.
func (s *Service) Release(_ context.Context, _ *bowline.ApplicationName) (*v1alpha1.Application, error) {
	return nil, unsupported("Release")
}

func unsupported(name string) error {
	return &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Op: "call", Thing: name, Err: errors.New("it is not served")}
}
