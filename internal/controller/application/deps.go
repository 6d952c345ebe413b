// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"log/slog"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Rules are the settings of one moment, with a version that changes when any of them does.
type Rules struct {
	Settings settings.Settings
	Version  string
	Plugins  string // differs when the installed plugins do
	// Health judges objects by the settings of the moment; nil knows the rules that need none.
	Health *health.Judge
}

// Clusters finds the clusters that Applications are sent to.
type Clusters interface {
	// Find returns the cluster of a destination. The error of a cluster that nobody has configured is
	// ErrNoSuchCluster; other errors say why a configured one cannot be used.
	Find(destination v1alpha1.ApplicationDestination) (*cluster.Cluster, error)
	// ScopedTo returns what belongs to one project alone.
	ScopedTo(project string) access.Scoped
}

// Poller watches repositories.
type Poller interface {
	// Want tells what an application follows; it replaces what it followed before.
	Want(id string, follows []Followed)
	// Forget ends that.
	Forget(id string)
	// Refresh asks an application's repositories now.
	Refresh(ctx context.Context, id string) error
}

// Followed is one revision that an application is about: of a source, or of what its renders turned out to need.
type Followed struct {
	Wanted    desired.Commit // as it is asked for
	TagPrefix string
}

// Keeper pins the commits that an application may be taken back to.
type Keeper interface {
	Keep(ctx context.Context, id string, commits []desired.Commit) error
}

// AcceptedStore keeps what API servers made of desired objects, so that the first comparisons after a start need no dry
// runs. Losing it costs no more than those.
type AcceptedStore interface {
	// Load returns what is kept of an application's objects on a cluster; it may read a file.
	Load(app, server string) map[object.Key]diff.Accepted
	// Save notes what is new; the zero form forgets an object's. It does not wait for the disk.
	Save(app, server string, changed map[object.Key]diff.Accepted)
}

// Metrics counts what happens.
type Metrics interface {
	// Reconciled counts a pass over an application, or a look at some of its objects.
	Reconciled(namespace, server string, seconds float64)
	// Held counts an event of an object that has to wait because the object changes too often.
	Held(namespace, name string)
	Synced(SyncEnded)
}

// SyncEnded is one sync that came to its end.
type SyncEnded struct {
	Namespace, Name, Project, Server string
	Phase                            v1alpha1.OperationPhase
	DryRun                           bool
	Seconds                          float64
}

// ErrNoSuchCluster says that a destination names a cluster that nobody has configured.
var ErrNoSuchCluster = errors.New("there is no such cluster")

// Deps is what a Controller works with.
type Deps struct {
	Client    client.Client
	Namespace string // control namespace
	// Serves reports whether Applications of a namespace besides the control one are served; nil: none.
	Serves func(namespace string) bool
	// Observe compares and writes nothing.
	Observe  bool
	Engine   *desired.Engine
	Clusters Clusters
	Poller   Poller
	Keeper   Keeper
	Accepted AcceptedStore // nil: what is learned lasts as long as the process
	// FindPaths runs the jq expressions of Applications, which tenants write, where their memory is bounded; nil runs
	// them in this process.
	FindPaths diff.PathFinder
	Rules     func() *Rules
	// Settings are those of the moment alone, for what is asked at each request to a cluster.
	Settings func() *settings.Settings
	// Alone says whether operations may be run, and if not why.
	Alone   func() (bool, string)
	Bus     *event.Bus
	Metrics Metrics
	Clock   clock.WithTicker
	Log     *slog.Logger
}
