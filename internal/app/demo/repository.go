// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed all:sample
var sample embed.FS

// samplePath is where the manifests of the first application are in the sample repository, applicationsPath where the
// Applications of all others.
const (
	samplePath       = "apps/api/production"
	applicationsPath = "applications"
)

// repository is a Git repository served over HTTP, with a work tree to commit from.
type repository struct {
	url    string
	host   string // of the server, with its port
	work   string
	server *http.Server
}

// serveRepository makes the sample repository under dir and serves it on a free port of 127.0.0.1.
func serveRepository(ctx context.Context, dir string) (*repository, error) {
	root := filepath.Join(dir, "git")
	bare := filepath.Join(root, "infra-gitops.git")
	r := &repository{work: filepath.Join(dir, "work")}
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch=main", bare},
		{"-C", bare, "config", "uploadpack.allowAnySHA1InWant", "true"},
		{"-C", bare, "config", "uploadpack.allowFilter", "true"},
		{"-C", bare, "config", "http.receivepack", "true"},
		{"clone", "--quiet", bare, r.work},
	} {
		if _, err := git(ctx, dir, args...); err != nil {
			return nil, err
		}
	}
	if err := r.serve(ctx, root); err != nil {
		return nil, err
	}
	if err := r.writeSample(); err != nil {
		return r, err
	}
	_, err := r.commit(ctx, "Deploy to production")
	return r, err
}

// writeSample fills the work tree. Applications say where their sources are.
func (r *repository) writeSample() error {
	places := strings.NewReplacer("${REPOSITORY}", r.url, "${CHARTS}", "http://"+r.host+chartsPath, "${REGISTRY}", "oci://"+r.host)
	return fs.WalkDir(sample, "sample", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := sample.ReadFile(p)
		if err != nil {
			return err
		}
		target := filepath.Join(r.work, filepath.FromSlash(strings.TrimPrefix(p, "sample/")))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, []byte(places.Replace(string(data))), 0o644)
	})
}

func (r *repository) serve(ctx context.Context, root string) error {
	execPath, err := git(ctx, root, "--exec-path")
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r.host = listener.Addr().String()
	r.url = "http://" + r.host + "/infra-gitops.git"
	others, err := artifacts()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(chartsPath+"/", others)
	mux.Handle("/v2/", others)
	mux.Handle("/", &cgi.Handler{
		Path:   filepath.Join(execPath, "git-http-backend"),
		Env:    []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=demo", "GIT_CONFIG_NOSYSTEM=1"},
		Stderr: &bytes.Buffer{},
	})
	r.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: mux}
	go func() { _ = r.server.Serve(listener) }()
	return nil
}

// commit commits and pushes everything in the work tree and returns the commit.
func (r *repository) commit(ctx context.Context, message string) (string, error) {
	for _, args := range [][]string{
		{"add", "--all"},
		{"-c", "user.name=Demo", "-c", "user.email=demo@example.com", "commit", "--quiet", "-m", message},
		{"push", "--quiet", "origin", "HEAD:main"},
	} {
		if _, err := git(ctx, r.work, args...); err != nil {
			return "", err
		}
	}
	return git(ctx, r.work, "rev-parse", "HEAD")
}

// replace changes a text in a file of the sample.
func (r *repository) replace(file, from, to string) error {
	p := filepath.Join(r.work, samplePath, file)
	data, err := os.ReadFile(p)
	if err != nil {
		return err
	}
	changed := strings.ReplaceAll(string(data), from, to)
	if changed == string(data) {
		return fmt.Errorf("%s does not hold %q", p, from)
	}
	return os.WriteFile(p, []byte(changed), 0o644)
}

func (r *repository) close() {
	if r != nil && r.server != nil {
		_ = r.server.Close()
	}
}

// git runs a git command that knows nothing of the user's configuration.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
