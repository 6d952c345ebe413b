// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
)

func clusterSecret(data map[string]string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "prod"}, Data: map[string][]byte{}}
	for k, v := range data {
		secret.Data[k] = []byte(v)
	}
	return secret
}

func TestParseSecret(t *testing.T) {
	cfg, err := cluster.ParseSecret(clusterSecret(map[string]string{
		"name": "prod", "server": "https://10.0.0.1:6443/", "project": "shop", "namespaces": "a, b ,a,", "clusterResources": "true", "shard": "2",
		"config": `{"bearerToken":"t0ken","proxyUrl":"http://proxy:3128","disableCompression":true,
			"tlsClientConfig":{"serverName":"api.prod","caData":"Y2E=","certData":"Y2VydA==","keyData":"a2V5"}}`,
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Server != "https://10.0.0.1:6443" || cfg.Name != "prod" || cfg.Project != "shop" || *cfg.Shard != 2 ||
		!slices.Equal(cfg.Namespaces, []string{"a", "b"}) || !cfg.ClusterResources {
		t.Errorf("Config = %+v", cfg)
	}
	r := cfg.REST
	if r.Host != cfg.Server || r.BearerToken != "t0ken" || !r.DisableCompression || r.ServerName != "api.prod" ||
		string(r.CAData) != "ca" || string(r.CertData) != "cert" || string(r.KeyData) != "key" {
		t.Errorf("REST = %+v", r)
	}
	request, _ := http.NewRequest(http.MethodGet, cfg.Server, nil)
	if proxy, err := r.Proxy(request); err != nil || proxy.Host != "proxy:3128" {
		t.Errorf("Proxy = %v, %v", proxy, err)
	}
	if other, _ := cluster.ParseSecret(clusterSecret(map[string]string{"server": "https://10.0.0.1:6443"}), nil); other.Digest == cfg.Digest || other.Name != other.Server {
		t.Errorf("another Secret: %+v", other)
	}
}

func TestParseSecretOfTheHubHasNoConnectionOfItsOwn(t *testing.T) {
	cfg, err := cluster.ParseSecret(clusterSecret(map[string]string{"name": "in-cluster", "server": cluster.HubServer, "config": `{"tlsClientConfig":{"insecure":false}}`}), nil)
	if err != nil || cfg.REST != nil {
		t.Errorf("ParseSecret = %+v, %v, want no connection", cfg.REST, err)
	}
}

func TestExecIsOnlyForAllowedCommands(t *testing.T) {
	for _, tc := range []struct {
		command string
		allowed []string
		want    bool
	}{
		{"aws", []string{"aws"}, true},
		{"aws", nil, false},
		{"/tmp/aws", []string{"aws"}, false},
		{"./aws", []string{"aws", "./aws"}, false},
		{"/usr/bin/aws", []string{"/usr/bin/aws"}, true},
		{"/usr/bin/../../tmp/aws", []string{"/usr/bin/aws"}, false},
		{"", []string{""}, false},
	} {
		cfg, err := cluster.ParseSecret(clusterSecret(map[string]string{
			"server": "https://10.0.0.1", "config": `{"execProviderConfig":{"command":"` + tc.command + `","args":["get-token"],"env":{"B":"2","A":"1"},"apiVersion":"client.authentication.k8s.io/v1"}}`,
		}), tc.allowed)
		if got := err == nil; got != tc.want {
			t.Errorf("%q with %q allowed: %v", tc.command, tc.allowed, err)
		}
		switch {
		case err != nil && (!fault.Is(err, fault.Stalled) || !strings.Contains(err.Error(), cluster.ExecAllowKey)):
			t.Errorf("%q: %v, want one that names the setting", tc.command, err)
		case err == nil && (cfg.REST.ExecProvider.Command != tc.command || cfg.REST.ExecProvider.Env[0].Name != "A"):
			t.Errorf("ExecProvider = %+v", cfg.REST.ExecProvider)
		}
	}
}

func TestBadClusterSecrets(t *testing.T) {
	const server = "https://10.0.0.1"
	for name, tc := range map[string]struct {
		data map[string]string
		kind fault.Kind
		say  string
	}{
		"no server":       {map[string]string{}, fault.Mistake, "server"},
		"not an address":  {map[string]string{"server": "10.0.0.1:6443"}, fault.Mistake, "server"},
		"broken JSON":     {map[string]string{"server": server, "config": `{"bearerToken":"hunter2"`}, fault.Mistake, "config"},
		"wrong type":      {map[string]string{"server": server, "config": `{"bearerToken":{"hunter2":1}}`}, fault.Mistake, "bearerToken"},
		"not base64":      {map[string]string{"server": server, "config": `{"tlsClientConfig":{"caData":"hunter2!"}}`}, fault.Mistake, "config"},
		"AWS":             {map[string]string{"server": server, "config": `{"awsAuthConfig":{"clusterName":"x"}}`}, fault.Stalled, "awsAuthConfig is not supported yet"},
		"insecure and CA": {map[string]string{"server": server, "config": `{"tlsClientConfig":{"insecure":true,"caData":"Y2E="}}`}, fault.Mistake, "both insecure and caData"},
		"proxy":           {map[string]string{"server": server, "config": `{"proxyUrl":"nothing"}`}, fault.Mistake, "proxyUrl"},
		"name of no text": {map[string]string{"server": server, "name": "\xff"}, fault.Mistake, "name"},
		"server no text":  {map[string]string{"server": "https://a\xff.example.com"}, fault.Mistake, "server"},
		"shard":           {map[string]string{"server": server, "shard": "x"}, fault.Mistake, "shard"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cluster.ParseSecret(clusterSecret(tc.data), nil)
			if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.say) || !strings.Contains(err.Error(), "argocd/prod") {
				t.Errorf("ParseSecret = %v, want a %s that names the Secret and says %q", err, tc.kind, tc.say)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a value is in %q", err)
			}
		})
	}
}

func FuzzParseSecretNeverQuotesValues(f *testing.F) {
	f.Add(`{"bearerToken":"hunter2"`)
	f.Add(`{"tlsClientConfig":{"caData":"hunter2"}}`)
	f.Add(`{"password":["hunter2"],"proxyUrl":"http://u:hunter2@[::1"}`)
	f.Fuzz(func(t *testing.T, config string) {
		_, err := cluster.ParseSecret(clusterSecret(map[string]string{"server": "https://10.0.0.1", "config": config}), nil)
		if err != nil && strings.Contains(err.Error(), "hunter2") && !strings.Contains(err.Error(), "command") {
			t.Errorf("a value is in %q", err)
		}
	})
}

// Whoever may declare a cluster must not have the process connect to where a cloud answers with the machine's credentials.
func TestClustersAreNotAtAddressesOfTheMachine(t *testing.T) {
	secret := &corev1.Secret{Data: map[string][]byte{"name": []byte("far"), "server": []byte("https://169.254.169.254"), "config": []byte(`{"bearerToken":"token"}`)}}
	cfg, err := cluster.ParseSecret(secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.REST.Dial(t.Context(), "tcp", "169.254.169.254:443"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("%v, want it refused", err)
	}
}
