// SPDX-License-Identifier: Apache-2.0

package project

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	rpcproject "github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// rights grants what it lists: "resource action object".
type rights []string

func (r rights) Rule(_ auth.Caller, right access.Right) access.Ruling {
	return access.Ruling{Allowed: slices.Contains(r, "all") || slices.Contains(r, right.Resource+" "+right.Action+" "+right.Object)}
}
func (rights) Changed() <-chan struct{}  { return nil }
func (rights) Valid(_ auth.Caller) error { return nil }

type signer struct{ signed []string }

func (s *signer) Role(project, role, id string, lifetime time.Duration) (string, v1alpha1.JWTToken, error) {
	if id == "" {
		id = "chosen"
	}
	s.signed = append(s.signed, project+"/"+role+"/"+id)
	record := v1alpha1.JWTToken{ID: id, IssuedAt: noon.Unix()}
	if lifetime > 0 {
		record.ExpiresAt = noon.Add(lifetime).Unix()
	}
	return "signed-" + id, record, nil
}

type places map[string]access.Cluster

func (p places) ScopedTo(string) access.Scoped { return access.Scoped{} }
func (p places) Places(d v1alpha1.ApplicationDestination) (access.Cluster, error) {
	return access.Cluster{Server: d.Server, Name: d.Name}, nil
}

func newService(t *testing.T, may rights, objects ...client.Object) *Service {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&corev1.Event{}, "involvedObject.name", func(o client.Object) []string { return []string{o.(*corev1.Event).InvolvedObject.Name} }).
		WithIndex(&corev1.Event{}, "involvedObject.namespace", func(o client.Object) []string { return []string{o.(*corev1.Event).InvolvedObject.Namespace} }).
		WithIndex(&corev1.Event{}, "involvedObject.uid", func(o client.Object) []string { return []string{string(o.(*corev1.Event).InvolvedObject.UID)} }).
		Build()
	now := settings.Defaults()
	now.Showing.ProjectLinks = []settings.Link{{Title: "Wiki", URL: "https://wiki.example/{{ .project.metadata.name }}"}, {Title: "Script", URL: "javascript:alert(1)"}}
	return New(Deps{
		Settings: func() *settings.Settings { return &now },
		Gate:     &gate.Gate{Roles: may}, Signer: &signer{}, Clusters: places{}, Log: slog.New(slog.DiscardHandler),
		Hub: &hub.Hub{Client: c, Fresh: c, Home: "argocd", Clock: clocktesting.NewFakeClock(noon)},
	})
}

func signedIn(t *testing.T, groups ...string) context.Context {
	t.Helper()
	return auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "ann", Username: "ann", Groups: groups})
}

func project(name string, change ...func(*v1alpha1.AppProject)) *v1alpha1.AppProject {
	p := &v1alpha1.AppProject{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "argocd"},
		Spec: v1alpha1.AppProjectSpec{
			SourceRepos: []string{"https://a.example/*"}, Destinations: []v1alpha1.ApplicationDestination{{Server: "https://c.example", Namespace: "*"}},
			Roles: []v1alpha1.ProjectRole{{Name: "ci", Groups: []string{"builders"}, Policies: []string{"p, proj:" + name + ":ci, applications, sync, " + name + "/*, allow"}}},
		},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func app(name, project, repo string) *v1alpha1.Application {
	return &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "argocd"}, Spec: v1alpha1.ApplicationSpec{
		Project: project, Source: &v1alpha1.ApplicationSource{RepoURL: repo}, Destination: v1alpha1.ApplicationDestination{Server: "https://c.example", Namespace: "x"},
	}}
}

func TestListShowsWhatTheCallerMaySee(t *testing.T) {
	s := newService(t, rights{"projects get shop"}, project("shop"), project("hidden"))
	got, err := s.List(signedIn(t), &rpcproject.ProjectQuery{})
	if err != nil || len(got.Items) != 1 || got.Items[0].Name != "shop" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestMissingAndForbiddenLookTheSame(t *testing.T) {
	s := newService(t, rights{}, project("shop"))
	for _, call := range []func(string) error{
		func(name string) error {
			_, err := s.Get(signedIn(t), &rpcproject.ProjectQuery{Name: name})
			return err
		},
		func(name string) error {
			_, err := s.Delete(signedIn(t), &rpcproject.ProjectQuery{Name: name})
			return err
		},
		func(name string) error {
			_, err := s.Update(signedIn(t), &rpcproject.ProjectUpdateRequest{Project: project(name)})
			return err
		},
		func(name string) error {
			_, err := s.CreateToken(signedIn(t), &rpcproject.ProjectTokenCreateRequest{Project: name, Role: "ci"})
			return err
		},
		func(name string) error {
			_, err := s.DeleteToken(signedIn(t), &rpcproject.ProjectTokenDeleteRequest{Project: name, Role: "ci"})
			return err
		},
		func(name string) error {
			_, err := s.GetDetailedProject(signedIn(t), &rpcproject.ProjectQuery{Name: name})
			return err
		},
		func(name string) error {
			_, err := s.GetSyncWindowsState(signedIn(t), &rpcproject.SyncWindowsQuery{Name: name})
			return err
		},
		func(name string) error {
			_, err := s.ListEvents(signedIn(t), &rpcproject.ProjectQuery{Name: name})
			return err
		},
	} {
		there, missing := call("shop"), call("none")
		if !fault.Is(there, fault.Forbidden) || strings.ReplaceAll(there.Error(), "shop", "none") != missing.Error() {
			t.Errorf("a project that exists: %v; one that does not: %v", there, missing)
		}
	}
}

func TestCreate(t *testing.T) {
	s := newService(t, rights{"projects create shop"})
	p, err := s.Create(signedIn(t), &rpcproject.ProjectCreateRequest{Project: project("shop", func(p *v1alpha1.AppProject) {
		p.Spec.Roles[0].Policies = []string{"p,proj:shop:ci,applications,sync,shop/*,allow"}
	})})
	if err != nil || p.Spec.Roles[0].Policies[0] != "p, proj:shop:ci, applications, sync, shop/*, allow" {
		t.Fatalf("got %+v, %v", p, err)
	}
	if _, err := s.Create(signedIn(t), &rpcproject.ProjectCreateRequest{Project: project("shop")}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	other := project("shop", func(p *v1alpha1.AppProject) { p.Spec.Description = "other" })
	if _, err := s.Create(signedIn(t), &rpcproject.ProjectCreateRequest{Project: other}); err == nil || !strings.Contains(err.Error(), "upsert") {
		t.Errorf("another without upsert: got %v", err)
	}
	if _, err := s.Create(signedIn(t), &rpcproject.ProjectCreateRequest{Project: other, Upsert: true}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("upsert without the right to update: got %v", err)
	}
	s.Gate.Roles = rights{"all"}
	if p, err := s.Create(signedIn(t), &rpcproject.ProjectCreateRequest{Project: other, Upsert: true}); err != nil || p.Spec.Description != "other" {
		t.Errorf("upsert: got %+v, %v", p, err)
	}
	events, err := s.ListEvents(signedIn(t), &rpcproject.ProjectQuery{Name: "shop"})
	if err != nil || len(events.Items) == 0 || !strings.Contains(events.Items[0].Message, "ann") {
		t.Errorf("got events %+v, %v, want who did it", events, err)
	}
}

func TestUpdateNeedsTheRightsOfWhatItAdds(t *testing.T) {
	for _, tt := range []struct {
		reason string
		change func(*v1alpha1.AppProject)
		needs  string
	}{
		{"a description", func(p *v1alpha1.AppProject) { p.Spec.Description = "x" }, "projects update shop"},
		{"a cluster", func(p *v1alpha1.AppProject) {
			p.Spec.Destinations = append(p.Spec.Destinations, v1alpha1.ApplicationDestination{Server: "https://d.example", Namespace: "*"})
		}, "clusters update https://d.example"},
		{"a cluster by name", func(p *v1alpha1.AppProject) {
			p.Spec.Destinations = append(p.Spec.Destinations, v1alpha1.ApplicationDestination{Name: "far", Namespace: "*"})
		}, "clusters update far"},
		{"a repository", func(p *v1alpha1.AppProject) { p.Spec.SourceRepos = append(p.Spec.SourceRepos, "*") }, "repositories update *"},
		{"other kinds", func(p *v1alpha1.AppProject) { p.Spec.NamespaceResourceWhitelist = []metav1.GroupKind{} }, "clusters update https://c.example"},
	} {
		asked := project("shop", tt.change)
		s := newService(t, rights{"projects update shop"}, project("shop"))
		if _, err := s.Update(signedIn(t), &rpcproject.ProjectUpdateRequest{Project: asked.DeepCopy()}); (err == nil) != (tt.needs == "projects update shop") {
			t.Errorf("%s, without more rights: got %v", tt.reason, err)
		}
		s.Gate.Roles = rights{"projects update shop", tt.needs}
		if _, err := s.Update(signedIn(t), &rpcproject.ProjectUpdateRequest{Project: asked}); err != nil {
			t.Errorf("%s, with %s: got %v", tt.reason, tt.needs, err)
		}
	}
}

func TestUpdateKeepsWhatApplicationsUse(t *testing.T) {
	s := newService(t, rights{"all"}, project("shop"), app("web", "shop", "https://a.example/web"), app("other", "else", "https://a.example/x"))
	_, err := s.Update(signedIn(t), &rpcproject.ProjectUpdateRequest{Project: project("shop", func(p *v1alpha1.AppProject) {
		p.Spec.SourceRepos, p.Spec.Destinations = []string{"https://b.example/*"}, nil
	})})
	if err == nil || !strings.Contains(err.Error(), "1 applications source became invalid and 1 applications destination became invalid") {
		t.Errorf("got %v", err)
	}
}

func TestUpdateOfWhatSomebodyElseWrote(t *testing.T) {
	s := newService(t, rights{"all"}, project("shop"))
	read, err := s.Get(signedIn(t), &rpcproject.ProjectQuery{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateToken(signedIn(t), &rpcproject.ProjectTokenCreateRequest{Project: "shop", Role: "ci", ID: "t1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(signedIn(t), &rpcproject.ProjectUpdateRequest{Project: read}); !fault.Is(err, fault.Retry) {
		t.Errorf("an update of what was read before: got %v", err)
	}
	p, err := s.Update(signedIn(t), &rpcproject.ProjectUpdateRequest{Project: project("shop")})
	if err != nil || len(p.Spec.Roles[0].JWTTokens) != 1 {
		t.Errorf("rules written elsewhere: got %+v, %v, want the token kept", p, err)
	}
}

func TestDelete(t *testing.T) {
	strange := app("web", "empty", "x") // whoever may write there names any project
	strange.Namespace = "tenant"
	s := newService(t, rights{"all"}, project("shop"), project("empty"), project("default"), app("web", "shop", "x"), strange)
	for name, want := range map[string]string{"shop": "referenced by 1 applications", "default": "reserved", "none": "there is none"} {
		if _, err := s.Delete(signedIn(t), &rpcproject.ProjectQuery{Name: name}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	if _, err := s.Delete(signedIn(t), &rpcproject.ProjectQuery{Name: "empty"}); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(signedIn(t), &rpcproject.ProjectQuery{Name: "empty"}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestTokens(t *testing.T) {
	s := newService(t, rights{"projects get shop"}, project("shop"))
	if _, err := s.CreateToken(signedIn(t, "strangers"), &rpcproject.ProjectTokenCreateRequest{Project: "shop", Role: "ci"}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a stranger: got %v", err)
	}
	got, err := s.CreateToken(signedIn(t, "builders"), &rpcproject.ProjectTokenCreateRequest{Project: "shop", Role: "ci", ID: "t1", ExpiresIn: 60})
	if err != nil || got.Token != "signed-t1" {
		t.Fatalf("a member of the role: got %+v, %v", got, err)
	}
	p, err := s.Get(signedIn(t), &rpcproject.ProjectQuery{Name: "shop"})
	want := v1alpha1.JWTToken{ID: "t1", IssuedAt: noon.Unix(), ExpiresAt: noon.Unix() + 60}
	if err != nil || !slices.Equal(p.Spec.Roles[0].JWTTokens, []v1alpha1.JWTToken{want}) || !slices.Equal(p.Status.JWTTokensByRole["ci"].Items, []v1alpha1.JWTToken{want}) {
		t.Fatalf("got %+v, %v", p, err)
	}
	s.Gate.Roles = rights{"all"}
	if _, err := s.CreateToken(signedIn(t), &rpcproject.ProjectTokenCreateRequest{Project: "shop", Role: "ci", ID: "t1"}); !fault.Is(err, fault.Mistake) {
		t.Errorf("the id again: got %v", err)
	}
	for field, wrong := range map[string]rpcproject.ProjectTokenCreateRequest{
		"expiresIn": {ExpiresIn: 1 << 55}, // which is 0 in nanoseconds: without end
		"id":        {ID: strings.Repeat("x", maxTokenID+1)},
	} {
		wrong.Project, wrong.Role = "shop", "ci"
		if _, err := s.CreateToken(signedIn(t), &wrong); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if _, err := s.CreateToken(signedIn(t), &rpcproject.ProjectTokenCreateRequest{Project: "shop", Role: "none"}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a role that is not there: got %v", err)
	}
	if _, err := s.DeleteToken(signedIn(t), &rpcproject.ProjectTokenDeleteRequest{Project: "shop", Role: "ci", IAT: 1}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a token that is not there: got %v", err)
	}
	if _, err := s.DeleteToken(signedIn(t), &rpcproject.ProjectTokenDeleteRequest{Project: "shop", Role: "ci", IAT: noon.Unix()}); err != nil {
		t.Fatal(err)
	}
	p, err = s.Get(signedIn(t), &rpcproject.ProjectQuery{Name: "shop"})
	if err != nil || len(p.Spec.Roles[0].JWTTokens)+len(p.Status.JWTTokensByRole) != 0 {
		t.Errorf("got %+v, %v, want it revoked", p, err)
	}
}

func TestValidate(t *testing.T) {
	role := func(r v1alpha1.ProjectRole) func(*v1alpha1.AppProject) {
		return func(p *v1alpha1.AppProject) { p.Spec.Roles = []v1alpha1.ProjectRole{r} }
	}
	policy := func(text string) func(*v1alpha1.AppProject) {
		return role(v1alpha1.ProjectRole{Name: "ci", Policies: []string{text}})
	}
	for _, tt := range []struct {
		reason string
		change func(*v1alpha1.AppProject)
		want   string
	}{
		{"sound", func(*v1alpha1.AppProject) {}, ""},
		{"everything denied", func(p *v1alpha1.AppProject) { p.Spec.SourceRepos = []string{"!*"} }, "spec.sourceRepos[0]"},
		{"a window about nothing", func(p *v1alpha1.AppProject) {
			p.Spec.SyncWindows = v1alpha1.SyncWindows{{Kind: "allow", Schedule: "* * * * *", Duration: "1h"}}
		}, "spec.syncWindows[0]"},
		{"a window that cannot be read", func(p *v1alpha1.AppProject) {
			p.Spec.SyncWindows = v1alpha1.SyncWindows{{Kind: "allow", Schedule: "x", Duration: "1h", Applications: []string{"*"}}}
		}, "syncWindows[0]"},
		{"a role's name", role(v1alpha1.ProjectRole{Name: "a b"}), "spec.roles[0].name"},
		{"two roles of one name", func(p *v1alpha1.AppProject) { p.Spec.Roles = append(p.Spec.Roles, p.Spec.Roles[0]) }, "spec.roles[1].name"},
		{"five parts", policy("p, proj:shop:ci, applications, get, shop/*"), "spec.roles[0].policies[0]"},
		{"another subject", policy("p, role:admin, applications, get, shop/*, allow"), "its subject"},
		{"another project's role", policy("p, proj:else:ci, applications, get, shop/*, allow"), "its subject"},
		{"a resource outside", policy("p, proj:shop:ci, projects, get, shop/*, allow"), "no resource of a project"},
		{"no such action", policy("p, proj:shop:ci, applications, fly, shop/*, allow"), "no action"},
		{"an action of a kind", policy("p, proj:shop:ci, applications, action/apps/Deployment/restart, shop/*, allow"), ""},
		{"another project's object", policy("p, proj:shop:ci, applications, get, else/*, allow"), "not in the project"},
		{"all objects", policy("p, proj:shop:ci, applications, get, *, allow"), "not in the project"},
		{"a repository's address", policy("p, proj:shop:ci, repositories, get, shop/https://a.example/*, allow"), ""},
		{"an effect", policy("p, proj:shop:ci, applications, get, shop/*, maybe"), "neither allow nor deny"},
		{"a line twice", role(v1alpha1.ProjectRole{Name: "ci", Policies: []string{"p, proj:shop:ci, logs, get, shop/*, allow", "p, proj:shop:ci, logs, get, shop/*, allow"}}), "policies[1]"},
		{"a group with a comma", role(v1alpha1.ProjectRole{Name: "ci", Groups: []string{"a,b"}}), "groups[0]"},
		{"a quoted group", role(v1alpha1.ProjectRole{Name: "ci", Groups: []string{`"a,b"`}}), ""},
		{"a group that ends its line", role(v1alpha1.ProjectRole{Name: "ci", Groups: []string{"a\ng, x, role:admin"}}), "groups[0]"},
	} {
		p := project("shop", tt.change)
		s := newService(t, rights{"all"})
		_, err := s.Create(signedIn(t), &rpcproject.ProjectCreateRequest{Project: p})
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !fault.Is(err, fault.Mistake)) {
			t.Errorf("%s: got %v, want %q", tt.reason, err, tt.want)
		}
	}
}

// TestTokensFromGit: what only the spec names is not written into the status, so that taking it out of Git ends it.
func TestTokensFromGit(t *testing.T) {
	git := v1alpha1.JWTToken{ID: "git", IssuedAt: noon.Unix() - 60}
	s := newService(t, rights{"all"}, project("shop", func(p *v1alpha1.AppProject) { p.Spec.Roles[0].JWTTokens = []v1alpha1.JWTToken{git} }))
	if _, err := s.CreateToken(signedIn(t), &rpcproject.ProjectTokenCreateRequest{Project: "shop", Role: "ci", ID: "made"}); err != nil {
		t.Fatal(err)
	}
	shown, err := s.Get(signedIn(t), &rpcproject.ProjectQuery{Name: "shop"})
	if err != nil || len(shown.Status.JWTTokensByRole["ci"].Items) != 2 || len(shown.Spec.Roles[0].JWTTokens) != 2 {
		t.Errorf("shown: got %+v, %v, want both tokens in both places", shown, err)
	}
	shown.Spec.Description = "changed"
	if _, err := s.Update(signedIn(t), &rpcproject.ProjectUpdateRequest{Project: shown}); err != nil {
		t.Fatal(err)
	}
	kept := &v1alpha1.AppProject{}
	if err := s.Hub.Fresh.Get(t.Context(), s.Hub.Key("shop"), kept); err != nil {
		t.Fatal(err)
	}
	if items := kept.Status.JWTTokensByRole["ci"].Items; len(items) != 1 || items[0].ID != "made" || len(kept.Spec.Roles[0].JWTTokens) != 2 {
		t.Errorf("got status %+v and spec %+v, want only what was made here in the status", items, kept.Spec.Roles[0].JWTTokens)
	}
	if _, err := s.DeleteToken(signedIn(t), &rpcproject.ProjectTokenDeleteRequest{Project: "shop", Role: "ci", ID: "git"}); err != nil {
		t.Fatal(err)
	}
	if shown, err = s.Get(signedIn(t), &rpcproject.ProjectQuery{Name: "shop"}); err != nil || len(shown.Spec.Roles[0].JWTTokens) != 1 {
		t.Errorf("after it was deleted: got %+v, %v", shown, err)
	}
}

func TestDetailedProject(t *testing.T) {
	repository := func(project, url string) client.Object {
		s := declared.NewRepository(&v1alpha1.Repository{Repo: url, Project: project, Username: "u", Password: "canary"}, false)
		s.Namespace = "argocd"
		return s
	}
	global := project("base", func(p *v1alpha1.AppProject) {
		p.Spec.ClusterResourceWhitelist = []v1alpha1.ClusterResourceRestrictionItem{{Kind: "Namespace"}}
	})
	s := newService(t, rights{"projects get shop", "repositories get shop/https://a.example/1"}, global,
		project("shop", func(p *v1alpha1.AppProject) { p.Labels = map[string]string{"team": "a"} }),
		repository("shop", "https://a.example/1"), repository("shop", "https://a.example/2"), repository("else", "https://a.example/3"))
	given, problems := settings.Defaults().With(map[string]string{"globalProjects": "- projectName: base\n  labelSelector: {matchLabels: {team: a}}\n- projectName: gone\n"}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s.Settings = func() *settings.Settings { return &given }
	got, err := s.GetDetailedProject(signedIn(t), &rpcproject.ProjectQuery{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Repositories) != 1 || got.Repositories[0].Repo != "https://a.example/1" || got.Repositories[0].Password != "" || got.Repositories[0].Username != "" {
		t.Errorf("got repositories %+v", got.Repositories)
	}
	if len(got.GlobalProjects) != 1 || got.GlobalProjects[0].Name != "base" || len(got.Project.Spec.ClusterResourceWhitelist) != 1 {
		t.Errorf("got global projects %+v and rules %+v", got.GlobalProjects, got.Project.Spec)
	}
}

func TestSyncWindowsState(t *testing.T) {
	window := func(kind, schedule string) *v1alpha1.SyncWindow {
		return &v1alpha1.SyncWindow{Kind: kind, Schedule: schedule, Duration: "1h", Applications: []string{"*"}}
	}
	s := newService(t, rights{"all"}, project("shop", func(p *v1alpha1.AppProject) {
		p.Spec.SyncWindows = v1alpha1.SyncWindows{window("allow", "0 12 * * *"), window("allow", "0 3 * * *"), window("deny", "30 11 * * *"), window("deny", "0 4 * * *")}
	}))
	got, err := s.GetSyncWindowsState(signedIn(t), &rpcproject.SyncWindowsQuery{Name: "shop"})
	if err != nil || len(got.Windows) != 2 || got.Windows[0].Schedule != "0 12 * * *" || got.Windows[1].Schedule != "30 11 * * *" {
		t.Errorf("got %+v, %v, want the two that are active at noon", got, err)
	}
}

func TestLinks(t *testing.T) {
	s := newService(t, rights{"projects get shop"}, project("shop"))
	got, err := s.ListLinks(signedIn(t), &rpcproject.ListProjectLinksRequest{Name: "shop"})
	if err != nil || len(got.Items) != 1 || got.Items[0].URL != "https://wiki.example/shop" {
		t.Errorf("got %+v, %v", got, err)
	}
}
