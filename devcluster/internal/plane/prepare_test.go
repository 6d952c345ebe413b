// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"
)

func testLayout(t *testing.T) *layout {
	t.Helper()
	l, err := openLayout(filepath.Join(t.TempDir(), "deep", "dir"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func TestPortsDifferAndTheAPIServersIsKept(t *testing.T) {
	l := testLayout(t)
	first, err := choosePorts(l, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range []int{first.api, first.etcd, first.etcdPeer, first.kubelet, first.kwok} {
		if p < firstPort || p >= lastPort || seen[p] {
			t.Errorf("port %d is outside the range or chosen twice: %+v", p, first)
		}
		seen[p] = true
	}
	if second, err := choosePorts(l, 0); err != nil || second.api != first.api {
		t.Errorf("the API server moved from %d to %d (error %v)", first.api, second.api, err)
	}

	taker, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first.api)))
	if err != nil {
		t.Fatal(err)
	}
	defer taker.Close()
	if third, err := choosePorts(l, 0); err != nil || third.api == first.api {
		t.Errorf("a taken port was chosen: %d (error %v)", third.api, err)
	}
	if _, err := choosePorts(l, first.api); err == nil {
		t.Error("a taken port was accepted from the user")
	}
}

func TestCertificatesVerifyAndAreKept(t *testing.T) {
	l := testLayout(t)
	if err := l.writePKI(); err != nil {
		t.Fatal(err)
	}
	before := readAll(t, l.path(pkiDir))
	if err := l.writePKI(); err != nil {
		t.Fatal(err)
	}
	for name, content := range readAll(t, l.path(pkiDir)) {
		if !bytes.Equal(content, before[name]) {
			t.Errorf("%s changed at the second start", name)
		}
	}

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(before["ca.crt"])
	der, err := readPEM(l.pki("apiserver.crt"), "CERTIFICATE")
	if err != nil {
		t.Fatal(err)
	}
	server, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "kubernetes.default.svc", kubernetesServiceIP} {
		if _, err := server.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	frontProxy := x509.NewCertPool()
	frontProxy.AppendCertsFromPEM(before["front-proxy-ca.crt"])
	if _, err := server.Verify(x509.VerifyOptions{Roots: frontProxy}); err == nil {
		t.Error("the front proxy's authority signs for the API server: whoever holds it could be any user")
	}
}

func TestSecretsAreTheOwnersAlone(t *testing.T) {
	l := testLayout(t)
	p := &plane{layout: l, ports: ports{api: 1, etcd: 2, etcdPeer: 3, kubelet: 4, kwok: 5}}
	if err := p.prepare(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(l.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestConfigurationsAreYAML(t *testing.T) {
	p := &plane{layout: testLayout(t), ports: ports{api: 1, etcd: 2, etcdPeer: 3, kubelet: 4, kwok: 5}}
	if err := p.writeConfigs(); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, name := range []string{"audit-policy.yaml", "kube-scheduler.yaml", "kwok.yaml"} {
		content, err := os.ReadFile(p.config(name))
		if err != nil {
			t.Fatal(err)
		}
		documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
		for {
			var object struct {
				Kind string `json:"kind"`
			}
			err := documents.Decode(&object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			kinds[object.Kind]++
		}
	}
	for kind, want := range map[string]int{"Policy": 1, "KubeSchedulerConfiguration": 1, "KwokConfiguration": 1, "ClusterLogs": 1, "Stage": 9} {
		if kinds[kind] != want {
			t.Errorf("%d documents of kind %s, want %d", kinds[kind], kind, want)
		}
	}
}

func readAll(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string][]byte{}
	for _, e := range entries {
		if contents[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return contents
}
