// SPDX-License-Identifier: Apache-2.0

//go:build unix

package source

import (
	"os"
	"syscall"
)

// tryLock takes a lock that ends with the process or the file.
func tryLock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
