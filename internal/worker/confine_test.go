// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package worker

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/bowline-cd/bowline/internal/render"
)

func call(number uintptr, arguments ...uintptr) func() string {
	return func() string {
		var a [6]uintptr
		copy(a[:], arguments)
		r, _, errno := unix.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
		if errno == 0 && (number == unix.SYS_CLONE || number == unix.SYS_CLONE3) && r == 0 {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0) // a child that there must not be
		}
		return outcome(errnoOf(errno))
	}
}

func errnoOf(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

func outcome(err error) string {
	if err == nil {
		return "done"
	}
	return err.Error()
}

// texts keeps the arguments of calls where they are.
var texts [][]byte

func text(s string) uintptr {
	b := append([]byte(s), 0)
	texts = append(texts, b)
	return uintptr(unsafe.Pointer(&b[0]))
}

var here = func() uintptr { d := unix.AT_FDCWD; return uintptr(d) }()

// attempts are what a process tries, by name.
var attempts = map[string]func() string{
	"read a file": func() string { _, err := os.ReadFile("/etc/passwd"); return outcome(err) },
	"read itself": func() string { _, err := os.ReadFile("/proc/self/environ"); return outcome(err) },
	"read its parent": func() string {
		_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
		return outcome(err)
	},
	"list a folder":   func() string { _, err := os.ReadDir("/"); return outcome(err) },
	"look for a file": func() string { _, err := os.Stat("/etc/passwd"); return outcome(err) },
	"write a file": func() string {
		return outcome(os.WriteFile(filepath.Join(os.TempDir(), "bowline-escape"), []byte("x"), 0o600))
	},
	"make a folder": func() string { return outcome(os.Mkdir(filepath.Join(os.TempDir(), "bowline-escape"), 0o700)) },
	"remove a file": func() string { return outcome(os.Remove(filepath.Join(os.TempDir(), "bowline-escape"))) },
	"run a program": func() string { return outcome(exec.Command("/bin/true").Run()) },
	"dial":          func() string { _, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second); return outcome(err) },
	"dial a socket": func() string { _, err := net.Dial("unix", "/run/x"); return outcome(err) },
	"listen":        func() string { _, err := net.Listen("tcp", "127.0.0.1:0"); return outcome(err) },
	"resolve": func() string {
		_, err := net.DefaultResolver.LookupHost(context.Background(), "example.com")
		return outcome(err)
	},
	"http":              func() string { _, err := http.Get("http://127.0.0.1:1/"); return outcome(err) },
	"execve":            call(unix.SYS_EXECVE, text("/bin/true"), 0, 0),
	"execveat":          call(unix.SYS_EXECVEAT, here, text("/bin/true"), 0, 0, 0),
	"fork":              call(unix.SYS_CLONE, uintptr(unix.SIGCHLD)),
	"vfork":             call(unix.SYS_CLONE, unix.CLONE_VFORK|uintptr(unix.SIGCHLD)),
	"clone3":            call(unix.SYS_CLONE3, text(strings.Repeat("\x00", 88)), 88),
	"thread, namespace": call(unix.SYS_CLONE, unix.CLONE_THREAD|unix.CLONE_NEWNET),
	"socket":            call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0),
	"netlink":           call(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, 0),
	"socketpair":        call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM, 0, text("12345678")),
	"connect":           call(unix.SYS_CONNECT, firstFD, text("1234567890123456"), 16),
	"bind":              call(unix.SYS_BIND, firstFD, text("1234567890123456"), 16),
	"listen on it":      call(unix.SYS_LISTEN, firstFD, 1),
	"sendmsg":           call(unix.SYS_SENDMSG, firstFD, text(strings.Repeat("\x00", 64)), 0),
	"sendto":            call(unix.SYS_SENDTO, firstFD, text("x"), 1, 0, 0, 0),
	"openat":            call(unix.SYS_OPENAT, here, text("/etc/passwd"), 0, 0),
	"openat2":           call(unix.SYS_OPENAT2, here, text("/etc/passwd"), text(strings.Repeat("\x00", 24)), 24),
	"memfd":             call(unix.SYS_MEMFD_CREATE, text("x"), 0),
	"link":              call(unix.SYS_SYMLINKAT, text("/etc/passwd"), here, text("/tmp/bowline-escape")),
	"rename":            call(unix.SYS_RENAMEAT, here, text("/tmp/bowline-a"), here, text("/tmp/bowline-b")),
	"change folder":     call(unix.SYS_CHDIR, text("/tmp")),
	"change root":       call(unix.SYS_CHROOT, text("/tmp")),
	"mount":             call(unix.SYS_MOUNT, text("none"), text("/tmp"), text("tmpfs"), 0, 0),
	"unshare":           call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER),
	"setns":             call(unix.SYS_SETNS, firstFD, 0),
	"ptrace":            call(unix.SYS_PTRACE, unix.PTRACE_TRACEME, 0, 0, 0),
	"read memory":       call(unix.SYS_PROCESS_VM_READV, uintptr(os.Getpid()), 0, 0, 0, 0, 0),
	"signal the parent": func() string { return outcome(unix.Kill(os.Getppid(), 0)) },
	"signal its thread": func() string { return outcome(unix.Tgkill(os.Getppid(), os.Getppid(), 0)) },
	"signal all":        func() string { return outcome(unix.Kill(-1, 0)) },
	"pidfd":             call(unix.SYS_PIDFD_OPEN, uintptr(os.Getppid()), 0),
	"keys":              call(unix.SYS_KEYCTL, 0, 0, 0, 0, 0),
	"bpf":               call(unix.SYS_BPF, 0, 0, 0),
	"userfaultfd":       call(unix.SYS_USERFAULTFD, 0),
	"io_uring":          call(unix.SYS_IO_URING_SETUP, 1, text(strings.Repeat("\x00", 256))),
	"perf":              call(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0),
	"prctl":             call(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1, 0, 0, 0),
	"raise limits":      call(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, text(strings.Repeat("\x10", 16)), 0),
	"ioctl":             call(unix.SYS_IOCTL, firstFD, 0x541b, text("12345678")),
	"duplicate":         call(unix.SYS_FCNTL, firstFD, unix.F_DUPFD, 10),
	"set user":          call(unix.SYS_SETUID, 1),
	"shared memory":     call(unix.SYS_SHMGET, 0, 4096, unix.IPC_CREAT),
	"run memory":        call(unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON, ^uintptr(0), 0),
	"make memory run":   call(unix.SYS_MPROTECT, 0, 4096, unix.PROT_READ|unix.PROT_EXEC),
	"second filter off": call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_STRICT, 0, 0),
}

func init() {
	behaviours["try"] = func(_ context.Context, in render.Input) (render.Output, error) {
		return says(attempts[in.Source.Path]()), nil
	}
	behaviours["call the other way"] = func(context.Context, render.Input) (render.Output, error) {
		return says(call(unix.SYS_GETPID | x32Bit)()), nil
	}
}

// What a process cannot do: nothing of the machine is within its reach but the socket it was given.
func TestHostileProcess(t *testing.T) {
	t.Setenv("BOWLINE_CANARY", "canary-5e1d")
	p, log := newPool(t, Options{Max: 1})
	before := "" // the process is the same all the time: nothing of this ends it
	for name := range attempts {
		t.Run(name, func(t *testing.T) {
			out, err := behave(context.Background(), p, "try", name)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Join(out.Warnings, "")
			refused := false
			for _, errno := range []unix.Errno{unix.EPERM, unix.EACCES, unix.ENOENT, unix.ENOSYS} {
				refused = refused || strings.Contains(said, errno.Error())
			}
			if !refused {
				t.Errorf("it is not refused: %q", said)
			}
			if out, err = behave(context.Background(), p, "fine", ""); err != nil || before != "" && out.Warnings[0] != before {
				t.Errorf("the process is another than before: %v, %v", out.Warnings, err)
			}
			before = out.Warnings[0]
		})
	}
	if log.String() != "" {
		t.Errorf("logged: %s", log)
	}
}

// What a process has: no environment, the socket and nothing else open, a filter on every thread.
func TestProcessHasNothing(t *testing.T) {
	t.Setenv("BOWLINE_CANARY", "canary-5e1d")
	inherited, err := os.Open("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	defer inherited.Close()
	if _, err := unix.FcntlInt(inherited.Fd(), unix.F_SETFD, 0); err != nil { // as if this program was started with it
		t.Fatal(err)
	}
	p, _ := newPool(t, Options{Max: 1})
	out, err := behave(context.Background(), p, "environment", "")
	if err != nil || len(out.Warnings) > 0 {
		t.Errorf("its environment is %q, %v", out.Warnings, err)
	}
	pid := p.idle[0].cmd.Process.Pid
	if raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); err != nil || len(raw) > 0 {
		t.Errorf("its environment is %q, %v", raw, err)
	}
	if raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err != nil || !strings.HasSuffix(string(raw), Verb+"\x003\x00") {
		t.Errorf("its command line is %q, %v", raw, err)
	}
	if dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil || dir != "/" {
		t.Errorf("it works in %s, %v", dir, err)
	}
	checkDescriptors(t, pid)
	checkThreads(t, pid)
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Max core file size 0 0", "Max file size 0 0", "Max open files 32 32"} {
		if !strings.Contains(strings.Join(strings.Fields(string(limits)), " "), want) {
			t.Errorf("its limits lack %q", want)
		}
	}
}

func checkDescriptors(t *testing.T, pid int) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	sockets := 0
	for _, e := range entries {
		to, err := os.Readlink(dir + "/" + e.Name())
		switch {
		case err != nil:
			t.Error(err)
		case strings.HasPrefix(to, "socket:"):
			sockets++
		case to == "/dev/null" && (e.Name() == "0" || e.Name() == "1"), strings.HasPrefix(to, "pipe:") && e.Name() == "2":
		case to == "anon_inode:[eventpoll]", to == "anon_inode:[eventfd]", strings.HasPrefix(to, "/sys/fs/cgroup/"): // the runtime's own
		default:
			t.Errorf("descriptor %s is %s", e.Name(), to)
		}
	}
	if sockets != 1 {
		t.Errorf("it has %d sockets", sockets)
	}
}

func checkThreads(t *testing.T, pid int) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, thread := range threads {
		raw, err := os.ReadFile(thread)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"NoNewPrivs:\t1\n", "Seccomp:\t2\n"} {
			if !strings.Contains(string(raw), want) {
				t.Errorf("%s lacks %q", thread, want)
			}
		}
	}
}

// A call by the numbers of another architecture ends the process: its rules would not hold there.
func TestHostileArchitecture(t *testing.T) {
	if auditArch != unix.AUDIT_ARCH_X86_64 {
		t.Skip("there is no second convention here")
	}
	p, _ := newPool(t, Options{Max: 1})
	_, err := behave(context.Background(), p, "call the other way", "")
	if err == nil || !strings.Contains(err.Error(), "bad system call") {
		t.Errorf("got %v", err)
	}
}
