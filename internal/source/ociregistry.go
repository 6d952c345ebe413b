// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/internal/fault"
)

const ociScheme = "oci://"

// Media types (OCI image specification; https://github.com/helm/community/blob/main/hips/hip-0006.md for charts).
const (
	manifestOCI    = "application/vnd.oci.image.manifest.v1+json"
	manifestDocker = "application/vnd.docker.distribution.manifest.v2+json"
	indexOCI       = "application/vnd.oci.image.index.v1+json"
	indexDocker    = "application/vnd.docker.distribution.manifest.list.v2+json"
	layerTar       = "application/vnd.oci.image.layer.v1.tar"
	layerTarGzip   = "application/vnd.oci.image.layer.v1.tar+gzip"
	chartLayer     = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	provenance     = "application/vnd.cncf.helm.chart.provenance.v1.prov"
)

// shelfmark is where a registry keeps something.
type shelfmark struct {
	scheme, host string // host with port
	path         string // without slashes at the ends; may be empty for a registry of charts
}

var (
	registryHost = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?$`)
	// registryPath is the name of a repository by the OCI distribution specification.
	registryPath = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	registryTag  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

// parseRegistry checks the address of a registry: oci://host/path, or host/path as Secrets with enableOCI have it.
func parseRegistry(r Repository) (shelfmark, error) {
	refuse := func(cause string) (shelfmark, error) {
		return shelfmark{}, fault.New(fault.Mistake, "use", "repository "+r.String(), "", cause, "write it as oci://host/path")
	}
	p := shelfmark{scheme: "https"}
	if r.InsecureOCIForceHTTP {
		p.scheme = "http"
	}
	rest := r.URL
	for _, scheme := range []string{ociScheme, "https://"} {
		rest = strings.TrimPrefix(rest, scheme)
	}
	p.host, p.path, _ = strings.Cut(rest, "/")
	p.path = strings.Trim(p.path, "/")
	switch {
	case strings.Contains(p.host, "@"):
		return refuse("the address of a registry holds no credentials")
	case !registryHost.MatchString(p.host):
		return refuse("this is not the address of a registry")
	case p.path != "" && !registryPath.MatchString(p.path):
		return refuse("the path is not a name that registries have: small letters, digits and .-_/ only")
	}
	if strings.EqualFold(p.host, "docker.io") {
		p.host = "registry-1.docker.io" // the name is that of the pages for people
	}
	return p, nil
}

func (p shelfmark) address() string { return p.scheme + "://" + p.host + "/" + p.path }

// ociRegistry is an OCI registry as one repository reads it (OCI distribution specification 1.1).
type ociRegistry struct {
	shop *shop
	at   shelfmark
	who  func(context.Context) (login, error)

	mu     sync.Mutex
	images map[string]*image       // by path
	basic  bool                    // the registry wants user and password
	tokens map[string]registryPass // by path
}

func newOCIRegistry(s *shop) (*ociRegistry, error) {
	at, err := parseRegistry(s.repo)
	if err != nil {
		return nil, err
	}
	g := &ociRegistry{shop: s, at: at, who: s.web.credential, images: map[string]*image{}, tokens: map[string]registryPass{}}
	s.web.credential = func(context.Context) (login, error) { return login{}, nil } // send adds what the registry asks for
	return g, nil
}

// ask sends a request about one of the registry's repositories, and judges the status as web.get does.
func (g *ociRegistry) ask(ctx context.Context, method, path, what, query, accept string) (*http.Response, error) {
	u := url.URL{Scheme: g.at.scheme, Host: g.at.host, Path: "/v2/" + path + "/" + what, RawQuery: query}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // digests are of what is sent
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	answer, err := g.send(req, path)
	if err != nil {
		return nil, err
	}
	if err := checkStatus(answer, !g.shop.repo.hasCredentials()); err != nil {
		drain(answer.Body)
		return nil, err
	}
	answer.Body = keepPace(answer.Body, g.shop.web.options.patience)
	return answer, nil
}
