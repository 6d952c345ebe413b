// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Labels and keys of Argo CD's Secrets and ConfigMaps for repositories.
const (
	SecretTypeLabel      = "argocd.argoproj.io/secret-type"
	SecretTypeRepo       = "repository"
	SecretTypeRepoCreds  = "repo-creds"
	SecretTypeWrite      = "repository-write"
	SecretTypeWriteCreds = "repo-write-creds"
	KnownHostsKey        = "ssh_known_hosts" // in the ConfigMap argocd-ssh-known-hosts-cm
)

// Credentials are what the Secrets say about repositories.
type Credentials struct {
	repositories []*entry              // of Secrets of type repository
	at           map[location][]*entry // the same by where they are: there may be thousands
	templates    []*entry              // of Secrets of type repo-creds: URL is a prefix
	writes       bool                  // writing goes before the others
	writing      *Credentials          // those of Secrets of type repository-write and repo-write-creds
	certificates map[string]string     // by host, in lower case
	knownHosts   string
}

// entry is a Secret with its address in the form in which addresses are compared.
type entry struct {
	Repository
	location location
	err      error // why the Secret cannot be used; whoever it is for is told so, instead of being served by another
}

// ParseSecrets reads the labelled Secrets of the control namespace, the data of argocd-tls-certs-cm (host to PEM) and of
// argocd-ssh-known-hosts-cm. What Secrets hold for writing never serves to read.
// A Secret that cannot be read costs nobody else anything: it is named in the errors, and the repositories it is for say so.
func ParseSecrets(secrets []corev1.Secret, tlsCertificates, knownHosts map[string]string) (*Credentials, []error) {
	c := newCredentials(tlsCertificates, knownHosts)
	c.writing = newCredentials(tlsCertificates, knownHosts)
	var problems []error
	byName := slices.SortedFunc(slices.Values(secrets), func(a, b corev1.Secret) int { return cmp.Compare(a.Name, b.Name) })
	for i := range byName {
		into, kind := c, byName[i].Labels[SecretTypeLabel]
		switch kind {
		case SecretTypeRepo, SecretTypeRepoCreds:
		case SecretTypeWrite, SecretTypeWriteCreds:
			into = c.writing
		default:
			continue
		}
		r, err := parseSecret(&byName[i])
		if err != nil {
			problems = append(problems, err)
		}
		if r.URL != "" {
			into.add(&entry{r, locate(r.URL), err}, kind == SecretTypeRepo || kind == SecretTypeWrite)
		}
	}
	return c, problems
}

func newCredentials(tlsCertificates, knownHosts map[string]string) *Credentials {
	c := &Credentials{at: map[location][]*entry{}, certificates: map[string]string{}, knownHosts: knownHosts[KnownHostsKey]}
	for host, pem := range tlsCertificates {
		c.certificates[strings.ToLower(host)] = pem
	}
	return c
}

// add takes a Secret, of one repository or of all below an address.
func (c *Credentials) add(e *entry, repository bool) {
	if !repository {
		c.templates = append(c.templates, e)
		return
	}
	e.Declared = true
	c.repositories = append(c.repositories, e)
	c.at[e.location] = append(c.at[e.location], e)
}

// For is ForType for a Git repository.
func (c *Credentials) For(address, project string) (Repository, error) {
	if c.writes {
		_, one := c.writing.find(KindGit, address, project)
		_, several := c.writing.template(KindGit, address, project)
		if one || several {
			return c.writing.For(address, project)
		}
	}
	return c.ForType(KindGit, address, project)
}

// Writing returns credentials with which Git repositories are written to, and read meanwhile: those of Secrets of type
// `repository-write` and `repo-write-creds`, and where there are none for a repository, those it is read with.
func (c *Credentials) Writing() *Credentials {
	w := *c
	w.writes = true
	return &w
}

// ForType returns how a project reads a repository of a kind: with the `repository` Secret of this address and project,
// else of this address and no project; what that leaves open, or if there is none everything, from the `repo-creds`
// Secret with the longest prefix of the address; else without credentials. A Secret scoped to one project serves no other.
//
// A Secret serves the kind its type says, and one of type helm files at an address too: no other does, since whoever may push
// writes the address, and that of a Git host leads to its API as well; one without type is for Git and, if there is none of the right type, for the
// others too. Addresses of registries are compared without "oci://", and the types helm and oci stand for each other there.
func (c *Credentials) ForType(kind, address, project string) (Repository, error) {
	r := Repository{}
	if e, ok := c.find(kind, address, project); ok {
		if e.err != nil {
			return Repository{}, e.err
		}
		r = e.Repository
	}
	r.URL = address // spelled as the Application has it: hosts differ in what they take
	return c.complete(kind, r, project)
}

// ByName returns the chart repository that a Secret gives this name: what `@name` and `alias:name` in a chart's
// dependencies mean. The project's own goes before one for all. The error is why its Secret cannot be used; ok is false if
// there is none of this name.
func (c *Credentials) ByName(name, project string) (r Repository, ok bool, err error) {
	var best *entry
	for _, e := range c.repositories {
		if name == "" || e.Name != name || e.serves(KindHelm) == 0 || e.Project != "" && e.Project != project {
			continue
		}
		if best == nil || e.better(best, KindHelm) {
			best = e
		}
	}
	if best == nil {
		return Repository{}, false, nil
	}
	if best.err != nil {
		return Repository{}, true, best.err
	}
	r, err = c.complete(KindHelm, best.Repository, project)
	return r, true, err
}

// complete adds what a template and the ConfigMaps say.
func (c *Credentials) complete(kind string, r Repository, project string) (Repository, error) {
	if !r.hasCredentials() {
		if t, ok := c.template(kind, r.URL, project); ok {
			if t.err != nil {
				return Repository{}, t.err
			}
			if t.Project == "" && t.Proxy != r.Proxy && r.exposes() {
				return Repository{}, fault.New(fault.Forbidden, "use", "the credentials for all below "+fault.RedactURL(t.URL),
					"repository "+fault.RedactURL(r.URL)+" of project "+r.Project,
					"a proxy of the project's own would see them", "verify the certificate of the host, leave the proxy out, or give the repository credentials of its own")
			}
			r = inherit(r, t.Repository)
		}
	}
	host := hostOf(r.URL)
	r.CA = c.certificates[host]
	if e, err := parseEndpoint(r.URL, true); err == nil && e.scheme == "ssh" {
		r.KnownHosts = knownHostsOf(c.knownHosts, host)
	}
	if i := r.issuer(); i != nil {
		r.TokenCA = c.certificates[hostOf(i.address())]
	}
	return r, nil
}

// find returns the Secret of a repository.
func (c *Credentials) find(kind, address, project string) (*entry, bool) {
	var best *entry
	for _, e := range c.at[locate(address)] {
		if e.serves(kind) == 0 || e.Project != "" && e.Project != project {
			continue
		}
		if best == nil || e.better(best, kind) {
			best = e
		}
	}
	return best, best != nil
}

// template finds the longest prefix. The host has to match as a whole: the credentials of https://git.example.com
// are not for https://git.example.com.evil.org.
func (c *Credentials) template(kind, address, project string) (*entry, bool) {
	wanted := locate(address)
	var best *entry
	for _, e := range c.templates {
		if !wanted.under(e.location) || e.serves(kind) == 0 || e.Project != "" && e.Project != project {
			continue
		}
		if best == nil || len(e.location.normal) > len(best.location.normal) || len(e.location.normal) == len(best.location.normal) && e.better(best, kind) {
			best = e
		}
	}
	return best, best != nil
}

// serves says how well a Secret fits a kind: 0 not at all, 2 if made for it.
func (e *entry) serves(kind string) int {
	switch {
	case kind == KindFile && e.Type == KindHelm:
		return 2
	case kind == KindFile:
		return 0
	case e.Type == kind, e.Type == "" && kind == KindGit:
		return 2
	case e.Type == "", e.location.registry && kind != KindGit && e.Type != KindGit:
		return 1
	}
	return 0
}

// better reports whether e goes before other, which is as good an address: the project's own, then what is made for
// the kind, then what can be used; else the first by name.
func (e *entry) better(other *entry, kind string) bool {
	if own := e.Project != ""; own != (other.Project != "") {
		return own
	}
	if a, b := e.serves(kind), other.serves(kind); a != b {
		return a > b
	}
	return e.err == nil && other.err != nil
}

// inherit takes what decides about access from a template.
func inherit(r, t Repository) Repository {
	r.Username, r.Password, r.BearerToken = t.Username, t.Password, t.BearerToken
	r.SSHPrivateKey, r.TLSClientCert, r.TLSClientKey = t.SSHPrivateKey, t.TLSClientCert, t.TLSClientKey
	r.GitHubApp, r.Google, r.Azure = t.GitHubApp, t.Google, t.Azure
	r.ForceHTTPBasicAuth = r.ForceHTTPBasicAuth || t.ForceHTTPBasicAuth
	r.EnableOCI, r.InsecureOCIForceHTTP = r.EnableOCI || t.EnableOCI, r.InsecureOCIForceHTTP || t.InsecureOCIForceHTTP
	r.Insecure, r.InsecureIgnoreHostKey = r.Insecure || t.Insecure, r.InsecureIgnoreHostKey || t.InsecureIgnoreHostKey
	if r.Proxy == "" {
		r.Proxy, r.NoProxy = t.Proxy, cmp.Or(r.NoProxy, t.NoProxy)
	}
	return r
}

// unusable is the error for a key of a Secret that says nothing usable.
func unusable(secret *corev1.Secret, key, cause, fix string) error {
	return fault.New(fault.Mistake, "read", "Secret "+secret.Namespace+"/"+secret.Name, "data."+key, cause, fix)
}
