// SPDX-License-Identifier: Apache-2.0

package application

// closedWindow returns why the sync windows of the project permit no sync now, "" if they do; manual says that a person asked
// for it.
func (p *pass) closedWindow(manual bool) string { return "" }
