// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func yes() *bool  { b := true; return &b }
func nope() *bool { b := false; return &b }

func differs(kind, name string) Resource {
	return Resource{Key: object.Key{Group: "apps", Kind: kind, Namespace: "shop", Name: name}, Status: v1alpha1.SyncStatusCodeOutOfSync}
}

func synced(kind, name string) Resource {
	r := differs(kind, name)
	r.Status = v1alpha1.SyncStatusCodeSynced
	return r
}

func extra(name string) Resource {
	r := differs("ConfigMap", name)
	r.RequiresPruning = true
	return r
}

func kept(r Resource) Resource { r.Kept = true; return r }
func held(r Resource) Resource { r.Held = true; return r }

// fresh is an application that is OutOfSync at a revision that was not synced before.
func fresh(change ...func(*AutoSync)) AutoSync {
	in := AutoSync{
		Policy:    &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}},
		Status:    v1alpha1.SyncStatusCodeOutOfSync,
		Revision:  "aaa",
		Source:    v1alpha1.ApplicationSource{RepoURL: "https://a.example/b", Path: "p"},
		Resources: []Resource{differs("Deployment", "web"), synced("Service", "web")},
		Now:       now,
	}
	for _, f := range change {
		f(&in)
	}
	return in
}

// after records an operation that synced the application's present revision and ended some time ago.
func after(phase v1alpha1.OperationPhase, ago time.Duration, change ...func(*v1alpha1.OperationState)) func(*AutoSync) {
	return func(in *AutoSync) {
		in.Last = &v1alpha1.OperationState{
			Phase:      phase,
			Message:    "quota exceeded",
			Operation:  v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}},
			FinishedAt: &metav1.Time{Time: now.Add(-ago)},
			SyncResult: &v1alpha1.SyncOperationResult{Revision: in.Revision, Revisions: in.Revisions, Source: in.Source, Sources: in.Sources},
		}
		for _, f := range change {
			f(in.Last)
		}
	}
}

func attempts(n int64) func(*v1alpha1.OperationState) {
	return func(s *v1alpha1.OperationState) { s.Operation.Sync.SelfHealAttemptsCount = n }
}

func selfHeal(in *AutoSync) { in.Policy.Automated.SelfHeal = yes() }
func pruning(in *AutoSync)  { in.Policy.Automated.Prune = yes() }

func with(resources ...Resource) func(*AutoSync) {
	return func(in *AutoSync) { in.Resources = resources }
}

func condition(typ v1alpha1.ApplicationConditionType) func(*AutoSync) {
	return func(in *AutoSync) {
		in.Conditions = append(in.Conditions, v1alpha1.ApplicationCondition{Type: typ, Message: "m"})
	}
}

func TestDecide(t *testing.T) {
	const ok = v1alpha1.OperationSucceeded
	tests := []struct {
		reason string
		in     AutoSync
		sync   bool
		rule   string
		says   string
	}{
		{"a new revision", fresh(), true, "", "not synced before"},
		{"no policy", fresh(func(in *AutoSync) { in.Policy = nil }), false, "policy", ""},
		{"a policy without automated", fresh(func(in *AutoSync) { in.Policy.Automated = nil }), false, "policy", ""},
		{"enabled: false", fresh(func(in *AutoSync) { in.Policy.Automated.Enabled = nope() }), false, "policy", ""},
		{"enabled: true", fresh(func(in *AutoSync) { in.Policy.Automated.Enabled = yes() }), true, "", ""},
		{"an operation is asked for", fresh(func(in *AutoSync) { in.Operating = true }), false, "operation", ""},
		{"an operation runs, or waits for its retry", fresh(after(v1alpha1.OperationRunning, 0)), false, "operation", ""},
		{"an operation is being terminated", fresh(after(v1alpha1.OperationTerminating, 0)), false, "operation", ""},
		{"being deleted", fresh(func(in *AutoSync) { in.Deleting = true }), false, "deletion", ""},
		{"synced", fresh(func(in *AutoSync) { in.Status = v1alpha1.SyncStatusCodeSynced }), false, "status", "Synced"},
		{"unknown never syncs", fresh(func(in *AutoSync) { in.Status = v1alpha1.SyncStatusCodeUnknown }), false, "status", "Unknown"},
		{"an error of the spec", fresh(condition(v1alpha1.ApplicationConditionInvalidSpecError)), false, "errors", "InvalidSpecError"},
		{"an error of the comparison", fresh(condition(v1alpha1.ApplicationConditionComparisonError)), false, "errors", ""},
		{"a warning is no error", fresh(condition(v1alpha1.ApplicationConditionSharedResourceWarning)), true, "", ""},
		{"an earlier SyncError does not keep a new revision from being tried", fresh(condition(v1alpha1.ApplicationConditionSyncError)), true, "", ""},
		{"an unreachable source does not stop the last resolved revision",
			fresh(condition(v1alpha1.ApplicationConditionComparisonError), func(in *AutoSync) { in.Unreachable = true }), true, "", ""},
		{"an unreachable source does not hide an error of the spec",
			fresh(condition(v1alpha1.ApplicationConditionInvalidSpecError), func(in *AutoSync) { in.Unreachable = true }), false, "errors", ""},
		{"nobody to do it as", fresh(func(in *AutoSync) { in.NoAccount = "no service account" }), false, "account", "no service account"},
		{"a sync window", fresh(func(in *AutoSync) { in.Denied = "deny 0 8 * * *" }), false, "window", "deny 0 8"},
		{"only pruning, prune off", fresh(with(extra("a"), synced("Service", "web"))), false, "prune only", ""},
		{"only pruning, prune on", fresh(pruning, with(extra("a"), synced("Service", "web"))), true, "", ""},
		{"pruning and more, prune off", fresh(with(extra("a"), differs("Service", "web"))), true, "", ""},
		{"hooks carry no verdict", fresh(with(extra("a"), Resource{Key: object.Key{Kind: "Job"}})), false, "prune only", ""},
		{"nothing differs but the namespace's metadata", fresh(with(synced("Service", "web"))), true, "", ""},
		{"only what waits for an approval", fresh(pruning, with(held(extra("a")), synced("Service", "web"))), false, "held", "apps shop/a"},
		{"what waits is approved", fresh(pruning, func(in *AutoSync) { in.Approved = true }, with(held(extra("a")), synced("Service", "web"))), true, "", ""},
		{"what waits and more", fresh(pruning, with(held(extra("a")), differs("Service", "web"))), true, "", ""},

		{"tried and failed", fresh(selfHeal, after(v1alpha1.OperationFailed, time.Hour)), false, "attempted", "quota exceeded"},
		{"tried and ended in error", fresh(after(v1alpha1.OperationError, time.Hour)), false, "attempted", "will not be retried"},
		{"tried and succeeded, self-heal off", fresh(after(ok, time.Hour)), false, "attempted", "self-heal is off"},
		{"tried and succeeded, self-heal on", fresh(selfHeal, after(ok, time.Hour)), true, "attempted", "the cluster differs"},
		{"another revision was tried", fresh(after(ok, time.Hour), func(in *AutoSync) { in.Revision = "bbb" }), true, "", ""},
		{"another revision failed", fresh(after(v1alpha1.OperationFailed, time.Hour), func(in *AutoSync) { in.Revision = "bbb" }), true, "", ""},
		{"another revision that changes nothing here", fresh(after(ok, time.Hour), func(in *AutoSync) { in.Revision, in.Unchanged = "bbb", true }), false, "attempted", ""},
		{"the same revision from another path", fresh(after(ok, time.Hour), func(in *AutoSync) { in.Source.Path = "q" }), true, "", ""},
		{"an empty list in the source is no list", fresh(after(ok, time.Hour), func(in *AutoSync) {
			in.Source.Kustomize = &v1alpha1.ApplicationSourceKustomize{Images: v1alpha1.KustomizeImages{}}
			in.Last.SyncResult.Source.Kustomize = &v1alpha1.ApplicationSourceKustomize{}
		}), false, "attempted", ""},
		{"several sources, the same", fresh(several, after(ok, time.Hour)), false, "attempted", "a1, b1"},
		{"several sources, one of another revision", fresh(several, after(ok, time.Hour), func(in *AutoSync) { in.Revisions = []string{"a1", "b2"} }), true, "", ""},
		{"several sources, one more", fresh(several, after(ok, time.Hour), func(in *AutoSync) { in.Sources = append(in.Sources, v1alpha1.ApplicationSource{}) }), true, "", ""},
		{"it ended without a result", fresh(after(v1alpha1.OperationError, time.Hour, func(s *v1alpha1.OperationState) {
			s.SyncResult, s.Operation.Sync.Revision = nil, s.SyncResult.Revision
		})), false, "attempted", ""},
		{"it ended without a result, several sources", fresh(several, after(v1alpha1.OperationError, time.Hour, func(s *v1alpha1.OperationState) {
			s.SyncResult, s.Operation.Sync.Revisions = nil, s.SyncResult.Revisions
		})), false, "attempted", ""},
		{"another revision ended without a result", fresh(after(v1alpha1.OperationError, time.Hour, func(s *v1alpha1.OperationState) {
			s.SyncResult, s.Operation.Sync.Revision = nil, "bbb"
		})), true, "", ""},
		{"a record that says nothing", fresh(after(ok, time.Hour, func(s *v1alpha1.OperationState) {
			s.SyncResult, s.Operation.Sync = nil, nil
		})), true, "", ""},
		{"a kind that it lacked is served by now", fresh(after(v1alpha1.OperationFailed, time.Hour), func(in *AutoSync) { in.Served = true }), true, "attempted", "served by now"},
		{"an operation that was no sync", fresh(after(ok, time.Hour, func(s *v1alpha1.OperationState) { s.Operation.Sync = nil })), true, "", ""},
		{"another application let go of an object, self-heal off", fresh(after(ok, time.Hour), func(in *AutoSync) { in.Freed = true }), true, "attempted", "let go"},
		{"a failure is final although another application let go", fresh(after(v1alpha1.OperationFailed, time.Hour), func(in *AutoSync) { in.Freed = true }), false, "attempted", ""},
		{"approved after a success, self-heal off", fresh(pruning, after(ok, time.Hour), func(in *AutoSync) { in.Approved = true },
			with(held(extra("a")), synced("Service", "web"))), true, "attempted", "approved"},

		{"only what is to be kept differs, at a new revision", fresh(pruning, selfHeal, with(kept(extra("a")), synced("Service", "web"))), true, "", ""},
		{"only what is to be kept differs, after its sync", fresh(pruning, selfHeal, after(ok, time.Hour), with(kept(extra("a")), held(extra("b")), synced("Service", "web"))),
			false, "attempted", "left as it is: ConfigMap.apps shop/a"},
		{"what is to be kept and more", fresh(pruning, selfHeal, after(ok, time.Hour), with(kept(extra("a")), differs("Service", "web"))), true, "attempted", ""},

		{"all would be pruned", fresh(pruning, with(extra("a"), extra("b"))), false, "empty", "allowEmpty"},
		{"all would be pruned, allowed", fresh(pruning, func(in *AutoSync) { in.Policy.Automated.AllowEmpty = yes() }, with(extra("a"))), true, "", ""},
		{"all would be pruned by a self-heal", fresh(pruning, selfHeal, after(ok, time.Hour), with(extra("a"))), false, "empty", ""},
	}
	for _, tt := range tests {
		got := Decide(tt.in)
		if got.Sync != tt.sync || got.Rule != tt.rule || !strings.Contains(got.Reason, tt.says) {
			t.Errorf("%s: got %+v, want sync %v by rule %q with a reason that holds %q", tt.reason, got, tt.sync, tt.rule, tt.says)
		}
		if got.Reason == "" {
			t.Errorf("%s: no reason given", tt.reason)
		}
	}
}

func several(in *AutoSync) {
	in.Revision, in.Source = "", v1alpha1.ApplicationSource{}
	in.Revisions = []string{"a1", "b1"}
	in.Sources = v1alpha1.ApplicationSources{{RepoURL: "a"}, {RepoURL: "b"}}
}

func TestConditionsOfADecision(t *testing.T) {
	for _, in := range []AutoSync{
		fresh(after(v1alpha1.OperationFailed, time.Hour)),
		fresh(pruning, with(extra("a"))),
	} {
		d := Decide(in)
		if d.Condition == nil || d.Condition.Type != v1alpha1.ApplicationConditionSyncError || d.Condition.Message != d.Reason {
			t.Errorf("%+v: want a SyncError that says why", d)
		}
	}
	if d := Decide(fresh(after(v1alpha1.OperationSucceeded, time.Hour))); d.Condition != nil {
		t.Errorf("%+v: self-heal being off is no error", d)
	}
}

func TestSelfHealPauses(t *testing.T) {
	pauses := []time.Duration{0, 2 * time.Second, 6 * time.Second, 18 * time.Second, 54 * time.Second, 162 * time.Second, 300 * time.Second, 300 * time.Second}
	for n, pause := range pauses {
		for _, ago := range []time.Duration{0, time.Second, 5 * time.Second, 100 * time.Second, 299 * time.Second, 300 * time.Second, time.Hour} {
			d := Decide(fresh(selfHeal, after(v1alpha1.OperationSucceeded, ago, attempts(int64(n)))))
			if wait := max(0, pause-ago); d.Wait != wait || d.Sync != (wait == 0) {
				t.Errorf("after %d self-heals, %v after the last one: sync %v, wait %v, want wait %v", n, ago, d.Sync, d.Wait, wait)
			}
			if d.Sync && (!d.SelfHeal || d.Attempt != int64(n+1)) {
				t.Errorf("after %d self-heals: got attempt %d", n, d.Attempt)
			}
		}
	}
}

func TestSelfHealPausesBySettings(t *testing.T) {
	in := fresh(selfHeal, after(v1alpha1.OperationSucceeded, 0, attempts(3)), func(in *AutoSync) {
		in.Backoff = SelfHealBackoff{First: time.Second, Factor: 10, Cap: time.Minute}
	})
	if d := Decide(in); d.Wait != time.Minute {
		t.Errorf("got %v, want the cap of one minute", d.Wait)
	}
}

func TestOperationOfASelfHeal(t *testing.T) {
	in := fresh(selfHeal, pruning, after(v1alpha1.OperationSucceeded, time.Hour, attempts(2)),
		with(differs("Deployment", "web"), synced("Service", "web"), extra("old"), held(extra("waits"))))
	in.Policy.SyncOptions = v1alpha1.SyncOptions{"Replace=true"}
	got := Decide(in).Operation(in)
	want := &v1alpha1.Operation{
		Sync: &v1alpha1.SyncOperation{
			Revision: "aaa", Prune: true, SyncOptions: v1alpha1.SyncOptions{"Replace=true"}, SelfHealAttemptsCount: 3,
			Resources: []v1alpha1.SyncOperationResource{
				{Group: "apps", Kind: "Deployment", Name: "web"},
				{Group: "apps", Kind: "ConfigMap", Name: "old"},
			},
		},
		InitiatedBy: v1alpha1.OperationInitiator{Automated: true},
		Retry:       v1alpha1.RetryStrategy{Limit: 5},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operation differs (- want, + got):\n%s", diff)
	}
}

func TestOperationOfANewRevision(t *testing.T) {
	in := fresh(several, func(in *AutoSync) { in.Policy.Retry = &v1alpha1.RetryStrategy{Limit: 1, Refresh: true} })
	got := Decide(in).Operation(in)
	if len(got.Sync.Resources) != 0 || got.Sync.SelfHealAttemptsCount != 0 || len(got.Sync.Revisions) != 2 || !got.Retry.Refresh || got.Sync.Prune {
		t.Errorf("got %+v with %+v", got, got.Sync)
	}
}

func TestASelfHealThatIsTriedAgainHealsWhatDiffersByNow(t *testing.T) {
	in := fresh(with(differs("Deployment", "web"), differs("Namespace", "shop"), synced("Service", "web"), held(extra("waits"))))
	got := Widen([]v1alpha1.SyncOperationResource{{Group: "apps", Kind: "Deployment", Name: "web"}, {Kind: "ConfigMap", Name: "begun"}}, in)
	want := []v1alpha1.SyncOperationResource{
		{Group: "apps", Kind: "Deployment", Name: "web"}, {Kind: "ConfigMap", Name: "begun"}, {Group: "apps", Kind: "Namespace", Name: "shop"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("selection differs (- want, + got):\n%s", diff)
	}
}
