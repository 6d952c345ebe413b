// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/internal/egress"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// HubServer and HubName are how Applications name the cluster Bowline itself runs against.
const (
	HubServer = "https://kubernetes.default.svc"
	HubName   = "in-cluster"
)

// ExecAllowKey is the key of argocd-cm that lists the commands cluster Secrets may run, separated by commas.
const ExecAllowKey = "bowline.cluster.execAllowed"

// Config says how to reach one cluster and how much of it to look at.
type Config struct {
	Server, Name, Project string
	Namespaces            []string // not empty: only these namespaces are looked at
	ClusterResources      bool     // in namespaced mode: cluster-scoped kinds too
	Labels, Annotations   map[string]string
	Shard                 *int
	REST                  *rest.Config  // nil: the hub's own, filled in by the caller
	Digest                object.Digest // of the Secret's data; a new digest means a new connection
}

// Hub returns the Config of the cluster Bowline itself runs against.
func Hub(config *rest.Config) Config {
	return Config{Server: HubServer, Name: HubName, REST: config}
}

// connection is the JSON of a cluster Secret's key "config", as Argo CD documents it
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters).
type connection struct {
	Username           string          `json:"username"`
	Password           string          `json:"password"`
	BearerToken        string          `json:"bearerToken"`
	TLS                tlsConnection   `json:"tlsClientConfig"`
	AWS                json.RawMessage `json:"awsAuthConfig"`
	Exec               *execConnection `json:"execProviderConfig"`
	DisableCompression bool            `json:"disableCompression"`
	ProxyURL           string          `json:"proxyUrl"`
}

type tlsConnection struct {
	Insecure   bool   `json:"insecure"`
	ServerName string `json:"serverName"`
	CAData     []byte `json:"caData"`
	CertData   []byte `json:"certData"`
	KeyData    []byte `json:"keyData"`
}

type execConnection struct {
	Command            string            `json:"command"`
	Args               []string          `json:"args"`
	Env                map[string]string `json:"env"`
	APIVersion         string            `json:"apiVersion"`
	InstallHint        string            `json:"installHint"`
	ProvideClusterInfo bool              `json:"provideClusterInfo"`
	Config             json.RawMessage   `json:"config"`
}

// ParseSecret reads a cluster Secret. allowExec lists the commands that may be run for credentials, by base name or
// absolute path; every other command is refused (fault.Stalled), because a Secret must not be able to start programs.
// A Secret for the hub's own address without credentials gives a Config whose REST is nil.
// No error ever quotes a value of the Secret other than its name, server and command.
func ParseSecret(secret *corev1.Secret, allowExec []string) (Config, error) {
	where := "Secret " + secret.Namespace + "/" + secret.Name
	cfg := Config{
		Server:           strings.TrimRight(strings.TrimSpace(string(secret.Data["server"])), "/"),
		Name:             strings.TrimSpace(string(secret.Data["name"])),
		Project:          strings.TrimSpace(string(secret.Data["project"])),
		Namespaces:       splitList(string(secret.Data["namespaces"])),
		ClusterResources: strings.TrimSpace(string(secret.Data["clusterResources"])) == "true",
		Labels:           secret.Labels,
		Annotations:      secret.Annotations,
		Digest:           object.DigestOf(secret.Data),
	}
	if cfg.Name == "" {
		cfg.Name = cfg.Server
	}
	if err := checkServer(cfg.Server, where); err != nil {
		return Config{}, err
	}
	if !utf8.ValidString(cfg.Name) {
		return Config{}, fault.New(fault.Mistake, "read the cluster of", where, "name", "it is not valid UTF-8", "set name to a text")
	}
	shard, err := parseShard(string(secret.Data["shard"]), where)
	if err != nil {
		return Config{}, err
	}
	cfg.Shard = shard
	var conn connection
	if raw := secret.Data["config"]; len(raw) > 0 {
		if err := json.Unmarshal(raw, &conn); err != nil {
			return Config{}, fault.New(fault.Mistake, "read the cluster of", where, "config", "not the JSON of a cluster's connection: "+jsonShape(err),
				"write config as {\"bearerToken\": …, \"tlsClientConfig\": {…}}")
		}
	}
	cfg.REST, err = conn.restConfig(cfg, where, allowExec)
	return cfg, err
}

func checkServer(server, where string) error {
	u, err := url.Parse(server)
	if err == nil && utf8.ValidString(server) && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		return nil
	}
	return fault.New(fault.Mistake, "read the cluster of", where, "server", "not an http(s) address", "set server to the URL of the API server")
}

func parseShard(text, where string) (*int, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return nil, fault.New(fault.Mistake, "read the cluster of", where, "shard", "not a whole number from 0", "set shard to the number of a replica")
	}
	return &n, nil
}

func splitList(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	return out
}

// jsonShape says what is wrong with JSON without quoting any of it.
func jsonShape(err error) string {
	switch e := err.(type) { //nolint:errorlint // what the decoder returned, not wrapped
	case *json.SyntaxError:
		return fmt.Sprintf("syntax error at byte %d", e.Offset)
	case *json.UnmarshalTypeError:
		return fmt.Sprintf("field %s has the wrong type", e.Field)
	default:
		return "a value cannot be decoded"
	}
}

func (c *connection) empty() bool {
	return c.Username == "" && c.Password == "" && c.BearerToken == "" && c.Exec == nil && len(c.AWS) == 0 &&
		len(c.TLS.CertData) == 0 && len(c.TLS.CAData) == 0
}

func (c *connection) restConfig(cfg Config, where string, allowExec []string) (*rest.Config, error) {
	if len(c.AWS) > 0 && string(c.AWS) != "null" {
		return nil, fault.New(fault.Stalled, "connect to", "cluster "+cfg.Name, where, "awsAuthConfig is not supported yet",
			"use bearerToken, a client certificate, or execProviderConfig with a command that "+ExecAllowKey+" in argocd-cm allows")
	}
	if cfg.Server == HubServer && c.empty() {
		return nil, nil
	}
	out := &rest.Config{
		Host: cfg.Server, Username: c.Username, Password: c.Password, BearerToken: c.BearerToken, DisableCompression: c.DisableCompression,
		TLSClientConfig: rest.TLSClientConfig{
			Insecure: c.TLS.Insecure, ServerName: c.TLS.ServerName, CAData: c.TLS.CAData, CertData: c.TLS.CertData, KeyData: c.TLS.KeyData,
		},
		Dial: egress.Dial, // whoever may declare a cluster must not reach the machine by that
	}
	if c.TLS.Insecure && len(c.TLS.CAData) > 0 {
		return nil, fault.New(fault.Mistake, "connect to", "cluster "+cfg.Name, where, "tlsClientConfig has both insecure and caData", "remove one of them")
	}
	if c.ProxyURL != "" {
		proxy, err := url.Parse(c.ProxyURL)
		if err != nil || proxy.Host == "" || !slices.Contains([]string{"http", "https", "socks5"}, proxy.Scheme) {
			return nil, fault.New(fault.Mistake, "connect to", "cluster "+cfg.Name, where, "proxyUrl is not an http, https or socks5 address", "correct proxyUrl")
		}
		out.Proxy = http.ProxyURL(proxy)
	}
	if c.Exec != nil {
		provider, err := c.Exec.provider(cfg, where, allowExec)
		if err != nil {
			return nil, err
		}
		out.ExecProvider = provider
	}
	return out, nil
}

func (e *execConnection) provider(cfg Config, where string, allowExec []string) (*clientcmdapi.ExecConfig, error) {
	if !execAllowed(e.Command, allowExec) {
		return nil, fault.New(fault.Stalled, "connect to", "cluster "+cfg.Name, where, fmt.Sprintf("execProviderConfig asks to run the command %q, which is not allowed", e.Command),
			"add it to "+ExecAllowKey+" in argocd-cm if it may run beside every cluster's credentials")
	}
	out := &clientcmdapi.ExecConfig{
		Command: e.Command, Args: e.Args, APIVersion: e.APIVersion, InstallHint: e.InstallHint,
		ProvideClusterInfo: e.ProvideClusterInfo, InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
	}
	for _, name := range sortedKeys(e.Env) {
		out.Env = append(out.Env, clientcmdapi.ExecEnvVar{Name: name, Value: e.Env[name]})
	}
	if len(e.Config) > 0 {
		out.Config = &runtime.Unknown{Raw: e.Config, ContentType: runtime.ContentTypeJSON}
	}
	return out, nil
}

// execAllowed compares a base name in the list with a command without a path, and a path with the whole command:
// "aws" in the list must not allow "/tmp/aws".
func execAllowed(command string, allowed []string) bool {
	if command == "" || (strings.ContainsRune(command, '/') && !filepath.IsAbs(command)) {
		return false
	}
	return slices.Contains(allowed, filepath.Clean(command))
}
