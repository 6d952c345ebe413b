// SPDX-License-Identifier: Apache-2.0

package source

import "syscall"

// dieWithUs ends a command when we die: a fetch that outlives a killed Bowline would write into a mirror that the
// next one uses.
func dieWithUs(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
