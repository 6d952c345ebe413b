// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// lfsGrant is the answer to git-lfs-authenticate: where the API is, and what to send with what is asked there
// (https://github.com/git-lfs/git-lfs/blob/main/docs/api/authentication.md). It is as good as a password for some minutes.
type lfsGrant struct {
	Href   string            `json:"href"`
	Header map[string]string `json:"header"`
}

const maxGrant = 64 << 10

// lfsGrant asks the SSH host of a repository. The caller holds a place for a process that talks to a repository.
func (s *Store) lfsGrant(ctx context.Context, r *remote) (lfsGrant, error) {
	files := &scratch{dir: r.settings.scratch}
	defer files.remove()
	if err := r.openWay(ctx, files); err != nil {
		return lfsGrant{}, err
	}
	options, err := r.sshOptions(files)
	if err != nil {
		return lfsGrant{}, storeFault(err)
	}
	target, path := sshTarget(r.endpoint)
	args := slices.Concat(options, target)
	o := runProgram(ctx, "ssh", command{dir: s.home, args: append(args, "git-lfs-authenticate "+path+" download"), env: localEnv(s.home)})
	var exit *exec.ExitError
	switch problem := diagnose(o.stderr); {
	case o.err == nil:
	case !errors.As(o.err, &exit):
		return lfsGrant{}, o.err
	case problem == ProblemServer || problem == ProblemNotFound:
		return lfsGrant{}, noLFS("the SSH host does not say where: " + brief(o.stderr))
	default:
		return lfsGrant{}, unreachable("ask for Git LFS at", r.repo, problem, brief(o.stderr))
	}
	if len(o.stdout) > maxGrant {
		return lfsGrant{}, noLFS("the SSH host says more than 64 KiB")
	}
	return parseGrant(o.stdout)
}

func noLFS(cause string) error {
	return fault.New(fault.Stalled, "use", "Git LFS", "", cause, "use the https address of the repository, or set lfs.url in .lfsconfig to an https address on the same host")
}

// parseGrant reads the answer. Its texts are secrets: none of them goes into an error.
func parseGrant(answer []byte) (lfsGrant, error) {
	var grant lfsGrant
	if err := json.Unmarshal(answer, &grant); err != nil {
		return lfsGrant{}, noLFS("what the SSH host says is not the JSON of git-lfs-authenticate")
	}
	e, err := parseEndpoint(grant.Href, false)
	if err != nil || !e.overHTTP() || e.username != "" {
		return lfsGrant{}, noLFS("the SSH host names no https address")
	}
	if at, err := netip.ParseAddr(e.host); e.scheme == "http" && (err != nil || !at.IsLoopback()) {
		return lfsGrant{}, noLFS("the SSH host names an address without encryption")
	}
	return grant, nil
}

// plainPath is a path that no shell changes.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9/~_.-]+$`)

// sshTarget returns the arguments that name the host, and the path as a word of the command that runs there.
func sshTarget(e endpoint) (target []string, path string) {
	if u, err := url.Parse(e.remote); err == nil && u.Scheme == "ssh" {
		if u.Port() != "" {
			target = append(target, "-p", u.Port())
		}
		host := u.Hostname()
		if u.User != nil {
			host = u.User.Username() + "@" + host
		}
		target, path = append(target, host), u.Path
		if strings.HasPrefix(path, "/~") {
			path = path[1:]
		}
	} else {
		host, rest, _ := strings.Cut(e.remote, ":")
		target, path = []string{host}, rest
	}
	if !plainPath.MatchString(path) {
		path = shellQuoted(path)
	}
	return target, path
}
