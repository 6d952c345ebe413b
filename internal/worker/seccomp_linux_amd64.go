// SPDX-License-Identifier: Apache-2.0

package worker

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// x32Bit marks numbers of the x32 convention, which shares its architecture with ours.
const x32Bit = 0x40000000

var allowedHere = []uint32{unix.SYS_EPOLL_WAIT, unix.SYS_TIME}

var hiddenHere = []uint32{unix.SYS_OPEN, unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_NEWFSTATAT, unix.SYS_READLINK, unix.SYS_ACCESS}
