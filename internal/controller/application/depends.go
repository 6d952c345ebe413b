// SPDX-License-Identifier: Apache-2.0

package application

import "context"

// awaited returns which application that this one depends on is not ready, and why; "" if all are.
func (p *pass) awaited(ctx context.Context) string { return "" }
