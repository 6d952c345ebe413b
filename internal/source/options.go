// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/egress"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Options of a Store. The zero value works.
type Options struct {
	// AllowFile allows file:// addresses: for demos and tests, since such an address reads whatever we can.
	AllowFile bool
	// Readers is the most processes that read objects at a time; by default twice the processors, at most 8.
	Readers int
	// CacheBytes bounds the memory for objects; 32 MiB by default.
	CacheBytes int
	// SmallRepository is the number of files up to which a repository is fetched whole; 20,000 by default.
	SmallRepository int
	// RefsTimeout bounds one listing of refs, 30 s by default; FetchTimeout one fetch, 10 minutes by default.
	RefsTimeout, FetchTimeout time.Duration
	// ReadTimeout bounds how long the reads of one Tree wait, all together, for servers of submodules and of Git LFS; 10 s by
	// default. What takes longer is fetched beside it.
	ReadTimeout time.Duration
	// RefsAge is how old refs may be for Resolve to go by them; 10 s by default. Those of a Poller count until its
	// next poll but one.
	RefsAge time.Duration
	// RefuseAddress says which addresses a repository's host must not have; by default those of link-local metadata services.
	RefuseAddress func(netip.Addr) bool
	// AllowPrivate says whether files at an address, and redirects and charts that an index names, may come from a host with a
	// loopback or private address that no Secret names; by default none may.
	AllowPrivate func(host string) bool
	// ArtifactLimits bound charts, what registries have, and files.
	ArtifactLimits ArtifactLimits
	// ArtifactBytes bounds the disk for them, 2 GiB by default; what owners keep counts and stays. ArtifactLife is how long they
	// stay unused; 14 days by default.
	ArtifactBytes int64
	ArtifactLife  time.Duration
	// Observe, if set, is told of every request to a repository.
	Observe func(Request)
	Clock   clock.WithTicker
	Logger  *slog.Logger
}

// RequestKind is what a repository was asked.
type RequestKind string

// The kinds, by the names of Argo CD's metrics.
const (
	RequestLsRemote RequestKind = "ls-remote"
	RequestFetch    RequestKind = "fetch"
)

// Request is one request to a repository that has ended.
type Request struct {
	Repository string // address without credentials
	Kind       RequestKind
	Revision   string // what a fetch was for
	Took       time.Duration
	Err        error
}

// maxGits bounds the git processes that talk to repositories at a time: a thousand repositories that all move at a
// start must not become a thousand processes.
const maxGits = 16

// maxLocalGits bounds those that only look into mirrors or tidy them: a start opens all mirrors at once. The readers of
// objects are bounded by Options.Readers.
const maxLocalGits = 4

func withDefaults(o Options) Options {
	setDefault(&o.Readers, min(2*runtime.GOMAXPROCS(0), 8))
	setDefault(&o.CacheBytes, 32<<20)
	setDefault(&o.SmallRepository, 20_000)
	setDefault(&o.RefsTimeout, 30*time.Second)
	setDefault(&o.FetchTimeout, 10*time.Minute)
	setDefault(&o.RefsAge, 10*time.Second)
	setDefault(&o.ReadTimeout, 10*time.Second)
	setDefault(&o.ArtifactBytes, 2<<30)
	setDefault(&o.ArtifactLife, 14*24*time.Hour)
	if o.RefuseAddress == nil {
		o.RefuseAddress = egress.Refused
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

var gitVersion = regexp.MustCompile(`git version (\d+)\.(\d+)`)

// checkGit looks for a git that knows `cat-file --batch-command` (2.36) and `http.curloptResolve` (2.37).
func checkGit() error {
	out, err := exec.Command("git", "--version").Output()
	const fix = "install git 2.37 or newer"
	if err != nil {
		return fault.Wrap(fault.Stalled, "run", "git", err, fix)
	}
	parts := gitVersion.FindStringSubmatch(string(out))
	if parts == nil {
		return fault.New(fault.Stalled, "use", "git", "", "it says it is "+strings.TrimSpace(string(out)), fix)
	}
	major, _ := strconv.Atoi(parts[1])
	minor, _ := strconv.Atoi(parts[2])
	if major < 2 || major == 2 && minor < 37 {
		return fault.New(fault.Stalled, "use", "git", "", "it is version "+parts[1]+"."+parts[2], fix)
	}
	return nil
}

// prepareFolder makes dir/{home,scratch,mirrors}, takes the lock, and reads or makes the key that names mirrors.
func (s *Store) prepareFolder() error {
	for _, sub := range []string{"", "home", "scratch", "mirrors"} {
		if err := os.MkdirAll(filepath.Join(s.dir, sub), 0o700); err != nil {
			return err
		}
	}
	if err := os.Chmod(s.dir, 0o700); err != nil { //nolint:gosec // a folder needs the x bit
		return err
	}
	var err error
	if s.lock, err = lockFile(filepath.Join(s.dir, "lock")); err != nil {
		return err
	}
	// What a killed process left there may be a key.
	left, err := filepath.Glob(filepath.Join(s.dir, "scratch", "*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	keyFile := filepath.Join(s.dir, "key")
	if s.key, err = os.ReadFile(keyFile); err == nil && len(s.key) == 32 {
		return nil
	}
	s.key = make([]byte, 32)
	_, _ = rand.Read(s.key)
	return os.WriteFile(keyFile, s.key, 0o600)
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("another process has it open: %w", err)
	}
	return f, nil
}
