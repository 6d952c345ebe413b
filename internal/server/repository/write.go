// SPDX-License-Identifier: Apache-2.0

package repository

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	rpcrepository "github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/settings/declared"
	"github.com/bowline-cd/bowline/internal/source"
)

func thing(address string) string { return "repository " + fault.RedactURL(address) }

// Create declares a repository that answers. One that is declared already and is the same is returned; with upsert it becomes as
// it was asked for.
func (s *Service) Create(ctx context.Context, request *rpcrepository.RepoCreateRequest) (*v1alpha1.Repository, error) {
	return s.create(ctx, reading, request)
}

// CreateRepository is Create.
func (s *Service) CreateRepository(ctx context.Context, request *rpcrepository.RepoCreateRequest) (*v1alpha1.Repository, error) {
	return s.create(ctx, reading, request)
}

// CreateWriteRepository is Create for a twin.
func (s *Service) CreateWriteRepository(ctx context.Context, request *rpcrepository.RepoCreateRequest) (*v1alpha1.Repository, error) {
	return s.create(ctx, writing, request)
}

func (s *Service) create(ctx context.Context, on side, request *rpcrepository.RepoCreateRequest) (*v1alpha1.Repository, error) {
	r := request.Repo
	if r == nil {
		return nil, mistaken("", "repo", "there is none in the request", "describe it")
	}
	if err := s.Gate.Enforce(ctx, on.right(access.Create, r.Project, r.Repo)); err != nil {
		return nil, err
	}
	if err := check(r, on); err != nil {
		return nil, err
	}
	// What belongs to a project may be declared before its credentials are, as in Argo CD.
	if r.Project == "" || on.writes {
		if err := s.try(ctx, on, r); err != nil {
			return nil, err
		}
	}
	existing, err := s.exact(ctx, on, r.Repo, r.Project)
	if err != nil {
		return nil, err
	}
	if existing != nil {
		return s.upsert(ctx, on, existing, r, request.Upsert)
	}
	if err := s.Hub.Create(ctx, thing(r.Repo), declared.NewRepository(r, on.writes)); err != nil {
		return nil, err
	}
	return brief(r), nil
}

func (s *Service) upsert(ctx context.Context, on side, existing *found, r *v1alpha1.Repository, upsert bool) (*v1alpha1.Repository, error) {
	different := differing(existing.Repository, r)
	switch {
	case len(different) == 0 && existing.broken == nil:
		return brief(r), nil
	case !upsert:
		return nil, hub.Different("repository", "it differs in "+strings.Join(different, ", "))
	}
	if err := s.Gate.Enforce(ctx, on.right(access.Update, r.Project, r.Repo)); err != nil {
		return nil, err
	}
	return brief(r), s.rewrite(ctx, on, existing, r)
}

// check refuses what could never be used.
func check(r *v1alpha1.Repository, on side) error {
	switch {
	case strings.TrimSpace(r.Repo) == "":
		return mistaken("", "repo", "it has no address", "name the address of the repository")
	case !slices.Contains([]string{"", source.KindGit, source.KindHelm, source.KindOCI}, r.Type):
		return mistaken(r.Repo, "type", fmt.Sprintf("there is no type %q", r.Type), "write git, helm or oci")
	case on.writes && !declared.HasCredentials(r):
		return mistaken(r.Repo, "repo", "it has no credentials", "name those that it is written with")
	}
	return nil
}

func mistaken(address, field, cause, fix string) error {
	return fault.New(fault.Mistake, "declare", thing(address), field, cause, fix)
}

// brief is what is answered about a repository that was written.
func brief(r *v1alpha1.Repository) *v1alpha1.Repository {
	shown := declared.ShownRepository(r)
	return &v1alpha1.Repository{Repo: shown.Repo, Type: shown.Type, Name: r.Name, Project: r.Project}
}

// differing names the fields in which two repositories differ, without what is found out and not declared.
func differing(a, b *v1alpha1.Repository) []string {
	left, right := *a, *b
	for _, r := range []*v1alpha1.Repository{&left, &right} {
		r.ConnectionState, r.InheritedCreds, r.Type = v1alpha1.ConnectionState{}, false, kindOf(r)
	}
	return fieldsOf(reflect.ValueOf(left), reflect.ValueOf(right))
}

// fieldsOf names the fields in which two structs differ by their JSON names, and never what they hold.
func fieldsOf(left, right reflect.Value) []string {
	var out []string
	for i := range left.NumField() {
		if !reflect.DeepEqual(left.Field(i).Interface(), right.Field(i).Interface()) {
			name, _, _ := strings.Cut(left.Type().Field(i).Tag.Get("json"), ",")
			out = append(out, name)
		}
	}
	return out
}

// exact returns what is declared for exactly this address and project; nil if nothing is.
func (s *Service) exact(ctx context.Context, on side, address, project string) (*found, error) {
	all, err := s.declared(ctx, on)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Project == project && all[i].same(address) {
			return &all[i], nil
		}
	}
	return nil, nil
}

// Update replaces what is declared for a repository. A repository without a project of its own may be given one so.
func (s *Service) Update(ctx context.Context, request *rpcrepository.RepoUpdateRequest) (*v1alpha1.Repository, error) {
	return s.update(ctx, reading, request)
}

// UpdateRepository is Update.
func (s *Service) UpdateRepository(ctx context.Context, request *rpcrepository.RepoUpdateRequest) (*v1alpha1.Repository, error) {
	return s.update(ctx, reading, request)
}

// UpdateWriteRepository is Update for a twin.
func (s *Service) UpdateWriteRepository(ctx context.Context, request *rpcrepository.RepoUpdateRequest) (*v1alpha1.Repository, error) {
	return s.update(ctx, writing, request)
}

func (s *Service) update(ctx context.Context, on side, request *rpcrepository.RepoUpdateRequest) (*v1alpha1.Repository, error) {
	r := request.Repo
	if r == nil {
		return nil, mistaken("", "repo", "there is none in the request", "describe it")
	}
	existing, err := s.exact(ctx, on, r.Repo, r.Project)
	if err == nil && existing == nil && r.Project != "" {
		existing, err = s.exact(ctx, on, r.Repo, "")
	}
	if err != nil {
		return nil, err
	}
	if existing == nil || !s.Gate.Allows(ctx, on.right(access.Get, existing.Project, existing.Repo)) {
		return nil, gate.Hidden()
	}
	for _, project := range []string{existing.Project, r.Project} {
		if err := s.Gate.Enforce(ctx, on.right(access.Update, project, existing.Repo)); err != nil {
			return nil, err
		}
	}
	if err := check(r, on); err != nil {
		return nil, err
	}
	return brief(r), s.rewrite(ctx, on, existing, r)
}

func (s *Service) rewrite(ctx context.Context, on side, existing *found, r *v1alpha1.Repository) error {
	secret := &corev1.Secret{}
	secret.Name = existing.secret.Name
	return s.Hub.Change(ctx, thing(r.Repo), secret, func() error {
		if secret.ResourceVersion != existing.secret.ResourceVersion { // it may be another project's by now: rights were asked for what was read
			return fault.New(fault.Retry, "write", thing(r.Repo), "", "somebody wrote it since it was read", "try again")
		}
		if err := declared.Check(secret, declared.RepositoryKind(on.writes)); err != nil {
			return err
		}
		declared.WriteRepository(secret, r)
		return nil
	})
}

// Delete takes back what is declared for a repository.
func (s *Service) Delete(ctx context.Context, query *rpcrepository.RepoQuery) (*rpcrepository.RepoResponse, error) {
	return s.remove(ctx, reading, query)
}

// DeleteRepository is Delete.
func (s *Service) DeleteRepository(ctx context.Context, query *rpcrepository.RepoQuery) (*rpcrepository.RepoResponse, error) {
	return s.remove(ctx, reading, query)
}

// DeleteWriteRepository is Delete for a twin.
func (s *Service) DeleteWriteRepository(ctx context.Context, query *rpcrepository.RepoQuery) (*rpcrepository.RepoResponse, error) {
	return s.remove(ctx, writing, query)
}

func (s *Service) remove(ctx context.Context, on side, query *rpcrepository.RepoQuery) (*rpcrepository.RepoResponse, error) {
	r, err := s.pick(ctx, on, query)
	if err != nil {
		return nil, err
	}
	if err := s.Gate.Enforce(ctx, on.right(access.Delete, r.Project, r.Repo)); err != nil {
		return nil, err
	}
	return &rpcrepository.RepoResponse{}, s.Hub.Withdraw(ctx, thing(r.Repo), &r.secret)
}

// ValidateAccess asks a repository that is not declared yet whether it answers and takes the credentials.
func (s *Service) ValidateAccess(ctx context.Context, query *rpcrepository.RepoAccessQuery) (*rpcrepository.RepoResponse, error) {
	return s.validate(ctx, reading, query)
}

// ValidateWriteAccess is ValidateAccess for a twin. It reads with what is to be written with: a push would leave something behind.
func (s *Service) ValidateWriteAccess(ctx context.Context, query *rpcrepository.RepoAccessQuery) (*rpcrepository.RepoResponse, error) {
	return s.validate(ctx, writing, query)
}

func (s *Service) validate(ctx context.Context, on side, q *rpcrepository.RepoAccessQuery) (*rpcrepository.RepoResponse, error) {
	if err := s.Gate.Enforce(ctx, on.right(access.Create, q.Project, q.Repo)); err != nil {
		return nil, err
	}
	r := &v1alpha1.Repository{
		Repo: q.Repo, Type: q.Type, Name: q.Name, Project: q.Project, Username: q.Username, Password: q.Password, BearerToken: q.BearerToken,
		SSHPrivateKey: q.SshPrivateKey, Insecure: q.Insecure, TLSClientCertData: q.TlsClientCertData, TLSClientCertKey: q.TlsClientCertKey,
		EnableOCI: q.EnableOCI, InsecureOCIForceHTTP: q.InsecureOCIForceHTTP, Proxy: q.Proxy, ForceHTTPBasicAuth: q.ForceHTTPBasicAuth,
		GithubAppPrivateKey: q.GithubAppPrivateKey, GithubAppID: q.GithubAppID, GithubAppInstallationID: q.GithubAppInstallationID,
		GithubAppEnterpriseBaseURL: q.GithubAppEnterpriseBaseURL, GCPServiceAccountKey: q.GcpServiceAccountKey,
		UseAzureWorkloadIdentity: q.UseAzureWorkloadIdentity, AzureServicePrincipalClientID: q.AzureServicePrincipalClientID,
		AzureServicePrincipalClientSecret: q.AzureServicePrincipalClientSecret, AzureServicePrincipalTenantID: q.AzureServicePrincipalTenantID,
		AzureActiveDirectoryEndpoint: q.AzureActiveDirectoryEndpoint,
	}
	if err := check(r, reading); err != nil {
		return nil, err
	}
	return &rpcrepository.RepoResponse{}, s.try(ctx, on, r)
}
