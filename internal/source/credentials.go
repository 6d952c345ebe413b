// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Labels and keys of Argo CD's Secrets and ConfigMaps for repositories.
const (
	SecretTypeLabel     = "argocd.argoproj.io/secret-type"
	SecretTypeRepo      = "repository"
	SecretTypeRepoCreds = "repo-creds"
	KnownHostsKey       = "ssh_known_hosts" // in the ConfigMap argocd-ssh-known-hosts-cm
)

// Credentials are what the Secrets say about repositories.
type Credentials struct {
	repositories []entry // of Secrets of type repository
	templates    []entry // of Secrets of type repo-creds: URL is a prefix
	certificates map[string]string
	knownHosts   string
}

// entry is a Secret with the forms of its address that are compared.
type entry struct {
	Repository
	normal    string // object.NormaliseRepoURL
	authority string
}

// ParseSecrets reads the labelled Secrets of the control namespace, the data of argocd-tls-certs-cm (host to PEM) and of
// argocd-ssh-known-hosts-cm. A Secret that cannot be read costs nobody else anything: it is left out and named in the errors.
func ParseSecrets(secrets []corev1.Secret, tlsCertificates, knownHosts map[string]string) (*Credentials, []error) {
	c := &Credentials{certificates: tlsCertificates, knownHosts: knownHosts[KnownHostsKey]}
	var problems []error
	byName := slices.SortedFunc(slices.Values(secrets), func(a, b corev1.Secret) int { return cmp.Compare(a.Name, b.Name) })
	for i := range byName {
		kind := byName[i].Labels[SecretTypeLabel]
		if kind != SecretTypeRepo && kind != SecretTypeRepoCreds {
			continue
		}
		r, err := parseSecret(&byName[i])
		if err != nil {
			problems = append(problems, err)
			continue
		}
		e := entry{r, object.NormaliseRepoURL(r.URL), authorityOf(r.URL)}
		if kind == SecretTypeRepo {
			c.repositories = append(c.repositories, e)
		} else {
			c.templates = append(c.templates, e)
		}
	}
	return c, problems
}

// unsupportedKeys are keys of credentials that this version cannot use, with the name people know them by.
var unsupportedKeys = map[string]string{
	"githubAppPrivateKey": "GitHub App", "githubAppID": "GitHub App",
	"gcpServiceAccountKey": "Google Cloud", "useAzureWorkloadIdentity": "Azure workload identity", "azureServicePrincipalClientId": "Azure service principal",
}

func parseSecret(s *corev1.Secret) (Repository, error) {
	text := func(key string) string { return strings.TrimSpace(string(s.Data[key])) }
	value := func(key string) fault.Secret { return fault.NewSecret(strings.TrimRight(string(s.Data[key]), "\r\n")) }
	thing := "Secret " + s.Namespace + "/" + s.Name
	r := Repository{
		URL: text("url"), Type: text("type"), Project: text("project"), Name: text("name"),
		Username: text("username"), Password: value("password"), BearerToken: value("bearerToken"),
		SSHPrivateKey: fault.NewSecret(string(s.Data["sshPrivateKey"])),
		TLSClientCert: string(s.Data["tlsClientCertData"]), TLSClientKey: fault.NewSecret(string(s.Data["tlsClientCertKey"])),
		Proxy: text("proxy"), NoProxy: text("noProxy"),
	}
	if r.URL == "" {
		return Repository{}, fault.New(fault.Mistake, "read", thing, "data.url", "it has no url", "set the address of the repository")
	}
	for _, flag := range []struct {
		key    string
		target *bool
	}{{"insecure", &r.Insecure}, {"insecureIgnoreHostKey", &r.InsecureIgnoreHostKey}, {"forceHttpBasicAuth", &r.ForceHTTPBasicAuth}} {
		if err := parseFlag(text(flag.key), flag.target); err != nil {
			return Repository{}, fault.New(fault.Mistake, "read", thing, "data."+flag.key, err.Error(), `write "true" or "false"`)
		}
	}
	if depth := text("depth"); depth != "" {
		n, err := strconv.Atoi(depth)
		if err != nil || n < 0 {
			return Repository{}, fault.New(fault.Mistake, "read", thing, "data.depth", "it is not a number", "write a number of commits, or leave it out")
		}
		r.Depth = n
	}
	for _, key := range slices.Sorted(maps.Keys(unsupportedKeys)) {
		if text(key) != "" && text(key) != "false" {
			r.unsupported = unsupportedKeys[key]
		}
	}
	return r, nil
}

func parseFlag(text string, target *bool) error {
	if text == "" {
		return nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	*target = value
	return nil
}

// For returns how a project reads a repository: with the `repository` Secret of this address and project, else of this
// address and no project; what that leaves open, or if there is none everything, from the `repo-creds` Secret with
// the longest prefix of the address; else without credentials. A Secret scoped to one project serves no other.
func (c *Credentials) For(address, project string) (Repository, error) {
	r, ok := c.repository(address, project)
	if !ok {
		r = Repository{URL: address}
	}
	r.URL = address // spelled as the Application has it: hosts differ in what they take
	if !r.hasCredentials() {
		if t, ok := c.template(address, project); ok {
			r = inherit(r, t)
		}
	}
	if r.unsupported != "" {
		return Repository{}, fault.New(fault.Stalled, "use", "repository "+r.String(), "", "its Secret holds "+r.unsupported+" credentials, which are not supported yet",
			"use username and password, bearerToken, sshPrivateKey or a TLS client certificate")
	}
	r.KnownHosts = c.knownHosts
	r.CA = c.certificates[hostOf(address)]
	return r, nil
}

func isGit(r Repository) bool { return r.Type == "" || r.Type == "git" }

func (c *Credentials) repository(address, project string) (Repository, bool) {
	wanted := object.NormaliseRepoURL(address)
	var common *entry
	for i := range c.repositories {
		e := &c.repositories[i]
		if e.normal != wanted || !isGit(e.Repository) {
			continue
		}
		if e.Project == project {
			return e.Repository, true
		}
		if e.Project == "" && common == nil {
			common = e
		}
	}
	if common == nil {
		return Repository{}, false
	}
	return common.Repository, true
}

// template finds the longest prefix. The host has to match as a whole: the credentials of https://git.example.com
// are not for https://git.example.com.evil.org.
func (c *Credentials) template(address, project string) (Repository, bool) {
	wanted, authority := object.NormaliseRepoURL(address), authorityOf(address)
	var best *entry
	for i := range c.templates {
		e := &c.templates[i]
		if e.authority != authority || !strings.HasPrefix(wanted, e.normal) || e.Project != "" && e.Project != project || !isGit(e.Repository) {
			continue
		}
		if best == nil || len(e.normal) > len(best.normal) {
			best = e
		}
	}
	if best == nil {
		return Repository{}, false
	}
	return best.Repository, true
}

// inherit takes what decides about access from a template.
func inherit(r, t Repository) Repository {
	r.Username, r.Password, r.BearerToken = t.Username, t.Password, t.BearerToken
	r.SSHPrivateKey, r.TLSClientCert, r.TLSClientKey = t.SSHPrivateKey, t.TLSClientCert, t.TLSClientKey
	r.ForceHTTPBasicAuth, r.unsupported = r.ForceHTTPBasicAuth || t.ForceHTTPBasicAuth, t.unsupported
	r.Proxy, r.NoProxy = cmp.Or(r.Proxy, t.Proxy), cmp.Or(r.NoProxy, t.NoProxy)
	r.Insecure, r.InsecureIgnoreHostKey = r.Insecure || t.Insecure, r.InsecureIgnoreHostKey || t.InsecureIgnoreHostKey
	return r
}

// hostOf returns the host without port in lower case; "" if the address has none.
func hostOf(address string) string {
	authority := authorityOf(address)
	if host, _, err := net.SplitHostPort(authority); err == nil {
		return host
	}
	return strings.Trim(authority, "[]")
}

// authorityOf returns the host, with its port if the address has one, in lower case.
func authorityOf(address string) string {
	address = strings.TrimSpace(address)
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return strings.ToLower(u.Host)
	}
	if parts := scpForm.FindStringSubmatch(address); parts != nil {
		return strings.ToLower(parts[2])
	}
	return ""
}
