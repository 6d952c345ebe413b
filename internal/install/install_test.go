// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/install"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/test/devcluster"
)

const namespace = "argocd"

// hang is for a cluster that does not answer at all; nothing here takes as long.
const hang = 2 * time.Minute

// world is a cluster of the test's own: definitions exist once for all namespaces.
type world struct {
	*devcluster.Cluster
	config     *rest.Config
	extensions apiextensionsclient.CustomResourceDefinitionInterface
	objects    dynamic.Interface
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := devcluster.Start(t)
	config := c.RESTConfig()
	config.WarningHandlerWithContext = rest.NoWarnings{}
	extensions, err := apiextensionsclient.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &world{Cluster: c, config: config, extensions: extensions.CustomResourceDefinitions(), objects: objects}
}

func (w *world) run(t *testing.T, what install.What) (install.Report, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	config := rest.CopyConfig(w.config)
	config.UserAgent = "bowline-install"
	return install.Run(ctx, install.Options{Config: config, Namespace: namespace, What: what})
}

// mustRun runs without an error.
func (w *world) mustRun(t *testing.T, what install.What) install.Report {
	t.Helper()
	report, err := w.run(t, what)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (w *world) writes(t *testing.T, from devcluster.AuditMark) []string {
	t.Helper()
	var out []string
	for _, e := range w.Audit(t, from, func(e devcluster.AuditEntry) bool {
		return e.UserAgent == "bowline-install" && e.Writes() && e.Code < 300
	}) {
		out = append(out, e.Verb+" "+e.Resource+" "+e.Name)
	}
	return out
}

// everything is what an installation consists of.
var everything = []string{
	"CustomResourceDefinition applications.argoproj.io",
	"CustomResourceDefinition applicationsets.argoproj.io",
	"CustomResourceDefinition appprojects.argoproj.io",
	"Namespace argocd",
	"ConfigMap argocd/argocd-cm",
	"ConfigMap argocd/argocd-rbac-cm",
	"ConfigMap argocd/argocd-cmd-params-cm",
	"ConfigMap argocd/argocd-ssh-known-hosts-cm",
	"ConfigMap argocd/argocd-tls-certs-cm",
	"Secret argocd/argocd-secret",
	"AppProject argocd/default",
}

// TestRun goes through the life of an installation in one cluster; each part starts from what the one before left.
func TestRun(t *testing.T) {
	w := newWorld(t)
	t.Run("verifying an empty cluster names what is absent and writes nothing", w.verifyEmpty)
	t.Run("installing twice at once creates everything once", w.installEmpty)
	t.Run("installing again changes nothing", w.installAgain)
	t.Run("every manifest is stored whole", w.storeManifests)
	t.Run("what people changed stays", w.keepChanges)
	t.Run("a Secret that came without a key is given one, and nothing else is", w.fillSecret)
	t.Run("a definition of ours is updated to a superset", w.updateOurs)
	t.Run("a newer definition of ours is kept", w.keepNewer)
	t.Run("a definition that is not ours is kept and its lacks are named", w.keepForeign)
	t.Run("without --install reading definitions is enough", w.verifyWithFewRights)
	t.Run("a definition that is being deleted is waited for", w.waitForDeletion)
}

func (w *world) verifyEmpty(t *testing.T) {
	mark := w.AuditMark(t)
	report, err := w.run(t, install.Nothing)
	if !fault.Is(err, fault.Stalled) {
		t.Fatalf("error is %v, want one of kind %v", err, fault.Stalled)
	}
	for _, part := range []string{"applications.argoproj.io: it is absent", "appprojects.argoproj.io: it is absent", "--install"} {
		contains(t, "error", err.Error(), part)
	}
	contains(t, "missing", strings.Join(report.Missing, "\n"), "applicationsets.argoproj.io is absent")
	if got := w.writes(t, mark); len(got) > 0 {
		t.Errorf("wrote %q, want nothing", got)
	}
}

func (w *world) installEmpty(t *testing.T) {
	var reports [2]install.Report
	var errs [2]error
	var group sync.WaitGroup
	for i := range reports {
		group.Go(func() { reports[i], errs[i] = w.run(t, install.Everything) })
	}
	group.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	created := slices.Concat(reports[0].Created, reports[1].Created)
	if diff := cmp.Diff(slices.Sorted(slices.Values(everything)), slices.Sorted(slices.Values(created))); diff != "" {
		t.Errorf("created by both (- want, + got):\n%s", diff)
	}
	cm, err := w.Client().CoreV1().ConfigMaps(namespace).Get(t.Context(), "argocd-cm", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if cm.Data["resource.exclusions"] != settings.DefaultResourceExclusions {
		t.Errorf("argocd-cm holds %q, want the default exclusions", cm.Data)
	}
	if cm.Labels["app.kubernetes.io/part-of"] != "argocd" {
		t.Errorf("argocd-cm has labels %v, want part-of argocd, or Argo CD would not find it", cm.Labels)
	}
	if len(cm.ManagedFields) != 1 || cm.ManagedFields[0].Manager != "bowline" {
		t.Errorf("argocd-cm has managers %v, want bowline alone", cm.ManagedFields)
	}
}

func (w *world) installAgain(t *testing.T) {
	mark := w.AuditMark(t)
	want := install.Report{Kept: everything}
	if diff := cmp.Diff(want, w.mustRun(t, install.Everything)); diff != "" {
		t.Errorf("report (- want, + got):\n%s", diff)
	}
	if got := w.writes(t, mark); len(got) > 0 {
		t.Errorf("wrote %q, want nothing", got)
	}
}

// storeManifests sends every manifest to the API server and reads it back: nothing is refused and no field is pruned.
func (w *world) storeManifests(t *testing.T) {
	files, err := filepath.Glob("../../test/testdata/manifests/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
		for {
			doc, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			w.storeManifest(t, file, doc)
		}
	}
}

func (w *world) storeManifest(t *testing.T, file string, doc []byte) {
	t.Helper()
	want := &unstructured.Unstructured{}
	if err := utilyaml.Unmarshal(doc, &want.Object); err != nil {
		t.Fatal(err)
	}
	resource := strings.ToLower(want.GetKind()) + "s"
	client := w.objects.Resource(schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: resource}).Namespace(namespace)
	got, err := client.Create(t.Context(), want, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	if status, ok := want.Object["status"]; ok && resource == "applicationsets" {
		got.Object["status"] = status
		if got, err = client.UpdateStatus(t.Context(), got, metav1.UpdateOptions{}); err != nil {
			t.Errorf("%s: %v", file, err)
			return
		}
	}
	for _, part := range []string{"spec", "status", "operation"} {
		if diff := cmp.Diff(want.Object[part], got.Object[part]); diff != "" {
			t.Errorf("%s: %s of %s was not stored as it is (- manifest, + stored):\n%s", file, part, want.GetName(), diff)
		}
	}
}

func (w *world) keepChanges(t *testing.T) {
	changes := map[string]func() error{
		"argocd-cm": func() error {
			_, err := w.Client().CoreV1().ConfigMaps(namespace).Patch(t.Context(), "argocd-cm", types.MergePatchType, []byte(`{"data":{"resource.exclusions":null,"url":"https://cd.example.com"}}`), metav1.PatchOptions{})
			return err
		},
		"argocd-rbac-cm": func() error {
			return w.Client().CoreV1().ConfigMaps(namespace).Delete(t.Context(), "argocd-rbac-cm", metav1.DeleteOptions{})
		},
		"default": func() error {
			_, err := w.projects().Patch(t.Context(), "default", types.MergePatchType, []byte(`{"spec":{"sourceRepos":[]}}`), metav1.PatchOptions{})
			return err
		},
	}
	for name, change := range changes {
		if err := change(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	mark := w.AuditMark(t)
	w.mustRun(t, install.Everything)
	if got, want := w.writes(t, mark), []string{"create configmaps argocd-rbac-cm"}; !slices.Equal(got, want) {
		t.Errorf("wrote %q, want only what was deleted: %q", got, want)
	}
}

func (w *world) projects() dynamic.ResourceInterface {
	return w.objects.Resource(schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "appprojects"}).Namespace(namespace)
}

// change edits the stored definition of AppProject.
func (w *world) change(t *testing.T, f func(*install.Definition)) {
	t.Helper()
	stored, err := w.extensions.Get(t.Context(), "appprojects.argoproj.io", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f(stored)
	if _, err := w.extensions.Update(t.Context(), stored, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

const projectsDefinition = "CustomResourceDefinition appprojects.argoproj.io"

func (w *world) updateOurs(t *testing.T) {
	w.change(t, func(d *install.Definition) { delete(specOf(d).Properties, "sourceIntegrity") })
	report := w.mustRun(t, install.Everything)
	if want := []string{projectsDefinition}; !slices.Equal(report.Updated, want) {
		t.Errorf("updated %q, want %q", report.Updated, want)
	}
	if report := w.mustRun(t, install.Everything); len(report.Updated) > 0 {
		t.Errorf("updated %q a second time", report.Updated)
	}
}

func (w *world) keepNewer(t *testing.T) {
	w.change(t, func(d *install.Definition) {
		specOf(d).Properties["future"] = apiextensionsv1.JSONSchemaProps{Type: "string"}
	})
	report := w.mustRun(t, install.Everything)
	if len(report.Updated) > 0 {
		t.Errorf("updated %q, want the newer definition kept", report.Updated)
	}
	contains(t, "kept", strings.Join(report.Kept, "\n"), projectsDefinition+": stored objects could lose something under the definition of this Bowline: spec.future is not known")
}

func (w *world) keepForeign(t *testing.T) {
	w.change(t, func(d *install.Definition) {
		d.Labels = nil
		delete(specOf(d).Properties, "sourceIntegrity")
	})
	for _, what := range []install.What{install.Everything, install.Nothing} {
		mark := w.AuditMark(t)
		report := w.mustRun(t, what)
		contains(t, "missing", strings.Join(report.Missing, "\n"), projectsDefinition+" differs from what Bowline needs: spec.sourceIntegrity is not known")
		if got := w.writes(t, mark); len(got) > 0 {
			t.Errorf("wrote %q, want nothing", got)
		}
	}
}

func (w *world) verifyWithFewRights(t *testing.T) {
	mark := w.AuditMark(t)
	w.mustRun(t, install.Nothing)
	reads := w.Audit(t, mark, func(e devcluster.AuditEntry) bool { return e.UserAgent == "bowline-install" })
	for _, e := range reads {
		if e.Verb != "get" || e.Resource != "customresourcedefinitions" {
			t.Errorf("asked %s, want nothing but get of definitions", e)
		}
	}
	if len(reads) == 0 {
		t.Error("asked nothing")
	}
}

func (w *world) waitForDeletion(t *testing.T) {
	const name = "applicationsets.argoproj.io"
	hold := []byte(`{"metadata":{"finalizers":["example.com/hold"]}}`)
	if _, err := w.extensions.Patch(t.Context(), name, types.MergePatchType, hold, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := w.extensions.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.run(t, install.Everything); !fault.Is(err, fault.Wait) {
		t.Fatalf("error is %v, want one of kind %v", err, fault.Wait)
	}
	release := []byte(`{"metadata":{"finalizers":null}}`)
	if _, err := w.extensions.Patch(t.Context(), name, types.MergePatchType, release, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, hang, true, func(ctx context.Context) (bool, error) {
		_, err := w.extensions.Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		t.Fatal("the definition does not go away")
	}
	if report := w.mustRun(t, install.Everything); !slices.Equal(report.Created, []string{"CustomResourceDefinition " + name}) {
		t.Errorf("created %q, want the definition again", report.Created)
	}
}

// In a cluster the Secret often comes from a manifest, which can hold no key.
func (w *world) fillSecret(t *testing.T) {
	secrets := w.Client().CoreV1().Secrets(namespace)
	patch := []byte(`{"data":{"server.secretkey":null,"admin.password":"aGFzaA=="}}`)
	if _, err := secrets.Patch(t.Context(), "argocd-secret", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	mark := w.AuditMark(t)
	w.mustRun(t, install.Settings)
	found, err := secrets.Get(t.Context(), "argocd-secret", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Data["server.secretkey"]) < 32 || string(found.Data["admin.password"]) != "hash" {
		t.Errorf("the Secret has a key of %d bytes and the password %q", len(found.Data["server.secretkey"]), found.Data["admin.password"])
	}
	if got := w.writes(t, mark); !slices.Equal(got, []string{"update secrets argocd-secret"}) {
		t.Errorf("wrote %q", got)
	}
	w.mustRun(t, install.Settings)
	again, err := secrets.Get(t.Context(), "argocd-secret", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if again.ResourceVersion != found.ResourceVersion {
		t.Error("the Secret was written again")
	}
}
