// SPDX-License-Identifier: Apache-2.0

package configuration_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/object"
)

const namespace = "argocd"

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: data}
}

func secret(name, kind string, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{}}
	if kind != "" {
		s.Labels = map[string]string{"argocd.argoproj.io/secret-type": kind}
	}
	for k, v := range data {
		s.Data[k] = []byte(v)
	}
	return s
}

// reader returns a Reader over objects, the client to change them by, and what it told and logged.
func reader(t *testing.T, objects ...client.Object) (*configuration.Reader, client.Client, *[]*configuration.Snapshot, *bytes.Buffer) {
	t.Helper()
	c := fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).WithObjects(objects...).Build()
	var told []*configuration.Snapshot
	log := &bytes.Buffer{}
	r := configuration.NewReader(c, namespace, slog.New(slog.NewTextHandler(log, nil)), func(s *configuration.Snapshot) { told = append(told, s) })
	return r, c, &told, log
}

func load(t *testing.T, r *configuration.Reader) *configuration.Snapshot {
	t.Helper()
	if err := r.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r.Current()
}

func TestNothingConfiguredIsTheDefaults(t *testing.T) {
	r, _, told, _ := reader(t)
	s := load(t, r)
	if s.Settings.Tracker.Method != object.TrackByAnnotation || len(s.Problems) != 0 || len(s.Clusters) != 0 {
		t.Errorf("defaults: %+v", s)
	}
	load(t, r)
	if len(*told) != 1 {
		t.Errorf("told %d times of one snapshot", len(*told))
	}
}

// A typo in one key changes nothing about the others, is named in the log, and keeps the value the key had.
func TestBrokenSettingKeepsItsFormerValue(t *testing.T) {
	ctx := context.Background()
	r, c, told, log := reader(t, configMap("argocd-cm", map[string]string{"application.resourceTrackingMethod": "label"}))
	load(t, r)
	broken := configMap("argocd-cm", map[string]string{"application.resourceTrackingMethod": "lable", "installationID": "here"})
	if err := c.Update(ctx, broken); err != nil {
		t.Fatal(err)
	}
	s := load(t, r)
	if s.Settings.Tracker.Method != object.TrackByLabel || s.Settings.Tracker.InstallationID != "here" || len(s.Problems) != 1 {
		t.Errorf("after the typo: %+v, problems %v", s.Settings.Tracker, s.Problems)
	}
	if len(*told) != 2 || !strings.Contains(log.String(), "application.resourceTrackingMethod") {
		t.Errorf("told %d times, log %s", len(*told), log)
	}
}

// A cluster Secret that cannot be used is known by its names, so that applications on it are told why.
func TestBrokenClusterIsKnownByName(t *testing.T) {
	r, _, _, _ := reader(t,
		secret("good", "cluster", map[string]string{"name": "one", "server": "https://one.example", "config": `{"bearerToken":"t"}`}),
		secret("bad", "cluster", map[string]string{"name": "two", "server": "https://two.example", "config": `{"bearerToken":`}))
	s := load(t, r)
	if len(s.Clusters) != 1 || s.Clusters[0].Name != "one" {
		t.Errorf("clusters: %+v", s.Clusters)
	}
	if s.BrokenClusters["two"] == nil || s.BrokenClusters["https://two.example"] == nil || len(s.Problems) != 1 {
		t.Errorf("broken: %v, problems %v", s.BrokenClusters, s.Problems)
	}
}

func TestSecretsAreReadByTheirLabel(t *testing.T) {
	ctx := context.Background()
	r, c, told, log := reader(t,
		secret("repo", "repository", map[string]string{"url": "https://git.example/a.git", "username": "u", "password": "hunter2"}),
		secret("unlabelled", "", map[string]string{"url": "https://git.example/b.git", "password": "other"}),
		secret("argocd-secret", "", map[string]string{"webhook.github.secret": "hush\n", "admin.password": "x"}))
	s := load(t, r)
	a, err := s.Credentials.For("https://git.example/a.git", "default")
	if err != nil || a.Password.Reveal() != "hunter2" {
		t.Errorf("labelled: %v, %v", a, err)
	}
	b, err := s.Credentials.For("https://git.example/b.git", "default")
	if err != nil || !b.Password.Empty() {
		t.Errorf("unlabelled: %v, %v", b, err)
	}
	if len(s.WebhookSecrets) != 1 || s.WebhookSecrets["webhook.github.secret"] != "hush" {
		t.Errorf("webhook secrets: %d", len(s.WebhookSecrets))
	}
	// Another password is another snapshot, and shows nowhere.
	if err := c.Update(ctx, secret("repo", "repository", map[string]string{"url": "https://git.example/a.git", "username": "u", "password": "better"})); err != nil {
		t.Fatal(err)
	}
	if load(t, r); len(*told) != 2 || strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), "better") {
		t.Errorf("told %d times, log %s", len(*told), log)
	}
}
