// SPDX-License-Identifier: Apache-2.0

package backup_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/backup"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// whole is an installation as an export writes it.
const whole = `apiVersion: v1
data:
  url: https://cd.example.com
kind: ConfigMap
metadata:
  labels:
    app.kubernetes.io/part-of: argocd
  name: argocd-cm
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-rbac-cm
---
apiVersion: v1
data:
  server.secretkey: a2V5
kind: Secret
metadata:
  name: argocd-secret
---
apiVersion: v1
data:
  url: aHR0cHM6Ly9naXQ=
kind: Secret
metadata:
  labels:
    argocd.argoproj.io/secret-type: repository
  name: repo-1
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata:
  name: default
spec:
  sourceRepos:
  - '*'
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  annotations:
    argocd.argoproj.io/tracking-id: root:argoproj.io/Application:argocd/web
  finalizers:
  - resources-finalizer.argocd.argoproj.io
  name: web
spec:
  destination:
    name: in-cluster
  source:
    repoURL: https://git
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: theirs
  namespace: team-a
spec:
  destination:
    name: in-cluster
  source:
    repoURL: https://git
---
`

// beside are objects that are no parts of an installation.
func beside() []kube.Object {
	meta := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name}
	}
	return []kube.Object{
		&corev1.ConfigMap{ObjectMeta: meta("argocd", "kube-root-ca.crt")},
		&corev1.Secret{ObjectMeta: meta("argocd", "token")},
		&v1alpha1.Application{ObjectMeta: meta("elsewhere", "web")},
		&corev1.ConfigMap{ObjectMeta: meta("argocd", v1alpha1.CommandParamsConfigMapName), Data: map[string]string{"application.namespaces": "team-*"}},
	}
}

func newCluster(t *testing.T, funcs interceptor.Funcs, objects ...kube.Object) kube.WithWatch {
	t.Helper()
	scheme, err := reach.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	return interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build(), funcs)
}

// run runs a verb on a cluster.
func run(t *testing.T, c kube.Client, stdin string, args ...string) (string, error) {
	t.Helper()
	connect := func(*session.Session) (kube.Client, error) { return c, nil }
	s := &session.Session{Namespace: "argocd"}
	root := &cobra.Command{Use: "admin", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(backup.NewExportCmd(s, connect), backup.NewImportCmd(s, connect, func() bool { return false }))
	var out bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func mustRun(t *testing.T, c kube.Client, stdin string, args ...string) string {
	t.Helper()
	out, err := run(t, c, stdin, args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return out
}

func TestWhatIsImportedIsExported(t *testing.T) {
	c := newCluster(t, interceptor.Funcs{}, beside()...)
	told := mustRun(t, c, whole, "import", "-")
	if strings.Count(told, "created\n") != 7 {
		t.Errorf("told %s", told)
	}
	if diff := cmp.Diff(whole, mustRun(t, c, "", "export")); diff != "" {
		t.Errorf("the export is not what was imported (-want +got)\n%s", diff)
	}
	if told := mustRun(t, c, whole, "import", "-"); told != "" {
		t.Errorf("the same again tells %s", told)
	}
	if told := mustRun(t, c, whole, "import", "-", "--verbose", "--prune"); strings.Count(told, "unchanged\n") != 7 || strings.Contains(told, "pruned") {
		t.Errorf("the same again, in many words, tells %s", told)
	}
}

func TestAnExportGoesIntoAFileOfItsOwner(t *testing.T) {
	c := newCluster(t, interceptor.Funcs{}, beside()...)
	mustRun(t, c, whole, "import", "-")
	path := filepath.Join(t.TempDir(), "backup.yaml")
	mustRun(t, c, "", "export", "--out", path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if text, _ := os.ReadFile(path); string(text) != whole {
		t.Error("the file is not what standard output gets")
	}
}

func TestAnExportIsWholeOrAnError(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", nil)
	c := newCluster(t, interceptor.Funcs{List: func(ctx context.Context, c kube.WithWatch, list kube.ObjectList, opts ...kube.ListOption) error {
		if list.GetObjectKind().GroupVersionKind().Kind == "SecretList" {
			return forbidden
		}
		return c.List(ctx, list, opts...)
	}}, beside()...)
	if out, err := run(t, c, "", "export"); err == nil || out != "" {
		t.Errorf("without the right to read Secrets it writes %q, error %v", out, err)
	}
}

// read returns an object of the cluster.
func read[T kube.Object](t *testing.T, c kube.Client, name string, into T) T {
	t.Helper()
	if err := c.Get(t.Context(), kube.ObjectKey{Namespace: "argocd", Name: name}, into); err != nil {
		t.Fatal(err)
	}
	return into
}

// change writes an Application over what there is.
func change(t *testing.T, c kube.Client, how func(*v1alpha1.Application)) {
	t.Helper()
	app := read(t, c, "web", &v1alpha1.Application{})
	how(app)
	if err := c.Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
}

func TestImportMakesEqual(t *testing.T) {
	c := newCluster(t, interceptor.Funcs{}, beside()...)
	mustRun(t, c, whole, "import", "-")
	change(t, c, func(app *v1alpha1.Application) {
		app.Spec.Source.RepoURL = "https://other"
		app.Labels = map[string]string{"new": "1"}
		app.Status.Sync.Status = v1alpha1.SyncStatusCodeSynced
		app.Operation = &v1alpha1.Operation{}
		app.Annotations[v1alpha1.AnnotationKeyAppInstance] = "other:argoproj.io/Application:argocd/web"
	})
	if told := mustRun(t, c, whole, "import", "-", "--dry-run"); told != "argoproj.io/Application web in namespace argocd updated (dry run)\n" {
		t.Errorf("told %s", told)
	}
	if app := read(t, c, "web", &v1alpha1.Application{}); app.Spec.Source.RepoURL != "https://other" {
		t.Error("a dry run wrote something")
	}
	mustRun(t, c, whole, "import", "-", "--ignore-tracking", "--stop-operation")
	app := read(t, c, "web", &v1alpha1.Application{})
	if app.Spec.Source.RepoURL != "https://git" || len(app.Labels) > 0 || app.Operation != nil || app.Status.Sync.Status != v1alpha1.SyncStatusCodeSynced {
		t.Errorf("it is %+v", app)
	}
	if !strings.HasPrefix(app.Annotations[v1alpha1.AnnotationKeyAppInstance], "other:") {
		t.Error("the tracking annotation was written over")
	}
}

func TestPruneDeletesWhatTheBackupDoesNotHave(t *testing.T) {
	c := newCluster(t, interceptor.Funcs{}, beside()...)
	mustRun(t, c, whole, "import", "-")
	documents := strings.Split(whole, "---\n")
	part := strings.Join(documents[1:5], "---\n") // without argocd-cm and without applications
	if told := mustRun(t, c, part, "import", "-"); strings.Count(told, "needs pruning") != 3 {
		t.Errorf("told %s", told)
	}
	told := mustRun(t, c, part, "import", "-", "--prune")
	if strings.Count(told, " pruned\n") != 2 || !strings.Contains(told, "ConfigMap argocd-cm in namespace argocd needs pruning") {
		t.Errorf("told %s", told)
	}
	err := c.Get(t.Context(), kube.ObjectKey{Namespace: "argocd", Name: "web"}, &v1alpha1.Application{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the application waits for its finalizer: %v", err)
	}
	if err := c.Get(t.Context(), kube.ObjectKey{Namespace: "elsewhere", Name: "web"}, &v1alpha1.Application{}); err != nil {
		t.Errorf("an application of another namespace: %v", err)
	}
}

func TestObjectsWithALabelAreLeftAlone(t *testing.T) {
	c := newCluster(t, interceptor.Funcs{}, beside()...)
	told := mustRun(t, c, whole, "import", "-", "--skip-resources-with-label", "argocd.argoproj.io/secret-type=repository")
	if !strings.Contains(told, "Secret repo-1 in namespace argocd skipped") || strings.Count(told, "created") != 6 {
		t.Errorf("told %s", told)
	}
	if _, err := run(t, c, whole, "import", "-", "--skip-resources-with-label", "repository"); err == nil {
		t.Error("a label without a value is no error")
	}
}

func TestAConflictIsAnErrorUnlessItIsOverridden(t *testing.T) {
	conflicts := 1
	c := newCluster(t, interceptor.Funcs{Update: func(ctx context.Context, c kube.WithWatch, obj kube.Object, opts ...kube.UpdateOption) error {
		if obj.GetName() == "argocd-cm" && conflicts > 0 {
			conflicts--
			return apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, obj.GetName(), nil)
		}
		return c.Update(ctx, obj, opts...)
	}}, append(beside(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "argocd-cm"}})...)
	if _, err := run(t, c, whole, "import", "-"); err == nil || !strings.Contains(err.Error(), "somebody else changed it") {
		t.Errorf("got %v", err)
	}
	conflicts = 2
	mustRun(t, c, whole, "import", "-", "--override-on-conflict")
	if cm := read(t, c, "argocd-cm", &corev1.ConfigMap{}); cm.Data["url"] != "https://cd.example.com" {
		t.Errorf("it is %v", cm.Data)
	}
}

func TestNothingIsWrittenOfWhatIsNoBackup(t *testing.T) {
	for reason, text := range map[string]string{
		"another kind":         whole + "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n",
		"another group":        whole + "apiVersion: example.com/v1\nkind: Application\nmetadata: {name: x}\n",
		"no name":              whole + "apiVersion: v1\nkind: Secret\n",
		"no object":            whole + "- a\n",
		"broken, and a secret": whole + "apiVersion: v1\nkind: Secret\ndata: {password: \"hunter2\n",
	} {
		t.Run(reason, func(t *testing.T) {
			c := newCluster(t, interceptor.Funcs{})
			out, err := run(t, c, text, "import", "-")
			if err == nil || out != "" || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("wrote %q, error %v", out, err)
			}
		})
	}
}

func FuzzImport(f *testing.F) {
	f.Add(whole)
	f.Add("---\n---\nkind: Secret")
	f.Add("{}")
	f.Fuzz(func(t *testing.T, text string) {
		var object any
		broken := yaml.Unmarshal([]byte(text), &object) != nil
		c := newCluster(t, interceptor.Funcs{})
		if out, err := run(t, c, text, "import", "-", "--dry-run"); broken && err == nil && out != "" {
			t.Errorf("broken text is imported: %s", out)
		}
	})
}
