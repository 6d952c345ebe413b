// SPDX-License-Identifier: Apache-2.0

package admin_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// files are what the commands of these tests read.
var files = map[string]string{
	"cm.yaml": `kind: ConfigMap
data:
  url: https://cd.example.com
  oidc.config: "name: x"
  accounts.alice: apiKey
  kustomize.buildOptions: --enable-helm
  resource.customizations: |
    example.com/Widget:
      health.lua: |
        return {status = obj.status.phase, message = "it says so"}
      ignoreDifferences: |
        jsonPointers: [/spec/replicas]
        jqPathExpressions: ['.spec.list[] | select(.name == "b")']
      ignoreResourceUpdates: |
        jsonPointers: [/status]
      actions: |
        discovery.lua: |
          return {grow = {}, rest = {disabled = true}}
        definitions:
        - name: grow
          action.lua: |
            obj.spec.replicas = obj.spec.replicas + 1
            return obj
`,
	"broken.yaml": "kind: ConfigMap\ndata:\n  resource.compareoptions: 'nonsense'\n  resource.customizations.health.example.com_Widget: 'return {'\n",
	"widget.yaml": "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {replicas: 2, list: [{name: a}, {name: b}]}\nstatus: {phase: Degraded}\n",
	"config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
	"policy.csv":  "p, role:dev, applications, sync, shop/*, allow\np, role:dev, applications, delete, shop/web, deny\ng, team, role:dev\n",
	"rbac.yaml":   "kind: ConfigMap\ndata:\n  policy.default: role:readonly\n  policy.csv: |\n    g, alice, role:admin\n",
	"wrong.csv":   "p, role:dev, applications\n",
}

func cluster(t *testing.T) kube.WithWatch {
	t.Helper()
	scheme, err := reach.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "argocd", Name: name} }
	app := &v1alpha1.Application{ObjectMeta: meta("web")}
	app.Spec.Destination = v1alpha1.ApplicationDestination{Name: "edge", Namespace: "shop"}
	app.Status.Resources = []v1alpha1.ResourceStatus{{Namespace: "shop"}, {Namespace: "db"}, {}}
	project := &v1alpha1.AppProject{ObjectMeta: meta("shop")}
	project.Spec.Roles = []v1alpha1.ProjectRole{{Name: "deployer", Policies: []string{"p, proj:shop:deployer, applications, override, shop/*, allow"}}}
	secret := &corev1.Secret{ObjectMeta: meta("cluster-edge"), Data: map[string][]byte{
		"server": []byte("https://edge.example.com"), "name": []byte("edge"), "config": []byte(`{"bearerToken":"canary"}`)}}
	secret.Labels = map[string]string{v1alpha1.LabelKeySecretType: v1alpha1.LabelValueSecretTypeCluster}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(app, project, secret,
		&corev1.Secret{ObjectMeta: meta("argocd-initial-admin-secret"), Data: map[string][]byte{"password": []byte("first")}}).Build()
}

// run runs a command line in a folder with the files.
func run(t *testing.T, c kube.Client, line string) (string, error) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
	s := &session.Session{Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }}
	root := admin.NewCmd(s, func(*session.Session) (kube.Client, error) { return c, nil }, func() bool { return false })
	root.SilenceErrors, root.SilenceUsage = true, true
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(strings.Fields(line))
	err := root.ExecuteContext(t.Context())
	if err != nil && !strings.HasPrefix(err.Error(), "exit status") {
		out.WriteString(err.Error())
	}
	return out.String(), err
}

func TestVerbs(t *testing.T) {
	const overrides, given = "settings resource-overrides ", " --argocd-cm-path cm.yaml"
	tests := []struct {
		reason, line, want string
		code               int
	}{
		{"all groups", "settings validate" + given, "✅ accounts\n2 accounts\n\n✅ general\nOIDC is configured\n\n✅ kustomize\n--enable-helm\n\n✅ resource-overrides\n1 resource overrides\n", 0},
		{"what is wrong, by its group", "settings validate --argocd-cm-path broken.yaml --group general --group resource-overrides", "❌ general\n", 2},
		{"what is wrong, of one group", "settings validate --argocd-cm-path broken.yaml --group accounts", "✅ accounts\n1 accounts\n", 0},
		{"a group that is none", "settings validate --group plugins" + given, `no group "plugins"`, 2},
		{"no settings", "settings validate", "--argocd-cm-path or --load-cluster-settings", 2},
		{"health", overrides + "health widget.yaml" + given, "STATUS: Degraded\nMESSAGE: it says so\n", 0},
		{"health of a kind without", overrides + "health config.yaml" + given, "Health script is not configured for '/ConfigMap'\n", 0},
		{"fields that are not compared", overrides + "ignore-differences widget.yaml" + given, "Following fields are ignored:\n  spec.list\n", 0},
		{"fields of a kind without rules", overrides + "ignore-differences config.yaml" + given, "Ignore differences are not configured for '/ConfigMap'\n", 0},
		{"fields whose changes cause no work", overrides + "ignore-resource-updates widget.yaml" + given, "  status\n  - phase: Degraded\n", 0},
		{"actions", overrides + "list-actions widget.yaml" + given, "NAME  DISABLED\ngrow  false\nrest  true\n", 0},
		{"an action", overrides + "run-action widget.yaml grow" + given, "Following fields have been changed:\n  spec.replicas\n  - 2\n  + 3\n", 0},
		{"an action that is disabled", overrides + "action widget.yaml rest" + given, "disabled", 2},
		{"overrides that are wrong", overrides + "health widget.yaml --argocd-cm-path broken.yaml", "Widget", 2},

		{"a role may", "settings rbac can role:dev sync app shop/web --policy-file policy.csv", "Yes\n", 0},
		{"a group may", "settings rbac can team sync applications shop/web --policy-file policy.csv", "Yes\n", 0},
		{"a denial, and why", "settings rbac can role:dev delete application shop/web --policy-file policy.csv --explain", "No\ndenied by \"p, role:dev, applications, delete, shop/web, deny\" (policy.csv line 2)", 1},
		{"a built-in role", "settings rbac can alice delete application shop/web --policy-file rbac.yaml", "Yes\n", 0},
		{"without built-in roles", "settings rbac can alice delete application shop/web --policy-file rbac.yaml --use-builtin-policy=false", "No\n", 1},
		{"the default role", "settings rbac can bob get cluster --policy-file rbac.yaml", "Yes\n", 0},
		{"a resource that is none", "settings rbac can bob get pods --policy-file rbac.yaml", `no resource "pods"`, 2},
		{"an action that is none", "settings rbac can bob eat apps --policy-file rbac.yaml", `"eat" is nothing`, 2},
		{"a right policy", "settings rbac validate --policy-file policy.csv", "Policy is valid.\n", 0},
		{"a wrong policy", "settings rbac validate --policy-file wrong.csv", "policy.csv line 1", 2},

		{"the first password", "initial-password", "first\n", 0},
		{"the first password elsewhere", "initial-password -n other", "it does not exist", 2},
		{"namespaces of clusters", "cluster namespaces", "https://edge.example.com        db,shop\n", 0},
		{"lines of roles, tried", "proj update-role-policy shop remove override", "- p, proj:shop:deployer, applications, override, shop/*, allow\n", 0},
		{"lines of roles without a permission", "proj update-role-policy shop set sync --scope *", "--permission", 2},
		{"a kubeconfig of a cluster that is none", "cluster kubeconfig nowhere k", "no Secret declares it", 2},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			out, err := run(t, cluster(t), tt.line)
			if !strings.Contains(out, tt.want) || command.ExitCode(err) != tt.code {
				t.Errorf("code %d, want %d, error %v, output\n%s", command.ExitCode(err), tt.code, err, out)
			}
			if strings.Contains(out, "canary") {
				t.Error("it shows a credential")
			}
		})
	}
}

func TestNamespacedModeIsWrittenOnlyWhenAsked(t *testing.T) {
	c := cluster(t)
	read := func() string {
		secret := &corev1.Secret{}
		if err := c.Get(t.Context(), kube.ObjectKey{Namespace: "argocd", Name: "cluster-edge"}, secret); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(secret.Data["config"]), "canary") {
			t.Error("the credentials are lost")
		}
		return string(secret.Data["namespaces"])
	}
	const enable = "cluster namespaces enable-namespaced-mode https://edge* --max-namespace-count 2"
	if out, err := run(t, c, enable); err != nil || !strings.Contains(out, "dry run") || read() != "" {
		t.Errorf("a trial gives %s %v, and %q", out, err, read())
	}
	if _, err := run(t, c, enable+" --dry-run=false"); err != nil || read() != "db,shop" {
		t.Errorf("it is %q, %v", read(), err)
	}
	if _, err := run(t, c, "cluster namespaces disable-namespaced-mode https://edge* --dry-run=false"); err != nil || read() != "" {
		t.Errorf("it is %q, %v", read(), err)
	}
}

func TestRolesOfProjectsAreWritten(t *testing.T) {
	c := cluster(t)
	if out, err := run(t, c, "proj update-role-policy sh* set sync --scope * --permission allow --role dep* --dry-run=false"); err != nil {
		t.Fatal(out, err)
	}
	project := &v1alpha1.AppProject{}
	if err := c.Get(t.Context(), kube.ObjectKey{Namespace: "argocd", Name: "shop"}, project); err != nil {
		t.Fatal(err)
	}
	if lines := project.Spec.Roles[0].Policies; len(lines) != 2 || lines[1] != "p, proj:shop:deployer, applications, sync, shop/*, allow" {
		t.Errorf("the lines are %q", lines)
	}
}

func TestAKubeconfigIsItsOwners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if out, err := run(t, cluster(t), "cluster kubeconfig edge "+path); err != nil {
		t.Fatal(out, err)
	}
	info, err := os.Stat(path)
	text, _ := os.ReadFile(path)
	if err != nil || info.Mode().Perm() != 0o600 || !strings.Contains(string(text), "server: https://edge.example.com") || !strings.Contains(string(text), "token: canary") {
		t.Errorf("%v %s", err, text)
	}
}
