// SPDX-License-Identifier: Apache-2.0

package cluster

import "context"

type identityKey struct{}

// As returns a context whose direct calls (reads, writes, deletions, dry runs) are made as another user, such as
// system:serviceaccount:<namespace>:<name>. What is watched is read as ourselves whatever the context says.
func As(ctx context.Context, user string) context.Context {
	return context.WithValue(ctx, identityKey{}, user)
}
