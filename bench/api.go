// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// served is a running Bowline with a fleet that it deploys and many more applications that it only shows: nobody reconciles
// those, as what is measured is the API.
type served struct {
	*subject
	token string
	marks int // how many changes were made, so that each is another
}

// measureAPI reports what callers of the API get: over TLS, with the token of a person who signed in and whose one right comes
// from a policy of ten thousand lines.
func measureAPI(ctx context.Context, c config, dir string) error {
	c.apps = c.samples
	s, err := newServed(ctx, c, dir)
	if err != nil {
		return err
	}
	defer s.close()
	for _, row := range []struct {
		name    string
		measure func(context.Context) (map[string]any, error)
	}{{"api-subscribers", s.subscribers}, {"api-stream", s.stream}, {"api-view", s.views}, {"api-list", s.lists}, {"api-get", s.gets}} {
		s.note("measuring " + row.name)
		result, err := row.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", row.name, err, s.tail())
		}
		result["row"], result["applications"] = row.name, s.listed+s.apps
		report(result)
	}
	return nil
}

func newServed(ctx context.Context, c config, dir string) (*served, error) {
	subject, err := emptySubject(ctx, c, dir)
	if err != nil {
		return nil, err
	}
	s := &served{subject: subject}
	s.encrypted = true
	if err := s.open(ctx); err != nil {
		err = fmt.Errorf("%w\n%s", err, s.tail())
		s.close()
		return nil, err
	}
	return s, nil
}

// open makes the applications, starts Bowline, waits until the fleet is deployed, and signs in.
func (s *served) open(ctx context.Context) error {
	if err := s.commitFleet(); err != nil {
		return err
	}
	if err := s.install(ctx); err != nil {
		return err
	}
	s.note(fmt.Sprintf("making %d applications", s.listed))
	group, making := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range s.listed {
		group.Go(func() error { return createApplication(making, s.client, listed(i)) })
	}
	if err := firstOf(group.Wait(), s.setting(ctx, "argocd-cm", "accounts."+person, "login"),
		s.setting(ctx, "argocd-rbac-cm", "policy.csv", policyOf(10_000))); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	for i := range s.apps {
		if err := createApplication(ctx, s.client, application(i, s.repo.URL, v1alpha1.DefaultNamespace)); err != nil {
			return err
		}
	}
	if err := s.untilAll(ctx); err != nil {
		return err
	}
	s.bowline.stop(syscall.SIGTERM) // what the deployment took of memory is not to count
	if err := s.start(ctx); err != nil {
		return err
	}
	return s.signIn(ctx)
}

// untilAll waits until the fleet is deployed.
func (s *served) untilAll(ctx context.Context) error {
	done := map[string]bool{}
	return s.watched(ctx, applications, v1alpha1.DefaultNamespace, func(u *unstructured.Unstructured, _ bool) bool {
		if deployed(u) && strings.HasPrefix(u.GetName(), "app-") {
			done[u.GetName()] = true
		}
		return len(done) == s.apps
	})
}

func listedName(i int) string { return fmt.Sprintf("listed-%05d", i) }

// listed returns an application with the status of one that was deployed a few times.
func listed(i int) *v1alpha1.Application {
	app := application(i, fmt.Sprintf("https://git.example.com/team-%d/shop.git", i%200), v1alpha1.DefaultNamespace)
	app.Name = listedName(i)
	app.Labels = map[string]string{"team": fmt.Sprintf("team-%d", i%50), "env": []string{"dev", "staging", "prod"}[i%3]}
	app.Annotations = map[string]string{v1alpha1.AnnotationKeyAppSkipReconcile: "true"}
	app.Spec.Destination.Namespace = fmt.Sprintf("ns-%d", i%500)
	at, commit := metav1.NewTime(time.Unix(1_750_000_000+int64(i), 0)), strings.Repeat("0123456789", 4)
	app.Status = v1alpha1.ApplicationStatus{
		Sync:         v1alpha1.SyncStatus{Status: []v1alpha1.SyncStatusCode{v1alpha1.SyncStatusCodeSynced, v1alpha1.SyncStatusCodeOutOfSync}[i%7/6], Revision: commit},
		Health:       v1alpha1.AppHealthStatus{Status: []v1alpha1.HealthStatusCode{v1alpha1.HealthStatusHealthy, v1alpha1.HealthStatusDegraded}[i%11/10]},
		ReconciledAt: &at, SourceType: v1alpha1.ApplicationSourceTypeDirectory,
		OperationState: &v1alpha1.OperationState{Phase: v1alpha1.OperationSucceeded, Message: "successfully synced (all tasks run)", StartedAt: at, FinishedAt: &at,
			Operation:  v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{Revision: commit}},
			SyncResult: &v1alpha1.SyncOperationResult{Revision: commit, Source: *app.Spec.Source}},
	}
	for n := range 5 {
		app.Status.History = append(app.Status.History, v1alpha1.RevisionHistory{Revision: commit, DeployedAt: at, ID: int64(n), Source: *app.Spec.Source})
	}
	for n := range 10 {
		app.Status.Resources = append(app.Status.Resources, v1alpha1.ResourceStatus{Version: "v1", Kind: "ConfigMap", Namespace: app.Spec.Destination.Namespace,
			Name: fmt.Sprintf("%s-%d", app.Name, n), Status: v1alpha1.SyncStatusCodeSynced})
	}
	return app
}

// person is who calls.
const (
	person          = "viewer"
	personsPassword = "a password of the benchmark"
)

// policyOf is a policy of so many lines in which the caller's right is one, and most are about others.
func policyOf(lines int) string {
	var b strings.Builder
	for i := range lines - 2 {
		fmt.Fprintf(&b, "p, role:team-%d, applications, *, project-%d/app-%d*, allow\n", i%1000, i%500, i)
	}
	fmt.Fprintf(&b, "p, role:%s, applications, get, %s/*, allow\ng, %s, role:%s\n", person, v1alpha1.DefaultAppProjectName, person, person)
	return b.String()
}

var secrets = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}

// signIn gives the caller a password, as an administrator does, and signs in with it.
func (s *served) signIn(ctx context.Context) error {
	first, err := s.client.Resource(secrets).Namespace(v1alpha1.DefaultNamespace).Get(ctx, "argocd-initial-admin-secret", metav1.GetOptions{})
	if err != nil {
		return err
	}
	secret := &struct{ Data struct{ Password []byte } }{}
	raw, err := json.Marshal(first.Object)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, secret); err != nil {
		return err
	}
	if err := s.session(ctx, "admin", string(secret.Data.Password)); err != nil {
		return err
	}
	change := map[string]string{"name": person, "currentPassword": string(secret.Data.Password), "newPassword": personsPassword}
	if _, err := s.ask(ctx, http.MethodPut, "/api/v1/account/password", change, nil); err != nil {
		return err
	}
	return until(ctx, time.Minute, person+" can sign in", func(ctx context.Context) (bool, error) {
		return s.session(ctx, person, personsPassword) == nil, nil
	})
}

func (s *served) session(ctx context.Context, name, password string) error {
	answer := struct{ Token string }{}
	_, err := s.ask(ctx, http.MethodPost, "/api/v1/session", map[string]string{"username": name, "password": password}, &answer)
	s.token = answer.Token
	return err
}

// ask makes a call and reads its whole answer, into is nil or what it is decoded into.
func (s *served) ask(ctx context.Context, verb, path string, body, into any) (int, error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		sent = bytes.NewReader(text)
	}
	resp, err := s.send(ctx, trusting, verb, path, sent)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(text, into)
	}
	return len(text), err
}

// send makes a call and returns its answer, if it is one of success.
func (s *served) send(ctx context.Context, through *http.Client, verb, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, verb, s.url(path), body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := through.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return nil, fmt.Errorf("%s %s: %s: %s", verb, path, resp.Status, text)
	}
	return resp, nil
}

// streamed is how long a line of a stream may be to be taken whole.
const streamed = 256 << 10

// follow reads a stream until ctx ends, and calls each with every line, or with the parts of a very long one. opened is called
// when the answer has begun.
func (s *served) follow(ctx context.Context, through *http.Client, path string, opened func(), each func(line []byte)) error {
	resp, err := s.send(ctx, through, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	opened()
	lines := bufio.NewReaderSize(resp.Body, streamed)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		each(line)
	}
}

// version is the resource version of the list at this moment.
func (s *served) version(ctx context.Context) (string, error) {
	page := struct{ Metadata metav1.ListMeta }{}
	_, err := s.ask(ctx, http.MethodGet, "/api/v1/applications?limit=1", nil, &page)
	return page.Metadata.ResourceVersion, err
}

// measurePolicy reports what one decision costs by a policy of ten thousand lines, by the Go benchmark of the room. There is no
// cache of decisions: both goals are for the same figure.
func measurePolicy(ctx context.Context, _ config, _ string) error {
	results, err := benchmark(ctx, "./internal/access", "BenchmarkRule", "1s")
	if err != nil {
		return err
	}
	for _, result := range results {
		if ns, ok := number(result["ns/op"]); ok {
			result["us"] = round(ns / 1000)
		}
		result["row"] = "policy"
		report(result)
	}
	return nil
}
