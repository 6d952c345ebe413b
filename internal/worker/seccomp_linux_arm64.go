// SPDX-License-Identifier: Apache-2.0

package worker

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// x32Bit is a number that no call has: there is only one convention.
const x32Bit = 0x40000000

var (
	allowedHere []uint32
	hiddenHere  = []uint32{unix.SYS_FSTATAT}
)
