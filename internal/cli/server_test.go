// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli"
	"github.com/bowline-cd/bowline/internal/cli/app/actions"
	"github.com/bowline-cd/bowline/internal/cli/app/plan"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// server is a server with one application, which writes down what it is asked to do.
type server struct {
	application.ApplicationService
	app   *v1alpha1.Application
	asked []string
	// dropped is how many times a stream of logs ends before its time.
	dropped int
}

func (s *server) note(name string, request any) {
	raw, _ := json.Marshal(request)
	s.asked = append(s.asked, name+" "+string(raw))
}

func (s *server) Get(_ context.Context, q *application.ApplicationQuery) (*v1alpha1.Application, error) {
	if q.Name != s.app.Name {
		return nil, &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "read", Thing: "application " + q.Name}
	}
	if q.Refresh != "" {
		s.note("Get", q)
	}
	return s.app.DeepCopy(), nil
}

func (s *server) Create(_ context.Context, r *application.ApplicationCreateRequest) (*v1alpha1.Application, error) {
	s.note("Create", r)
	out := r.Application.DeepCopy()
	out.Namespace = "argocd"
	return out, nil
}

func (s *server) UpdateSpec(_ context.Context, r *application.ApplicationUpdateSpecRequest) (*v1alpha1.ApplicationSpec, error) {
	s.note("UpdateSpec", r)
	return r.Spec, nil
}

func (s *server) Patch(_ context.Context, r *application.ApplicationPatchRequest) (*v1alpha1.Application, error) {
	s.note("Patch", r)
	return s.app, nil
}

func (s *server) ManagedResources(context.Context, *application.ResourcesQuery) (*application.ManagedResourcesResponse, error) {
	const live = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"front","namespace":"shop"},"spec":{"replicas":1}}`
	const target = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"front","namespace":"shop"},"spec":{"replicas":2}}`
	return &application.ManagedResourcesResponse{Items: []v1alpha1.ResourceDiff{
		{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "front", LiveState: live, TargetState: target, NormalizedLiveState: live, PredictedLiveState: target},
		{Kind: "Service", Namespace: "shop", Name: "new", LiveState: "null", TargetState: `{"apiVersion":"v1","kind":"Service","metadata":{"name":"new","namespace":"shop"}}`},
		{Kind: "ConfigMap", Namespace: "shop", Name: "old", LiveState: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"old","namespace":"shop"}}`},
		{Kind: "ConfigMap", Namespace: "shop", Name: "same", LiveState: `{"kind":"ConfigMap"}`, TargetState: `{"kind":"ConfigMap"}`},
	}}, nil
}

func (s *server) PatchResource(_ context.Context, r *application.ApplicationResourcePatchRequest) (*application.ApplicationResourceResponse, error) {
	s.note("PatchResource", r)
	return &application.ApplicationResourceResponse{}, nil
}

func (s *server) DeleteResource(_ context.Context, r *application.ApplicationResourceDeleteRequest) (*application.ApplicationResponse, error) {
	s.note("DeleteResource", r)
	return &application.ApplicationResponse{}, nil
}

func (s *server) ResourceTree(context.Context, *application.ResourcesQuery) (*v1alpha1.ApplicationTree, error) {
	node := func(group, version, kind, name string) v1alpha1.ResourceNode {
		return v1alpha1.ResourceNode{ResourceRef: v1alpha1.ResourceRef{Group: group, Version: version, Kind: kind, Namespace: "shop", Name: name, UID: name}}
	}
	return &v1alpha1.ApplicationTree{
		Nodes:         []v1alpha1.ResourceNode{node("apps", "v1", "Deployment", "front"), node("", "v1", "Pod", "front-1"), node("", "v1", "Pod", "front-2")},
		OrphanedNodes: []v1alpha1.ResourceNode{node("", "v1", "ConfigMap", "stray")},
	}, nil
}

func (s *server) GetResource(_ context.Context, r *application.ApplicationResourceRequest) (*application.ApplicationResourceResponse, error) {
	manifest := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"` + r.ResourceName + `","managedFields":[{"manager":"x"}]},"spec":{"containers":[{"name":"a","image":"web:1"},{"name":"b"}]},"status":{"podIP":"10.0.0.1"}}`
	return &application.ApplicationResourceResponse{Manifest: manifest}, nil
}

func (s *server) PodLogs(_ context.Context, q *application.ApplicationPodLogsQuery, send func(*application.LogEntry) error) error {
	s.note("PodLogs", q)
	if err := send(&application.LogEntry{Content: "one \x1b[31mred"}); err != nil {
		return err
	}
	if s.dropped > 0 {
		s.dropped--
		return fault.New(fault.Retry, "read", "the logs", "", "the stream broke", "")
	}
	return send(&application.LogEntry{Last: true})
}

func (s *server) GetManifests(_ context.Context, q *application.ApplicationManifestQuery) (*repository.ManifestResponse, error) {
	s.note("GetManifests", q)
	return &repository.ManifestResponse{Manifests: []string{`{"kind":"Service","apiVersion":"v1","metadata":{"name":"new"}}`}}, nil
}

func (s *server) ListResourceActions(_ context.Context, r *application.ApplicationResourceRequest) (*application.ResourceActionsListResponse, error) {
	return &application.ResourceActionsListResponse{Actions: []v1alpha1.ResourceAction{{Name: "restart"}}}, nil
}

func (s *server) RunResourceActionV2(_ context.Context, r *application.ResourceActionRunRequestV2) (*application.ApplicationResponse, error) {
	s.note("RunResourceActionV2", r)
	return &application.ApplicationResponse{}, nil
}

// sets is a server with one application set.
type sets struct {
	applicationset.ApplicationSetService
}

func (sets) List(context.Context, *applicationset.ApplicationSetListQuery) (*v1alpha1.ApplicationSetList, error) {
	return &v1alpha1.ApplicationSetList{Items: []v1alpha1.ApplicationSet{*set()}}, nil
}

func (sets) Get(context.Context, *applicationset.ApplicationSetGetQuery) (*v1alpha1.ApplicationSet, error) {
	return set(), nil
}

func set() *v1alpha1.ApplicationSet {
	out := &v1alpha1.ApplicationSet{}
	out.Namespace, out.Name = "argocd", "shops"
	out.Spec.Template.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "https://example.com/shop", Path: "base"}
	out.Status.Conditions = []v1alpha1.ApplicationSetCondition{{Type: "ResourcesUpToDate", Status: "True"}, {Type: "ErrorOccurred", Status: "False"}}
	return out
}

// own is the part of a server that Argo CD does not have.
type own struct {
	bowline.Service
	server *server
}

func (o own) Plan(_ context.Context, q *bowline.PlanQuery) (*bowline.Plan, error) {
	o.server.note("Plan", q)
	work := runtime.RawExtension{Raw: []byte(`{"digest":"sha256:1","summary":"1 deletion waits","phases":[],"approval":"3f2a9c417b0d99"}`)}
	out := &bowline.Plan{Application: q.Name, Revisions: []string{"abc"}, Text: "delete ConfigMap old", Work: work}
	if q.Prune {
		out.Approve = "3f2a9c417b0d"
	}
	return out, nil
}

// ask runs a command line through the server.
func (s *server) ask(t *testing.T, stdin, line string) (stdout, stderr string, code int) {
	t.Helper()
	t.Setenv("BOWLINE_CONFIG", filepath.Join(t.TempDir(), "config"))
	deps := cli.Deps{
		Version: "v0", Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Services: func(*session.Session) (*client.Services, error) {
			return &client.Services{Applications: s, ApplicationSets: sets{}, Bowline: own{server: s}}, nil
		},
		Differ: differ(t, nil), Drawer: drawer(t, nil),
		Planner: plan.PlannerFunc(func(context.Context, plan.Request) (plan.Planned, error) { panic("the server is to be asked") }),
		Actions: func(context.Context, actions.Target) (actions.Actor, error) { panic("the server is to be asked") },
	}
	var out, err bytes.Buffer
	root := cli.New(deps)
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&err)
	code = cli.Execute(t.Context(), root, append(strings.Fields(line), "--server", "bowline.example.com"))
	return out.String(), err.String(), code
}

const webSpec = `
destination: {name: in-cluster, namespace: shop}
project: default
source: {repoURL: https://example.com/shop, path: web, helm: {parameters: [{name: x, value: "1"}]}}`

func newServer(t *testing.T, spec string) *server {
	s := &server{app: &v1alpha1.Application{}}
	s.app.Namespace, s.app.Name = "argocd", "web"
	if err := yaml.UnmarshalStrict([]byte(spec), &s.app.Spec); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerbsOverAServer(t *testing.T) {
	tests := []struct {
		reason, line, stdin string
		// asked is a part of what the server was asked last; "" is that it was not asked to do anything.
		asked, stdout, stderr string
		code                  int
	}{
		{reason: "create by flags", line: "app create shop --repo https://example.com/shop --path web --dest-name in-cluster --dest-namespace shop --label a=b --set-finalizer --validate=false",
			asked:  `Create {"application":{"kind":"Application","apiVersion":"argoproj.io/v1alpha1","metadata":{"name":"shop","labels":{"a":"b"},"finalizers":["resources-finalizer.argocd.argoproj.io"]},"spec":{"source":{"repoURL":"https://example.com/shop","path":"web"},"destination":{"namespace":"shop","name":"in-cluster"}}},"validate":false}`,
			stdout: "application argocd/shop: created\n"},
		{reason: "create from standard input, changed by flags", line: "app create -f - --revision v2 --upsert", stdin: "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec: {source: {repoURL: r}, destination: {}}\n",
			asked: `"source":{"repoURL":"r","targetRevision":"v2"}`, stdout: "application argocd/web: updated\n"},
		{reason: "a field that is none", line: "app create -f -", stdin: "kind: Application\nmetadata: {name: web}\nspecs: {}\n", stderr: `unknown field "specs"`, code: 2},
		{reason: "another kind", line: "app create -f -", stdin: "kind: Pod\nmetadata: {name: web}\n", stderr: "kind Pod", code: 2},
		{reason: "a name that is not that of the file", line: "app create shop -f -", stdin: "kind: Application\nmetadata: {name: web}\n", stderr: `"shop" as an argument and "web" in the file`, code: 2},
		{reason: "create without a name", line: "app create --repo r", stderr: "has no name", code: 2},
		{reason: "set", line: "app set web --revision v2", asked: `"targetRevision":"v2"`, stdout: "application web: updated\n"},
		{reason: "set nothing", line: "app set web", stderr: "what to change", code: 2},
		{reason: "set what Helm does not have", line: "app set web --helm-set x", stderr: "NAME=VALUE", code: 2},
		{reason: "unset", line: "app unset web -p x", asked: `"source":{"repoURL":"https://example.com/shop","path":"web"}`, stdout: "application web: updated\n"},
		{reason: "unset what is not there", line: "app unset web -p y", stdout: "application web: unchanged\n"},
		{reason: "add a source to an application with one", line: "app add-source web --repo r", stderr: "no list of sources", code: 2},
		{reason: "remove the only source", line: "app remove-source web --source-position 1", stderr: "no other source", code: 2},
		{reason: "patch", line: `app patch web --type merge --patch {"spec":{}}`, asked: `"patch":"{\"spec\":{}}","patchType":"merge"`, stdout: "kind: Application"},
		{reason: "patch of a type that is none", line: "app patch web --type strategic --patch {}", stderr: "json or merge", code: 2},
		{reason: "confirm deletions", line: "app confirm-deletion web", asked: `deletion-approved\":\"2026-01-02T03:04:05Z`, stdout: "approved"},
		{reason: "patch an object, in the namespace as argocd names it", line: `app patch-resource web --kind Deployment --namespace shop --patch {"spec":{"replicas":3}}`,
			asked: `"namespace":"shop","resourceName":"front","version":"v1","group":"apps","kind":"Deployment","patch":"{\"spec\":{\"replicas\":3}}","patchType":"application/merge-patch+json"`, stdout: "Deployment shop/front: patched\n"},
		{reason: "several objects without --all", line: "app delete-resource web --kind ConfigMap", stderr: "2 are chosen: ConfigMap shop/old", code: 2},
		{reason: "an object that is only desired", line: "app delete-resource web --kind Service", stderr: "no such object", code: 2},
		{reason: "delete an object", line: "app delete-resource web --kind ConfigMap --resource-name old --force", asked: `"resourceName":"old","version":"v1","kind":"ConfigMap","force":true`, stdout: "ConfigMap shop/old: deleted\n"},
		{reason: "show objects", line: "app get-resource web --kind Pod --filter-fields status.podIP,spec.containers.image",
			stdout: "FIELD                     RESOURCE NAME  VALUE\nspec.containers[0].image  front-1        web:1\nstatus.podIP              front-1        10.0.0.1\nspec.containers[0].image  front-2"},
		{reason: "show an object whole", line: "app get-resource web --kind Pod --resource-name front-1 -o json", stdout: `"podIP": "10.0.0.1"`},
		{reason: "objects of a kind that is not there", line: "app get-resource web --kind Job", stderr: "no such object", code: 2},
		{reason: "logs, without what a terminal obeys", line: "app logs web --kind Deployment --name front --tail 5 --filter !debug", asked: `"tailLines":5,"filter":"!debug","kind":"Deployment","resourceName":"front"`, stdout: "one [31mred\n"},
		{reason: "desired manifests", line: "app manifests web", stdout: "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: front\n  namespace: shop\nspec:\n  replicas: 2\n---\napiVersion: v1\nkind: Service"},
		{reason: "live manifests", line: "app manifests web --source live", stdout: "replicas: 1\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: old"},
		{reason: "manifests of a revision", line: "app manifests web --revision v2", asked: `GetManifests {"name":"web","revision":"v2"}`, stdout: "kind: Service"},
		{reason: "what differs", line: "app diff web", stdout: "===== apps/Deployment shop/front =====\n  spec.replicas\n  - 1\n  + 2\n===== /Service shop/new ===== missing: a sync makes it\n===== /ConfigMap shop/old ===== no longer", code: 1},
		{reason: "a comparison after a refresh", line: "app diff web --hard-refresh --exit-code=false", asked: `Get {"name":"web","refresh":"hard"}`, stdout: "spec.replicas"},
		{reason: "the tree", line: "app resources web", stdout: "Deployment"},
		{reason: "the tree without orphans", line: "app resources web --orphaned=false", stdout: "Pod"},
		{reason: "an application with its tree", line: "app get web -o tree --show-params", stdout: "NAME  VALUE\nx     1\n"},
		{reason: "parameters of a source that is none", line: "app get web --show-params --source-name x", stderr: "no source named x", code: 2},
		{reason: "a repository declared", line: "admin repo generate-spec https://git.example.com/shop --username git --password pw", stdout: "stringData:\n  password: pw\n"},
		{reason: "a project declared", line: "admin proj generate-spec shop -s https://git.example.com/shop -o json", stdout: `"sourceRepos": [`},
		{reason: "an action", line: "app actions run web restart --kind Deployment --param a=b", asked: `RunResourceActionV2 {"name":"web","namespace":"shop","resourceName":"front","version":"v1","group":"apps","kind":"Deployment","action":"restart","resourceActionParameters":[{"name":"a","value":"b"}]}`, stdout: "patched"},
		{reason: "an action that a server cannot try", line: "app actions run web restart --kind Deployment --dry-run", stderr: "--core", code: 2},
		{reason: "a plan", line: "app plan web", asked: `Plan {"name":"web"}`, stdout: "1 deletion waits"},
		{reason: "a plan with deletions that are not noted yet", line: "app plan cd/web", asked: `Plan {"name":"web","appNamespace":"cd"}`, stdout: "can be approved once"},
		{reason: "a plan of a sync by hand", line: "app plan web --prune --revision v2 --resource :Service:shop/web --resource apps:Deployment:web",
			asked: `Plan {"name":"web","prune":true,"revision":"v2","resources":[":Service:shop/web","apps:Deployment:web"]}`, stdout: "bowline app approve web 3f2a9c417b0d\n"},
		{reason: "application sets", line: "appset list", stdout: "argocd/shops  default  <none>      Unknown  ResourcesUpToDate  https://example.com/shop  base"},
		{reason: "an application set", line: "appset get shops", stdout: "Name:               argocd/shops\n"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			s := newServer(t, webSpec)
			stdout, stderr, code := s.ask(t, tt.stdin, tt.line)
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && stderr != "" {
				t.Errorf("code %d (want %d), output\n%s\nerror\n%s", code, tt.code, stdout, stderr)
			}
			last := strings.Join(s.asked, "\n")
			if tt.asked == "" && last != "" || !strings.Contains(last, tt.asked) {
				t.Errorf("asked for %q, want %q", last, tt.asked)
			}
		})
	}
}

func TestOneOfSeveralSourcesIsRemoved(t *testing.T) {
	s := newServer(t, "destination: {}\nproject: default\nsources: [{repoURL: a, name: one}, {repoURL: b}]")
	if _, stderr, code := s.ask(t, "", "app add-source web --repo c --ref values"); code != 0 {
		t.Fatal(stderr)
	}
	if _, stderr, code := s.ask(t, "", "app remove-source web --source-name one"); code != 0 {
		t.Fatal(stderr)
	}
	want := []string{
		`"sources":[{"repoURL":"a","name":"one"},{"repoURL":"b"},{"repoURL":"c","ref":"values"}]`,
		`"sources":[{"repoURL":"b"}]`,
	}
	for i, part := range want {
		if !strings.Contains(s.asked[i], part) {
			t.Errorf("asked for %s, want %s", s.asked[i], part)
		}
	}
}

func TestLogsAreFollowedPastABrokenStream(t *testing.T) {
	s := newServer(t, webSpec)
	s.dropped = 1
	stdout, stderr, code := s.ask(t, "", "app logs web -f --tail 10")
	if code != 0 || strings.Count(stdout, "one") != 2 || len(s.asked) != 2 || !strings.Contains(s.asked[1], `"sinceSeconds":1`) || strings.Contains(s.asked[1], "tailLines") {
		t.Errorf("code %d, %s%s, asked %v", code, stdout, stderr, s.asked)
	}
	s = newServer(t, webSpec)
	s.dropped = 1
	if _, stderr, code := s.ask(t, "", "app logs web"); code != 1 || !strings.Contains(stderr, "the stream broke") {
		t.Errorf("logs that are not followed end with code %d and %s", code, stderr)
	}
}

func TestEditOpensAgainWhatIsRefused(t *testing.T) {
	editor := filepath.Join(t.TempDir(), "editor")
	// The first time it writes what is no spec; the second time, which it knows by the comment, it writes another revision.
	script := "#!/bin/sh\nif grep -q '^# ' \"$1\"; then printf 'destination: {}\\nproject: default\\nsource: {repoURL: r, targetRevision: v9}\\n' > \"$1\"; else echo 'nonsense: 1' > \"$1\"; fi\n"
	if err := os.WriteFile(editor, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBE_EDITOR", editor)
	s := newServer(t, webSpec)
	stdout, stderr, code := s.ask(t, "", "app edit web")
	if code != 0 || !strings.Contains(strings.Join(s.asked, ""), `"targetRevision":"v9"`) {
		t.Errorf("code %d, %s%s, asked %v", code, stdout, stderr, s.asked)
	}
	t.Setenv("KUBE_EDITOR", "true")
	s = newServer(t, webSpec)
	if stdout, _, code := s.ask(t, "", "app edit web"); code != 0 || !strings.Contains(stdout, "unchanged") || len(s.asked) > 0 {
		t.Errorf("nothing changed gives code %d and %s, asked %v", code, stdout, s.asked)
	}
}

func TestGenerateSpecWritesBackToItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.yaml")
	const before = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: web\nspec:\n  destination: {}\n  source:\n    repoURL: r\nstatus: {}\n"
	if err := os.WriteFile(file, []byte(before), 0o640); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, webSpec)
	if _, stderr, code := s.ask(t, "", "admin app generate-spec -f "+file+" --revision v1 --inline"); code != 0 {
		t.Fatal(stderr)
	}
	want := "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: web\nspec:\n  destination: {}\n  source:\n    repoURL: r\n    targetRevision: v1\n"
	got, err := os.ReadFile(file)
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if old, err := os.ReadFile(file + ".back"); err != nil || string(old) != before {
		t.Errorf("the old file is not beside it: %v %s", err, old)
	}
}
