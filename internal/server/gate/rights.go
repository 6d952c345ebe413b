// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
)

// settle is how long changes of rights are collected before those are told who watch them.
const settle = 100 * time.Millisecond

// Rights implements Roles by argocd-rbac-cm and the roles of projects.
type Rights struct {
	// Policy is argocd-rbac-cm at the moment.
	Policy func() *access.Policy
	// Project returns a project of the moment, nil if there is none of that name. It must not be changed afterwards.
	Project func(name string) *v1alpha1.AppProject
	// Tokens says whether what a caller showed still counts; nil lets all count.
	Tokens *auth.Tokens
	Clock  clock.WithDelayedExecution

	compiled sync.Map // of *compiled, by the name of the project

	mu      sync.Mutex
	changed chan struct{}
	pending bool
}

// compiled are the roles of a project as it was.
type compiled struct {
	project  *v1alpha1.AppProject
	mode     access.MatchMode
	roles    *access.Roles
	problems []error
}

// Rule implements Roles.
func (r *Rights) Rule(who auth.Caller, right access.Right) access.Ruling {
	policy := r.Policy()
	return policy.Rule(subjectOf(who), right, r.roles(policy, access.ProjectOf(right)))
}

// subjectOf is how policies know a caller.
func subjectOf(who auth.Caller) access.Subject {
	return access.Subject{
		Name: who.Subject, Groups: who.Groups,
		Local: who.Kind == auth.Login || who.Kind == auth.APIKey,
		Role:  who.Kind == auth.ProjectToken,
	}
}

func (r *Rights) roles(policy *access.Policy, name string) *access.Roles {
	if name == "" {
		return nil
	}
	project := r.Project(name)
	if project == nil {
		r.compiled.Delete(name)
		return nil
	}
	if was, ok := r.compiled.Load(name); ok {
		if c := was.(*compiled); c.project == project && c.mode == policy.Mode() {
			return c.roles
		}
	}
	roles, problems := access.NewRoles(project, policy.Mode())
	r.compiled.Store(name, &compiled{project, policy.Mode(), roles, problems})
	return roles
}

// Valid implements Roles.
func (r *Rights) Valid(who auth.Caller) error {
	if r.Tokens == nil || who.Kind == auth.Anonymous {
		return nil
	}
	return r.Tokens.Valid(who)
}

// Changed implements Roles.
func (r *Rights) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// Tell says that rights may have changed. Those who watch are told once for all changes that come shortly one after the other.
func (r *Rights) Tell() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending {
		return
	}
	r.pending = true
	r.Clock.AfterFunc(settle, r.tell)
}

func (r *Rights) tell() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = false
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}
