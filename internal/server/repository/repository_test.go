// SPDX-License-Identifier: Apache-2.0

package repository

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	rpcrepocreds "github.com/bowline-cd/bowline/api/argoproj/rpc/repocreds"
	rpcrepository "github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/settings/declared"
	"github.com/bowline-cd/bowline/internal/source"
	"github.com/bowline-cd/bowline/internal/tree"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// rights grants what it lists: "resource action object".
type rights []string

func (r rights) Rule(_ auth.Caller, right access.Right) access.Ruling {
	return access.Ruling{Allowed: slices.Contains(r, "all") || slices.Contains(r, right.Resource+" "+right.Action+" "+right.Object)}
}
func (rights) Changed() <-chan struct{}  { return nil }
func (rights) Valid(_ auth.Caller) error { return nil }

// outside is the world of repositories: what was asked, and who refuses.
type outside struct {
	mu      sync.Mutex
	asked   []source.Repository
	refuses map[string]error
}

func (o *outside) Reach(_ context.Context, r source.Repository) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, r)
	return o.refuses[r.URL]
}
func (o *outside) Refs(context.Context, source.Repository) (source.Refs, error) {
	return source.Refs{}, nil
}
func (o *outside) ImageTags(context.Context, source.Repository) ([]string, error) {
	return []string{"v1"}, nil
}
func (o *outside) Charts(context.Context, source.Repository) ([]source.ChartVersions, error) {
	return []source.ChartVersions{{Name: "web", Versions: []string{"1.0.0"}}}, nil
}

type files struct{ tree tree.Tree }

func (f files) Resolve(_ context.Context, c desired.Commit, _ string) (desired.Commit, error) {
	return c, nil
}
func (f files) Tree(context.Context, desired.Commit, []string) (tree.Tree, error) { return f.tree, nil }

type world struct {
	*Service
	creds   *Creds
	outside *outside
	clock   *clocktesting.FakeClock
	reload  func(context.Context) error
}

func newWorld(t *testing.T, may rights, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	w := &world{outside: &outside{refuses: map[string]error{}}, clock: clocktesting.NewFakeClock(noon)}
	var current *source.Credentials
	w.reload = func(ctx context.Context) error {
		list := &corev1.SecretList{}
		if err := c.List(ctx, list); err != nil {
			return err
		}
		current, _ = source.ParseSecrets(list.Items, nil, nil)
		return nil
	}
	if err := w.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := settings.Defaults()
	g := &gate.Gate{Roles: may}
	h := &hub.Hub{Client: c, Fresh: c, Home: "argocd", Clock: w.clock, Reload: w.reload}
	w.Service = New(Deps{
		Gate: g, Hub: h, Store: w.outside, Settings: func() *settings.Settings { return &now }, Credentials: func() *source.Credentials { return current },
		Permits: func(_ context.Context, project, address string) error {
			if project != "shop" {
				return errors.New("not permitted in " + project + ": " + address)
			}
			return nil
		},
		Render: func(context.Context, render.Input) (render.Output, error) {
			deployment := map[string]any{"kind": "Deployment", "spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"image": "web:1"}}}}}}
			return render.Output{Manifests: []object.Manifest{{Object: &unstructured.Unstructured{Object: deployment}}}}, nil
		},
	})
	w.creds = &Creds{Gate: g, Hub: h}
	return w
}

func signedIn(t *testing.T) context.Context {
	t.Helper()
	return auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "ann"})
}

func repository(url, project string) *v1alpha1.Repository {
	return &v1alpha1.Repository{Repo: url, Project: project, Username: "me", Password: "canary-password"}
}

func stored(r *v1alpha1.Repository, writes bool) *corev1.Secret {
	s := declared.NewRepository(r, writes)
	s.Namespace = "argocd"
	return s
}

func TestListShowsWhatTheCallerMaySee(t *testing.T) {
	w := newWorld(t, rights{"repositories get https://a.example/1", "repositories get shop/https://a.example/2"},
		stored(repository("https://a.example/1", ""), false), stored(repository("https://a.example/2", "shop"), false),
		stored(repository("https://a.example/2", "else"), false), stored(repository("https://a.example/3", ""), false))
	w.outside.refuses["https://a.example/2"] = errors.New("no route")
	got, err := w.ListRepositories(signedIn(t), &rpcrepository.RepoQuery{})
	if err != nil || len(got.Items) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	one, two := got.Items[0], got.Items[1]
	if one.Repo != "https://a.example/1" || one.ConnectionState.Status != "Successful" || two.Project != "shop" || two.ConnectionState.Status != "Failed" ||
		!strings.Contains(two.ConnectionState.Message, "no route") {
		t.Errorf("got %+v", got.Items)
	}
}

func TestMissingAndForbiddenLookTheSame(t *testing.T) {
	w := newWorld(t, rights{}, stored(repository("https://a.example/1", ""), false), stored(repository("https://a.example/1", ""), true))
	for name, call := range map[string]func(string) error{
		"get": func(url string) error { _, err := w.Get(signedIn(t), &rpcrepository.RepoQuery{Repo: url}); return err },
		"getwrite": func(url string) error {
			_, err := w.GetWrite(signedIn(t), &rpcrepository.RepoQuery{Repo: url})
			return err
		},
		"delete": func(url string) error {
			_, err := w.Delete(signedIn(t), &rpcrepository.RepoQuery{Repo: url})
			return err
		},
		"update": func(url string) error {
			_, err := w.Update(signedIn(t), &rpcrepository.RepoUpdateRequest{Repo: repository(url, "")})
			return err
		},
		"refs": func(url string) error {
			_, err := w.ListRefs(signedIn(t), &rpcrepository.RepoQuery{Repo: url})
			return err
		},
		"charts": func(url string) error {
			_, err := w.GetHelmCharts(signedIn(t), &rpcrepository.RepoQuery{Repo: url})
			return err
		},
		"apps": func(url string) error {
			_, err := w.ListApps(signedIn(t), &rpcrepository.RepoAppsQuery{Repo: url, AppProject: "shop", AppName: "x"})
			return err
		},
		"details": func(url string) error {
			_, err := w.GetAppDetails(signedIn(t), &rpcrepository.RepoAppDetailsQuery{Source: &v1alpha1.ApplicationSource{RepoURL: url}, AppProject: "shop"})
			return err
		},
	} {
		there, missing := call("https://a.example/1"), call("https://a.example/9")
		if !fault.Is(there, fault.Forbidden) || there.Error() != missing.Error() {
			t.Errorf("%s: one that exists: %v; one that does not: %v", name, there, missing)
		}
	}
}

func TestCreate(t *testing.T) {
	w := newWorld(t, rights{"repositories create https://a.example/1", "repositories get https://a.example/1"})
	w.outside.refuses["https://a.example/1"] = errors.New("no route")
	if _, err := w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: repository("https://a.example/1", "")}); err == nil || !strings.Contains(err.Error(), "no route") {
		t.Errorf("one that does not answer: got %v", err)
	}
	delete(w.outside.refuses, "https://a.example/1")
	got, err := w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: repository("https://a.example/1", "")})
	if err != nil || *got != (v1alpha1.Repository{Repo: "https://a.example/1", Type: "git"}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if asked := w.outside.asked[len(w.outside.asked)-1]; asked.Username != "me" || asked.Password.Reveal() != "canary-password" {
		t.Errorf("asked with %+v", asked)
	}
	secret := &corev1.Secret{}
	name := declared.NewRepository(repository("https://a.example/1", ""), false).Name
	if err := w.Hub.Fresh.Get(t.Context(), w.Hub.Key(name), secret); err != nil || string(secret.Data["password"]) != "canary-password" || !declared.Ours(secret) {
		t.Errorf("got %+v, %v", secret, err)
	}
	if _, err := w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: repository("https://a.example/1", "")}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	other := repository("https://a.example/1", "")
	other.Password = "canary-other"
	_, err = w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: other})
	if err == nil || !strings.Contains(err.Error(), "password") || strings.Contains(err.Error(), "canary") {
		t.Errorf("another without upsert: got %v, want the name of the field and not what it holds", err)
	}
	if _, err := w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: other, Upsert: true}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("upsert without the right to update: got %v", err)
	}
	w.Gate.Roles = rights{"all"}
	if _, err := w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: other, Upsert: true}); err != nil {
		t.Error(err)
	}
	for field, r := range map[string]*v1alpha1.Repository{"repo": {Type: "git"}, "type": {Repo: "https://a.example/1", Type: "svn"}} {
		if _, err := w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: r}); !fault.Is(err, fault.Mistake) {
			t.Errorf("without a usable %s: got %v", field, err)
		}
	}
}

// TestAnAddressIsNoProject: whoever may declare what a project has for itself cannot declare what is for all by writing the name of
// the project into the address, and no password of theirs comes back.
func TestAnAddressIsNoProject(t *testing.T) {
	w := newWorld(t, rights{"repositories create shop/https://me:canary@a.example/1", "repositories get shop/https://me:canary@a.example/1"})
	address := "shop/https://me:canary@a.example/1"
	_, err := w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: repository(address, "")})
	if !fault.Is(err, fault.Forbidden) || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v, want it refused, without the password", err)
	}
	if _, err := w.ValidateAccess(signedIn(t), &rpcrepository.RepoAccessQuery{Repo: address}); !fault.Is(err, fault.Forbidden) || len(w.outside.asked) > 0 {
		t.Errorf("got %v, and %v was asked", err, w.outside.asked)
	}
}

func TestCreateWithCredentialsForAllBelow(t *testing.T) {
	creds := declared.NewCreds(&v1alpha1.RepoCreds{URL: "https://a.example", Username: "all", Password: "canary"}, false)
	creds.Namespace = "argocd"
	w := newWorld(t, rights{"all"}, creds)
	if _, err := w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: &v1alpha1.Repository{Repo: "https://a.example/1"}}); err != nil {
		t.Fatal(err)
	}
	if asked := w.outside.asked[0]; asked.Username != "all" {
		t.Errorf("asked as %q", asked.Username)
	}
	got, err := w.Get(signedIn(t), &rpcrepository.RepoQuery{Repo: "https://a.example/1"})
	if err != nil || !got.InheritedCreds {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestUpdateIntoAProjectNeedsBothRights(t *testing.T) {
	for _, tt := range []struct {
		may  rights
		want bool
	}{
		{rights{"repositories get https://a.example/1", "repositories update https://a.example/1"}, false},
		{rights{"repositories get https://a.example/1", "repositories update shop/https://a.example/1"}, false},
		{rights{"repositories get https://a.example/1", "repositories update https://a.example/1", "repositories update shop/https://a.example/1"}, true},
	} {
		w := newWorld(t, tt.may, stored(repository("https://a.example/1", ""), false))
		_, err := w.Update(signedIn(t), &rpcrepository.RepoUpdateRequest{Repo: repository("https://a.example/1", "shop")})
		if (err == nil) != tt.want {
			t.Errorf("with %v: got %v", tt.may, err)
		}
	}
}

// TestAnUpdateHoldsForWhatWasRead: rights were asked for the project that a repository was in then.
func TestAnUpdateHoldsForWhatWasRead(t *testing.T) {
	w := newWorld(t, rights{"all"}, stored(repository("https://a.example/1", ""), false))
	read, err := w.exact(t.Context(), reading, "https://a.example/1", "")
	if err != nil {
		t.Fatal(err)
	}
	moved := read.secret.DeepCopy()
	moved.Data["project"] = []byte("else")
	if err := w.Hub.Client.Update(t.Context(), moved); err != nil {
		t.Fatal(err)
	}
	if err := w.rewrite(t.Context(), reading, read, repository("https://a.example/1", "")); !fault.Is(err, fault.Retry) {
		t.Errorf("the repository is another project's by now: got %v", err)
	}
}

func TestDelete(t *testing.T) {
	theirs := stored(repository("https://a.example/2", ""), false)
	theirs.Annotations = nil
	w := newWorld(t, rights{"all"}, stored(repository("https://a.example/1", ""), false), theirs)
	for _, url := range []string{"https://a.example/1", "https://a.example/2"} {
		if _, err := w.Delete(signedIn(t), &rpcrepository.RepoQuery{Repo: url}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Get(signedIn(t), &rpcrepository.RepoQuery{Repo: url}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s is still there: %v", url, err)
		}
	}
	left := &corev1.SecretList{}
	if err := w.Hub.Fresh.List(t.Context(), left); err != nil || len(left.Items) != 1 || left.Items[0].Name != theirs.Name {
		t.Errorf("got %+v, %v, want the Secret that a person made, without its label", left.Items, err)
	}
}

func TestTwinsAreApart(t *testing.T) {
	w := newWorld(t, rights{"write-repositories create https://a.example/1", "write-repositories get https://a.example/1", "repositories get https://a.example/1"})
	if _, err := w.CreateRepository(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: repository("https://a.example/1", "")}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("the right to write made one to read with: %v", err)
	}
	if _, err := w.CreateWriteRepository(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: &v1alpha1.Repository{Repo: "https://a.example/1"}}); !fault.Is(err, fault.Mistake) {
		t.Errorf("without credentials: got %v", err)
	}
	if _, err := w.CreateWriteRepository(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: repository("https://a.example/1", "")}); err != nil {
		t.Fatal(err)
	}
	reads, err := w.ListRepositories(signedIn(t), &rpcrepository.RepoQuery{})
	writes, failed := w.ListWriteRepositories(signedIn(t), &rpcrepository.RepoQuery{})
	if err != nil || failed != nil || len(reads.Items) != 0 || len(writes.Items) != 1 {
		t.Errorf("got %+v and %+v, %v, %v", reads, writes, err, failed)
	}
}

func TestAnswersOfRepositoriesStandForAWhile(t *testing.T) {
	w := newWorld(t, rights{"all"}, stored(repository("https://a.example/1", ""), false))
	get := func(force bool) {
		t.Helper()
		if _, err := w.Get(signedIn(t), &rpcrepository.RepoQuery{Repo: "https://a.example/1", ForceRefresh: force}); err != nil {
			t.Fatal(err)
		}
	}
	get(false)
	get(false)
	if n := len(w.outside.asked); n != 1 {
		t.Errorf("asked %d times, want 1", n)
	}
	get(true)
	w.clock.Step(stateAge)
	get(false)
	if n := len(w.outside.asked); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, rights{"all"})
	asked := &v1alpha1.RepoCreds{URL: "https://a.example/org", Username: "me", Password: "canary"}
	if got, err := w.creds.CreateRepositoryCredentials(signedIn(t), &rpcrepocreds.RepoCredsCreateRequest{Creds: asked}); err != nil || *got != (v1alpha1.RepoCreds{URL: asked.URL}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	other := *asked
	other.Password = "canary-2"
	if _, err := w.creds.CreateRepositoryCredentials(signedIn(t), &rpcrepocreds.RepoCredsCreateRequest{Creds: &other}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("others without upsert: got %v", err)
	}
	if _, err := w.creds.CreateRepositoryCredentials(signedIn(t), &rpcrepocreds.RepoCredsCreateRequest{Creds: &other, Upsert: true}); err != nil {
		t.Error(err)
	}
	// Credentials of a longer or shorter address are others.
	for _, url := range []string{"https://a.example/org/repo", "https://a.example"} {
		if _, err := w.creds.DeleteRepositoryCredentials(signedIn(t), &rpcrepocreds.RepoCredsDeleteRequest{URL: url}); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s: got %v", url, err)
		}
	}
	list, err := w.creds.ListRepositoryCredentials(signedIn(t), &rpcrepocreds.RepoCredsQuery{})
	if err != nil || len(list.Items) != 1 || list.Items[0] != (v1alpha1.RepoCreds{URL: asked.URL, Username: "me"}) {
		t.Errorf("got %+v, %v", list, err)
	}
	if writes, err := w.creds.ListWriteRepositoryCredentials(signedIn(t), &rpcrepocreds.RepoCredsQuery{}); err != nil || len(writes.Items) != 0 {
		t.Errorf("twins: got %+v, %v", writes, err)
	}
	if _, err := w.creds.DeleteRepositoryCredentials(signedIn(t), &rpcrepocreds.RepoCredsDeleteRequest{URL: asked.URL}); err != nil {
		t.Error(err)
	}
}

// No answer and no error holds anything that gives access, whatever is asked.
func TestNothingAnsweredGivesAccess(t *testing.T) {
	all := &v1alpha1.Repository{
		Repo: "https://a.example/1", Username: "me", Password: "canary-1", BearerToken: "canary-2", SSHPrivateKey: "canary-3", TLSClientCertData: "canary-4",
		TLSClientCertKey: "canary-5", GithubAppPrivateKey: "canary-6", GCPServiceAccountKey: "canary-7", AzureServicePrincipalClientSecret: "canary-8", Proxy: "http://u:canary-9@p.example",
	}
	w := newWorld(t, rights{"all"}, stored(all, false), stored(all, true))
	answers := []func() (any, error){
		func() (any, error) { return w.List(signedIn(t), &rpcrepository.RepoQuery{ForceRefresh: true}) },
		func() (any, error) { return w.ListWriteRepositories(signedIn(t), &rpcrepository.RepoQuery{}) },
		func() (any, error) { return w.Get(signedIn(t), &rpcrepository.RepoQuery{Repo: all.Repo}) },
		func() (any, error) { return w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: all}) },
		func() (any, error) {
			return w.Create(signedIn(t), &rpcrepository.RepoCreateRequest{Repo: repository(all.Repo, ""), Upsert: false})
		},
		func() (any, error) { return w.Update(signedIn(t), &rpcrepository.RepoUpdateRequest{Repo: all}) },
		func() (any, error) {
			return w.ValidateAccess(signedIn(t), &rpcrepository.RepoAccessQuery{Repo: all.Repo, SshPrivateKey: "canary-3", TlsClientCertData: "canary-4"})
		},
	}
	for i, ask := range answers {
		answer, err := ask()
		text, failed := json.Marshal(answer)
		if failed != nil {
			t.Fatal(failed)
		}
		if strings.Contains(string(text), "canary") || err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("answer %d: %s, %v", i, text, err)
		}
	}
}
