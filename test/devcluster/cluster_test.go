// SPDX-License-Identifier: Apache-2.0

package devcluster_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/test/devcluster"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
)

func TestVersionIsThatOfTheRelease(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	version, err := c.Client().Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := c.Client().CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "v1.36.3"; version.GitVersion != want || nodes.Items[0].Status.NodeInfo.KubeletVersion != want {
		t.Errorf("server %s, kubelet %s, want %s: was the binary built by `make build`?",
			version.GitVersion, nodes.Items[0].Status.NodeInfo.KubeletVersion, want)
	}
}

func TestNamespaceDeletionCompletes(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	ns := c.Namespace(t)
	if _, err := c.Client().CoreV1().Pods(ns).Create(t.Context(), barePod("one", "example.com/sample:hang"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.Client().CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the namespace is gone", func(ctx context.Context) (bool, error) {
		_, err := c.Client().CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		return apierrors.IsNotFound(err), ignoreNotFound(err)
	})
}

func TestFinalizerHoldsAnObject(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	configMaps := c.Client().CoreV1().ConfigMaps(c.Namespace(t))
	held := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"example.com/hold"}}}
	if _, err := configMaps.Create(t.Context(), held, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := configMaps.Delete(t.Context(), "held", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := configMaps.Get(t.Context(), "held", metav1.GetOptions{})
	if err != nil || got.DeletionTimestamp == nil {
		t.Fatalf("want it there and being deleted, got %v, error %v", got, err)
	}
	release := []byte(`{"metadata":{"finalizers":null}}`)
	if _, err := configMaps.Patch(t.Context(), "held", types.MergePatchType, release, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := configMaps.Get(t.Context(), "held", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("want it gone, got error %v", err)
	}
}

func TestOwnedObjectsAreCollected(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	configMaps := c.Client().CoreV1().ConfigMaps(c.Namespace(t))
	owner, err := configMaps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	owned := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owned", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID},
	}}}
	if _, err := configMaps.Create(t.Context(), owned, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := configMaps.Delete(t.Context(), "owner", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the owned object is gone", func(ctx context.Context) (bool, error) {
		_, err := configMaps.Get(ctx, "owned", metav1.GetOptions{})
		return apierrors.IsNotFound(err), ignoreNotFound(err)
	})
}

func TestMutatingAdmissionPolicyChangesObjects(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	ns := c.Namespace(t)
	policies := c.Client().AdmissionregistrationV1()
	everything := &admissionv1.MatchResources{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}},
		ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Create},
			Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
		}}},
	}
	_, err := policies.MutatingAdmissionPolicies().Create(t.Context(), &admissionv1.MutatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
		Spec: admissionv1.MutatingAdmissionPolicySpec{
			MatchConstraints:   everything,
			ReinvocationPolicy: admissionv1.NeverReinvocationPolicy,
			Mutations: []admissionv1.Mutation{{
				PatchType: admissionv1.PatchTypeApplyConfiguration,
				ApplyConfiguration: &admissionv1.ApplyConfiguration{
					Expression: `Object{metadata: Object.metadata{labels: {"added": "by-policy"}}}`,
				},
			}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = policies.MutatingAdmissionPolicyBindings().Create(t.Context(), &admissionv1.MutatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
		Spec:       admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: ns},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deletePolicy(t, c, ns) })
	eventually(t, "the policy is in force", func(ctx context.Context) (bool, error) {
		made, err := c.Client().CoreV1().ConfigMaps(ns).Create(ctx,
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "sample-"}}, metav1.CreateOptions{})
		return err == nil && made.Labels["added"] == "by-policy", err
	})
}

func deletePolicy(t *testing.T, c *devcluster.Cluster, name string) {
	ctx := context.Background() // the test's own is over in a cleanup
	policies := c.Client().AdmissionregistrationV1()
	if err := policies.MutatingAdmissionPolicyBindings().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if err := policies.MutatingAdmissionPolicies().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

func TestRBACDenies(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	config := c.RESTConfig()
	config.Impersonate.UserName = "nobody-in-particular"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Secrets("kube-system").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Fatalf("want Forbidden, got %v", err)
	}
}

func TestLogsAndExec(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	ns := c.Namespace(t)
	if _, err := c.Client().CoreV1().Pods(ns).Create(t.Context(), barePod("one", "example.com/sample:hang"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	waitForPhase(t, c, ns, "one", corev1.PodRunning)

	logs, err := c.Client().CoreV1().Pods(ns).GetLogs("one", &corev1.PodLogOptions{}).DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := "simulated container started\n"; !strings.HasPrefix(string(logs), want) {
		t.Errorf("logs begin with %q, want %q", logs, want)
	}
	if got := run(t, c, ns, "one", "echo", "hello"); got != "hello\n" {
		t.Errorf("exec says %q", got)
	}
	_, err = runWithInput(t, c, ns, "one", "given", "sh", "-c", "cat; exit 3")
	var status utilexec.CodeExitError
	if !errors.As(err, &status) || status.Code != 3 {
		t.Errorf("want exit status 3, got %v", err)
	}
	if got, err := runWithInput(t, c, ns, "one", "given", "cat"); err != nil || got != "given" {
		t.Errorf("exec gives back %q, error %v", got, err)
	}
}

// TestKubeletAsksForACertificate guards exec, which runs commands on this machine.
func TestKubeletAsksForACertificate(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	nodes, err := c.Client().CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", nodes.Items[0].Status.DaemonEndpoints.KubeletEndpoint.Port)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := client.Get("https://" + address + "/healthz")
	if err == nil {
		answer.Body.Close()
		t.Errorf("it answers a stranger: %s", answer.Status)
	}
}

// run runs a command in a pod and returns what it wrote.
func run(t *testing.T, c *devcluster.Cluster, ns, pod string, command ...string) string {
	t.Helper()
	out, err := runWithInput(t, c, ns, pod, "", command...)
	if err != nil {
		t.Fatalf("%v: %v", command, err)
	}
	return out
}

// runWithInput runs a command in a pod on the input, and returns what it wrote and how it ended.
func runWithInput(t *testing.T, c *devcluster.Cluster, ns, pod, input string, command ...string) (string, error) {
	t.Helper()
	request := c.Client().CoreV1().RESTClient().Post().Namespace(ns).Resource("pods").Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: command, Stdin: true, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(c.RESTConfig(), "GET", request.URL().String())
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer // one each: they are written at the same time
	err = executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{
		Stdin: strings.NewReader(input), Stdout: &out, Stderr: &errOut,
	})
	return out.String(), err
}

func TestAuditNamesTheWriter(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	ns := c.Namespace(t)
	config := c.RESTConfig()
	config.UserAgent = "audit-test/1"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	mark := c.AuditMark(t)
	sample := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "sample"}}
	configMaps := client.CoreV1().ConfigMaps(ns)
	if _, err := configMaps.Create(t.Context(), sample, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		t.Fatal(err)
	}
	if _, err := configMaps.Create(t.Context(), sample, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := configMaps.Create(t.Context(), sample, metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	if _, err := configMaps.List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	mine := c.Audit(t, mark, func(e devcluster.AuditEntry) bool { return e.UserAgent == "audit-test/1" })
	for i := range mine {
		mine[i].Time, mine[i].URI = mine[0].Time, ""
	}
	common := devcluster.AuditEntry{Time: mine[0].Time, UserAgent: "audit-test/1", User: "devcluster-admin", Version: "v1",
		Resource: "configmaps", Namespace: ns}
	dry, created, conflict, listed := common, common, common, common
	dry.Verb, dry.Name, dry.Code, dry.DryRun = "create", "sample", 201, true
	created.Verb, created.Name, created.Code = "create", "sample", 201
	conflict.Verb, conflict.Name, conflict.Code = "create", "sample", 409
	listed.Verb, listed.Code = "list", 200
	if want := []devcluster.AuditEntry{dry, created, conflict, listed}; !slices.Equal(mine, want) {
		t.Errorf("got\n%v\nwant\n%v", mine, want)
	}
}

func TestClusterGoesOnAfterStop(t *testing.T) {
	t.Parallel()
	c := devcluster.Start(t, devcluster.Nodes(3))
	ns := c.Namespace(t)
	client := c.Client()
	if _, err := client.CoreV1().Pods(ns).Create(t.Context(), barePod("one", "example.com/sample:hang"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	before := waitForPhase(t, c, ns, "one", corev1.PodRunning)

	c.Stop(t)
	if _, err := client.CoreV1().Pods(ns).Get(t.Context(), "one", metav1.GetOptions{}); err == nil {
		t.Fatal("a stopped cluster answers")
	}
	c.Resume(t)

	after, err := client.CoreV1().Pods(ns).Get(t.Context(), "one", metav1.GetOptions{})
	if err != nil {
		t.Fatalf("the client of before does not work: %v", err)
	}
	if after.UID != before.UID {
		t.Error("it is another pod now")
	}
	nodes, err := c.Client().CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 3 {
		t.Errorf("want 3 nodes, got %d, error %v", len(nodes.Items), err)
	}
	// The nodes take pods, and know the kubelet's port, which is another one now.
	if _, err := client.CoreV1().Pods(ns).Create(t.Context(), barePod("two", "example.com/sample:1"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	waitForPhase(t, c, ns, "two", corev1.PodSucceeded)
	if got := run(t, c, ns, "one", "echo", "hello"); got != "hello\n" {
		t.Errorf("exec says %q", got)
	}
}

func TestClustersShareNothing(t *testing.T) {
	t.Parallel()
	first, second := devcluster.Shared(t), devcluster.Start(t)
	ns := first.Namespace(t)
	if _, err := second.Client().CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a namespace of one cluster in the other: error %v", err)
	}
	config := first.RESTConfig()
	config.Host = second.RESTConfig().Host
	stranger, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Discovery().ServerVersion(); err == nil {
		t.Error("the credentials of one cluster are good for the other")
	}
}

func TestMissingBinaryIsExplained(t *testing.T) {
	if os.Getenv("DEVCLUSTER_TEST_MISSING") != "" {
		t.Chdir(t.TempDir())
		devcluster.Start(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestMissingBinaryIsExplained$")
	cmd.Env = append(os.Environ(), "DEVCLUSTER_TEST_MISSING=1", devcluster.BinaryEnv+"=")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("make build")) {
		t.Errorf("want a failure that says `make build`, got error %v and\n%s", err, out)
	}
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
