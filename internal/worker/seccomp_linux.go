// SPDX-License-Identifier: Apache-2.0

//go:build amd64 || arm64

package worker

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// allowed are the system calls that a process keeps: what Go's runtime and memory need, and reading and writing what is
// open. Those of the architecture are added. Everything else fails with EPERM.
var allowed = append([]uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_MADVISE, unix.SYS_EPOLL_PWAIT,
	unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_BRK,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY,
	unix.SYS_GETPID, unix.SYS_GETPPID, unix.SYS_GETTID, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EVENTFD2, unix.SYS_GETRANDOM, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ,
}, allowedHere...)

// hidden are the calls that look for files: they find nothing, which libraries take better than being refused.
var hidden = append([]uint32{unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_STATX, unix.SYS_READLINKAT, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2}, hiddenHere...)

// Where the fields of the kernel's struct seccomp_data lie (include/uapi/linux/seccomp.h), on machines that store the low
// half of a number first, as both of ours do.
const (
	dataNumber = 0
	dataArch   = 4
	dataArg0   = 16
	dataArg2   = 32
)

func refuse(errno unix.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}

var (
	allow = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	die   = bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS}
)

// namespaces are the flags by which clone(2) makes namespaces.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// filter returns the rules, first match first. A call by the convention of another architecture (where numbers mean other
// calls) ends the process.
func filter(pid uint32) []bpf.Instruction {
	rules := []bpf.Instruction{
		bpf.LoadAbsolute{Off: dataArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1}, die,
		bpf.LoadAbsolute{Off: dataNumber, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: x32Bit, SkipFalse: 1}, die,
	}
	on := func(number uint32, then ...bpf.Instruction) {
		rules = append(rules, bpf.JumpIf{Cond: bpf.JumpEqual, Val: number, SkipFalse: uint8(len(then))}) //nolint:gosec // a few
		rules = append(rules, then...)
	}
	for _, number := range allowed {
		on(number, allow)
	}
	for _, number := range hidden {
		on(number, refuse(unix.ENOENT))
	}
	// Memory that can be run is made by programs that were not compiled with this one.
	for _, number := range []uint32{unix.SYS_MMAP, unix.SYS_MPROTECT} {
		on(number, bpf.LoadAbsolute{Off: dataArg2, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.PROT_EXEC, SkipFalse: 1}, refuse(unix.EPERM), allow)
	}
	// A thread of this process, not another process; clone3 has its flags where no filter sees them, and C libraries go
	// back to clone when it is not there.
	on(unix.SYS_CLONE, bpf.LoadAbsolute{Off: dataArg0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.CLONE_THREAD, SkipTrue: 1}, refuse(unix.EPERM),
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: namespaces, SkipFalse: 1}, refuse(unix.EPERM), allow)
	on(unix.SYS_CLONE3, refuse(unix.ENOSYS))
	// The runtime signals its own threads.
	on(unix.SYS_TGKILL, bpf.LoadAbsolute{Off: dataArg0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: pid, SkipFalse: 1}, allow, refuse(unix.EPERM))
	// Whether a descriptor blocks, and whether it is one.
	on(unix.SYS_FCNTL, bpf.LoadAbsolute{Off: 24, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.F_GETFL, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.F_SETFL, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.F_GETFD, SkipFalse: 1}, allow, refuse(unix.EPERM))
	return append(rules, refuse(unix.EPERM))
}

// restrictCalls installs the filter on all threads, for good.
func restrictCalls() error {
	rules, err := bpf.Assemble(filter(uint32(os.Getpid()))) //nolint:gosec // a process id is not negative
	if err != nil {
		return err
	}
	program := make([]unix.SockFilter, len(rules))
	for i, r := range rules {
		program[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	// The kernel asks the calling thread for no_new_privs and gives it to the others with the filter.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	whole := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]} //nolint:gosec // some two hundred
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&whole)))
	runtime.KeepAlive(program)
	switch {
	case errno != 0:
		return errno
	case thread != 0:
		return fmt.Errorf("thread %d has a filter of its own", thread)
	}
	return nil
}
