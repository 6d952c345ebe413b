// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// limit bounds every wait: far past any useful result.
const limit = 10 * time.Minute

// subject is the Bowline that is measured, with all around it.
type subject struct {
	config
	dir, planeDir, kubeconfig, address, metrics string
	encrypted                                   bool // it serves TLS, as it does unless told otherwise

	plane, bowline *child
	client         dynamic.Interface
	git            *gitserver.Server
	repo           *gitserver.Repo
	log            *os.File
	version        int
}

// newSubject runs Bowline on a cluster and a repository with the fleet.
func newSubject(ctx context.Context, c config, dir string) (*subject, error) {
	s, err := emptySubject(ctx, c, dir)
	if err != nil {
		return nil, err
	}
	if err := s.commitFleet(); err != nil {
		return nil, err
	}
	return s, s.start(ctx)
}

// commitFleet puts the files of all applications into the repository.
func (s *subject) commitFleet() error {
	all := map[string]string{}
	for i := range s.apps {
		files, err := s.files(i, "v1")
		if err != nil {
			return err
		}
		maps.Copy(all, files)
	}
	_, err := s.repo.Commit(gitserver.Change{Files: all})
	return err
}

// emptySubject prepares a cluster and an empty repository; start starts Bowline between them.
func emptySubject(ctx context.Context, c config, dir string) (*subject, error) {
	s, err := openSubject(ctx, c, dir, filepath.Join(dir, "cluster"))
	if err != nil {
		return nil, err
	}
	return s, makeNamespaces(ctx, s.client, namespace)
}

// openSubject prepares an empty repository, and a cluster with its data in a folder that may hold some already.
func openSubject(ctx context.Context, c config, dir, planeDir string) (*subject, error) {
	s := &subject{config: c, dir: dir, planeDir: planeDir, address: freeAddress(), metrics: freeAddress()}
	var err error
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if s.git, err = gitserver.Start(gitserver.Options{}); err != nil {
		return nil, err
	}
	if s.repo, err = s.git.Create("monorepo"); err != nil {
		return nil, err
	}
	if s.plane, s.kubeconfig, err = startPlane(ctx, c, planeDir); err != nil {
		return nil, err
	}
	if s.log, err = os.OpenFile(filepath.Join(dir, "bowline.log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	s.client, err = newDynamic(s.kubeconfig)
	return s, err
}

func (s *subject) start(ctx context.Context) (err error) {
	s.bowline, err = startBowline(ctx, s.bin, s.kubeconfig, filepath.Join(s.dir, "data"), s.address, s.metrics, s.log,
		fmt.Sprintf("--insecure=%t", !s.encrypted))
	return err
}

func (s *subject) close() {
	if s.bowline != nil {
		s.bowline.stop(syscall.SIGTERM)
	}
	s.plane.stop(syscall.SIGTERM)
	s.git.Close()
	_ = s.log.Close()
}

// tail returns the end of Bowline's log, for errors.
func (s *subject) tail() string {
	data, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-4000):])
}

// push commits a change of the first ConfigMap of each application given and tells Bowline.
func (s *subject) push(ctx context.Context, apps ...int) (version, commit string, err error) {
	s.version++
	version = fmt.Sprintf("push-%d", s.version)
	changed := map[string]string{}
	for _, i := range apps {
		files, err := s.files(i, version)
		if err != nil {
			return "", "", err
		}
		name := fmt.Sprintf("apps/%s/ConfigMap-%s-0.yaml", appName(i), appName(i))
		changed[name] = files[name]
	}
	if commit, err = s.repo.Commit(gitserver.Change{Files: changed}); err != nil {
		return "", "", err
	}
	return version, commit, s.webhook(ctx, commit)
}

// url is where Bowline serves a path.
func (s *subject) url(path string) string {
	if s.encrypted {
		return "https://" + s.address + path
	}
	return "http://" + s.address + path
}

// webhook tells of a push to main as GitHub does.
func (s *subject) webhook(ctx context.Context, commit string) error {
	body := fmt.Sprintf(`{"ref":"refs/heads/main","after":%q,"repository":{"clone_url":%q,"html_url":%q,"default_branch":"main"}}`,
		commit, s.repo.URL, strings.TrimSuffix(s.repo.URL, ".git"))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url("/api/webhook"), bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "push")
	resp, err := trusting.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("webhook: %s: %s", resp.Status, text)
	}
	return nil
}

func (s *subject) watched(ctx context.Context, gvr schema.GroupVersionResource, ns string, seen func(*unstructured.Unstructured, bool) (done bool)) error {
	return watched(ctx, s.client, gvr, ns, seen)
}

// watched follows every object of one resource in a namespace.
func watched(ctx context.Context, client dynamic.Interface, gvr schema.GroupVersionResource, ns string, seen func(*unstructured.Unstructured, bool) (done bool)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for ctx.Err() == nil {
		w, err := client.Resource(gvr).Namespace(ns).Watch(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for event := range w.ResultChan() {
			u, ok := event.Object.(*unstructured.Unstructured)
			if ok && seen(u, event.Type == watch.Deleted) {
				w.Stop()
				return nil
			}
		}
		// The API server ends watches that do not keep up; a new one begins with what there is.
	}
	return fmt.Errorf("waiting for %s: %w", gvr.Resource, ctx.Err())
}

// countApps follows Applications until all satisfy ok, and returns the time of the half.
func (s *subject) countApps(ctx context.Context, ok func(*v1alpha1.Application) bool) (half time.Duration, err error) {
	return s.countStatuses(ctx, func(u *unstructured.Unstructured) bool {
		app, err := decode(u)
		return err == nil && ok(app)
	})
}

// countStatuses is countApps without decoding.
func (s *subject) countStatuses(ctx context.Context, ok func(*unstructured.Unstructured) bool) (half time.Duration, err error) {
	began := time.Now()
	done := map[string]bool{}
	err = s.watched(ctx, applications, v1alpha1.DefaultNamespace, func(u *unstructured.Unstructured, _ bool) bool {
		if ok(u) {
			done[u.GetName()] = true
		}
		if half == 0 && len(done) >= (s.apps+1)/2 {
			half = time.Since(began)
		}
		return len(done) == s.apps
	})
	return half, err
}

// countObjects follows the first ConfigMap of each application until want of them hold the version.
func (s *subject) countObjects(ctx context.Context, version string, want int) (half time.Duration, err error) {
	began := time.Now()
	done := map[string]bool{}
	err = s.watched(ctx, resources["ConfigMap"], namespace, func(u *unstructured.Unstructured, _ bool) bool {
		if held, _, _ := unstructured.NestedString(u.Object, "data", "version"); held == version {
			done[u.GetName()] = true
		}
		if half == 0 && len(done) >= (want+1)/2 {
			half = time.Since(began)
		}
		return len(done) >= want
	})
	return half, err
}

func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
