// SPDX-License-Identifier: Apache-2.0

package configuration

import (
	"context"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/object"
)

// Identity is who may come in and what they may do.
type Identity struct {
	// Accounts are the local accounts by name.
	Accounts map[string]*auth.Account
	// Policy is argocd-rbac-cm. While that cannot be read it is the one before, and at start what is built in.
	Policy *access.Policy
	// Version changes with any of it, and with the settings of users and the key of tokens.
	Version object.Digest
}

// readIdentity reads accounts and roles. What is wrong with them is added to the problems.
func (r *Reader) readIdentity(ctx context.Context, s *Snapshot, cm map[string]string) error {
	rbac, err := r.configMap(ctx, v1alpha1.RBACConfigMapName)
	if err != nil {
		return err
	}
	id := &s.Identity
	accounts, problems := auth.ParseAccounts(cm, s.secret)
	id.Accounts, s.Problems = accounts, append(s.Problems, problems...)
	policy, problems := access.NewPolicy(rbac)
	if len(problems) > 0 {
		s.Problems = append(s.Problems, problems...)
		policy = access.BuiltIn()
		if before := r.last.Load(); before != nil {
			policy = before.Identity.Policy
		}
	}
	id.Policy = policy
	id.Version = object.DigestOf([]any{cm, rbac, s.secret})
	return nil
}

// OnIdentity has f called, after they can be read, whenever accounts or roles have changed. It must not take long.
func (r *Reader) OnIdentity(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onIdentity = append(r.onIdentity, f)
}

// tellIdentity calls those who asked for it if accounts or roles differ from those before.
func (r *Reader) tellIdentity(before, now *Snapshot) {
	if before != nil && before.Identity.Version == now.Identity.Version {
		return
	}
	if before != nil && before.digest() == now.digest() { // else they are logged with all others
		now.logProblems(r.log)
	}
	for _, f := range r.onIdentity {
		f()
	}
}
