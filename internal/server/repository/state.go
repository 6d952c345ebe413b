// SPDX-License-Identifier: Apache-2.0

package repository

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/settings/declared"
	"github.com/bowline-cd/bowline/internal/source"
)

const (
	// stateAge is how long the answer of a repository stands.
	stateAge = 3 * time.Minute
	// asking bounds how many repositories are asked at a time for one call, and askFor how long one may take.
	asking = 16
	askFor = 15 * time.Second
)

// states remembers how repositories answered, by all that decides about it.
type states struct {
	clock clock.PassiveClock
	mu    sync.Mutex
	known map[string]v1alpha1.ConnectionState
}

func (s *states) get(key string) (v1alpha1.ConnectionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, ok := s.known[key]
	return state, ok && s.clock.Since(state.AttemptedAt.Time) < stateAge
}

// put remembers a state, and forgets those that nobody goes by any more.
func (s *states) put(key string, state v1alpha1.ConnectionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]v1alpha1.ConnectionState{}
	}
	for other, old := range s.known {
		if s.clock.Since(old.AttemptedAt.Time) >= stateAge {
			delete(s.known, other)
		}
	}
	s.known[key] = state
}

// shown returns repositories as callers see them, with their states. Those that were not asked lately, or all with force, are asked now.
func (s *Service) shown(ctx context.Context, on side, all []found, force bool) []v1alpha1.Repository {
	out := make([]v1alpha1.Repository, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(asking)
	for i, r := range all {
		out[i] = declared.ShownRepository(r.Repository)
		out[i].InheritedCreds = !declared.HasCredentials(r.Repository) && s.inherits(r.Repository)
		group.Go(func() error {
			out[i].ConnectionState = s.state(ctx, on, r, force)
			return nil
		})
	}
	_ = group.Wait() // none of them fails
	return out
}

// inherits reports whether credentials for all below an address serve the repository.
func (s *Service) inherits(r *v1alpha1.Repository) bool {
	read, err := s.Credentials().ForType(kindOf(r), r.Repo, r.Project)
	return err == nil && (read.Username != "" || !read.Password.Empty() || !read.BearerToken.Empty() || !read.SSHPrivateKey.Empty() ||
		read.GitHubApp.ID != "" || read.Google.Email != "" || read.Azure.Workload || read.Azure.ClientID != "" || read.TLSClientCert != "")
}

func kindOf(r *v1alpha1.Repository) string {
	if r.Type == "" {
		return source.KindGit
	}
	return r.Type
}

func (s *Service) state(ctx context.Context, on side, r found, force bool) v1alpha1.ConnectionState {
	read, err := s.stored(on, r)
	if err != nil {
		return s.stateOf(err)
	}
	key := read.Key()
	if state, ok := s.states.get(key); ok && !force {
		return state
	}
	asked, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	err = s.Store.Reach(asked, read)
	if err != nil && ctx.Err() != nil { // the caller went away: that says nothing of the repository
		return v1alpha1.ConnectionState{Status: v1alpha1.ConnectionUnknown, Message: "it was not asked to the end"}
	}
	state := s.stateOf(err)
	s.states.put(key, state)
	return state
}

// stored returns how a declared repository is read, or written to.
func (s *Service) stored(on side, r found) (source.Repository, error) {
	if r.broken != nil {
		return source.Repository{}, r.broken
	}
	credentials := s.Credentials()
	if on.writes {
		return credentials.Writing().For(r.Repo, r.Project)
	}
	return typed(credentials, r.Repository)
}

// typed returns how a repository is read, with its type: what its Secret leaves open is Git.
func typed(credentials *source.Credentials, r *v1alpha1.Repository) (source.Repository, error) {
	read, err := credentials.ForType(kindOf(r), r.Repo, r.Project)
	read.Type = kindOf(r)
	return read, err
}

func (s *Service) stateOf(err error) v1alpha1.ConnectionState {
	at := metav1.NewTime(s.Hub.Clock.Now())
	if err != nil {
		return v1alpha1.ConnectionState{Status: v1alpha1.ConnectionFailed, Message: "Unable to connect to repository: " + err.Error(), AttemptedAt: &at}
	}
	return v1alpha1.ConnectionState{Status: v1alpha1.ConnectionSuccessful, AttemptedAt: &at}
}

// try asks a repository that is not declared yet, with what would be declared and the credentials that are.
func (s *Service) try(ctx context.Context, on side, r *v1alpha1.Repository) error {
	templates, err := s.Hub.Secrets(ctx, declared.CredsKind(on.writes))
	if err != nil {
		return err
	}
	certificates, err := s.Hub.Data(ctx, v1alpha1.TLSCertsConfigMapName)
	if err != nil {
		return err
	}
	hosts, err := s.Hub.Data(ctx, v1alpha1.KnownHostsConfigMapName)
	if err != nil {
		return err
	}
	// What is wrong with other Secrets is told elsewhere; what is wrong with this one, when it is used.
	credentials, _ := source.ParseSecrets(append(templates, *asSecret(r, on)), certificates, hosts)
	var read source.Repository
	if on.writes {
		read, err = credentials.Writing().For(r.Repo, r.Project)
	} else {
		read, err = typed(credentials, r)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	return s.Store.Reach(ctx, read)
}

func asSecret(r *v1alpha1.Repository, on side) *corev1.Secret {
	return declared.NewRepository(r, on.writes)
}
