// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/bowline-cd/bowline/internal/tree"
)

// image is one repository of a registry: what its tags were lately.
type image struct {
	g    *ociRegistry
	path string
	tags *asked[[]string]

	mu     sync.Mutex
	points map[string]*asked[string] // tag to the digest of the manifest it points to; "" if there is no such tag
}

// image returns the registry's repository of an artifact.
func (g *ociRegistry) image(a Artifact) (*image, error) {
	path := strings.Trim(g.at.path+"/"+a.Name, "/")
	if !registryPath.MatchString(path) {
		return nil, unknownRevision(g.shop.repo, a.String(), "registries have no such name: small letters, digits and .-_/ only", "write the name as the registry has it")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	i, ok := g.images[path]
	if !ok {
		i = &image{g: g, path: path, points: map[string]*asked[string]{}}
		i.tags = newAsked(g.shop.all.store, i.askTags)
		g.images[path] = i
	}
	return i, nil
}

// resolve implements goods. A digest is taken as it is and only looked up; a tag that exists is meant before a constraint.
func (g *ociRegistry) resolve(ctx context.Context, a Artifact, notBefore time.Time) (Pin, error) {
	i, err := g.image(a)
	if err != nil {
		return Pin{}, err
	}
	if _, ok := digestHex(a.Revision); ok {
		_, err := i.manifest(ctx, a, a.Revision)
		return Pin{Version: a.Revision, Digest: a.Revision}, err
	}
	for _, tag := range tagsOf(a) {
		digest, err := i.point(tag).get(ctx, notBefore)
		if err != nil {
			return Pin{}, err
		}
		if digest != "" {
			return g.pin(a, tag, digest), nil
		}
	}
	if isExact(a.Revision) || a.Revision == "" && a.Kind == ArtifactOCI {
		return Pin{}, g.noTag(a)
	}
	tag, err := i.newest(ctx, a, notBefore)
	if err != nil {
		return Pin{}, err
	}
	digest, err := i.point(tag).get(ctx, notBefore)
	if err != nil {
		return Pin{}, err
	}
	if digest == "" { // the tag went between the two questions
		return Pin{}, g.shop.web.failed(ctx, "resolve a tag of", &UnreachableError{Problem: ProblemBrokenOff, Detail: "the tag " + tag + " that it just listed is not there"})
	}
	return g.pin(a, tag, digest), nil
}

func (g *ociRegistry) pin(a Artifact, tag, digest string) Pin {
	if a.Kind == ArtifactChart {
		tag = strings.ReplaceAll(tag, "_", "+")
	}
	return Pin{Version: tag, Digest: digest}
}

// tagsOf returns the tags that a revision may be the name of, the likeliest first. Tags cannot hold a "+"; Helm writes "_".
func tagsOf(a Artifact) []string {
	revision := a.Revision
	if a.Kind == ArtifactChart {
		revision = strings.ReplaceAll(revision, "+", "_")
	} else if revision == "" {
		revision = "latest"
	}
	if !registryTag.MatchString(revision) || constraintOf(revision) != nil && !isWord(revision) {
		return nil
	}
	tags := []string{revision}
	if a.Kind == ArtifactChart && isExact(a.Revision) {
		if bare, ok := strings.CutPrefix(revision, "v"); ok {
			return append(tags, bare)
		}
		return append(tags, "v"+revision)
	}
	return tags
}

// isWord reports whether a text that is a constraint ("1.x", "x") may well be the name of a tag.
func isWord(text string) bool { return strings.ContainsAny(text, "xX") && len(text) > 1 }

// newest lists the tags and returns the one that a constraint means. Only whole versions count: "1" and "1.2" are names that
// move along with them.
func (i *image) newest(ctx context.Context, a Artifact, notBefore time.Time) (string, error) {
	tags, err := i.tags.get(ctx, notBefore)
	if err != nil {
		return "", err
	}
	versions := make([]string, len(tags))
	for n, tag := range tags {
		if version := strings.ReplaceAll(tag, "_", "+"); isExact(version) {
			versions[n] = version
		}
	}
	at, ok := pickVersion(a.Revision, versions)
	if !ok || versions[at] == "" {
		return "", i.g.noTag(a)
	}
	return tags[at], nil
}

func (g *ociRegistry) noTag(a Artifact) error {
	if a.Kind == ArtifactChart {
		return noVersion(g.shop.repo, a.Name, a.Revision)
	}
	revision := a.Revision
	if revision == "" {
		revision = "latest"
	}
	return unknownRevision(g.shop.repo, revision, "no tag is "+revision+" or satisfies it", "set targetRevision to a tag, a digest or a constraint on tags that exists")
}

func (i *image) point(tag string) *asked[string] {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, ok := i.points[tag]
	if !ok {
		p = newAsked(i.g.shop.all.store, func(ctx context.Context, _ string) (string, error) { return i.askTag(ctx, tag) })
		i.points[tag] = p
	}
	return p
}

// acceptManifests are the kinds of manifests we know; a list of them is named, so that it can be refused by name.
var acceptManifests = strings.Join([]string{manifestOCI, manifestDocker, indexOCI, indexDocker}, ", ")

// askTag returns the digest of the manifest that a tag points to; "" if there is no such tag. Registries that do not say
// so in a header are asked for the manifest itself.
func (i *image) askTag(ctx context.Context, tag string) (digest string, err error) {
	err = i.g.shop.asking(ctx, RequestManifest, tag, func(ctx context.Context) error {
		answer, err := i.g.ask(ctx, http.MethodHead, i.path, "manifests/"+tag, "", acceptManifests) //nolint:bodyclose // drain closes it
		if errors.Is(err, errNotThere) {
			digest = ""
			return nil
		}
		if err != nil {
			return err
		}
		drain(answer.Body)
		digest = answer.Header.Get("Docker-Content-Digest")
		if _, ok := digestHex(digest); ok {
			return nil
		}
		content, err := i.getManifest(ctx, tag)
		digest = digestOf256(content)
		return err
	})
	return digest, err
}

// getManifest fetches a manifest by tag or digest.
func (i *image) getManifest(ctx context.Context, reference string) ([]byte, error) {
	answer, err := i.g.ask(ctx, http.MethodGet, i.path, "manifests/"+reference, "", acceptManifests) //nolint:bodyclose // drain closes it
	if err != nil {
		return nil, err
	}
	defer drain(answer.Body)
	tooMuch := &UnreachableError{Problem: ProblemInvalidData, Detail: "the manifest is larger than " + byteCount(maxManifest)}
	return io.ReadAll(atMost(answer.Body, maxManifest, tooMuch))
}

const (
	maxManifest = 4 << 20 // what registries have to accept (OCI distribution specification)
	maxTagBytes = 32 << 20
	maxTagPages = 1000
)

// askTags lists the tags, page by page. A registry that goes on for ever is stopped.
func (i *image) askTags(ctx context.Context, _ []string) (tags []string, err error) {
	err = i.g.shop.asking(ctx, RequestTags, "", func(ctx context.Context) error {
		left, query := int64(maxTagBytes), "n=1000"
		for range maxTagPages {
			page, next, err := i.askTagPage(ctx, query, &left)
			if errors.Is(err, errNotThere) {
				return unknownRevision(i.g.shop.repo, i.path, "the registry has no repository of this name", "check the name, and that the credentials may read it")
			}
			if err != nil {
				return err
			}
			if tags = append(tags, page...); next == "" {
				return nil
			}
			if next == query {
				break
			}
			query = next
		}
		return &UnreachableError{Problem: ProblemInvalidData, Detail: fmt.Sprint("the list of tags does not end after ", maxTagPages, " pages")}
	})
	return tags, err
}

// askTagPage returns one page of tags and the query for the next.
func (i *image) askTagPage(ctx context.Context, query string, left *int64) (tags []string, next string, err error) {
	answer, err := i.g.ask(ctx, http.MethodGet, i.path, "tags/list", query, "application/json") //nolint:bodyclose // drain closes it
	if err != nil {
		return nil, "", err
	}
	defer drain(answer.Body)
	tooMuch := &UnreachableError{Problem: ProblemInvalidData, Detail: "the list of tags is larger than " + byteCount(maxTagBytes)}
	content, err := io.ReadAll(atMost(answer.Body, *left, tooMuch))
	if err != nil {
		return nil, "", err
	}
	*left -= int64(len(content))
	var page struct {
		Tags []string `json:"tags"`
	}
	if json.Unmarshal(content, &page) != nil {
		return nil, "", &UnreachableError{Problem: ProblemInvalidData, Detail: "what it sends is no list of tags"}
	}
	return page.Tags, nextPage(answer.Header.Get("Link")), nil
}

// nextPage returns the query of the next page (RFC 8288, relation next). Only the query is taken: where to ask is not the
// server's to say.
func nextPage(link string) string {
	target, params, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(link), "<"), ">")
	if !ok || !strings.Contains(strings.ReplaceAll(params, `"`, ""), "rel=next") {
		return ""
	}
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.RawQuery
}

// stored implements goods.
func (g *ociRegistry) stored(a Artifact, p Pin) (tree.Tree, error) {
	content, ok := g.shop.shelf.read(p.Digest, maxManifest)
	if !ok {
		return nil, errNotStored
	}
	layer, err := g.layer(a, p.Digest, content)
	if err != nil {
		return nil, err
	}
	thing := g.thing(a, p.Version)
	if a.Kind == ArtifactChart {
		return g.shop.chartTree(layer.Digest, thing)
	}
	limits := g.shop.limits()
	return g.shop.shelf.unpacked(g.shop.all.store.base, layer.Digest, unpacking{
		thing: thing, strip: layer.MediaType == chartLayer, bytes: limits.OCI, setting: ociSetting, files: limits.Files,
	})
}

func (g *ociRegistry) thing(a Artifact, version string) string {
	if a.Kind == ArtifactChart {
		return "chart " + a.Name + " " + version + " of " + g.shop.repo.String()
	}
	return g.shop.repo.String() + " at " + version
}

// fetch implements goods.
func (g *ociRegistry) fetch(ctx context.Context, a Artifact, p Pin) error {
	i, err := g.image(a)
	if err != nil {
		return err
	}
	content, err := i.manifest(ctx, a, p.Digest)
	if err != nil {
		return err
	}
	layer, err := g.layer(a, p.Digest, content)
	if err != nil || g.shop.shelf.has(layer.Digest) {
		return err
	}
	return g.shop.asking(ctx, RequestExtract, a.String(), func(ctx context.Context) error {
		answer, err := g.ask(ctx, http.MethodGet, i.path, "blobs/"+layer.Digest, "", "") //nolint:bodyclose // drain closes it
		if errors.Is(err, errNotThere) {
			return &UnreachableError{Problem: ProblemInvalidData, Detail: "the registry has not the layer " + layer.Digest + " that the manifest names"}
		}
		if err != nil {
			return err
		}
		defer drain(answer.Body)
		_, err = g.shop.saveArchive(answer.Body, g.thing(a, p.Version), layer.Digest)
		return err
	})
}

// archiveOf stores the archive of a chart on another repository's shelf, and returns its digest.
func (g *ociRegistry) archiveOf(ctx context.Context, a Artifact, to *shelf, want string) (string, error) {
	p, err := g.resolve(ctx, a, g.shop.all.store.clock.Now().Add(-g.shop.trust()))
	if err != nil {
		return "", err
	}
	if err := g.fetch(ctx, a, p); err != nil {
		return "", err
	}
	content, ok := g.shop.shelf.read(p.Digest, maxManifest)
	if !ok {
		return "", storeFault(errNotStored)
	}
	l, err := g.layer(a, p.Digest, content)
	if err != nil {
		return "", err
	}
	f, err := os.Open(g.shop.shelf.blob(l.Digest))
	if err != nil {
		return "", storeFault(err)
	}
	defer func() { _ = f.Close() }()
	digest, err := g.shop.save(func() (string, int64, error) { return to.put(f, want) })
	if err != nil {
		err = g.shop.web.failed(ctx, "fetch from", err)
	}
	return digest, err
}
