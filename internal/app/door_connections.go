// SPDX-License-Identifier: Apache-2.0

package app

import "context"

// openConnections adds the services of projects, repositories, clusters, certificates and settings.
func (r *roles) openConnections(_ context.Context, _ *door, _ RunOptions) error { return nil }
