// SPDX-License-Identifier: Apache-2.0

package render

import (
	"context"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Input is what a render works on.
type Input struct {
	// Tree is the source's own: of a commit, a chart archive or an OCI layer.
	Tree   tree.Tree
	Source v1alpha1.ApplicationSource
	Index  int // of the source in its application, for origins
	// Where names the source in the application's spec for error texts; "" means spec.source.
	Where string
	// App is the application's instance name (name, or namespace_name outside of the control namespace): files in the
	// repository may concern one application only.
	App string
	// Release is the application's name, Namespace the destination's: Helm's defaults for the release.
	Release, Namespace string
	// Refs are the trees of the application's other sources by their ref, without "$": value files may lie there.
	Refs map[string]tree.Tree
	// Remotes are what earlier Needs were resolved to.
	Remotes []Remote
	// Build holds the build environment but for KUBE_VERSION and KUBE_API_VERSIONS, which come from Cluster.
	Build map[string]string
	// Cluster may be nil if nothing is known of the destination: then asking is an error.
	Cluster Facts
	Options Options
	Limits  Limits
	// Trace notes what is asked for; nil notes nothing.
	Trace *Trace
}

// Facts are what the destination cluster can do. An error means that it is not known now.
type Facts interface {
	// KubeVersion returns a version such as v1.36.2.
	KubeVersion(ctx context.Context) (string, error)
	// APIVersions returns what the cluster serves, sorted, both as group/version and as group/version/Kind.
	APIVersions(ctx context.Context) ([]string, error)
}

// Options are the settings of an installation that decide what a render gives. The zero value is Argo CD's default, but
// for ValuesFileSchemes, whose default is https and http.
type Options struct {
	// KustomizeBuildOptions are kustomize.buildOptions; KustomizeVersions those of kustomize.buildOptions.<version>.
	KustomizeBuildOptions string
	KustomizeVersions     map[string]string
	// ValuesFileSchemes are the schemes of helm.valuesFileSchemes; none means that no value file may be a URL.
	ValuesFileSchemes []string
	// HelmOff, KustomizeOff and JsonnetOff are helm.enable and its like at "false".
	HelmOff, KustomizeOff, JsonnetOff bool
	// Plugins differs when the installed plugins do.
	Plugins string
}

// Limits bound one render; a zero field means its default.
type Limits struct {
	// TotalBytes bounds all manifest files of a Directory together; DefaultTotalBytes.
	TotalBytes int64
	// OutputBytes bounds what a render gives, as text; DefaultOutputBytes. Objects bounds how many; DefaultObjects.
	OutputBytes int64
	Objects     int
	// Files bounds the files that one render reads; DefaultFiles. FileBytes bounds each; DefaultFileBytes.
	Files     int
	FileBytes int64
	// Time bounds a render without the time it waits for files; DefaultTime. Memory bounds what its process takes, in
	// bytes; DefaultMemory.
	Time   time.Duration
	Memory int64
}

// The defaults of Limits.
const (
	DefaultTotalBytes  = 10 << 20 // as Argo CD's reposerver.max.combined.directory.manifests.size
	DefaultOutputBytes = 64 << 20
	DefaultObjects     = 20_000
	DefaultFiles       = 20_000
	DefaultFileBytes   = 16 << 20
	DefaultTime        = 90 * time.Second // as Argo CD's ARGOCD_EXEC_TIMEOUT
	DefaultMemory      = 1 << 30
)

// WithDefaults fills in what is zero.
func (l Limits) WithDefaults() Limits {
	setDefault(&l.TotalBytes, DefaultTotalBytes)
	setDefault(&l.OutputBytes, DefaultOutputBytes)
	setDefault(&l.Objects, DefaultObjects)
	setDefault(&l.Files, DefaultFiles)
	setDefault(&l.FileBytes, DefaultFileBytes)
	setDefault(&l.Time, DefaultTime)
	setDefault(&l.Memory, DefaultMemory)
	return l
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// Field returns the name of a field of the source for error texts: Field("helm.values") is spec.source.helm.values.
func (in Input) Field(name string) string { return in.where() + "." + name }

func (in Input) where() string {
	if in.Where == "" {
		return "spec.source"
	}
	return in.Where
}

// Output is what a render gives: manifests, or needs.
type Output struct {
	Manifests []object.Manifest
	Type      v1alpha1.ApplicationSourceType
	// Warnings name what is odd but accepted, with file and line.
	Warnings []string
	// Needs are not empty if something has to be had first. Then there are no Manifests.
	Needs []Need
	Used  Used
}
