// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/settings"
)

// noon is when the tests of writes play.
var noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

// granted are the rights of the one caller of a test, as "resource, action, object"; a * at the end is any.
type granted struct {
	mu      sync.Mutex
	rights  []string
	changed chan struct{}
}

func (g *granted) Rule(_ auth.Caller, right access.Right) access.Ruling {
	g.mu.Lock()
	defer g.mu.Unlock()
	return access.Ruling{Allowed: slices.ContainsFunc(g.rights, func(one string) bool {
		begin, open := strings.CutSuffix(one, "*")
		return one == right.String() || open && strings.HasPrefix(right.String(), begin)
	})}
}

func (g *granted) Changed() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return g.changed
}

func (g *granted) Valid(auth.Caller) error { return nil }

func (g *granted) set(rights ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rights = rights
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// checks judges applications as a test says.
type checks func(app *v1alpha1.Application, render bool) error

func (c checks) Check(_ context.Context, app *v1alpha1.Application, render bool) error {
	if c == nil {
		return nil
	}
	return c(app, render)
}

type noClusters struct{}

func (noClusters) Find(v1alpha1.ApplicationDestination) (*cluster.Cluster, error) {
	return nil, errors.New("no cluster is needed here")
}
func (noClusters) ScopedTo(string) access.Scoped { return access.Scoped{} }

// doings is a service with a hub of its own and one caller.
type doings struct {
	*Service
	roles    *granted
	settings *settings.Settings
	told     *event.Subscription
	ctx      context.Context
}

func newDoings(t *testing.T, check checks, objects ...client.Object) *doings {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"default", "team", "other"} {
		objects = append(objects, &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: name}})
	}
	hub := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	defaults := settings.Defaults()
	d := &doings{roles: &granted{}, settings: &defaults}
	bus := &event.Bus{}
	d.told = bus.Subscribe(10)
	d.Service = New(Deps{
		Gate: &gate.Gate{Roles: d.roles}, Hub: hub, Fresh: hub, Clusters: noClusters{}, Checker: check, Bus: bus, Home: "argocd",
		Settings: func() *settings.Settings { return d.settings }, Served: func(ns string) bool { return ns == "argocd" },
		Clock: clocktesting.NewFakeClock(noon),
	})
	d.ctx = auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "ann", Username: "ann"})
	return d
}

func appIn(project, name string) *v1alpha1.Application {
	return &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: name, UID: "uid-of-" + "app"},
		Spec: v1alpha1.ApplicationSpec{
			Project: project, Source: &v1alpha1.ApplicationSource{RepoURL: "https://git.example/shop", Path: "web"},
			Destination: v1alpha1.ApplicationDestination{Server: cluster.HubServer, Namespace: "shop"},
		},
	}
}

// now returns the application as the hub has it.
func (d *doings) now(t *testing.T, name string) *v1alpha1.Application {
	t.Helper()
	app := &v1alpha1.Application{}
	if err := d.Fresh.Get(t.Context(), client.ObjectKey{Namespace: "argocd", Name: name}, app); err != nil {
		t.Fatal(err)
	}
	return app
}

func refusedFor(t *testing.T, what string, err error, kind fault.Kind, says string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: got %v, want a %s error that says %q", what, err, kind, says)
	}
}

func TestCreate(t *testing.T) {
	d := newDoings(t, func(_ *v1alpha1.Application, render bool) error {
		if render {
			return fault.New(fault.Mistake, "accept", "it", "", "no such path", "")
		}
		return nil
	})
	app := appIn("team", "web")
	app.Operation = &v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{Manifests: []string{"{}"}}}
	app.Status.Sync.Status = v1alpha1.SyncStatusCodeSynced
	_, err := d.Create(d.ctx, &application.ApplicationCreateRequest{Application: app})
	refusedFor(t, "without the right", err, fault.Forbidden, "applications, create, team/web")

	d.roles.set("applications, create, team/*", "applications, get, team/*")
	_, err = d.Create(d.ctx, &application.ApplicationCreateRequest{Application: app})
	refusedFor(t, "sources that give nothing", err, fault.Mistake, "no such path")

	if _, err = d.Create(d.ctx, &application.ApplicationCreateRequest{Application: app, Validate: new(bool)}); err != nil {
		t.Fatal(err)
	}
	got := d.now(t, "web")
	if got.Operation != nil || got.Status.Sync.Status != "" {
		t.Errorf("operation %v and status %v came with it", got.Operation, got.Status.Sync)
	}
	if told := <-d.told.Records(); told.Reason != event.ResourceCreated || told.User != "ann" {
		t.Errorf("told of %+v", told)
	}
	if _, err = d.Create(d.ctx, &application.ApplicationCreateRequest{Application: app, Validate: new(bool)}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	elsewhere := appIn("team", "api")
	elsewhere.Namespace = "kube-system"
	d.roles.set("applications, create, team/*")
	_, err = d.Create(d.ctx, &application.ApplicationCreateRequest{Application: elsewhere, Validate: new(bool)})
	refusedFor(t, "a namespace that is not served", err, fault.Forbidden, "namespace 'kube-system' is not permitted")
}

// Whoever may create an application in one project must not get at one of the same name in another.
func TestUpsertAsksForRightsInBothProjects(t *testing.T) {
	changed := appIn("team", "web")
	changed.Spec.Source.Path = "evil"
	for _, tt := range []struct {
		reason string
		rights []string
		upsert bool
		kind   fault.Kind
		says   string
	}{
		{"what they cannot see stays unseen", []string{"applications, create, team/*"}, true, fault.Forbidden, "permission denied"},
		{"it differs, and nobody said upsert", []string{"applications, create, team/*", "applications, get, other/*"}, false, fault.Mistake, "existing application spec is different"},
		{"no update here", []string{"applications, create, team/*", "applications, get, other/*"}, true, fault.Forbidden, "applications, update, team/web"},
		{"no update there", []string{"applications, *, team/*", "applications, create, team/*", "applications, update, team/*", "applications, get, other/*"}, true, fault.Forbidden, "applications, update, other/web"},
	} {
		d := newDoings(t, nil, appIn("other", "web"))
		d.roles.set(tt.rights...)
		_, err := d.Create(d.ctx, &application.ApplicationCreateRequest{Application: changed, Upsert: tt.upsert})
		refusedFor(t, tt.reason, err, tt.kind, tt.says)
		if d.now(t, "web").Spec.Project != "other" {
			t.Errorf("%s: it was changed", tt.reason)
		}
	}
	d := newDoings(t, nil, appIn("other", "web"))
	d.roles.set("applications, create, team/*", "applications, update, team/*", "applications, get, other/*", "applications, update, other/*")
	if _, err := d.Create(d.ctx, &application.ApplicationCreateRequest{Application: changed, Upsert: true}); err != nil {
		t.Fatal(err)
	}
	if got := d.now(t, "web"); got.Spec.Project != "team" || got.Spec.Source.Path != "evil" {
		t.Errorf("it became %+v", got.Spec)
	}
}

func TestMovingToAnotherProjectNeedsRightsInBoth(t *testing.T) {
	moved := appIn("team", "web").Spec
	both := []string{"applications, get, other/*", "applications, update, other/*", "applications, update, team/*", "applications, create, team/*"}
	for i := range both {
		d := newDoings(t, nil, appIn("other", "web"))
		d.roles.set(slices.Delete(slices.Clone(both), i, i+1)...)
		_, err := d.UpdateSpec(d.ctx, &application.ApplicationUpdateSpecRequest{Name: "web", Spec: &moved})
		if i > 0 && err == nil {
			t.Errorf("without %q it was moved", both[i])
		}
	}
	d := newDoings(t, nil, appIn("other", "web"))
	d.roles.set(both...)
	if _, err := d.UpdateSpec(d.ctx, &application.ApplicationUpdateSpecRequest{Name: "web", Spec: &moved}); err != nil {
		t.Error(err)
	}
	gone := appIn("nowhere", "web").Spec
	d.roles.set("applications, *")
	_, err := d.UpdateSpec(d.ctx, &application.ApplicationUpdateSpecRequest{Name: "web", Spec: &gone})
	refusedFor(t, "a project that is not there", err, fault.Mistake, `app is not allowed in project "nowhere", or the project does not exist`)
}

// The controller writes the status of the same object all the time.
func TestUpdateGoesOnAfterAConflict(t *testing.T) {
	d := newDoings(t, nil, appIn("team", "web"))
	d.roles.set("applications, *")
	inner := d.Hub.(client.WithWatch)
	conflicts := 0
	d.Hub = interceptor.NewClient(inner, interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			if conflicts == 0 {
				conflicts++
				other := d.now(t, "web")
				other.Status.Sync.Revision = "abc"
				if err := c.Update(ctx, other); err != nil {
					return err
				}
			}
			return c.Update(ctx, obj, opts...)
		},
	})
	spec := appIn("team", "web").Spec
	spec.Source.Path = "api"
	if _, err := d.UpdateSpec(d.ctx, &application.ApplicationUpdateSpecRequest{Name: "web", Spec: &spec}); err != nil {
		t.Fatal(err)
	}
	if got := d.now(t, "web"); got.Spec.Source.Path != "api" || got.Status.Sync.Revision != "abc" {
		t.Errorf("path %q, revision %q: one of the writes was lost", got.Spec.Source.Path, got.Status.Sync.Revision)
	}
}

func TestPatch(t *testing.T) {
	d := newDoings(t, nil, appIn("team", "web"))
	d.roles.set("applications, *")
	patch := func(kind, text string) error {
		_, err := d.Patch(d.ctx, &application.ApplicationPatchRequest{Name: "web", PatchType: kind, Patch: text})
		return err
	}
	if err := patch("merge", `{"spec":{"source":{"path":"merged"}},"operation":{"sync":{"manifests":["{}"]}},"status":{"health":{"status":"Healthy"}}}`); err != nil {
		t.Fatal(err)
	}
	if got := d.now(t, "web"); got.Spec.Source.Path != "merged" || got.Operation != nil || got.Status.Health.Status != "" {
		t.Errorf("path %q, operation %v, health %q", got.Spec.Source.Path, got.Operation, got.Status.Health.Status)
	}
	if err := patch("json", `[{"op":"replace","path":"/spec/source/path","value":"json"}]`); err != nil || d.now(t, "web").Spec.Source.Path != "json" {
		t.Errorf("a JSON patch: %v", err)
	}
	refusedFor(t, "another name", patch("merge", `{"metadata":{"name":"api"}}`), fault.Mistake, "another application")
	refusedFor(t, "no patch", patch("json", `{`), fault.Mistake, "cannot patch application argocd/web")
	refusedFor(t, "another kind of patch", patch("strategic", `{}`), fault.Mistake, "Patch type 'strategic' is not supported")
	bomb := `[{"op":"add","path":"/spec/source/path","value":"` + strings.Repeat("x", 100_000) + `"}` +
		strings.Repeat(`,{"op":"copy","from":"/spec/source/path","path":"/spec/source/ref"}`, 100) + `]`
	refusedFor(t, "copies without end", patch("json", bomb), fault.Mistake, "copy")
}

func TestDelete(t *testing.T) {
	yes, no, background := true, false, "background"
	for _, tt := range []struct {
		reason  string
		request application.ApplicationDeleteRequest
		before  []string
		want    []string
	}{
		{"with its objects", application.ApplicationDeleteRequest{}, nil, []string{v1alpha1.ResourcesFinalizerName}},
		{"in the background", application.ApplicationDeleteRequest{Cascade: &yes, PropagationPolicy: &background}, nil, []string{v1alpha1.BackgroundPropagationFinalizer}},
		{"another finalizer stays", application.ApplicationDeleteRequest{Cascade: &no}, []string{"example.com/keep", v1alpha1.ResourcesFinalizerName}, []string{"example.com/keep"}},
	} {
		app := appIn("team", "web")
		app.Finalizers = tt.before
		d := newDoings(t, nil, app)
		d.roles.set("applications, get, *")
		tt.request.Name = "web"
		_, err := d.Delete(d.ctx, &tt.request)
		refusedFor(t, tt.reason, err, fault.Forbidden, "applications, delete, team/web")
		d.roles.set("applications, *")
		if _, err := d.Delete(d.ctx, &tt.request); err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		if got := d.now(t, "web"); got.DeletionTimestamp == nil || !slices.Equal(got.Finalizers, tt.want) {
			t.Errorf("%s: finalizers %v, want %v", tt.reason, got.Finalizers, tt.want)
		}
	}
	d := newDoings(t, nil, appIn("team", "web"))
	d.roles.set("applications, *")
	_, err := d.Delete(d.ctx, &application.ApplicationDeleteRequest{Name: "web", Cascade: &no, PropagationPolicy: &background})
	refusedFor(t, "both", err, fault.Mistake, "cannot set propagation policy")
	if _, err := d.Delete(d.ctx, &application.ApplicationDeleteRequest{Name: "web", Cascade: &no}); err != nil {
		t.Error(err)
	}
	_, err = d.Delete(d.ctx, &application.ApplicationDeleteRequest{Name: "web"})
	refusedFor(t, "gone", err, fault.Forbidden, "permission denied")
}

func TestSync(t *testing.T) {
	window := &v1alpha1.SyncWindow{Kind: "deny", Schedule: "0 0 * * *", Duration: "24h", Applications: []string{"*"}}
	closed := &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "closed"}, Spec: v1alpha1.AppProjectSpec{SyncWindows: v1alpha1.SyncWindows{window}}}
	mine := []string{"applications, get, *", "applications, sync, *"}
	may := append(slices.Clone(mine), "applications, override, *")
	reason := v1alpha1.Info{Name: v1alpha1.InfoOverrideWindow, Value: "hotfix"}
	for _, tt := range []struct {
		reason  string
		project string
		rights  []string
		request application.ApplicationSyncRequest
		kind    fault.Kind
		says    string
	}{
		{"no right", "team", mine[:1], application.ApplicationSyncRequest{}, fault.Forbidden, "applications, sync, team/web"},
		{"manifests of one's own", "team", mine, application.ApplicationSyncRequest{Manifests: []string{"{}"}}, fault.Forbidden, "applications, override, team/web"},
		{"another revision", "team", mine, application.ApplicationSyncRequest{Revision: "v2"}, fault.Forbidden, "applications, override, team/web"},
		{"a closed window", "closed", mine, application.ApplicationSyncRequest{}, fault.Forbidden, "blocked by sync window"},
		{"to pass it needs a right", "closed", mine, application.ApplicationSyncRequest{Infos: []v1alpha1.Info{reason}}, fault.Forbidden, "applications, override, closed/web"},
		{"a blank reason is none", "closed", may, application.ApplicationSyncRequest{Infos: []v1alpha1.Info{{Name: reason.Name, Value: " "}}}, fault.Forbidden, "blocked by sync window"},
		{"replacing is turned off", "team", mine, application.ApplicationSyncRequest{SyncOptions: &application.SyncOptions{Items: []string{"Replace=true"}}}, fault.Forbidden, "replace was disabled"},
	} {
		d := newDoings(t, nil, appIn(tt.project, "web"), closed.DeepCopy())
		d.settings.Doing.RevisionOverride, d.settings.ReplaceAllowed = true, false
		d.roles.set(tt.rights...)
		tt.request.Name = "web"
		_, err := d.Sync(d.ctx, &tt.request)
		refusedFor(t, tt.reason, err, tt.kind, tt.says)
		if d.now(t, "web").Operation != nil {
			t.Errorf("%s: it was begun", tt.reason)
		}
	}
	d := newDoings(t, nil, appIn("closed", "web"), closed)
	d.roles.set(may...)
	retry := &v1alpha1.RetryStrategy{Limit: 3}
	if _, err := d.Sync(d.ctx, &application.ApplicationSyncRequest{
		Name: "web", Prune: true, Infos: []v1alpha1.Info{reason}, RetryStrategy: retry, Strategy: &v1alpha1.SyncStrategy{Apply: &v1alpha1.SyncStrategyApply{Force: true}},
	}); err != nil {
		t.Fatal(err)
	}
	op := d.now(t, "web").Operation
	if op.InitiatedBy.Username != "ann" || !op.Sync.Prune || op.Retry.Limit != 3 || op.Sync.SyncStrategy.Apply == nil || !op.Sync.SyncStrategy.Apply.Force || *op.Info[0] != reason {
		t.Errorf("the operation is %+v", op)
	}
	_, err := d.Sync(d.ctx, &application.ApplicationSyncRequest{Name: "web", Infos: []v1alpha1.Info{reason}})
	refusedFor(t, "a second one", err, fault.Wait, "another operation is already in progress")
	if _, err := d.TerminateOperation(d.ctx, &application.OperationTerminateRequest{Name: "web"}); err != nil || d.now(t, "web").Operation != nil {
		t.Errorf("it is not taken back: %v", err)
	}
}

// TestAnotherRevisionOfHydratedManifests: the branch that is synced from is the application's, and no other without the right.
func TestAnotherRevisionOfHydratedManifests(t *testing.T) {
	app := appIn("team", "web")
	app.Spec.Source = nil
	app.Spec.SourceHydrator = &v1alpha1.SourceHydrator{SyncSource: v1alpha1.SyncSource{TargetBranch: "env/prod"}}
	d := newDoings(t, nil, app)
	d.settings.Doing.RevisionOverride = true
	d.roles.set("applications, get, *", "applications, sync, *")
	_, err := d.Sync(d.ctx, &application.ApplicationSyncRequest{Name: "web", Revision: "mine"})
	refusedFor(t, "another branch", err, fault.Forbidden, "applications, override, team/web")
	if _, err := d.Sync(d.ctx, &application.ApplicationSyncRequest{Name: "web", Revision: "env/prod"}); err != nil {
		t.Errorf("its own branch: %v", err)
	}
}

// TestPatchesOfSecretsReadNothing: values would come out where they are not masked, or could be guessed.
func TestPatchesOfSecretsReadNothing(t *testing.T) {
	d := newDoings(t, nil, appIn("team", "web"))
	d.roles.set("applications, *")
	for _, patch := range []string{
		`[{"op":"copy","from":"/data/password","path":"/metadata/annotations/x"}]`,
		`[{"op":"add","path":"/data/a","value":"YQ=="},{"op":"move","from":"/data/password","path":"/type"}]`,
		`[{"Op":"test","path":"/data/password","value":"YQ=="}]`,
	} {
		_, err := d.PatchResource(d.ctx, &application.ApplicationResourcePatchRequest{
			Name: "web", Namespace: "shop", ResourceName: "keys", Version: "v1", Kind: "Secret", PatchType: "application/json-patch+json", Patch: patch})
		refusedFor(t, patch, err, fault.Mistake, "neither copy, move nor test")
	}
	if readsValues([]byte(`[{"op":"replace","path":"/data/a","value":"YQ=="}]`)) {
		t.Error("a value cannot be replaced")
	}
}

func TestRevisionsOfSeveralSources(t *testing.T) {
	app := appIn("team", "web")
	app.Spec.Sources = []v1alpha1.ApplicationSource{{RepoURL: "https://a.example/a"}, {RepoURL: "https://a.example/b"}}
	got, err := syncRequest(app, &application.ApplicationSyncRequest{SourcePositions: []int64{2}, Revisions: []string{"v2"}})
	if err != nil || !slices.Equal(got.Revisions, []string{"", "v2"}) {
		t.Errorf("got %v, %v", got.Revisions, err)
	}
	for _, positions := range [][]int64{{3}, {0}, {-1}, {1, 2}} {
		if _, err := syncRequest(app, &application.ApplicationSyncRequest{SourcePositions: positions, Revisions: []string{"v2"}}); !fault.Is(err, fault.Mistake) {
			t.Errorf("positions %v give %v", positions, err)
		}
	}
}

func TestRollbackHoldAndApproval(t *testing.T) {
	app := appIn("team", "web")
	app.Spec.SyncPolicy = &v1alpha1.SyncPolicy{Automated: &v1alpha1.SyncPolicyAutomated{}}
	app.Status.History = v1alpha1.RevisionHistories{{ID: 7, Revision: "aaa", Source: *app.Spec.Source}}
	d := newDoings(t, nil, app)
	d.roles.set("applications, get, *", "applications, sync, *")
	d.settings.Doing.RollbackRight = true
	_, err := d.Rollback(d.ctx, &application.ApplicationRollbackRequest{Name: "web", ID: 7})
	refusedFor(t, "with a right of its own", err, fault.Forbidden, "applications, rollback, team/web")
	d.settings.Doing.RollbackRight = false
	if _, err := d.Rollback(d.ctx, &application.ApplicationRollbackRequest{Name: "web", ID: 7}); err != nil {
		t.Fatal(err)
	}
	got := d.now(t, "web")
	if got.Operation.Sync.Revision != "aaa" || got.Operation.InitiatedBy.Username != "ann" || got.Annotations[v1alpha1.AnnotationHold] == "" {
		t.Errorf("operation %+v, annotations %v", got.Operation, got.Annotations)
	}
	if _, err := d.Release(d.ctx, &bowline.ApplicationName{Name: "web"}); err != nil || d.now(t, "web").Annotations[v1alpha1.AnnotationHold] != "" {
		t.Errorf("the hold stays: %v", err)
	}
	if _, err := d.Hold(d.ctx, &bowline.HoldRequest{Name: "web", Reason: "freeze"}); err != nil || !strings.Contains(d.now(t, "web").Annotations[v1alpha1.AnnotationHold], "ann") {
		t.Errorf("it is not held by ann: %v", err)
	}
	_, err = d.Approve(d.ctx, &bowline.ApproveRequest{Name: "web", Digest: "0123456789"})
	refusedFor(t, "to approve is to update", err, fault.Forbidden, "applications, update, team/web")
}

// A caller learns the same of an application that is not there and of one that they may not see.
func TestMissingAndForbiddenLookTheSame(t *testing.T) {
	d := newDoings(t, nil, appIn("other", "web"))
	d.roles.set("applications, get, team/*", "applications, sync, team/*")
	calls := map[string]func(name, project string) error{
		"sync": func(name, project string) error {
			_, err := d.Sync(d.ctx, &application.ApplicationSyncRequest{Name: name, Project: project})
			return err
		},
		"delete": func(name, project string) error {
			_, err := d.Delete(d.ctx, &application.ApplicationDeleteRequest{Name: name, Project: project})
			return err
		},
		"patch": func(name, project string) error {
			_, err := d.Patch(d.ctx, &application.ApplicationPatchRequest{Name: name, Project: project, PatchType: "merge", Patch: "{}"})
			return err
		},
		"rollback": func(name, project string) error {
			_, err := d.Rollback(d.ctx, &application.ApplicationRollbackRequest{Name: name, Project: project})
			return err
		},
	}
	for verb, call := range calls {
		for _, project := range []string{"", "other", "team"} {
			there, missing := call("web", project), call("absent", project)
			if there == nil || missing == nil || strings.ReplaceAll(there.Error(), "web", "absent") != missing.Error() || fault.CodeOf(there) != fault.CodeOf(missing) {
				t.Errorf("%s in project %q: of one they may not see %v, of none %v", verb, project, there, missing)
			}
		}
	}
}
