// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// memoryOf tells how much memory a process has, from /proc/PID/statm: its second field is the resident pages (proc(5)).
type memoryOf struct{ statm *os.File }

func openMemory(pid int) memoryOf {
	f, err := os.Open(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return memoryOf{}
	}
	return memoryOf{f}
}

// resident returns the bytes of memory that the process has; false if that cannot be told.
func (m memoryOf) resident() (int64, bool) {
	if m.statm == nil {
		return 0, false
	}
	var buffer [128]byte
	n, _ := m.statm.ReadAt(buffer[:], 0)
	fields := strings.Fields(string(buffer[:n]))
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}

func (m memoryOf) close() {
	if m.statm != nil {
		_ = m.statm.Close()
	}
}

// hardSlack is how far the kernel's limit lies above the job's: the runtime reserves more than it uses, and its own
// limit and our looking come first.
const hardSlack = 256 << 20

// bound tells the kernel how much memory a process may map, in case it takes it faster than we look.
func (p *process) bound(limit int64) {
	if raceDetector || limit == p.hardLimit {
		return
	}
	most := uint64(limit + hardSlack) //nolint:gosec // limits are not negative
	// Raising it again needs the hard limit where it was.
	var now unix.Rlimit
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_DATA, nil, &now); err != nil {
		return
	}
	now.Cur = min(most, now.Max)
	if unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_DATA, &now, nil) == nil {
		p.hardLimit = limit
	}
}
