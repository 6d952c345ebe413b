// SPDX-License-Identifier: Apache-2.0

package application

import (
	"testing"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
)

// Whoever asks for nothing is told of the sync that would come by itself; any choice is one of a person's.
func TestWhichSyncIsPlanned(t *testing.T) {
	if sync, err := planned(&bowline.PlanQuery{Name: "web"}); err != nil || sync != nil {
		t.Fatalf("the next sync is %+v, %v", sync, err)
	}
	for name, query := range map[string]bowline.PlanQuery{
		"by hand": {ByHand: true}, "prune": {Prune: true}, "revision": {Revision: "v2"}, "revisions": {Revisions: []string{"", "v2"}},
		"resources": {Resources: []string{":Service:shop/web"}}, "options": {SyncOptions: []string{"Replace=true"}}, "force": {Force: true},
		"apply only": {ApplyOnly: true},
	} {
		sync, err := planned(&query)
		if err != nil || sync == nil {
			t.Fatalf("%s is %+v, %v", name, sync, err)
		}
		if sync.Prune != query.Prune || sync.Revision != query.Revision || len(sync.Revisions) != len(query.Revisions) ||
			len(sync.Resources) != len(query.Resources) || len(sync.SyncOptions) != len(query.SyncOptions) {
			t.Errorf("%s lost what was chosen: %+v", name, sync)
		}
		if hooks := sync.SyncStrategy.Apply == nil; hooks == query.ApplyOnly {
			t.Errorf("%s: hooks %t", name, hooks)
		}
		force := sync.SyncStrategy.Apply != nil && sync.SyncStrategy.Apply.Force || sync.SyncStrategy.Hook != nil && sync.SyncStrategy.Hook.Force
		if force != query.Force {
			t.Errorf("%s: force %t", name, force)
		}
	}
	if _, err := planned(&bowline.PlanQuery{Resources: []string{"nothing"}}); err == nil {
		t.Error("what names no object is taken")
	}
}
