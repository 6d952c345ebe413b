// SPDX-License-Identifier: Apache-2.0

package app

import "context"

// openTransport adds REST, gRPC and gRPC-Web.
func (r *roles) openTransport(_ context.Context, _ *door, _ RunOptions) error { return nil }
