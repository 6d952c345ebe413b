// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ChartVersions are the versions that a repository has of a chart, the newest first as its index lists them.
type ChartVersions struct {
	Name     string
	Versions []string
}

// isWanted reports whether a scan of an index keeps a chart. No set is all of them.
func isWanted(wanted map[string]bool, chart string) bool { return wanted == nil || wanted[chart] }

// Charts returns what the index of a chart repository lists, by name. A registry has no such list: the answer is a fault.Mistake
// around an *UnknownRevisionError. Other errors are those of ResolveArtifact.
func (s *Store) Charts(ctx context.Context, r Repository) ([]ChartVersions, error) {
	shop, err := s.artifacts.shop(r, ArtifactChart)
	if err != nil {
		return nil, err
	}
	c, ok := shop.what.(*charts)
	if !ok {
		return nil, unknownRevision(r, "its charts", "registries do not list their charts", "name the chart")
	}
	x, err := c.index.get(ctx, s.clock.Now().Add(-shop.trust()))
	if err != nil {
		return nil, err
	}
	found, err := scanIndex(io.NewSectionReader(x.file, 0, 1<<62), nil)
	if err != nil {
		return nil, shop.web.failed(ctx, "read the index of", err)
	}
	out := make([]ChartVersions, 0, len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		chart := ChartVersions{Name: name}
		for _, v := range found[name] {
			chart.Versions = append(chart.Versions, v.Version)
		}
		out = append(out, chart)
	}
	return out, nil
}

// ImageTags returns the tags of a registry's repository, in its order. Errors are those of ResolveArtifact.
func (s *Store) ImageTags(ctx context.Context, r Repository) ([]string, error) {
	return s.imageTags(ctx, r, -1)
}

func (s *Store) imageTags(ctx context.Context, r Repository, age time.Duration) ([]string, error) {
	shop, err := s.artifacts.shop(r, ArtifactOCI)
	if err != nil {
		return nil, err
	}
	i, err := shop.what.(*ociRegistry).image(Artifact{Kind: ArtifactOCI})
	if err != nil {
		return nil, err
	}
	if age < 0 {
		age = shop.trust()
	}
	return i.tags.get(ctx, s.clock.Now().Add(-age))
}

// Reach asks a repository of a kind (KindGit if it says none) whether it answers and takes the credentials, now. Errors are
// *UnreachableError, or a fault.Mistake if the address is no address.
func (s *Store) Reach(ctx context.Context, r Repository) error {
	switch {
	case r.Type == KindOCI:
		_, err := s.imageTags(ctx, r, 0)
		return err
	case r.Type != KindHelm:
		_, err := s.Refs(ctx, r)
		return err
	}
	shop, err := s.artifacts.shop(r, ArtifactChart)
	if err != nil {
		return err
	}
	switch what := shop.what.(type) {
	case *charts:
		_, err = what.index.get(ctx, s.clock.Now())
	case *ociRegistry:
		err = what.ping(ctx)
	}
	return err
}

// ping asks the registry whether it is one and takes the credentials (OCI distribution specification, end-1).
func (g *ociRegistry) ping(ctx context.Context) error {
	return g.shop.asking(ctx, RequestTags, "", func(ctx context.Context) error {
		u := url.URL{Scheme: g.at.scheme, Host: g.at.host, Path: "/v2/"}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return err
		}
		answer, err := g.send(req, g.at.path) //nolint:bodyclose // drain closes it
		if err != nil {
			return err
		}
		defer drain(answer.Body)
		err = checkStatus(answer, !g.shop.repo.hasCredentials())
		if errors.Is(err, errNotThere) {
			return &UnreachableError{Problem: ProblemInvalidData, Detail: "the server is no registry"}
		}
		return err
	})
}

// Branches returns the names of the branches, sorted.
func (r Refs) Branches() []string { return r.below("refs/heads/") }

// AllTags returns the names of the tags, sorted.
func (r Refs) AllTags() []string { return r.below("refs/tags/") }

func (r Refs) below(prefix string) []string {
	var out []string
	for ref := range r.commits {
		if name, ok := strings.CutPrefix(ref, prefix); ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
