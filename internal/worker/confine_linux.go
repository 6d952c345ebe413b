// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"fmt"
	"os"
	"strconv"

	"github.com/landlock-lsm/go-landlock/landlock"
	landlockcall "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// confine takes from this process what rendering does not need, for good. What cannot be taken is reported: then the other
// measures stand alone. Landlock and seccomp overlap on purpose, for kernels that have only one of them.
func confine(socket int) hello {
	var lacks []string
	for _, step := range []struct {
		name string
		take func() error
	}{
		{"closing inherited files", func() error { return closeInherited(socket) }},
		{"limits", setLimits},
		{"no new privileges", func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }},
		{"Landlock", restrictFiles},
		{"seccomp", restrictCalls},
	} {
		if err := step.take(); err != nil {
			lacks = append(lacks, fmt.Sprintf("%s: %v", step.name, err))
		}
	}
	return hello{Lacks: lacks}
}

// closeInherited closes what our caller itself was started with and handed on without knowing. What Go opened closes on
// exec, so what does not was inherited.
func closeInherited(socket int) error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd < firstFD || fd == socket {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0) //nolint:gosec // descriptors are not negative
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
	return nil
}

// maxOpen is room for what the runtime opens for itself.
const maxOpen = 32

func setLimits() error {
	for resource, most := range map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: 0, unix.RLIMIT_MEMLOCK: 0, unix.RLIMIT_NOFILE: maxOpen} {
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return err
		}
	}
	return nil
}

// restrictFiles forbids every file, and TCP and signals to others as far as the kernel's Landlock knows them.
func restrictFiles() error {
	if version, err := landlockcall.LandlockGetABIVersion(); err != nil || version < 1 {
		return fmt.Errorf("it is not in this kernel, or turned off")
	}
	return landlock.V8.BestEffort().Restrict()
}
