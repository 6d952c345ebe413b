// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// How many clusters there are, and applications in each that answers; in each that does not there is one.
const (
	goodClusters, badClusters = 10, 50
	appsPerCluster            = 5
)

// clusters is one control plane under several addresses, each of which is a cluster to Bowline, and addresses where
// nothing answers.
type clusters struct {
	*subject
	api       *restclient.Config
	listeners []net.Listener
	servers   []string // that answer
}

// measureClusters reports what clusters that do not answer cost those that do.
func measureClusters(ctx context.Context, c config, dir string) error {
	c.apps, c.objects = goodClusters*appsPerCluster, 3
	c.samples = min(c.samples, appsPerCluster/2*goodClusters) // who is edited again and again is healed later and later
	s, err := emptySubject(ctx, c, dir)
	if err != nil {
		return err
	}
	defer s.close()
	m := &clusters{subject: s}
	defer m.closeListeners()
	if err := m.deploy(ctx); err != nil {
		return fmt.Errorf("clusters: %w\n%s", err, s.tail())
	}
	s.note("measuring clusters that answer")
	alone, err := m.figures(ctx, func(i int) int { return i / goodClusters })
	if err != nil {
		return fmt.Errorf("clusters: %w\n%s", err, s.tail())
	}
	s.note("measuring them beside clusters that do not")
	if err := m.addBad(ctx); err != nil {
		return err
	}
	beside, err := m.figures(ctx, func(i int) int { return appsPerCluster - 1 - i/goodClusters })
	if err != nil {
		return fmt.Errorf("clusters: %w\n%s", err, s.tail())
	}
	row := map[string]any{"row": "clusters", "good": goodClusters, "unreachable": badClusters}
	for figure, value := range alone {
		row["alone_"+figure], row["beside_"+figure] = value, beside[figure]
		before, _ := number(value)
		after, _ := number(beside[figure])
		row["growth_"+figure] = round(after / max(before, 0.001))
	}
	report(row)
	return nil
}

// figures are those of the clusters that answer. pick says which application of its cluster a sample edits.
func (m *clusters) figures(ctx context.Context, pick func(i int) int) (map[string]any, error) {
	result, err := m.idle(ctx, floor{})
	if err != nil {
		return nil, err
	}
	edits, err := m.sampled(func(i int) (time.Duration, error) { return m.edit(ctx, i%goodClusters*appsPerCluster+pick(i)) })
	if err != nil {
		return nil, err
	}
	for figure, value := range edits {
		result[figure] = value
	}
	used, err := m.bowline.usage()
	result["rss_mib"] = used.rss >> 20
	return result, err
}

// edit edits an object by hand, and returns how long it takes until that is put back.
func (m *clusters) edit(ctx context.Context, app int) (time.Duration, error) {
	ns, name := clusterNamespace(app/appsPerCluster), appName(app)+"-0"
	_, err := m.client.Resource(resources["ConfigMap"]).Namespace(ns).Patch(ctx, name, types.MergePatchType,
		[]byte(`{"data":{"version":"edited"}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = m.watched(ctx, resources["ConfigMap"], ns, func(u *unstructured.Unstructured, _ bool) bool {
		held, _, _ := unstructured.NestedString(u.Object, "data", "version")
		return u.GetName() == name && held == "v1"
	})
	return time.Since(began), err
}

func clusterNamespace(i int) string { return fmt.Sprintf("cluster-%d", i) }

// deploy puts applications into each cluster that answers.
func (m *clusters) deploy(ctx context.Context) (err error) {
	if m.api, err = clientcmd.BuildConfigFromFlags("", m.kubeconfig); err != nil {
		return err
	}
	files := map[string]string{}
	for i := range m.apps {
		more, err := m.files(i, "v1")
		if err != nil {
			return err
		}
		for name, text := range more {
			files[name] = text
		}
	}
	if _, err := m.repo.Commit(gitserver.Change{Files: files}); err != nil {
		return err
	}
	if err := m.install(ctx); err != nil {
		return err
	}
	for i := range goodClusters {
		if err := m.addGood(ctx, i); err != nil {
			return err
		}
	}
	if err := m.start(ctx); err != nil {
		return err
	}
	for i := range m.apps {
		cluster := i / appsPerCluster
		if err := m.deployTo(ctx, application(i, m.repo.URL, v1alpha1.DefaultNamespace), m.servers[cluster], clusterNamespace(cluster)); err != nil {
			return err
		}
	}
	_, err = m.countApps(ctx, synced)
	return err
}

func (m *clusters) deployTo(ctx context.Context, app *v1alpha1.Application, server, ns string) error {
	app.Spec.Destination = v1alpha1.ApplicationDestination{Server: server, Namespace: ns}
	return createApplication(ctx, m.client, app)
}

// addGood adds an address of the control plane as a cluster.
func (m *clusters) addGood(ctx context.Context, i int) error {
	if err := makeNamespaces(ctx, m.client, clusterNamespace(i)); err != nil {
		return err
	}
	target, err := url.Parse(m.api.Host)
	if err != nil {
		return err
	}
	l, err := m.listen(func(conn net.Conn) { forward(conn, target.Host) })
	if err != nil {
		return err
	}
	m.servers = append(m.servers, "https://"+l.Addr().String())
	return m.addSecret(ctx, fmt.Sprintf("good-%d", i), m.servers[i])
}

// addBad adds clusters that do not answer: every other refuses connections, the rest take them and say nothing. Each has
// an application.
func (m *clusters) addBad(ctx context.Context) error {
	for i := range badClusters {
		l, err := m.listen(func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		if err != nil {
			return err
		}
		server := "https://" + l.Addr().String()
		if i%2 == 0 {
			_ = l.Close()
		}
		if err := m.addSecret(ctx, fmt.Sprintf("bad-%d", i), server); err != nil {
			return err
		}
		app := application(i, m.repo.URL, v1alpha1.DefaultNamespace)
		app.Name = fmt.Sprintf("lost-%d", i)
		if err := m.deployTo(ctx, app, server, namespace); err != nil {
			return err
		}
	}
	return nil
}

func (m *clusters) addSecret(ctx context.Context, name, server string) error {
	config, err := json.Marshal(map[string]any{"tlsClientConfig": map[string]any{
		"caData": m.api.CAData, "certData": m.api.CertData, "keyData": m.api.KeyData}})
	if err != nil {
		return err
	}
	secret := newObject("v1", "Secret", name, map[string]any{"stringData": map[string]any{"name": name, "server": server, "config": string(config)}})
	secret.SetLabels(map[string]string{"argocd.argoproj.io/secret-type": "cluster"})
	_, err = m.client.Resource(estateKinds["Secret"]).Namespace(v1alpha1.DefaultNamespace).Create(ctx, secret, metav1.CreateOptions{})
	return err
}

// listen serves connections on an address of its own until the listeners are closed.
func (m *clusters) listen(serve func(net.Conn)) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m.listeners = append(m.listeners, l)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			}()
		}
	}()
	return l, nil
}

func (m *clusters) closeListeners() {
	for _, l := range m.listeners {
		_ = l.Close()
	}
}

// forward joins a connection with one to target until either ends.
func forward(conn net.Conn, target string) {
	there, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = there.Close() }()
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{there, conn}, {conn, there}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			done <- struct{}{}
		}()
	}
	<-done // the other way ends when the connections are closed
}
