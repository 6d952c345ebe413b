// SPDX-License-Identifier: Apache-2.0

package application

import (
	"fmt"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/plan"
)

// holding is an application that, by its status, has so many ConfigMaps, a hook, and these Applications.
func holding(name string, n int, children ...string) *v1alpha1.Application {
	app := depending(name, "", synced)
	app.Finalizers = []string{v1alpha1.ResourcesFinalizerName}
	app.Spec.Destination.Server = v1alpha1.KubernetesInternalAPIServerAddr
	for i := range n {
		app.Status.Resources = append(app.Status.Resources, v1alpha1.ResourceStatus{Kind: "ConfigMap", Namespace: "shop", Name: fmt.Sprint(name, i)})
	}
	app.Status.Resources = append(app.Status.Resources, v1alpha1.ResourceStatus{Kind: "Job", Namespace: "shop", Name: name, Hook: true})
	for _, child := range children {
		app.Status.Resources = append(app.Status.Resources, v1alpha1.ResourceStatus{
			Group: v1alpha1.Group, Kind: v1alpha1.ApplicationKind, Namespace: "argocd", Name: child,
		})
	}
	return app
}

func TestACascadeIsCountedWithAllThatItTakesAlong(t *testing.T) {
	orphans := holding("orphans", 7)
	orphans.Finalizers = nil
	away := holding("away", 2, "web") // its cluster has an Application of that name, which is nobody here
	away.Spec.Destination.Server = "https://far.example"
	c := hub(t, holding("root", 0, "team"), holding("team", 3, "web", "orphans", "nobody"), holding("web", 4), orphans,
		holding("a", 1, "b"), holding("b", 1, "a"), away)
	p := c.passAt(t, "root")
	for name, want := range map[string]int{"team": 3 + 3 + 4, "web": 4, "orphans": 0, "nobody": 0, "a": 1 + 1 + 1 + 1, "away": 3, "root": 0} {
		if got := p.cascadeSize(t.Context(), name, map[string]bool{"root": true}); got != want {
			t.Errorf("%s: got %d objects, want %d", name, got, want)
		}
	}
}

func TestWhatStaysIsWeighedLikeWhatGoes(t *testing.T) {
	c := hub(t, holding("root", 0, "team", "web"), holding("team", 3), holding("web", 4))
	p := c.passAt(t, "root")
	p.target.Server = v1alpha1.KubernetesInternalAPIServerAddr
	team, web := plan.Item{Key: c.keyOf("team"), Live: &plan.Live{}}, plan.Item{Key: c.keyOf("web"), Live: &plan.Live{}}
	team.Desired = stateOf(t, 1).Objects[0].Decode()
	items := []plan.Item{team, web}
	p.weigh(t.Context(), items)
	if items[0].Cascade != 3 || items[1].Cascade != 4 {
		t.Errorf("got %d and %d objects, want 3 and 4", items[0].Cascade, items[1].Cascade)
	}
	items = []plan.Item{team}
	p.weigh(t.Context(), items)
	if items[0].Cascade != 0 {
		t.Error("nothing is pruned, and all was counted")
	}
}
