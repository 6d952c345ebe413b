// SPDX-License-Identifier: Apache-2.0

package attention_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time    { return metav1.NewTime(noon.Add(-d)) }
func agoTo(d time.Duration) *metav1.Time { at := ago(d); return &at }
func stamp(d time.Duration) string       { return noon.Add(-d).Format(time.RFC3339Nano) }
func yes() *bool                         { v := true; return &v }
func note(app *v1alpha1.Application, key, value string) {
	if app.Annotations == nil {
		app.Annotations = map[string]string{}
	}
	app.Annotations[key] = value
}

// fine is an application that asks for nothing; changes make something else of it.
func fine(changes ...func(*v1alpha1.Application)) *v1alpha1.Application {
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "web", CreationTimestamp: ago(time.Hour)}}
	app.Status.Sync = v1alpha1.SyncStatus{Status: v1alpha1.SyncStatusCodeSynced, Revision: "new"}
	app.Status.Health = v1alpha1.AppHealthStatus{Status: v1alpha1.HealthStatusHealthy, LastTransitionTime: agoTo(40 * time.Minute)}
	app.Status.ReconciledAt = agoTo(30 * time.Minute)
	for _, change := range changes {
		change(app)
	}
	return app
}

type change = func(*v1alpha1.Application)

func health(code v1alpha1.HealthStatusCode, message string) change {
	return func(app *v1alpha1.Application) {
		app.Status.Health = v1alpha1.AppHealthStatus{Status: code, Message: message, LastTransitionTime: agoTo(10 * time.Minute)}
	}
}

func outOfSync(app *v1alpha1.Application) {
	app.Status.Sync.Status = v1alpha1.SyncStatusCodeOutOfSync
	app.Status.Resources = []v1alpha1.ResourceStatus{
		{Kind: "Service", Namespace: "shop", Name: "web", Status: v1alpha1.SyncStatusCodeSynced},
		{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web", Status: v1alpha1.SyncStatusCodeOutOfSync},
		{Kind: "ConfigMap", Namespace: "shop", Name: "web", Status: v1alpha1.SyncStatusCodeOutOfSync},
	}
}

func automated(app *v1alpha1.Application) {
	app.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{SelfHeal: yes()}}
}

func justCompared(app *v1alpha1.Application) { app.Status.ReconciledAt = agoTo(10 * time.Second) }

func condition(t v1alpha1.ApplicationConditionType, message string) change {
	return func(app *v1alpha1.Application) {
		app.Status.Conditions = append(app.Status.Conditions, v1alpha1.ApplicationCondition{Type: t, Message: message, LastTransitionTime: agoTo(5 * time.Minute)})
	}
}

func operation(phase v1alpha1.OperationPhase, message string, more ...func(*v1alpha1.OperationState)) change {
	return func(app *v1alpha1.Application) {
		app.Status.OperationState = &v1alpha1.OperationState{
			Phase: phase, Message: message, StartedAt: ago(9 * time.Minute), Operation: v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}},
			SyncResult: &v1alpha1.SyncOperationResult{Revision: "new"},
		}
		if phase.Completed() {
			app.Status.OperationState.FinishedAt = agoTo(8 * time.Minute)
		}
		for _, m := range more {
			m(app.Status.OperationState)
		}
	}
}

func result(r v1alpha1.ResourceResult) func(*v1alpha1.OperationState) {
	return func(s *v1alpha1.OperationState) { s.SyncResult.Resources = append(s.SyncResult.Resources, &r) }
}

func annotated(key, value string) change {
	return func(app *v1alpha1.Application) { note(app, key, value) }
}

func deleting(app *v1alpha1.Application) { app.DeletionTimestamp = agoTo(3 * time.Minute) }

const unreachable = "cannot reach cluster edge (https://edge) at spec.destination: no answer; check its address"

var (
	down     = &attention.Outage{Since: noon.Add(-7 * time.Minute), Reason: "Cluster edge does not answer: connection refused"}
	headless = &attention.Outage{Since: noon.Add(-6 * time.Minute), Reason: "No controller acts"}
)

func TestOf(t *testing.T) {
	missing := health(v1alpha1.HealthStatusMissing, "")
	degraded := health(v1alpha1.HealthStatusDegraded, "Deployment.apps shop/web: progress deadline exceeded")
	for name, tt := range map[string]struct {
		app   *v1alpha1.Application
		cut   bool // its cluster does not answer
		alone bool // nobody acts
		word  string
		since time.Duration // before noon; 0: not known
		why   string
	}{
		"nothing": {app: fine(), word: bowline.Fine, since: 40 * time.Minute},

		"a source that cannot be read": {
			app:  fine(condition(v1alpha1.ApplicationConditionComparisonError, "cannot read the path apps/web: it does not exist\nsecond"), health(v1alpha1.HealthStatusUnknown, "")),
			word: bowline.Broken, since: 5 * time.Minute, why: "Cannot read the path apps/web: it does not exist (and 1 more)"},
		"the spec comes before the comparison": {
			app:  fine(condition(v1alpha1.ApplicationConditionComparisonError, "later"), condition(v1alpha1.ApplicationConditionInvalidSpecError, "no such project")),
			word: bowline.Broken, since: 5 * time.Minute, why: "No such project"},
		"a source that cannot be read, of a cluster that does not answer": {
			app: fine(condition(v1alpha1.ApplicationConditionComparisonError, "cannot read the path\n"+unreachable)),
			cut: true, word: bowline.Broken, since: 5 * time.Minute, why: "Cannot read the path (and 1 more)"},
		"the failed object is nearer to the root than the condition about it": {
			app: fine(outOfSync, automated, condition(v1alpha1.ApplicationConditionSyncError, "the last try failed"),
				operation(v1alpha1.OperationFailed, "one or more objects failed", result(v1alpha1.ResourceResult{Kind: "Service", Namespace: "shop", Name: "web", Status: v1alpha1.ResultCodeSynced}),
					result(v1alpha1.ResourceResult{Kind: "Deployment", Namespace: "shop", Name: "web", Status: v1alpha1.ResultCodeSyncFailed, Message: "image is required"}))),
			word: bowline.Broken, since: 8 * time.Minute, why: "Sync failed: Deployment shop/web: image is required"},
		"a hook that failed after all was applied": {
			app: fine(operation(v1alpha1.OperationFailed, "", result(v1alpha1.ResourceResult{Kind: "Job", Namespace: "shop", Name: "smoke", Status: v1alpha1.ResultCodeSynced,
				HookType: v1alpha1.HookTypePostSync, HookPhase: v1alpha1.OperationFailed, Message: "exit code 1"}))),
			word: bowline.Broken, since: 8 * time.Minute, why: "Sync failed: Job shop/smoke: exit code 1"},
		"a message that names the object itself": {
			app: fine(operation(v1alpha1.OperationFailed, "", result(v1alpha1.ResourceResult{Kind: "Service", Namespace: "shop", Name: "web", Status: v1alpha1.ResultCodeSyncFailed,
				Message: "cannot apply Service shop/web at spec.ports: it is invalid"}))),
			word: bowline.Broken, since: 8 * time.Minute, why: "Sync failed: cannot apply Service shop/web at spec.ports: it is invalid"},
		"an operation that could not begin": {
			app: fine(operation(v1alpha1.OperationError, "the project forbids it")), word: bowline.Broken, since: 8 * time.Minute, why: "Sync failed: the project forbids it"},
		"a failure about a revision that is not wanted any more": {
			app: fine(operation(v1alpha1.OperationFailed, "no", func(s *v1alpha1.OperationState) { s.SyncResult.Revision = "old" })), word: bowline.Fine, since: 40 * time.Minute},
		"a dry run that failed": {
			app: fine(operation(v1alpha1.OperationFailed, "no", func(s *v1alpha1.OperationState) { s.Operation.Sync.DryRun = true })), word: bowline.Fine, since: 40 * time.Minute},
		"a failure that is being tried again by hand": {
			app:  fine(operation(v1alpha1.OperationFailed, "no"), func(app *v1alpha1.Application) { app.Operation = &v1alpha1.Operation{} }),
			word: bowline.Working, why: "A sync was asked for and is about to begin"},
		"a further try": {
			app:  fine(outOfSync, operation(v1alpha1.OperationRunning, "waits for its next try: image is required", func(s *v1alpha1.OperationState) { s.RetryCount = 2 })),
			word: bowline.Broken, since: 9 * time.Minute, why: "Sync is tried again (retry 2): waits for its next try: image is required"},
		"automated sync gave up": {
			app: fine(outOfSync, condition(v1alpha1.ApplicationConditionSyncError, "everything would be pruned")), word: bowline.Broken, since: 5 * time.Minute, why: "everything would be pruned"},
		"an error that nobody knows here": {
			app: fine(condition("FutureError", "new")), word: bowline.Broken, since: 5 * time.Minute, why: "new"},
		"degraded": {app: fine(degraded), word: bowline.Broken, since: 10 * time.Minute, why: "Deployment shop/web: progress deadline exceeded"},
		"degraded, as Argo CD writes it": {
			app: fine(health(v1alpha1.HealthStatusDegraded, ""), func(app *v1alpha1.Application) {
				app.Status.Resources = []v1alpha1.ResourceStatus{{Kind: "Pod", Namespace: "shop", Name: "a", Health: &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusHealthy}},
					{Kind: "Pod", Namespace: "shop", Name: "b", Health: &v1alpha1.HealthStatus{Status: v1alpha1.HealthStatusDegraded, Message: "OOMKilled"}}}
			}), word: bowline.Broken, since: 10 * time.Minute, why: "Pod shop/b is Degraded: OOMKilled"},
		"degraded while a sync runs": {app: fine(degraded, operation(v1alpha1.OperationRunning, "")), word: bowline.Broken, since: 10 * time.Minute, why: "Deployment shop/web: progress deadline exceeded"},
		"missing":                    {app: fine(missing, outOfSync), word: bowline.Broken, since: 10 * time.Minute, why: "None of its objects is in the cluster"},
		"missing while a sync runs":  {app: fine(missing, outOfSync, operation(v1alpha1.OperationRunning, "applies")), word: bowline.Working, since: 9 * time.Minute, why: "A sync runs: applies"},

		"deletions wait": {
			app:  fine(outOfSync, annotated(v1alpha1.AnnotationDeletionPlan, "digest "+stamp(4*time.Minute)), func(app *v1alpha1.Application) { app.Status.Resources[2].RequiresPruning = true }),
			word: bowline.Waiting, since: 4 * time.Minute, why: "The deletion of ConfigMap shop/web waits for somebody to approve it"},
		"deletions were approved": {
			app:  fine(outOfSync, annotated(v1alpha1.AnnotationDeletionPlan, "digest "+stamp(4*time.Minute)), annotated(v1alpha1.AnnotationDeletionApproved, stamp(time.Minute))),
			word: bowline.Drifting, since: 30 * time.Minute, why: "Deployment shop/web and 1 more differ from their source; automated sync is off"},
		"a deletion to confirm": {
			app: fine(outOfSync, func(app *v1alpha1.Application) {
				app.Status.Resources[1].RequiresPruning, app.Status.Resources[1].RequiresDeletionConfirmation = true, true
			}), word: bowline.Waiting, since: 30 * time.Minute, why: "The deletion of Deployment shop/web waits for somebody to approve it"},
		"held": {
			app:  fine(annotated(v1alpha1.AnnotationHold, `{"by":"ann","reason":"checkout fails","since":"`+stamp(2*time.Minute)+`"}`)),
			word: bowline.Waiting, since: 2 * time.Minute, why: "Held by ann: checkout fails"},
		"held by hand":                 {app: fine(annotated(v1alpha1.AnnotationHold, "migration\nruns")), word: bowline.Waiting, why: "Held: migration runs"},
		"held by what cannot be read":  {app: fine(annotated(v1alpha1.AnnotationHold, "{")), word: bowline.Waiting, why: "Held by the annotation bowline.dev/hold, which cannot be read: mend or remove it"},
		"a hold whose time is over":    {app: fine(annotated(v1alpha1.AnnotationHold, `{"until":"`+stamp(time.Minute)+`"}`)), word: bowline.Fine, since: 40 * time.Minute},
		"suspended":                    {app: fine(health(v1alpha1.HealthStatusSuspended, "Rollout.argoproj.io shop/web: paused")), word: bowline.Waiting, since: 10 * time.Minute, why: "Rollout shop/web: paused"},
		"held, of a dead cluster":      {app: fine(annotated(v1alpha1.AnnotationHold, "x")), cut: true, word: bowline.Waiting, why: "Held: x"},
		"suspended, of a dead cluster": {app: fine(health(v1alpha1.HealthStatusSuspended, "")), cut: true, word: bowline.Stale, since: 7 * time.Minute, why: down.Reason},

		"healthy, of a dead cluster":   {app: fine(), cut: true, word: bowline.Stale, since: 7 * time.Minute, why: down.Reason},
		"degraded, of a dead cluster":  {app: fine(degraded), cut: true, word: bowline.Stale, since: 7 * time.Minute, why: down.Reason},
		"a dead cluster, by condition": {app: fine(condition(v1alpha1.ApplicationConditionComparisonError, unreachable)), word: bowline.Stale, since: 5 * time.Minute, why: "Cannot reach cluster edge (https://edge) at spec.destination: no answer; check its address"},
		"nobody acts":                  {app: fine(), alone: true, word: bowline.Stale, since: 6 * time.Minute, why: "No controller acts"},
		"nobody looks":                 {app: fine(annotated(v1alpha1.AnnotationKeyAppSkipReconcile, "true")), word: bowline.Stale, since: 30 * time.Minute, why: "Nobody looks at it: its annotation argocd.argoproj.io/skip-reconcile is true"},
		"new":                          {app: &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: ago(time.Second)}}, word: bowline.Stale, since: time.Second, why: "It was not compared with its source yet"},
		"not comparable": {
			app:  fine(func(app *v1alpha1.Application) { app.Status.Sync.Status = v1alpha1.SyncStatusCodeUnknown }, condition("ComparisonWarning", "objects of kind Foo cannot be listed")),
			word: bowline.Stale, since: 30 * time.Minute, why: "Objects of kind Foo cannot be listed"},
		"unknown health":  {app: fine(health(v1alpha1.HealthStatusUnknown, "")), word: bowline.Stale, since: 10 * time.Minute, why: "The health of its objects is not known"},
		"no health":       {app: fine(health("", "")), word: bowline.Stale, since: 10 * time.Minute, why: "The health of its objects is not known"},
		"refresh in time": {app: fine(annotated(v1alpha1.AnnotationKeyRefresh, "normal"), annotated(v1alpha1.AnnotationKeyRefreshTimestamp, stamp(time.Minute))), word: bowline.Fine, since: 40 * time.Minute},
		"refresh, no answer": {
			app:  fine(annotated(v1alpha1.AnnotationKeyRefresh, "normal"), annotated(v1alpha1.AnnotationKeyRefreshTimestamp, stamp(4*time.Minute))),
			word: bowline.Stale, since: 4 * time.Minute, why: "Somebody asked for a refresh, and no controller has answered: see whether one runs and leads"},

		"drift":                {app: fine(outOfSync), word: bowline.Drifting, since: 30 * time.Minute, why: "Deployment shop/web and 1 more differ from their source; automated sync is off"},
		"drift kept by window": {app: fine(outOfSync, automated, justCompared, condition(v1alpha1.ApplicationConditionSyncWindowWarning, "automated sync is blocked by sync window: deny")), word: bowline.Drifting, since: 10 * time.Second, why: "Automated sync is blocked by sync window: deny"},
		"drift kept by others": {app: fine(outOfSync, automated, justCompared, condition(v1alpha1.ApplicationConditionDependencyWarning, "waits for db")), word: bowline.Drifting, since: 10 * time.Second, why: "Waits for db"},
		"drift that nobody heals": {
			app:  fine(outOfSync, automated, justCompared, operation(v1alpha1.OperationSucceeded, ""), func(app *v1alpha1.Application) { app.Spec.SyncPolicy.Automated.SelfHeal = nil }),
			word: bowline.Drifting, since: 10 * time.Second, why: "Deployment shop/web and 1 more differ from their source"},
		"drift that stays though nothing keeps it": {app: fine(outOfSync, automated), word: bowline.Drifting, since: 30 * time.Minute, why: "Deployment shop/web and 1 more differ from their source"},

		"about to begin":       {app: fine(outOfSync, automated, justCompared), word: bowline.Working, since: 10 * time.Second, why: "It differs from its source, and automated sync is about to begin"},
		"a sync runs":          {app: fine(outOfSync, operation(v1alpha1.OperationRunning, "wave 2")), word: bowline.Working, since: 9 * time.Minute, why: "A sync runs: wave 2"},
		"a sync is terminated": {app: fine(operation(v1alpha1.OperationTerminating, "x")), word: bowline.Working, since: 9 * time.Minute, why: "The sync is being terminated"},
		"progressing":          {app: fine(health(v1alpha1.HealthStatusProgressing, "")), word: bowline.Working, since: 10 * time.Minute, why: "Its objects are not ready yet"},

		"deleted":               {app: fine(missing, deleting), word: bowline.Working, since: 3 * time.Minute, why: "It is being deleted"},
		"deleted, waits":        {app: fine(deleting, condition(v1alpha1.ApplicationConditionDeletionWarning, "web waits for api to go")), word: bowline.Working, since: 3 * time.Minute, why: "web waits for api to go"},
		"deleted, to confirm":   {app: fine(deleting, condition(v1alpha1.ApplicationConditionDeletionError, "Secret x asks for a confirmation: set argocd.argoproj.io/deletion-approved")), word: bowline.Waiting, since: 3 * time.Minute, why: "Its deletion waits for somebody to confirm it: an object asks for that (Delete=confirm)"},
		"deleted, stuck":        {app: fine(deleting, condition(v1alpha1.ApplicationConditionDeletionError, "forbidden by the cluster")), word: bowline.Broken, since: 5 * time.Minute, why: "forbidden by the cluster"},
		"deleted, cut off":      {app: fine(deleting, condition(v1alpha1.ApplicationConditionDeletionError, unreachable)), word: bowline.Stale, since: 5 * time.Minute, why: "Cannot reach cluster edge (https://edge) at spec.destination: no answer; check its address"},
		"deleted, nobody there": {app: fine(deleting), alone: true, word: bowline.Stale, since: 6 * time.Minute, why: "No controller acts"},
	} {
		around := attention.Around{Now: noon}
		if tt.cut {
			around.Cluster = down
		}
		if tt.alone {
			around.Unattended = headless
		}
		v := attention.Of(tt.app, around)
		if attention.Settled(tt.app) && !tt.cut && !tt.alone {
			for _, now := range []time.Time{{}, noon.Add(-24 * time.Hour), noon.Add(24 * time.Hour)} {
				if w := attention.Of(tt.app, attention.Around{Now: now}); w.Word() != v.Word() || !w.Since.Equal(v.Since) || w.Why(tt.app) != v.Why(tt.app) {
					t.Errorf("%s: it is settled, and at %s it is %s: %q", name, now, w.Word(), w.Why(tt.app))
				}
			}
		}
		if v.Word() != tt.word || v.Why(tt.app) != tt.why {
			t.Errorf("%s: %s: %q, want %s: %q", name, v.Word(), v.Why(tt.app), tt.word, tt.why)
		}
		if want := noon.Add(-tt.since); tt.since > 0 && !v.Since.Equal(want) || tt.since == 0 && !v.Since.IsZero() {
			t.Errorf("%s: since %s, want %s", name, v.Since, want)
		}
	}
}

// TestUnknownIsNeverFine: whatever else is so, what is not known is not fine, nor is it only drifting or on its way.
func TestUnknownIsNeverFine(t *testing.T) {
	for _, sync := range []v1alpha1.SyncStatusCode{"", "Unknown", "Synced", "OutOfSync"} {
		for _, state := range []v1alpha1.HealthStatusCode{"", "Unknown", "Healthy", "Progressing", "Degraded", "Missing", "Suspended"} {
			for _, phase := range []v1alpha1.OperationPhase{"", "Running", "Succeeded", "Failed", "Error", "Terminating"} {
				for _, cluster := range []*attention.Outage{nil, down} {
					app := fine(health(state, ""), operation(phase, ""))
					app.Status.Sync.Status = sync
					word := attention.Of(app, attention.Around{Now: noon, Cluster: cluster}).Word()
					unknown := cluster != nil || sync == "" || sync == "Unknown" || state == "" || state == "Unknown"
					if unknown && (word == bowline.Fine || word == bowline.Drifting || word == bowline.Working) {
						t.Errorf("sync %q, health %q, operation %q, cut off %v: %s", sync, state, phase, cluster != nil, word)
					}
				}
			}
		}
	}
}

// What does not fit is left out from its end, and better what to do than half of it.
func TestLongReasons(t *testing.T) {
	cause := "cannot list the refs of repository https://git.example.org/data/rates.git: " + strings.Repeat("x", 80)
	for message, want := range map[string]string{
		cause + "; " + strings.Repeat("check ", 20): "C" + cause[1:],
		strings.Repeat("ä", 201):                    strings.Repeat("ä", 199) + "…",
		strings.Repeat("ä", 200):                    strings.Repeat("ä", 200),
	} {
		app := fine(condition(v1alpha1.ApplicationConditionComparisonError, message))
		if got := attention.Of(app, attention.Around{Now: noon}).Why(app); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAnOutageCountsOnlyOnceItLasts(t *testing.T) {
	fresh := &attention.Outage{Since: noon.Add(-14 * time.Second)}
	if attention.Lasting(fresh, noon) != nil || attention.Lasting(nil, noon) != nil {
		t.Error("a connection that is made anew is told as an outage")
	}
	if attention.Lasting(fresh, noon.Add(time.Second)) != fresh {
		t.Error("an outage is never told")
	}
}

// FuzzWhy: whatever a cluster or a person writes, a reason is one line of bounded length without control characters.
func FuzzWhy(f *testing.F) {
	f.Add("cannot read\x1b[31m the path\n\u202eevil", "Held")
	f.Add(strings.Repeat("ä", 5000), "{")
	f.Add("\xff\xfe", "")
	f.Fuzz(func(t *testing.T, message, hold string) {
		for _, app := range []*v1alpha1.Application{
			fine(condition(v1alpha1.ApplicationConditionComparisonError, message)), fine(annotated(v1alpha1.AnnotationHold, hold)),
			fine(health(v1alpha1.HealthStatusDegraded, message)), fine(operation(v1alpha1.OperationFailed, message)),
		} {
			why := attention.Of(app, attention.Around{Now: noon}).Why(app)
			if !utf8.ValidString(why) || utf8.RuneCountInString(why) > 200 || strings.ContainsFunc(why, func(r rune) bool { return !unicode.IsGraphic(r) }) {
				t.Errorf("%q", why)
			}
		}
	})
}

func BenchmarkOf(b *testing.B) {
	app, around := fine(automated), attention.Around{Now: noon}
	b.ReportAllocs()
	for b.Loop() {
		attention.Of(app, around)
	}
}
