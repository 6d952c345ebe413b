// SPDX-License-Identifier: Apache-2.0

package proj_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/proj"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// server is a server with one project.
type server struct {
	project.ProjectService
	project *v1alpha1.AppProject
	// conflicts is how many updates are too late.
	conflicts int
	active    []v1alpha1.SyncWindow
}

func (s *server) Get(_ context.Context, q *project.ProjectQuery) (*v1alpha1.AppProject, error) {
	if q.Name != s.project.Name {
		return nil, &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "read", Thing: "project " + q.Name}
	}
	return s.project.DeepCopy(), nil
}

func (s *server) List(context.Context, *project.ProjectQuery) (*v1alpha1.AppProjectList, error) {
	return &v1alpha1.AppProjectList{Items: []v1alpha1.AppProject{*s.project}}, nil
}

func (s *server) Create(_ context.Context, r *project.ProjectCreateRequest) (*v1alpha1.AppProject, error) {
	s.project = r.Project
	return r.Project, nil
}

func (s *server) Update(_ context.Context, r *project.ProjectUpdateRequest) (*v1alpha1.AppProject, error) {
	if s.conflicts > 0 {
		s.conflicts--
		return nil, fault.New(fault.Wait, "update", "project "+r.Project.Name, "", "it was changed meanwhile", "")
	}
	s.project = r.Project
	return r.Project, nil
}

func (s *server) GetSyncWindowsState(context.Context, *project.SyncWindowsQuery) (*project.SyncWindowsResponse, error) {
	return &project.SyncWindowsResponse{Windows: s.active}, nil
}

func run(t *testing.T, s *server, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := proj.NewCmd(&session.Session{
		Now:   func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Serve: func(*session.Session) (*client.Services, error) { return &client.Services{Projects: s}, nil },
	})
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestVerbsChangeOneThing(t *testing.T) {
	const before = "sourceRepos: [https://git.example.com/a]\ndestinations: [{server: s, namespace: ns}]\nroles: [{name: ci, groups: [g]}]\n" +
		"syncWindows: [{kind: deny, schedule: '* * * * *', duration: 1h, applications: ['*']}]\n"
	for _, tt := range []struct {
		args   string
		change func(*v1alpha1.AppProjectSpec)
	}{
		{"add-source shop https://git.example.com/a.git", func(*v1alpha1.AppProjectSpec) {}}, // the same repository
		{"add-source shop https://git.example.com/b", func(s *v1alpha1.AppProjectSpec) { s.SourceRepos = append(s.SourceRepos, "https://git.example.com/b") }},
		{"remove-source shop https://git.example.com/a", func(s *v1alpha1.AppProjectSpec) { s.SourceRepos = []string{} }},
		{"add-destination shop east tools --name", func(s *v1alpha1.AppProjectSpec) {
			s.Destinations = append(s.Destinations, v1alpha1.ApplicationDestination{Name: "east", Namespace: "tools"})
		}},
		{"remove-destination shop s ns", func(s *v1alpha1.AppProjectSpec) { s.Destinations = []v1alpha1.ApplicationDestination{} }},
		{"add-signature-key shop 0x4aee18f83afdeb23", func(s *v1alpha1.AppProjectSpec) {
			s.SignatureKeys = []v1alpha1.SignatureKey{{KeyID: "4AEE18F83AFDEB23"}}
		}},
		{"allow-cluster-resource shop rbac ClusterRole", func(s *v1alpha1.AppProjectSpec) {
			s.ClusterResourceWhitelist = []v1alpha1.ClusterResourceRestrictionItem{{Group: "rbac", Kind: "ClusterRole"}}
		}},
		{"deny-namespace-resource shop apps Deployment", func(s *v1alpha1.AppProjectSpec) {
			s.NamespaceResourceBlacklist = []metav1.GroupKind{{Group: "apps", Kind: "Deployment"}}
		}},
		{"allow-namespace-resource shop apps Deployment", func(*v1alpha1.AppProjectSpec) {}}, // nothing denies it
		{"allow-namespace-resource shop apps Deployment --list allow", func(s *v1alpha1.AppProjectSpec) {
			s.NamespaceResourceWhitelist = []metav1.GroupKind{{Group: "apps", Kind: "Deployment"}}
		}},
		{"set shop --description d --dest x,y", func(s *v1alpha1.AppProjectSpec) {
			s.Description, s.Destinations = "d", []v1alpha1.ApplicationDestination{{Server: "x", Namespace: "y"}}
		}},
		{"role create shop dev", func(s *v1alpha1.AppProjectSpec) { s.Roles = append(s.Roles, v1alpha1.ProjectRole{Name: "dev"}) }},
		{"role add-policy shop ci -a sync -o web", func(s *v1alpha1.AppProjectSpec) {
			s.Roles[0].Policies = []string{"p, proj:shop:ci, applications, sync, shop/web, allow"}
		}},
		{"role remove-group shop ci g", func(s *v1alpha1.AppProjectSpec) { s.Roles[0].Groups = []string{} }},
		{"windows update shop 0 --duration 2h", func(s *v1alpha1.AppProjectSpec) { s.SyncWindows[0].Duration = "2h" }},
		{"windows enable-manual-sync shop 0", func(s *v1alpha1.AppProjectSpec) { s.SyncWindows[0].ManualSync = true }},
		{"windows delete shop 0", func(s *v1alpha1.AppProjectSpec) { s.SyncWindows = v1alpha1.SyncWindows{} }},
		{"source-integrity git policies add shop --repo-url u --gpg-mode head --gpg-key 4AEE18F83AFDEB23", func(s *v1alpha1.AppProjectSpec) {
			s.SourceIntegrity = &v1alpha1.SourceIntegrity{Git: &v1alpha1.SourceIntegrityGit{Policies: []*v1alpha1.SourceIntegrityGitPolicy{{
				Repos: []v1alpha1.SourceIntegrityGitPolicyRepo{{URL: "u"}}, GPG: &v1alpha1.SourceIntegrityGitPolicyGPG{Mode: "head", Keys: []string{"4AEE18F83AFDEB23"}},
			}}}}
		}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			p := &v1alpha1.AppProject{}
			p.Name = "shop"
			if err := yaml.UnmarshalStrict([]byte(before), &p.Spec); err != nil {
				t.Fatal(err)
			}
			want := p.Spec.DeepCopy()
			tt.change(want)
			s := &server{project: p, conflicts: 2} // somebody else changes it meanwhile
			if out, err := run(t, s, strings.Fields(tt.args)...); err != nil {
				t.Fatal(err, out)
			}
			if diff := cmp.Diff(*want, s.project.Spec); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMistakesChangeNothing(t *testing.T) {
	for _, args := range []string{
		"remove-source shop https://git.example.com/none", "remove-destination shop a b", "role add-group shop none g", "role delete shop none",
		"windows delete shop 3", "windows update shop x --duration 1h", "windows add shop -k deny", "add-signature-key shop key", "set shop", "set shop --dest x",
		"role add-policy shop ci -a sync -o x -p perhaps", "add-source shop", "get none", "role delete-token shop ci soon",
		"allow-namespace-resource shop a b --list perhaps", "source-integrity git policies delete shop 0",
	} {
		p := &v1alpha1.AppProject{}
		p.Name = "shop"
		s := &server{project: p}
		if strings.HasPrefix(args, "get") {
			args = strings.Replace(args, "get", "windows list", 1)
		}
		if _, err := run(t, s, strings.Fields(args)...); !fault.Is(err, fault.Mistake) {
			t.Errorf("%s: got %v", args, err)
		}
		if diff := cmp.Diff(v1alpha1.AppProjectSpec{}, s.project.Spec); diff != "" {
			t.Error(args, diff)
		}
	}
}

func TestTables(t *testing.T) {
	p := &v1alpha1.AppProject{}
	p.Name = "shop"
	window := v1alpha1.SyncWindow{Kind: "deny", Schedule: "0 22 * * *", Duration: "1h", Applications: []string{"*"}, TimeZone: "UTC"}
	p.Spec = v1alpha1.AppProjectSpec{Description: "All", SourceRepos: []string{"u"}, SyncWindows: v1alpha1.SyncWindows{&window}, Roles: []v1alpha1.ProjectRole{{Name: "ci"}}}
	p.Status.JWTTokensByRole = map[string]v1alpha1.JWTTokens{"ci": {Items: []v1alpha1.JWTToken{{ID: "x", IssuedAt: 1696769937}}}}
	s := &server{project: p, active: []v1alpha1.SyncWindow{window}}
	for args, want := range map[string]string{
		"list": `NAME  DESCRIPTION  DESTINATIONS  SOURCES  CLUSTER-RESOURCE-WHITELIST  NAMESPACE-RESOURCE-BLACKLIST  SIGNATURE-KEYS  ORPHANED-RESOURCES  DESTINATION-SERVICE-ACCOUNTS
shop  All          <none>        u        <none>                      <none>                        <none>          disabled            <none>
`,
		"list -o name": "shop\n",
		"windows list shop": `ID  STATUS  KIND  SCHEDULE    DURATION  APPLICATIONS  NAMESPACES  CLUSTERS  MANUALSYNC  SYNCOVERRUN  TIMEZONE  USEANDOPERATOR
0   Active  deny  0 22 * * *  1h        *             -           -         Disabled    Disabled     UTC       Disabled
`,
		"role list-tokens shop ci": `ID  ISSUED AT             EXPIRES AT
x   2023-10-08T12:58:57Z  Never
`,
	} {
		if out, err := run(t, s, strings.Fields(args)...); err != nil || out != want {
			t.Errorf("%s: %v\n%s", args, err, cmp.Diff(want, out))
		}
	}
}
