// SPDX-License-Identifier: Apache-2.0

package application

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	runtimepkg "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/index"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/tree"
)

// reading is a service over some applications, as one caller with the rights of roles sees it.
type reading struct {
	*Service
	roles *granted
	ctx   context.Context
	all   *index.Index
	views *views
}

// views are what a test says the controller knows.
type views struct {
	health    map[object.Key]*v1alpha1.HealthStatus
	revision  string
	rendered  Rendered
	files     tree.Tree
	revisions []string
}

func (v *views) Health(context.Context, *v1alpha1.Application) map[object.Key]*v1alpha1.HealthStatus {
	return v.health
}

func (v *views) Revision(*v1alpha1.Application) (string, []string, bool) {
	return v.revision, nil, v.revision != ""
}

func (v *views) Render(_ context.Context, _ *v1alpha1.Application, revisions []string) (Rendered, error) {
	v.revisions = revisions
	return v.rendered, nil
}

func (v *views) RenderFiles(_ context.Context, _ *v1alpha1.Application, files tree.Tree) (Rendered, error) {
	v.files = files
	return v.rendered, nil
}

func (v *views) Plan(context.Context, *v1alpha1.Application, *v1alpha1.SyncOperation) (*bowline.Plan, error) {
	return &bowline.Plan{}, nil
}

func read(t testing.TB, rights []string, apps ...*v1alpha1.Application) *reading {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	hub := fake.NewClientBuilder().WithScheme(scheme)
	r := &reading{roles: &granted{rights: rights}, views: &views{}}
	r.ctx = auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "ann"})
	current := settings.Defaults()
	current.Showing.Badge = true
	r.Service = New(Deps{
		Gate: &gate.Gate{Roles: r.roles}, Home: "argocd", Settings: func() *settings.Settings { return &current },
		Served: func(namespace string) bool { return namespace == "argocd" || namespace == "team" },
		Clock:  clocktesting.NewFakeClock(noon), Log: slog.New(slog.DiscardHandler),
	})
	r.all = index.New(index.Options{Object: func(app *v1alpha1.Application) string { return r.Object(projectOf(app), app.Namespace, app.Name) }})
	for _, app := range apps {
		hub = hub.WithObjects(app.DeepCopy())
		r.all.Put(app)
	}
	r.all.Filled()
	r.Hub = hub.Build()
	r.Fresh = r.Hub
	r.Reads = Reads{Index: r.all, Filled: func() bool { return true }, Verdicts: r.views, Previews: r.views}
	return r
}

func readable(project, name string, version int, change ...func(*v1alpha1.Application)) *v1alpha1.Application {
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: name, UID: types.UID("uid-" + name), ResourceVersion: strconv.Itoa(version)}}
	app.Spec.Project = project
	app.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/" + project}
	for _, c := range change {
		c(app)
	}
	return app
}

func TestAListHasWhatTheCallerMaySee(t *testing.T) {
	r := read(t, []string{"applications, get, shop/*"}, readable("shop", "b", 1), readable("infra", "secret", 2), readable("shop", "a", 3),
		readable("shop", "elsewhere", 4, func(app *v1alpha1.Application) { app.Namespace = "unserved" }))
	list, err := r.List(r.ctx, &application.ApplicationQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, app := range list.Items {
		names = append(names, app.Name)
	}
	if !slices.Equal(names, []string{"a", "b"}) || list.ResourceVersion != "4" {
		t.Errorf("%v at %s", names, list.ResourceVersion)
	}
	page, err := r.ListApplications(r.ctx, &bowline.ApplicationsQuery{})
	if err != nil || page.Total != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	if repos := page.Facets["repos"]; len(repos) != 1 || repos[0].Value != "https://git.example.com/shop" {
		t.Errorf("a facet tells of what may not be seen: %v", repos)
	}
	r.roles.set("applications, get, infra/*")
	if list, err = r.List(r.ctx, &application.ApplicationQuery{}); err != nil || len(list.Items) != 1 || list.Items[0].Name != "secret" {
		t.Errorf("rights changed: %v, %v", list, err)
	}
	if list, err = r.List(t.Context(), &application.ApplicationQuery{}); err != nil || len(list.Items) != 0 {
		t.Errorf("nobody sees %v, %v", list, err)
	}
}

// What was just written comes from the API server with the managers of its fields, which nobody wants to see.
func TestAnswersHaveNoManagedFields(t *testing.T) {
	r := read(t, []string{"applications, get, *"})
	app := readable("shop", "a", 1)
	app.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "bowline"}}
	if got := r.form(r.ctx, app); got.ManagedFields != nil || app.ManagedFields == nil {
		t.Errorf("answered with %v, and the application itself has %v", got.ManagedFields, app.ManagedFields)
	}
}

func TestAListThatIsNotWholeIsNone(t *testing.T) {
	r := read(t, []string{"applications, get, *"})
	r.Reads.Filled = func() bool { return false }
	if _, err := r.List(r.ctx, &application.ApplicationQuery{}); !fault.Is(err, fault.Wait) {
		t.Error(err)
	}
	if err := r.Watch(r.ctx, &application.ApplicationQuery{}, nil); !fault.Is(err, fault.Wait) {
		t.Error(err)
	}
}

// stream is a Watch that goes on.
type stream struct {
	t    *testing.T
	got  chan *v1alpha1.ApplicationWatchEvent
	done chan error
	end  context.CancelFunc
}

func (r *reading) stream(t *testing.T, request application.ApplicationQuery) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(r.ctx)
	s := &stream{t: t, got: make(chan *v1alpha1.ApplicationWatchEvent), done: make(chan error, 1), end: cancel}
	go func() {
		s.done <- r.Watch(ctx, &request, func(e *v1alpha1.ApplicationWatchEvent) error {
			select {
			case s.got <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	t.Cleanup(func() { cancel(); <-s.done })
	return s
}

// expect takes events and compares them, as "TYPE name".
func (s *stream) expect(want ...string) (last *v1alpha1.ApplicationWatchEvent) {
	s.t.Helper()
	for _, w := range want {
		select {
		case last = <-s.got:
			if got := last.Type + " " + last.Application.Name; got != w {
				s.t.Fatalf("%s, want %s", got, w)
			}
		case err := <-s.done:
			s.done <- err
			s.t.Fatalf("the stream ended before %s: %v", w, err)
		}
	}
	return last
}

func TestAStreamTellsWhatBecomesOfWhatTheCallerSees(t *testing.T) {
	r := read(t, []string{"applications, get, shop/*"}, readable("shop", "a", 1), readable("infra", "hidden", 2))
	s := r.stream(t, application.ApplicationQuery{})
	s.expect("ADDED a")
	r.all.Put(readable("infra", "hidden", 3))
	r.all.Put(readable("shop", "a", 4))
	r.all.Put(readable("shop", "a", 4)) // the same again is no news
	r.all.Put(readable("shop", "b", 5))
	r.all.Drop(readable("shop", "a", 6))
	r.all.Put(readable("shop", "b", 7, func(app *v1alpha1.Application) { app.Annotations = map[string]string{"last": "yes"} }))
	for {
		e := s.expect1()
		if e.Application.Name == "hidden" {
			t.Fatal("what may not be seen was sent")
		}
		if e.Application.Annotations["last"] == "yes" {
			break
		}
	}
}

func (s *stream) expect1() *v1alpha1.ApplicationWatchEvent {
	s.t.Helper()
	select {
	case e := <-s.got:
		return e
	case err := <-s.done:
		s.done <- err
		s.t.Fatal("the stream ended: ", err)
		return nil
	}
}

func TestAStreamFollowsTheRights(t *testing.T) {
	r := read(t, []string{"applications, get, shop/*"}, readable("shop", "a", 1), readable("infra", "i", 2))
	s := r.stream(t, application.ApplicationQuery{})
	s.expect("ADDED a")
	r.roles.set("applications, get, infra/*")
	got := map[string]*v1alpha1.ApplicationWatchEvent{}
	for range 2 { // in any order: i may come with what the stream begins with
		e := s.expect1()
		got[e.Type+" "+e.Application.Name] = e
	}
	if got["ADDED i"] == nil || got["DELETED a"] == nil {
		t.Fatalf("got %v", got)
	}
	if got["DELETED a"].Application.Spec.Source != nil {
		t.Error("what is out of sight is still shown")
	}
}

func TestWhatIsNotChosenAnyMoreIsSentAsDeleted(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	s := r.stream(t, application.ApplicationQuery{Projects: []string{"shop"}})
	s.expect("ADDED a")
	r.all.Put(readable("infra", "a", 2)) // it moved to another project
	if e := s.expect("DELETED a"); e.Application.Spec.Project != "" {
		t.Error("what it is by now is not what was asked for")
	}
}

func TestAStreamGoesOnBehindAResourceVersion(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1), readable("shop", "b", 2), readable("shop", "c", 3))
	r.all.Drop(readable("shop", "c", 5))
	r.all.Put(readable("shop", "b", 6))
	s := r.stream(t, application.ApplicationQuery{ResourceVersion: "4"})
	s.expect("DELETED c", "MODIFIED b")
	r.all.Put(readable("shop", "a", 7))
	s.expect("MODIFIED a")
	one := r.stream(t, application.ApplicationQuery{ResourceVersion: "7", Name: "b"})
	one.expect("ADDED b") // by name it is always sent first
	long := r.stream(t, application.ApplicationQuery{ResourceVersion: "1"})
	long.expect("ADDED a", "ADDED b") // what was deleted since then is not known any more
}

// expiring lets a caller in until it is told otherwise.
type expiring struct {
	*granted
	why error
}

func (e *expiring) Valid(auth.Caller) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.why
}

func TestAStreamEndsWithTheSession(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	roles := &expiring{granted: r.roles}
	r.Gate.Roles = roles
	s := r.stream(t, application.ApplicationQuery{})
	s.expect("ADDED a")
	revoked := errors.New("revoked")
	roles.mu.Lock()
	roles.why = revoked
	roles.mu.Unlock()
	roles.set("applications, get, *")
	err := <-s.done
	s.done <- err
	if !errors.Is(err, revoked) {
		t.Error(err)
	}
}

func TestStreamsShareWhatTheySend(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	first, second := r.stream(t, application.ApplicationQuery{}), r.stream(t, application.ApplicationQuery{})
	first.expect("ADDED a")
	second.expect("ADDED a")
	r.all.Put(readable("shop", "a", 2))
	if first.expect("MODIFIED a") != second.expect("MODIFIED a") {
		t.Error("each has an event of its own: a thousand streams would encode it a thousand times")
	}
}

func TestAnApplicationIsShownWithWhatIsKnownOfIt(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1, func(app *v1alpha1.Application) {
		app.Status.ResourceHealthSource = v1alpha1.ResourceHealthLocationAppTree
		app.Status.Resources = []v1alpha1.ResourceStatus{{Kind: "Pod", Namespace: "x", Name: "p"}}
		app.Status.Sync = v1alpha1.SyncStatus{Status: v1alpha1.SyncStatusCodeSynced, Revision: "old"}
		app.Operation = &v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{Manifests: []string{canary}}}
		app.Status.OperationState = &v1alpha1.OperationState{Operation: *app.Operation.DeepCopy()}
	}))
	r.views.health = map[object.Key]*v1alpha1.HealthStatus{{Kind: "Pod", Namespace: "x", Name: "p"}: {Status: v1alpha1.HealthStatusHealthy}}
	r.views.revision = "new"
	app, err := r.Get(r.ctx, &application.ApplicationQuery{Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if h := app.Status.Resources[0].Health; h == nil || h.Status != v1alpha1.HealthStatusHealthy || app.Status.Sync.Revision != "new" {
		t.Errorf("%+v", app.Status)
	}
	if len(app.Operation.Sync.Manifests)+len(app.Status.OperationState.Operation.Sync.Manifests) > 0 {
		t.Error("manifests of an operation are shown")
	}
	kept := r.all.Get("argocd", "a").App
	if kept.Status.Sync.Revision != "old" || kept.Status.Resources[0].Health != nil || len(kept.Operation.Sync.Manifests) == 0 {
		t.Error("what others share was changed")
	}
}

func TestReadersCannotTellMissingFromForbidden(t *testing.T) {
	r := read(t, []string{"applications, get, shop/*"}, readable("infra", "there", 1))
	for _, name := range []string{"there", "missing"} {
		for _, project := range []string{"", "infra"} {
			_, err := r.Get(r.ctx, &application.ApplicationQuery{Name: name, Projects: []string{project}})
			if !fault.Is(err, fault.Forbidden) || err.Error() != gate.Hidden().Error() {
				t.Errorf("%s of %q: %v", name, project, err)
			}
		}
	}
	_, err := r.Get(r.ctx, &application.ApplicationQuery{Name: "missing", Project: []string{"shop"}})
	if fault.CodeOf(err) != fault.NotFound {
		t.Errorf("who sees the whole project is told: %v", err)
	}
}

func TestARefreshWaitsUntilTheControllerServedIt(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	go func() {
		for {
			app := &v1alpha1.Application{}
			if err := r.Hub.Get(context.Background(), client.ObjectKey{Namespace: "argocd", Name: "a"}, app); err != nil {
				return
			}
			if app.Annotations[v1alpha1.AnnotationKeyRefresh] == string(v1alpha1.RefreshTypeHard) {
				r.all.Put(app.DeepCopy()) // the request itself is no answer
				delete(app.Annotations, v1alpha1.AnnotationKeyRefresh)
				app.ResourceVersion = "1000"
				app.Status.Sync.Revision = "newest"
				r.all.Put(app)
				return
			}
		}
	}()
	app, err := r.Get(r.ctx, &application.ApplicationQuery{Name: "a", Refresh: "hard"})
	if err != nil || app.Status.Sync.Revision != "newest" {
		t.Errorf("%+v, %v", app, err)
	}
}

func TestManifestsAreMasked(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1, func(app *v1alpha1.Application) {
		app.Spec.Sources = []v1alpha1.ApplicationSource{{RepoURL: "x"}, {RepoURL: "y"}}
	}))
	r.views.rendered.Objects = []*unstructured.Unstructured{{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "s", "annotations": map[string]any{"kubectl.kubernetes.io/last-applied-configuration": canary}},
		"stringData": map[string]any{"password": canary}, "data": map[string]any{"other": canary},
	}}}
	answer, err := r.GetManifests(r.ctx, &application.ApplicationManifestQuery{Name: "a", SourcePositions: []int64{2}, Revisions: []string{"v2"}})
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(answer.Manifests, ""); strings.Contains(text, canary) || !strings.Contains(text, `"data":{"other":"++++++++","password":"++++++++"}`) {
		t.Error(text)
	}
	if !slices.Equal(r.views.revisions, []string{"", "v2"}) {
		t.Error(r.views.revisions)
	}
	for _, wrong := range []application.ApplicationManifestQuery{
		{Name: "a", SourcePositions: []int64{3}, Revisions: []string{"v"}}, {Name: "a", SourcePositions: []int64{0}, Revisions: []string{"v"}},
		{Name: "a", SourcePositions: []int64{1}}, {Name: "a", Revisions: []string{"v"}},
	} {
		if _, err := r.GetManifests(r.ctx, &wrong); !fault.Is(err, fault.Mistake) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

// archived returns a tar archive of one file.
func archived(t *testing.T, name, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Typeflag: tar.TypeReg}), second(w.Write([]byte(content))), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func second(_ int, err error) error { return err }

func TestFilesThatACallerBrings(t *testing.T) {
	r := read(t, []string{"applications, get, *"}, readable("shop", "a", 1))
	archive := archived(t, "web/all.yaml", "kind: ConfigMap")
	sum := sha256.Sum256(archive)
	send := func(checksum string, archive []byte) error {
		first := true
		_, err := r.GetManifestsWithFiles(r.ctx, func() (*application.ApplicationManifestQueryWithFilesWrapper, error) {
			if first {
				first = false
				return &application.ApplicationManifestQueryWithFilesWrapper{Query: &application.ApplicationManifestQueryWithFiles{Name: "a", Checksum: checksum}}, nil
			}
			if len(archive) == 0 {
				return nil, io.EOF
			}
			n := min(100, len(archive))
			piece := archive[:n]
			archive = archive[n:]
			return &application.ApplicationManifestQueryWithFilesWrapper{Chunk: &application.FileChunk{Chunk: piece}}, nil
		})
		return err
	}
	if err := send(hex.EncodeToString(sum[:]), archive); err != nil {
		t.Fatal(err)
	}
	if text, err := r.views.files.Read(t.Context(), "web/all.yaml", 1<<20); err != nil || string(text) != "kind: ConfigMap" {
		t.Errorf("%s, %v", text, err)
	}
	hostile := archived(t, "../../etc/x", "y")
	hostileSum := sha256.Sum256(hostile)
	for what, err := range map[string]error{
		"another sum": send("00", archive), "cut short": send(hex.EncodeToString(sum[:]), archive[:600]), "nothing": send("", nil),
		"climbs": send(hex.EncodeToString(hostileSum[:]), hostile), "no archive": send("", []byte("hello")),
	} {
		if !fault.Is(err, fault.Mistake) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestBadges(t *testing.T) {
	r := read(t, nil, readable("shop", "a", 1, func(app *v1alpha1.Application) {
		app.Status.Health.Status, app.Status.Sync.Status = v1alpha1.HealthStatusHealthy, v1alpha1.SyncStatusCodeSynced
		app.Status.OperationState = &v1alpha1.OperationState{SyncResult: &v1alpha1.SyncOperationResult{Revision: "0123456789abcdef"}}
	}), readable("infra", "b", 2))
	get := func(query string) (int, string) {
		w := httptest.NewRecorder()
		r.ServeBadge(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/badge?"+query, nil))
		return w.Code, w.Body.String()
	}
	for query, want := range map[string]string{
		"name=a": ">Synced<", "name=a&revision=true": "(0123456)", "name=a&revision=true&keepFullRevision=true": "(0123456789abcdef)",
		"name=missing": "Not Found", "project=shop": ">Healthy<", "project=infra": ">Degraded<", "project=none": ">Unknown<",
		"name=a&showAppName=true": ">a<", "name=a&width=300": `width="300"`, "name=a&namespace=unserved": "Not Found",
	} {
		if code, body := get(query); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, %s", query, code, body)
		}
	}
	for _, query := range []string{"name=%3Cscript%3E", "namespace=a%2Fb", "project=x%22"} {
		if code, body := get(query); code != http.StatusBadRequest || strings.Contains(body, "script") {
			t.Errorf("%s: %d", query, code)
		}
	}
	r.Settings().Showing.Badge = false
	if _, body := get("name=a"); strings.Contains(body, "Synced") {
		t.Error("badges are off, and one tells of an application")
	}
}

// What streams of 10,000 applications hold while nothing happens, transport apart: a goroutine or two, and which applications
// each has shown. A thousand are to hold no more than 150 MiB with it.
func TestStreamsAreSmall(t *testing.T) {
	streams := 100
	if os.Getenv("BOWLINE_SOAK") != "" {
		streams = 1000
	}
	const applications, each = 10_000, 64 << 10
	r := read(t, []string{"applications, get, *"})
	for i := range applications {
		r.all.Put(readable("shop", "app-"+strconv.Itoa(i), i+1))
	}
	_, since := r.all.All()
	before := inUse()
	ctx, end := context.WithCancel(r.ctx)
	var all sync.WaitGroup
	told := make([]chan struct{}, streams)
	for i := range told {
		told[i] = make(chan struct{})
		all.Go(func() {
			var once sync.Once
			_ = r.Watch(ctx, &application.ApplicationQuery{ResourceVersion: since}, func(*v1alpha1.ApplicationWatchEvent) error {
				once.Do(func() { close(told[i]) })
				return nil
			})
		})
	}
	defer all.Wait()
	defer end()
	version := applications
	for _, one := range told {
		for waits := true; waits; {
			version++
			r.all.Put(readable("shop", "app-0", version)) // whoever is there by now is told
			select {
			case <-one:
				waits = false
			case <-time.After(time.Millisecond):
			}
		}
	}
	// Some are still at their beginning, which takes a list of all applications for a moment.
	held := inUse() - before
	for end := time.Now().Add(time.Minute); held > int64(streams)*each && time.Now().Before(end); held = inUse() - before {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d streams hold %d KiB", streams, held>>10)
	if held > int64(streams)*each {
		t.Errorf("%d streams hold %d KiB", streams, held>>10)
	}
}

func inUse() int64 {
	runtimepkg.GC()
	var m runtimepkg.MemStats
	runtimepkg.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse) //nolint:gosec // it is no exabyte
}
