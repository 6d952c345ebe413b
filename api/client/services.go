// SPDX-License-Identifier: Apache-2.0

package client

import (
	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repocreds"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/version"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
)

// Services is all that can be asked of Bowline: those of a server, or the same in this process. A nil one is not offered.
type Services struct {
	Accounts        account.AccountService
	Applications    application.ApplicationService
	ApplicationSets applicationset.ApplicationSetService
	Certificates    certificate.CertificateService
	Clusters        cluster.ClusterService
	Projects        project.ProjectService
	RepoCreds       repocreds.RepoCredsService
	Repositories    repository.RepositoryService
	Sessions        session.SessionService
	Settings        cluster.SettingsService
	Version         version.VersionService
	// Bowline is the part of the API that is Bowline's own; Argo CD's server does not have it.
	Bowline bowline.Service
}

// NewServices returns the services that c leads to.
func NewServices(c rpc.Caller) *Services {
	return &Services{
		Accounts:        account.NewAccountServiceClient(c),
		Applications:    application.NewApplicationServiceClient(c),
		ApplicationSets: applicationset.NewApplicationSetServiceClient(c),
		Certificates:    certificate.NewCertificateServiceClient(c),
		Clusters:        cluster.NewClusterServiceClient(c),
		Projects:        project.NewProjectServiceClient(c),
		RepoCreds:       repocreds.NewRepoCredsServiceClient(c),
		Repositories:    repository.NewRepositoryServiceClient(c),
		Sessions:        session.NewSessionServiceClient(c),
		Settings:        cluster.NewSettingsServiceClient(c),
		Version:         version.NewVersionServiceClient(c),
		Bowline:         bowline.NewClient(c),
	}
}
