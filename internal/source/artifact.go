// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// ArtifactKind is what kind of thing an Artifact is.
type ArtifactKind string

// The kinds.
const (
	ArtifactChart ArtifactKind = "chart" // a chart of an HTTP repository or of a registry
	ArtifactOCI   ArtifactKind = "oci"   // what a registry holds under oci://host/path
	ArtifactFile  ArtifactKind = "file"  // the file at a repository's address
)

// artifactElsewhere is a chart of a registry that an index names, and no user.
const artifactElsewhere ArtifactKind = "chart elsewhere"

// Artifact is what a user asks for of a repository that is not Git. It is comparable.
type Artifact struct {
	Kind ArtifactKind
	// Name of the chart; "" for the other kinds.
	Name string
	// Revision is, for a chart, a version or a constraint on versions ("" is the newest release); for OCI a tag, a digest
	// or a constraint on tags ("" is the tag latest); for a file nothing.
	Revision string
	// PassCredentials lets the repository's credentials go to the other hosts that its index names for charts.
	PassCredentials bool
}

func (a Artifact) String() string {
	text := string(a.Kind)
	if a.Name != "" {
		text += " " + a.Name
	}
	if a.Revision != "" {
		text += " " + a.Revision
	}
	return text
}

// Pin is what an Artifact was resolved to.
type Pin struct {
	// Version of a chart; tag or digest as it was asked for or found for OCI; "" for a file.
	Version string
	// Digest is sha256:… of the archive for a chart of an HTTP repository, of the manifest for a registry, of the file.
	Digest string
}

// ArtifactLimits bound what is taken from repositories that are not Git. A zero is the default.
type ArtifactLimits struct {
	// Archive bounds an archive or file as it is fetched, Index the index of a chart repository; 100 MiB each.
	Archive, Index int64
	// Chart and OCI bound what an archive unpacks to; 1 GiB each. Files bounds their number; 100,000.
	Chart, OCI int64
	Files      int
	// MediaTypes are the layers of OCI sources that are read: by default tar archives of OCI images, gzipped or not, and charts.
	MediaTypes []string
}

// Settings that raise the limits.
const (
	archiveSetting = "bowline.source.maxArchive"
	indexSetting   = "bowline.source.maxIndex"
	chartSetting   = "reposerver.helm.manifest.max.extracted.size"
	ociSetting     = "reposerver.oci.manifest.max.extracted.size"
	filesSetting   = "bowline.render.maxFiles"
)

func (l ArtifactLimits) withDefaults() ArtifactLimits {
	setDefault(&l.Archive, 100<<20)
	setDefault(&l.Index, 100<<20)
	setDefault(&l.Chart, 1<<30)
	setDefault(&l.OCI, 1<<30)
	setDefault(&l.Files, 100_000)
	if len(l.MediaTypes) == 0 {
		l.MediaTypes = []string{layerTar, layerTarGzip, chartLayer}
	}
	return l
}

// SetArtifactLimits changes the limits from now on.
func (s *Store) SetArtifactLimits(limits ArtifactLimits) {
	limits = limits.withDefaults()
	s.artifacts.limits.Store(&limits)
}

// ResolveArtifact returns what an Artifact is now. It goes by answers of the repository not older than Options.RefsAge, or
// that a Poller vouches for, and asks if there are none.
// Errors: *UnreachableError if the repository cannot be asked, *UnknownRevisionError if it has no such thing, a fault.Mistake
// around neither if what it has cannot be used, or a limit is hit.
func (s *Store) ResolveArtifact(ctx context.Context, r Repository, a Artifact) (Pin, error) {
	shop, err := s.artifacts.shop(r, a.Kind)
	if err != nil {
		return Pin{}, err
	}
	return shop.resolve(ctx, a, s.clock.Now().Add(-shop.trust()))
}

// ArtifactTree returns the files of what was pinned: of a chart with Chart.yaml at the root, of a file under the name "file".
// What is in the data folder is taken from there; else it is fetched and has to have the pinned digest. Errors are those of
// ResolveArtifact; a repository that has something else under the pinned version now is an *UnknownRevisionError.
func (s *Store) ArtifactTree(ctx context.Context, r Repository, a Artifact, p Pin) (tree.Tree, error) {
	shop, err := s.artifacts.shop(r, a.Kind)
	if err != nil {
		return nil, err
	}
	if _, ok := digestHex(p.Digest); !ok {
		return nil, unknownRevision(r, a.String(), "it is pinned to "+p.Digest+", which is no digest", "resolve it first")
	}
	files, err := shop.stored(a, p)
	if !errors.Is(err, errNotStored) {
		return files, err
	}
	if err := shop.fetch(ctx, a, p); err != nil {
		return nil, err
	}
	if files, err = shop.stored(a, p); errors.Is(err, errNotStored) {
		return nil, unreachable("read", r, ProblemStore, "what was fetched does not stay in the data folder")
	}
	return files, err
}

// inRegistry reports whether an artifact comes from an OCI registry.
func inRegistry(r Repository, kind ArtifactKind) bool {
	switch kind {
	case ArtifactOCI, artifactElsewhere:
		return true
	case ArtifactChart:
		return r.EnableOCI || r.Type == KindOCI || strings.HasPrefix(r.URL, ociScheme) || !strings.Contains(r.URL, "://")
	}
	return false
}

// check refuses what can be no artifact before anybody is asked.
func (a Artifact) check(r Repository) error {
	refuse := func(where, cause, fix string) error {
		return fault.New(fault.Mistake, "use", a.String()+" of "+r.String(), where, cause, fix)
	}
	switch a.Kind {
	case ArtifactChart:
		if !chartName.MatchString(a.Name) {
			return refuse("chart", "this is no name of a chart", "write the name as the repository has it")
		}
	case ArtifactOCI, ArtifactFile:
		if a.Name != "" {
			return refuse("chart", "only charts have a name", "leave it out")
		}
	default:
		return fault.New(fault.Bug, "use", a.String(), "", "this kind of artifact is not known", "")
	}
	if len(a.Revision) > 256 || newline.MatchString(a.Revision) {
		return refuse("targetRevision", "it is too long or holds a control character", "write a version, a constraint, a tag or a digest")
	}
	return nil
}
