// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// chartName is what may stand for a chart: registries have charts in folders.
var chartName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)

// charts are those of an HTTP repository (https://helm.sh/docs/topics/chart_repository).
type charts struct {
	shop  *shop
	base  *url.URL
	index *asked[*index]
}

func newCharts(s *shop) (*charts, error) {
	base, err := parseBase(s.repo)
	if err != nil {
		return nil, err
	}
	c := &charts{shop: s, base: base}
	c.index = newAsked(s.all.store, c.askIndex)
	return c, nil
}

// resolve implements goods.
func (c *charts) resolve(ctx context.Context, a Artifact, notBefore time.Time) (Pin, error) {
	x, err := c.index.get(ctx, notBefore)
	if err != nil {
		return Pin{}, err
	}
	version, err := c.find(ctx, x, a.Name, a.Revision)
	if err != nil {
		return Pin{}, err
	}
	digest := promised(version)
	if digest == "" {
		digest, err = c.measure(ctx, x, a, version)
	}
	return Pin{Version: version.Version, Digest: digest}, err
}

// find returns the version of a chart that a revision means.
func (c *charts) find(ctx context.Context, x *index, chart, revision string) (chartVersion, error) {
	versions, err := x.versions(chart)
	if err != nil {
		return chartVersion{}, c.shop.web.failed(ctx, "read the index of", err)
	}
	if len(versions) == 0 {
		return chartVersion{}, unknownRevision(c.shop.repo, strings.TrimSpace(chart+" "+revision), "the repository has no chart "+chart, "set chart to the name of a chart that the repository has")
	}
	names := make([]string, len(versions))
	for i, v := range versions {
		names[i] = v.Version
	}
	at, ok := pickVersion(revision, names)
	if !ok {
		return chartVersion{}, noVersion(c.shop.repo, chart, revision)
	}
	return versions[at], nil
}

func noVersion(r Repository, chart, revision string) error {
	thing := strings.TrimSpace(chart + " " + revision)
	if revision == "" {
		return unknownRevision(r, thing, "there is no release of it", `set targetRevision to "*-0" to allow versions before a release`)
	}
	return unknownRevision(r, thing, "no version of it is "+revision+" or satisfies it", "set targetRevision to a version that exists, or widen the constraint")
}

// promised is the digest that the index has for an archive; "" if it has none that can be compared.
func promised(v chartVersion) string {
	digest := "sha256:" + strings.ToLower(strings.TrimPrefix(v.Digest, "sha256:"))
	if _, ok := digestHex(digest); !ok {
		return ""
	}
	return digest
}

// measure finds the digest of an archive for which the index has none, by fetching it.
func (c *charts) measure(ctx context.Context, x *index, a Artifact, v chartVersion) (string, error) {
	address, err := c.address(a, v)
	if err != nil {
		return "", err
	}
	at := address.String()
	x.mu.Lock()
	digest := x.sums[at]
	x.mu.Unlock()
	if digest != "" {
		return digest, nil
	}
	err = c.shop.share(ctx, "measure "+at, func(ctx context.Context) error {
		digest, err := c.download(ctx, a, v, "")
		if err != nil {
			return err
		}
		if _, err := c.stored(a, Pin{Version: v.Version, Digest: digest}); err != nil {
			return err // what is no chart gets no pin
		}
		x.mu.Lock()
		x.sums[at] = digest
		x.mu.Unlock()
		return nil
	})
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.sums[at], err
}

// stored implements goods.
func (c *charts) stored(a Artifact, p Pin) (tree.Tree, error) {
	return c.shop.chartTree(p.Digest, "chart "+a.Name+" "+p.Version+" of "+c.shop.repo.String())
}

// chartTree returns the unpacked archive of a chart.
func (s *shop) chartTree(digest, thing string) (tree.Tree, error) {
	limits := s.limits()
	files, err := s.shelf.unpacked(s.all.store.base, digest, unpacking{thing: thing, strip: true, bytes: limits.Chart, setting: chartSetting, files: limits.Files})
	if err != nil {
		return nil, err
	}
	if _, err := files.Lookup(s.all.store.base, "Chart.yaml"); err != nil {
		return nil, fault.New(fault.Mistake, "read", thing, "Chart.yaml", "the archive holds no chart in its first folder", "publish it again")
	}
	return files, nil
}

// fetch implements goods.
func (c *charts) fetch(ctx context.Context, a Artifact, p Pin) error {
	if c.shop.shelf.has(p.Digest) {
		return nil // somebody fetched it meanwhile
	}
	x, err := c.index.get(ctx, c.shop.all.store.clock.Now().Add(-c.shop.trust()))
	if err != nil {
		return err
	}
	version, err := c.find(ctx, x, a.Name, p.Version)
	if err != nil {
		return err
	}
	if digest := promised(version); digest != "" && digest != p.Digest {
		return unknownRevision(c.shop.repo, a.Name+" "+p.Version, "the repository has another archive of this version now: its digest is "+digest+" and not "+p.Digest,
			"refresh the application to take the new one, or use a version that is not published again")
	}
	_, err = c.download(ctx, a, version, p.Digest)
	return err
}

// download stores the archive of a version. If want is not "", it has to have this digest.
func (c *charts) download(ctx context.Context, a Artifact, v chartVersion, want string) (string, error) {
	address, err := c.address(a, v)
	if err != nil {
		return "", err
	}
	if address.Scheme == "oci" {
		return c.shop.downloadElsewhere(ctx, address, want)
	}
	if a.PassCredentials {
		ctx = c.shop.web.passCredentials(ctx, address)
	}
	digest := ""
	err = c.shop.asking(ctx, RequestExtract, a.Name+" "+v.Version, func(ctx context.Context) error {
		answer, err := c.shop.web.get(ctx, address.String(), http.Header{"Accept-Encoding": {"identity"}}) //nolint:bodyclose // drain closes it
		if err != nil {
			return err
		}
		defer drain(answer.Body)
		digest, err = c.shop.saveArchive(answer.Body, "chart "+a.Name+" "+v.Version+" of "+c.shop.repo.String(), want)
		return err
	})
	return digest, err
}

// saveArchive stores an archive as it comes, if it is not larger than allowed.
func (s *shop) saveArchive(body io.Reader, thing, want string) (string, error) {
	limit := s.limits().Archive
	body = atMost(body, limit, tooLarge("fetch", thing, "the size of the archive", byteCount(limit), archiveSetting))
	return s.save(func() (string, int64, error) { return s.shelf.put(body, want) })
}

// address is where the archive of a version is: relative to the repository, with its query, or anywhere else on the web.
func (c *charts) address(a Artifact, v chartVersion) (*url.URL, error) {
	refuse := func(cause string) (*url.URL, error) {
		return nil, fault.New(fault.Mistake, "fetch", "chart "+a.Name+" "+v.Version+" of "+c.shop.repo.String(), "index.yaml", cause, "publish the index again with an address of the archive")
	}
	if len(v.URLs) == 0 {
		return refuse("the index has no address for this version")
	}
	u, err := url.Parse(v.URLs[0])
	switch {
	case err != nil || control.MatchString(v.URLs[0]):
		return refuse("the address in the index is none")
	case u.Scheme != "":
	default:
		base := *c.base
		base.User, base.Fragment, base.RawPath = nil, "", ""
		base.Path = strings.TrimSuffix(base.Path, "/") + "/"
		query := u.RawQuery
		if u = base.ResolveReference(u); query == "" {
			u.RawQuery = base.RawQuery
		}
	}
	if u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "oci" || u.Host == "" {
		return refuse("the address in the index is neither http, https nor oci")
	}
	if c.base.Scheme == "https" && u.Scheme == "http" && u.Host == c.base.Host {
		u.Scheme = "https" // a server that does not know of the proxy which encrypts for it
	}
	u.User = nil
	return u, nil
}

// downloadElsewhere stores a chart that an HTTP index keeps in a registry: oci://host/path:tag, as some public repositories do.
// The registry is asked without credentials, and has a private address only if the repository has one itself.
func (s *shop) downloadElsewhere(ctx context.Context, address *url.URL, want string) (string, error) {
	path, tag, _ := strings.Cut(strings.Trim(address.Path, "/"), ":")
	dir, name, ok := cutLast(path, "/")
	if !ok {
		dir, name = "", path
	}
	elsewhere := Repository{URL: ociScheme + address.Host + "/" + dir, Type: KindHelm, EnableOCI: true, Project: s.repo.Project, Proxy: s.repo.Proxy, NoProxy: s.repo.NoProxy}
	kind := artifactElsewhere
	if s.web.inside.Load() {
		kind = ArtifactChart
	}
	other, err := s.all.shop(elsewhere, kind)
	if err != nil {
		return "", err
	}
	return other.what.(*ociRegistry).archiveOf(ctx, Artifact{Kind: ArtifactChart, Name: name, Revision: tag}, s.shelf, want)
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}
