// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/Masterminds/semver/v3"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/ignore"

	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// dependencies adds what Chart.yaml names and the charts folder lacks: what `helm dependency build` would fetch. As for
// Helm, a dependency is there if a vendored chart has its name. Nothing is fetched for the dependencies of dependencies.
func (j *job) dependencies(ctx context.Context) error {
	absent := map[string]bool{}
	for _, d := range j.chart.Metadata.Dependencies {
		absent[d.Name] = !hasDependency(j.chart, d.Name)
	}
	wanted, where, err := j.locked()
	if err != nil {
		return err
	}
	added := map[string]bool{}
	for _, d := range wanted {
		id := d.Name + "\x00" + d.Version + "\x00" + d.Repository
		if !absent[d.Name] || added[id] {
			continue
		}
		added[id] = true
		if err := j.dependency(ctx, d, where); err != nil {
			return err
		}
	}
	return nil
}

func hasDependency(c *chart.Chart, name string) bool {
	for _, d := range c.Dependencies() {
		if d.Name() == name {
			return true
		}
	}
	return false
}

// locked returns the dependencies with their versions, and the file that names them: those of the lock, if there is one.
func (j *job) locked() (wanted []*chart.Dependency, where string, err error) {
	meta, lockFile, file := j.chart.Metadata, "Chart.lock", "Chart.yaml"
	if meta.APIVersion == chart.APIVersionV1 {
		lockFile, file = "requirements.lock", "requirements.yaml"
	}
	where = j.path(path.Join(j.release.Dir, file))
	if len(meta.Dependencies) == 0 || j.chart.Lock == nil || !j.anyAbsent() {
		return meta.Dependencies, where, nil
	}
	fits, err := lockFits(meta, j.chart.Lock)
	if err != nil {
		return nil, "", err
	}
	where = j.path(path.Join(j.release.Dir, lockFile))
	if !fits {
		return nil, "", j.mistake(where, "the lock file ("+lockFile+") is out of sync with the dependencies file ("+file+")",
			"run `helm dependency update` and commit the lock file")
	}
	return j.chart.Lock.Dependencies, where, nil
}

func (j *job) anyAbsent() bool {
	for _, d := range j.chart.Metadata.Dependencies {
		if !hasDependency(j.chart, d.Name) {
			return true
		}
	}
	return false
}

// lockFits compares a lock's digest with that of the dependencies it was made for, as Helm computes it: of the JSON of
// both. Where Chart.yaml names a repository by its alias, Helm has put the address in its place before; the lock has it.
func lockFits(meta *chart.Metadata, lock *chart.Lock) (bool, error) {
	wanted := make([]*chart.Dependency, len(meta.Dependencies))
	for i, d := range meta.Dependencies {
		resolved := *d
		if _, alias := render.RepositoryName(d.Repository); alias && i < len(lock.Dependencies) && lock.Dependencies[i].Name == d.Name {
			resolved.Repository = lock.Dependencies[i].Repository
		}
		wanted[i] = &resolved
	}
	for _, v := range []any{
		[2][]*chart.Dependency{wanted, lock.Dependencies},
		[2][]*chart.Dependency{meta.Dependencies, lock.Dependencies},
	} {
		sum, err := digest(v)
		if err != nil || "sha256:"+sum == lock.Digest {
			return err == nil, err
		}
	}
	if meta.APIVersion != chart.APIVersionV1 {
		return false, nil
	}
	sum, err := digest(map[string][]*chart.Dependency{"dependencies": meta.Dependencies}) // as Helm 2 did
	return err == nil && "sha256:"+sum == lock.Digest, err
}

func digest(v any) (string, error) {
	data, err := json.Marshal(v)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

// dependency adds one dependency that is not vendored: from the tree, or from what a need was resolved to.
func (j *job) dependency(ctx context.Context, d *chart.Dependency, where string) error {
	switch {
	case d.Repository == "":
		return j.mistake(where, fmt.Sprintf("dependency %q names no repository, and no chart of that name lies in the charts folder", d.Name),
			"put the chart into the charts folder, or name its repository")
	case strings.HasPrefix(d.Repository, "file://"):
		return j.neighbour(ctx, d, where)
	}
	need := render.Need{Kind: render.NeedChart, URL: d.Repository, Chart: d.Name, Revision: d.Version, Where: where}
	remote, ok := j.in.Remote(need)
	if !ok {
		j.need(need)
		return nil
	}
	label := strings.TrimRight("chart "+d.Name+" "+d.Version, " ") + "/"
	files, err := j.fetched(ctx, remote.Tree, label)
	if err != nil {
		return err
	}
	c, err := j.assemble(files, label, 1)
	if err != nil {
		return err
	}
	if c.Name() != d.Name {
		return j.mistake(where, fmt.Sprintf("what its repository has as %q is a chart of the name %q", d.Name, c.Name()), "correct the name of the dependency")
	}
	j.chart.AddDependency(c)
	return nil
}

// fetched reads an unpacked chart archive. .helmignore does not count in archives.
func (j *job) fetched(ctx context.Context, t tree.Tree, label string) ([]file, error) {
	w := walk{job: j, tree: t, label: label, rules: ignore.Empty()}
	err := w.folder(ctx, "", "", nil)
	return w.files, err
}

// neighbour adds a dependency that lies in another folder of the same tree (file://../common).
func (j *job) neighbour(ctx context.Context, d *chart.Dependency, where string) error {
	rel := strings.TrimPrefix(d.Repository, "file://")
	refused := func(cause string) error {
		return j.mistake(where, fmt.Sprintf("dependency %q lies at %s, %s", d.Name, d.Repository, cause), "name a folder of the repository, relative to the chart")
	}
	dir, ok := tree.Clean(path.Join(j.release.Dir, rel))
	if strings.HasPrefix(rel, "/") || !ok || strings.HasPrefix(path.Join(j.release.Dir, rel), "..") {
		return refused("which is outside of the repository")
	}
	at, entry, err := tree.Resolve(ctx, j.release.Chart, dir)
	switch {
	case errors.Is(err, tree.ErrAbsent), err == nil && entry.Mode != tree.Dir:
		return refused("where there is no folder")
	case err != nil:
		return j.unreadable(j.path(dir), err)
	}
	files, err := j.folder(ctx, j.release.Chart, at, j.release.Label)
	if err != nil {
		return err
	}
	c, err := j.assemble(files, j.path(at), 1)
	if err != nil {
		return err
	}
	if !fitsConstraint(d.Version, c.Metadata.Version) {
		return j.mistake(where, fmt.Sprintf("dependency %q asks for version %q, and the chart in %s is %s", d.Name, d.Version, j.path(at), c.Metadata.Version),
			"correct the version of the dependency, or of the chart")
	}
	j.chart.AddDependency(c)
	return nil
}

func fitsConstraint(constraint, version string) bool {
	c, err := semver.NewConstraint(constraint)
	if err != nil {
		return false
	}
	v, err := semver.NewVersion(version)
	return err == nil && c.Check(v)
}

// warnUnmet warns of dependencies that are switched on but nowhere to be found: Helm leaves them out without a word.
func (j *job) warnUnmet(c *chart.Chart) {
	for _, d := range c.Metadata.Dependencies {
		if !hasDependency(c, d.Name) {
			j.warn("chart %s depends on %s %s, of which its charts folder has no version that fits: it is left out, as Helm does; run `helm dependency update` in that chart and commit the charts folder",
				c.ChartFullPath(), d.Name, d.Version)
		}
	}
	for _, sub := range c.Dependencies() {
		j.warnUnmet(sub)
	}
}
