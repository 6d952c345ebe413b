// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"fmt"
	runtimemetrics "runtime/metrics"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/application/index"
	"github.com/bowline-cd/bowline/internal/server/state"
)

// selfView tells callers of the API how this process is doing.
type selfView struct {
	*roles
	index    *index.Index
	started  time.Time
	observes bool
}

// ready are the checks of /readyz.
func (r *roles) ready() map[string]func() error {
	return map[string]func() error{"clusters": r.clusters.Ready}
}

// Process implements state.Self.
func (v *selfView) Process() bowline.State {
	out := bowline.State{Version: version, Started: metav1.NewTime(v.started), Observes: v.observes, Checks: map[string]string{}}
	out.Leads, out.Because = v.leads()
	for name, check := range v.ready() {
		out.Checks[name] = "ok"
		if err := check(); err != nil {
			out.Checks[name] = err.Error()
		}
	}
	out.MemoryBytes, out.Goroutines = measured()
	for _, problem := range v.settings.Current().Problems {
		out.Settings = append(out.Settings, fault.RedactValues(problem.Error()))
	}
	return out
}

// leads says whether this process acts, and if not who does.
func (v *selfView) leads() (bool, string) {
	may, why := v.mayAct()
	if held, _ := v.lead.Held(); !held {
		why = "another process leads"
		if since, vacant := v.lead.Vacant(); vacant {
			why = fmt.Sprintf("no process leads since %s: nothing is acted on", since.UTC().Format(time.RFC3339))
		}
	}
	if may && v.observes {
		return false, "it was started with --observe: it compares and writes nothing"
	}
	return may, why
}

// measured returns how much memory the program has in use, and how many goroutines there are.
func measured() (bytes, goroutines int64) {
	samples := []runtimemetrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	runtimemetrics.Read(samples)
	values := make([]int64, len(samples))
	for i, s := range samples {
		if s.Value.Kind() == runtimemetrics.KindUint64 {
			values[i] = int64(s.Value.Uint64()) //nolint:gosec // no machine has so much
		}
	}
	return values[0] - values[1], values[2]
}

// Summaries implements state.Self.
func (v *selfView) Summaries() []state.Cluster {
	applications := map[string]int64{}
	entries, _ := v.index.All()
	for _, e := range entries {
		server, _ := v.clusters.named(e.App.Spec.Destination)
		applications[server]++
	}
	var out []state.Cluster
	for _, r := range v.clusters.Reports() {
		one := summaryOf(&r)
		one.Applications = applications[r.Server]
		one.Waiting, one.Running = v.apps.Load(r.Server)
		out = append(out, state.Cluster{ClusterSummary: one, Project: v.clusters.projectOf(r.Server)})
	}
	for server, closed := range v.clusters.closed() {
		closed.Applications = applications[server]
		out = append(out, state.Cluster{ClusterSummary: closed, Project: v.clusters.projectOf(server)})
	}
	slices.SortFunc(out, func(a, b state.Cluster) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func summaryOf(r *cluster.Report) bowline.ClusterSummary {
	out := bowline.ClusterSummary{Server: r.Server, Name: r.Name, Connected: r.Connection.Connected, Version: r.Inventory.Version, Kinds: int64(len(r.Kinds))}
	switch {
	case !r.Connection.Connected:
		out.Error = r.Connection.Reason
	case !r.Inventory.Complete:
		out.Error = r.Inventory.Reason
	}
	last := r.Connection.Contact
	for _, k := range r.Kinds {
		out.Objects += int64(k.Objects)
		if !k.Synced {
			out.Unknown++
		}
		if k.LastEvent.After(last) {
			last = k.LastEvent
		}
	}
	if !last.IsZero() {
		out.LastEvent = &metav1.Time{Time: last}
	}
	return out
}

// closed are the configured clusters that no connection could be opened to, by server.
func (c *clusters) closed() map[string]bowline.ClusterSummary {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := map[string]bowline.ClusterSummary{}
	for _, cfg := range c.configs {
		if err := c.broken[cfg.Server]; c.open[cfg.Server] == nil && err != nil {
			out[cfg.Server] = bowline.ClusterSummary{Server: cfg.Server, Name: cfg.Name, Error: err.Error()}
		}
	}
	return out
}

// Troubles implements state.Self, by what the repositories answered that this process follows.
func (v *selfView) Troubles() []state.Repository {
	var out []state.Repository
	for _, r := range v.poller.Repositories() {
		last, err := v.poller.State(r)
		if err == nil {
			continue
		}
		one := state.Repository{RepositoryTrouble: bowline.RepositoryTrouble{Repo: r.URL, Error: err.Error()}, Project: r.Project}
		if !last.IsZero() {
			one.Since = &metav1.Time{Time: last}
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b state.Repository) int { return cmp.Compare(a.Repo, b.Repo) })
	return out
}
