// SPDX-License-Identifier: Apache-2.0

// Command generate writes the OpenAPI document of all calls to standard output: what the types of the page are made from.
package main

import (
	"fmt"
	"os"
	"slices"

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
	"github.com/bowline-cd/bowline/internal/server/transport/openapi"
)

func main() {
	document, err := openapi.Document(slices.Concat(
		account.AccountServiceMethods, application.ApplicationServiceMethods, applicationset.ApplicationSetServiceMethods,
		certificate.CertificateServiceMethods, cluster.ClusterServiceMethods, cluster.SettingsServiceMethods,
		project.ProjectServiceMethods, repocreds.RepoCredsServiceMethods, repository.RepositoryServiceMethods,
		session.SessionServiceMethods, version.VersionServiceMethods, bowline.Methods,
	), openapi.Options{})
	if err == nil {
		_, err = os.Stdout.Write(document)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
