// SPDX-License-Identifier: Apache-2.0

package repository

import (
	"context"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	rpcrepocreds "github.com/bowline-cd/bowline/api/argoproj/rpc/repocreds"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// Creds implements repocreds.RepoCredsService.
type Creds struct {
	Gate *gate.Gate
	Hub  *hub.Hub
}

var _ rpcrepocreds.RepoCredsService = (*Creds)(nil)

// ListRepositoryCredentials returns the addresses that there are credentials for, as far as the caller may see them.
func (c *Creds) ListRepositoryCredentials(ctx context.Context, query *rpcrepocreds.RepoCredsQuery) (*v1alpha1.RepoCredsList, error) {
	return c.list(ctx, reading, query)
}

// ListWriteRepositoryCredentials is ListRepositoryCredentials for twins.
func (c *Creds) ListWriteRepositoryCredentials(ctx context.Context, query *rpcrepocreds.RepoCredsQuery) (*v1alpha1.RepoCredsList, error) {
	return c.list(ctx, writing, query)
}

func (c *Creds) list(ctx context.Context, on side, query *rpcrepocreds.RepoCredsQuery) (*v1alpha1.RepoCredsList, error) {
	secrets, err := c.Hub.Secrets(ctx, declared.CredsKind(on.writes))
	if err != nil {
		return nil, err
	}
	out := &v1alpha1.RepoCredsList{Items: []v1alpha1.RepoCreds{}}
	for i := range secrets {
		one, _ := declared.ReadCreds(&secrets[i]) // what is wrong with it shows when it is used
		if (query.URL == "" || query.URL == one.URL) && c.Gate.Allows(ctx, on.right(access.Get, "", one.URL)) {
			out.Items = append(out.Items, declared.ShownCreds(one))
		}
	}
	slices.SortFunc(out.Items, func(a, b v1alpha1.RepoCreds) int { return strings.Compare(a.URL, b.URL) })
	return out, nil
}

// CreateRepositoryCredentials declares credentials. Those that are declared already and are the same stay; with upsert they become
// as they were asked for.
func (c *Creds) CreateRepositoryCredentials(ctx context.Context, request *rpcrepocreds.RepoCredsCreateRequest) (*v1alpha1.RepoCreds, error) {
	return c.create(ctx, reading, request)
}

// CreateWriteRepositoryCredentials is CreateRepositoryCredentials for a twin.
func (c *Creds) CreateWriteRepositoryCredentials(ctx context.Context, request *rpcrepocreds.RepoCredsCreateRequest) (*v1alpha1.RepoCreds, error) {
	return c.create(ctx, writing, request)
}

func (c *Creds) create(ctx context.Context, on side, request *rpcrepocreds.RepoCredsCreateRequest) (*v1alpha1.RepoCreds, error) {
	asked := request.Creds
	if asked == nil || strings.TrimSpace(asked.URL) == "" {
		return nil, fault.New(fault.Mistake, "declare", "credentials", "url", "they are for no address", "name the address that repositories begin with")
	}
	if err := c.Gate.Enforce(ctx, on.right(access.Create, "", asked.URL)); err != nil {
		return nil, err
	}
	secret, err := c.find(ctx, on, asked.URL)
	if err != nil {
		return nil, err
	}
	if secret == nil {
		return brieflyCreds(asked), c.Hub.Create(ctx, credsThing(asked.URL), declared.NewCreds(asked, on.writes))
	}
	existing, broken := declared.ReadCreds(secret)
	different := fieldsOf(reflect.ValueOf(*existing), reflect.ValueOf(*asked))
	switch {
	case broken == nil && len(different) == 0:
		return brieflyCreds(asked), nil
	case !request.Upsert:
		return nil, hub.Different("repository credentials", "they differ in "+strings.Join(different, ", "))
	}
	return c.update(ctx, on, &rpcrepocreds.RepoCredsUpdateRequest{Creds: asked})
}

// UpdateRepositoryCredentials replaces credentials.
func (c *Creds) UpdateRepositoryCredentials(ctx context.Context, request *rpcrepocreds.RepoCredsUpdateRequest) (*v1alpha1.RepoCreds, error) {
	return c.update(ctx, reading, request)
}

// UpdateWriteRepositoryCredentials is UpdateRepositoryCredentials for a twin.
func (c *Creds) UpdateWriteRepositoryCredentials(ctx context.Context, request *rpcrepocreds.RepoCredsUpdateRequest) (*v1alpha1.RepoCreds, error) {
	return c.update(ctx, writing, request)
}

func (c *Creds) update(ctx context.Context, on side, request *rpcrepocreds.RepoCredsUpdateRequest) (*v1alpha1.RepoCreds, error) {
	asked := request.Creds
	if asked == nil {
		return nil, fault.New(fault.Mistake, "declare", "credentials", "creds", "there are none in the request", "describe them")
	}
	if err := c.Gate.Enforce(ctx, on.right(access.Update, "", asked.URL)); err != nil {
		return nil, err
	}
	there, err := c.must(ctx, on, asked.URL)
	if err != nil {
		return nil, err
	}
	secret := &corev1.Secret{}
	secret.Name = there.Name
	return brieflyCreds(asked), c.Hub.Change(ctx, credsThing(asked.URL), secret, func() error {
		if err := declared.Check(secret, declared.CredsKind(on.writes)); err != nil {
			return err
		}
		declared.WriteCreds(secret, asked)
		return nil
	})
}

// DeleteRepositoryCredentials takes back the credentials for exactly this address.
func (c *Creds) DeleteRepositoryCredentials(ctx context.Context, request *rpcrepocreds.RepoCredsDeleteRequest) (*rpcrepocreds.RepoCredsResponse, error) {
	return c.remove(ctx, reading, request)
}

// DeleteWriteRepositoryCredentials is DeleteRepositoryCredentials for a twin.
func (c *Creds) DeleteWriteRepositoryCredentials(ctx context.Context, request *rpcrepocreds.RepoCredsDeleteRequest) (*rpcrepocreds.RepoCredsResponse, error) {
	return c.remove(ctx, writing, request)
}

func (c *Creds) remove(ctx context.Context, on side, request *rpcrepocreds.RepoCredsDeleteRequest) (*rpcrepocreds.RepoCredsResponse, error) {
	if err := c.Gate.Enforce(ctx, on.right(access.Delete, "", request.URL)); err != nil {
		return nil, err
	}
	secret, err := c.must(ctx, on, request.URL)
	if err != nil {
		return nil, err
	}
	return &rpcrepocreds.RepoCredsResponse{}, c.Hub.Withdraw(ctx, credsThing(request.URL), secret)
}

// find returns the Secret of the credentials for exactly this address; nil if there is none.
func (c *Creds) find(ctx context.Context, on side, address string) (*corev1.Secret, error) {
	secrets, err := c.Hub.Secrets(ctx, declared.CredsKind(on.writes))
	if err != nil {
		return nil, err
	}
	for i := range secrets {
		if object.NormaliseRepoURL(string(secrets[i].Data["url"])) == object.NormaliseRepoURL(address) {
			return &secrets[i], nil
		}
	}
	return nil, nil
}

func (c *Creds) must(ctx context.Context, on side, address string) (*corev1.Secret, error) {
	secret, err := c.find(ctx, on, address)
	if err == nil && secret == nil {
		err = &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: credsThing(address), Err: errNone, Fix: "see `bowline repocreds list`"}
	}
	return secret, err
}

func credsThing(address string) string { return "the credentials for " + fault.RedactURL(address) }

func brieflyCreds(c *v1alpha1.RepoCreds) *v1alpha1.RepoCreds {
	return &v1alpha1.RepoCreds{URL: declared.ShownCreds(c).URL}
}
