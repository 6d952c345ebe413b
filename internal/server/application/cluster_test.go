// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/terminal"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/test/devcluster"
)

func TestMain(m *testing.M) { devcluster.Main(m) }

// oneCluster is the only cluster of a test, and draws the trees of its applications.
type oneCluster struct{ *cluster.Cluster }

func (c oneCluster) Find(v1alpha1.ApplicationDestination) (*cluster.Cluster, error) {
	return c.Cluster, nil
}
func (c oneCluster) ScopedTo(string) access.Scoped { return access.Scoped{} }

func (c oneCluster) Tree(_ context.Context, app *v1alpha1.Application) (*v1alpha1.ApplicationTree, error) {
	tree := c.Cluster.Tree(c.Owned(app.Name), nil)
	return &tree.ApplicationTree, nil
}

func (c oneCluster) Follow(*v1alpha1.Application, func()) (func(), error) { return func() {}, nil }

// canary is the value of a Secret that nobody may be shown.
const canary = "canary-7f3a91"

// liveDoings is a service whose application web has objects in a namespace of a real cluster: a Deployment of two pods with two
// containers each, a Secret and a ConfigMap.
func liveDoings(t *testing.T) (d *doings, dev *devcluster.Cluster, ns string) {
	t.Helper()
	dev = devcluster.Shared(t)
	ns = dev.Namespace(t)
	populate(t, dev, ns)
	opened, err := cluster.Open(cluster.Hub(dev.RESTConfig()), cluster.Options{Tracker: settings.Defaults().Tracker})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- opened.Run(context.Background()) }()
	t.Cleanup(func() { opened.Close(); <-ended })
	app := appIn("team", ns) // the namespace is nobody else's name
	app.Spec.Destination.Namespace = ns
	d = newDoings(t, nil, app)
	one := oneCluster{opened}
	d.Clusters, d.Picture, d.Clock = one, one, clock.RealClock{}
	d.Log = slog.New(slog.DiscardHandler)
	project := &v1alpha1.AppProject{}
	if err := d.Hub.Get(t.Context(), client.ObjectKey{Namespace: "argocd", Name: "team"}, project); err != nil {
		t.Fatal(err)
	}
	project.Spec.Destinations = []v1alpha1.ApplicationDestination{{Server: "*", Namespace: ns}}
	project.Spec.NamespaceResourceBlacklist = []metav1.GroupKind{{Kind: "ConfigMap"}}
	if err := d.Hub.Update(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the pods run and are known", func() bool {
		tree, _ := one.Tree(t.Context(), app)
		pods := podsOf(tree.Nodes, &application.ApplicationPodLogsQuery{Kind: "Deployment", ResourceName: "web", Group: "apps"})
		return len(pods) == 2 && !slices.ContainsFunc(pods, func(n v1alpha1.ResourceNode) bool { return !running(t, dev, ns, n.Name) })
	})
	return d, dev, ns
}

func running(t *testing.T, dev *devcluster.Cluster, ns, name string) bool {
	pod, err := dev.Client().CoreV1().Pods(ns).Get(t.Context(), name, metav1.GetOptions{})
	return err == nil && len(pod.Status.ContainerStatuses) == 2 && pod.Status.ContainerStatuses[1].State.Running != nil
}

func populate(t *testing.T, dev *devcluster.Cluster, ns string) {
	t.Helper()
	mark := func(name, kind string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Annotations: map[string]string{v1alpha1.AnnotationKeyAppInstance: ns + ":" + kind + ":" + ns + "/" + name}}
	}
	labels, two := map[string]string{"app": "web"}, int32(2)
	core, apps := dev.Client().CoreV1(), dev.Client().AppsV1()
	_, err := apps.Deployments(ns).Create(t.Context(), &appsv1.Deployment{ObjectMeta: mark("web", "apps/Deployment"), Spec: appsv1.DeploymentSpec{
		Replicas: &two, Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "main", Image: "example.com/sample:hang"}, {Name: "side", Image: "example.com/sample:hang"},
		}}},
	}}, metav1.CreateOptions{})
	secret := &corev1.Secret{ObjectMeta: mark("keys", "/Secret"), StringData: map[string]string{"password": canary}}
	secret.Annotations[corev1.LastAppliedConfigAnnotation] = `{"stringData":{"password":"` + canary + `"}}`
	_, err2 := core.Secrets(ns).Create(t.Context(), secret, metav1.CreateOptions{})
	_, err3 := core.ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: mark("conf", "/ConfigMap")}, metav1.CreateOptions{})
	_, err4 := core.Services(ns).Create(t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "loose"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}, metav1.CreateOptions{})
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) { return done(), nil }); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func TestLiveObjects(t *testing.T) {
	d, dev, ns := liveDoings(t)
	d.roles.set("applications, *")
	secret := application.ApplicationResourceRequest{Name: ns, Namespace: ns, ResourceName: "keys", Version: "v1", Kind: "Secret"}
	got, err := d.GetResource(d.ctx, &secret)
	if err != nil || strings.Contains(got.Manifest, canary) || !strings.Contains(got.Manifest, `"password":"++++++++"`) {
		t.Errorf("the Secret is shown as %v, %v", got, err)
	}
	for _, other := range []application.ApplicationResourceRequest{
		{Name: ns, Namespace: ns, ResourceName: "loose", Version: "v1", Kind: "Service"},
		{Name: ns, Namespace: "kube-system", ResourceName: "keys", Version: "v1", Kind: "Secret"},
	} {
		_, err := d.GetResource(d.ctx, &other)
		refusedFor(t, "what is none of its", err, fault.Mistake, "not found as part of application")
	}
	_, err = d.GetResource(d.ctx, &application.ApplicationResourceRequest{Name: ns, Namespace: ns, ResourceName: "conf", Version: "v1", Kind: "ConfigMap"})
	refusedFor(t, "what its project does not permit", err, fault.Forbidden, "ConfigMap")

	patch := application.ApplicationResourcePatchRequest{Name: ns, Namespace: ns, ResourceName: "keys", Version: "v1", Kind: "Secret",
		PatchType: "application/merge-patch+json", Patch: `{"data":{"user":"YW5u"}}`}
	d.roles.set("applications, get, *", "applications, update, *", "applications, delete, *")
	_, err = d.PatchResource(d.ctx, &patch)
	refusedFor(t, "with the right to the application", err, fault.Forbidden, "applications, update//Secret/"+ns+"/keys, team/"+ns)
	d.settings.Doing.FineGrained = false
	if _, err = d.PatchResource(d.ctx, &patch); err != nil {
		t.Errorf("with inheritance: %v", err)
	}
	d.settings.Doing.FineGrained = true
	d.roles.set("applications, get, *", "applications, update//Secret/*", "applications, delete//Secret/*")
	answer, err := d.PatchResource(d.ctx, &patch)
	if err != nil || strings.Contains(answer.Manifest, canary) {
		t.Errorf("the patched Secret is shown as %v, %v", answer, err)
	}
	for _, guess := range []string{canary, "another"} {
		trial, err := d.TryPatch(d.ctx, &bowline.ObjectPatch{Name: ns, Namespace: ns, ResourceName: "keys", Version: "v1", Kind: "Secret",
			Patch: `{"data":{"password":"` + base64.StdEncoding.EncodeToString([]byte(guess)) + `"},"metadata":{"labels":{"tried":"yes"}}}`})
		if err != nil {
			t.Fatal(err)
		}
		before, after := string(trial.Before.Raw), string(trial.After.Raw)
		if strings.Contains(before, "tried") || !strings.Contains(after, `"tried":"yes"`) || strings.Contains(after, "managedFields") ||
			!strings.Contains(before, `"password":"++++++++"`) || !strings.Contains(after, `"password":"++++++++"`) {
			t.Errorf("a guess is answered with %s and %s", before, after)
		}
	}
	if read, err := dev.Client().CoreV1().Secrets(ns).Get(t.Context(), "keys", metav1.GetOptions{}); err != nil || read.Labels["tried"] != "" {
		t.Errorf("what was only tried is %v, %v", read.Labels, err)
	}
	d.roles.set("applications, get, *")
	_, err = d.TryPatch(d.ctx, &bowline.ObjectPatch{Name: ns, Namespace: ns, ResourceName: "keys", Version: "v1", Kind: "Secret", Patch: "{}"})
	refusedFor(t, "trying without the right to patch", err, fault.Forbidden, "applications, update//Secret/"+ns+"/keys")
	d.roles.set("applications, get, *", "applications, update//Secret/*", "applications, delete//Secret/*")
	patch.PatchType, patch.Patch = "application/json-patch+json", `[{"op":"test","path":"/data/password","value":"no"}]`
	if _, err = d.PatchResource(d.ctx, &patch); err == nil || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "Y2FuYXJ5") {
		t.Errorf("a patch that asks for the value: %v", err)
	}
	patch.PatchType = "application/apply-patch+yaml"
	_, err = d.PatchResource(d.ctx, &patch)
	refusedFor(t, "another kind of patch", err, fault.Mistake, "patchType")

	if _, err := d.DeleteResource(d.ctx, &application.ApplicationResourceDeleteRequest{Name: ns, Namespace: ns, ResourceName: "keys", Version: "v1", Kind: "Secret", Force: true}); err != nil {
		t.Error(err)
	}
	if _, err := dev.Client().CoreV1().Secrets(ns).Get(t.Context(), "keys", metav1.GetOptions{}); err == nil {
		t.Error("the Secret is still there")
	}
}

// What callers do is done as the account that the project names, where settings ask for that: its rights count, not Bowline's.
func TestLiveObjectsAsTheAccountOfTheProject(t *testing.T) {
	d, _, ns := liveDoings(t)
	d.roles.set("applications, *", "logs, *", "exec, *")
	d.settings.Impersonation, d.settings.ImpersonationEnforced = true, true
	web := application.ApplicationResourceRequest{Name: ns, Namespace: ns, ResourceName: "web", Version: "v1", Group: "apps", Kind: "Deployment"}
	_, err := d.GetResource(d.ctx, &web)
	refusedFor(t, "the project names no account", err, fault.Forbidden, "destinationServiceAccounts")
	project := &v1alpha1.AppProject{}
	if err := d.Hub.Get(t.Context(), client.ObjectKey{Namespace: "argocd", Name: "team"}, project); err != nil {
		t.Fatal(err)
	}
	project.Spec.DestinationServiceAccounts = []v1alpha1.ApplicationDestinationServiceAccount{{Server: "*", Namespace: ns, DefaultServiceAccount: "nobody"}}
	if err := d.Hub.Update(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	as := "system:serviceaccount:" + ns + ":nobody"
	calls := map[string]func() error{
		"read": func() error { _, err := d.GetResource(d.ctx, &web); return err },
		"act": func() error {
			_, err := d.RunResourceAction(d.ctx, &application.ResourceActionRunRequest{Name: ns, Namespace: ns, ResourceName: "web", Version: "v1", Group: "apps", Kind: "Deployment", Action: "restart"})
			return err
		},
		"logs": func() error {
			said := ""
			err := d.PodLogs(d.ctx, &application.ApplicationPodLogsQuery{Name: ns, Container: "main"}, func(e *application.LogEntry) error {
				said += e.Content
				return nil
			})
			return errors.Join(err, errors.New(said))
		},
	}
	for what, call := range calls {
		if err := call(); err == nil || !strings.Contains(err.Error(), as) {
			t.Errorf("%s: %v, want a refusal for %s", what, err, as)
		}
	}
}

func TestActionsOnLiveObjects(t *testing.T) {
	d, dev, ns := liveDoings(t)
	d.roles.set("applications, get, *")
	deployment := application.ApplicationResourceRequest{Name: ns, Namespace: ns, ResourceName: "web", Version: "v1", Group: "apps", Kind: "Deployment"}
	offered, err := d.ListResourceActions(d.ctx, &deployment)
	if err != nil || !slices.ContainsFunc(offered.Actions, func(a v1alpha1.ResourceAction) bool { return a.Name == "restart" && !a.Disabled }) {
		t.Errorf("offered are %v, %v", offered, err)
	}
	run := &application.ResourceActionRunRequest{Name: ns, Namespace: ns, ResourceName: "web", Version: "v1", Group: "apps", Kind: "Deployment", Action: "restart"}
	_, err = d.RunResourceAction(d.ctx, run)
	refusedFor(t, "without the right", err, fault.Forbidden, "applications, action/apps/Deployment/restart, team/"+ns)
	d.roles.set("applications, get, *", "applications, action/apps/Deployment/restart, *")
	if _, err := d.RunResourceAction(d.ctx, run); err != nil {
		t.Fatal(err)
	}
	got, err := dev.Client().AppsV1().Deployments(ns).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil || got.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] == "" {
		t.Errorf("it was not restarted: %v, %v", got.Spec.Template.Annotations, err)
	}
	// An action of the Application itself is written in the control plane.
	self := &application.ResourceActionRunRequestV2{Name: ns, Namespace: "argocd", ResourceName: ns, Version: "v1alpha1", Group: "argoproj.io", Kind: "Application", Action: "toggle-auto-sync"}
	_, err = d.RunResourceActionV2(d.ctx, self)
	refusedFor(t, "without the right to that", err, fault.Forbidden, "action/argoproj.io/Application/toggle-auto-sync")
	d.roles.set("applications, *")
	if _, err := d.RunResourceActionV2(d.ctx, self); err != nil || d.now(t, ns).Spec.SyncPolicy == nil {
		t.Errorf("automated sync is not on: %v", err)
	}
}

func TestPodLogs(t *testing.T) {
	d, _, ns := liveDoings(t)
	ask := func(q application.ApplicationPodLogsQuery) (lines []string, last bool, err error) {
		q.Name = ns
		err = d.PodLogs(d.ctx, &q, func(e *application.LogEntry) error {
			if e.Last {
				last = true
				return nil
			}
			lines = append(lines, e.PodName+" "+e.Content)
			return nil
		})
		return lines, last, err
	}
	d.roles.set("applications, get, *")
	_, _, err := ask(application.ApplicationPodLogsQuery{})
	refusedFor(t, "without the right", err, fault.Forbidden, "logs, get, team/"+ns)
	d.roles.set("applications, get, *", "logs, get, *")
	lines, last, err := ask(application.ApplicationPodLogsQuery{Group: "apps", Kind: "Deployment", ResourceName: "web"})
	if err != nil || !last || len(lines) < 4 || !strings.HasSuffix(lines[0], " simulated container started") {
		t.Errorf("two pods with two containers say %q, last %v, %v", lines, last, err)
	}
	tail := int64(1)
	pod, _, _ := strings.Cut(lines[0], " ")
	if some, _, err := ask(application.ApplicationPodLogsQuery{PodName: pod, Container: "side", TailLines: &tail, Namespace: ns}); err != nil || len(some) != 1 {
		t.Errorf("the tail of one container is %q, %v", some, err)
	}
	if none, last, err := ask(application.ApplicationPodLogsQuery{Filter: "!SIMULATED", Kind: "Deployment"}); err != nil || !last || slices.ContainsFunc(none, func(l string) bool { return strings.Contains(l, "simulated") }) {
		t.Errorf("without those lines: %q, %v", none, err)
	}
	_, _, err = ask(application.ApplicationPodLogsQuery{PodName: "gone"})
	refusedFor(t, "a pod that is not there", err, fault.Mistake, "not found as part of application")
	many := make([]string, 0, maxTaps+1)
	for i := range maxTaps + 1 {
		many = append(many, fmt.Sprintf("c%d", i))
	}
	_, _, err = ask(application.ApplicationPodLogsQuery{PodName: pod, Container: strings.Join(many, ",")})
	refusedFor(t, "more containers than can be read", err, fault.Mistake, "too many for one call")
	if some, _, err := ask(application.ApplicationPodLogsQuery{PodName: pod, Container: strings.Repeat("side,", 5000) + "side", TailLines: &tail}); err != nil || len(some) != 1 {
		t.Errorf("one container named often says %q, %v", some, err)
	}
	_, _, err = ask(application.ApplicationPodLogsQuery{UntilTime: "noon"})
	refusedFor(t, "no time", err, fault.Mistake, "untilTime")
	d.settings.Doing.MaxPodLogs = 1
	_, _, err = ask(application.ApplicationPodLogsQuery{})
	refusedFor(t, "too many", err, fault.Mistake, "max pods to view logs are reached")
}

// A log that is followed ends with the right to it, and nothing of it is shown afterwards.
func TestFollowedLogsEndWithTheRight(t *testing.T) {
	d, _, ns := liveDoings(t)
	d.roles.set("applications, get, *", "logs, get, *")
	begun, ended := make(chan struct{}, 100), make(chan error, 1)
	go func() {
		ended <- d.PodLogs(d.ctx, &application.ApplicationPodLogsQuery{Name: ns, Follow: true}, func(*application.LogEntry) error {
			begun <- struct{}{}
			return nil
		})
	}()
	<-begun
	taken := time.Now()
	d.roles.set("applications, get, *")
	err := <-ended
	refusedFor(t, "the stream", err, fault.Forbidden, "logs, get, team/"+ns)
	t.Logf("it ended after %v", time.Since(taken))
}

// typed sends a message of the page.
func typed(t *testing.T, conn *websocket.Conn, m map[string]any) {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Write(t.Context(), websocket.MessageText, data); err != nil {
		t.Fatal(err)
	}
}

// shown reads what the terminal shows until it holds text; the rest is why it ended before.
func shown(t *testing.T, conn *websocket.Conn, text string) (all string, ended error) {
	t.Helper()
	for !strings.Contains(all, text) {
		_, data, err := conn.Read(t.Context())
		if err != nil {
			return all, err
		}
		var m struct{ Operation, Data string }
		if err := json.Unmarshal(data, &m); err != nil || m.Operation != "stdout" {
			t.Fatalf("the terminal sends %s", data)
		}
		all += m.Data
	}
	return all, nil
}

func TestTerminal(t *testing.T) {
	d, _, ns := liveDoings(t)
	d.roles.set("applications, get, *", "exec, create, *")
	d.settings.Doing.TerminalShells = []string{"no-such-shell", "sh"}
	server := httptest.NewServer(terminal.New(terminal.Options{
		Door: d.Service, Settings: func() *settings.Settings { return d.settings }, Log: slog.New(slog.DiscardHandler),
		Authenticate: func(*http.Request) (context.Context, error) { return d.ctx, nil },
	}))
	defer server.Close()
	tree, err := d.tree(t.Context(), d.now(t, ns))
	if err != nil {
		t.Fatal(err)
	}
	pod := podsOf(tree.Nodes, &application.ApplicationPodLogsQuery{Kind: "Deployment"})[0].Name
	open := func(pod string) (*websocket.Conn, *http.Response) {
		conn, answer, _ := websocket.Dial(t.Context(), server.URL+"/terminal?appName="+ns+"&projectName=team&container=main&namespace="+ns+"&pod="+pod, nil)
		return conn, answer
	}
	if _, answer := open(pod); answer.StatusCode != http.StatusNotFound {
		t.Errorf("turned off it answers %s", answer.Status)
	}
	d.settings.Doing.Terminal = true
	if _, answer := open("coredns-1"); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("another's pod: %s", answer.Status)
	}
	d.roles.set("applications, get, *")
	if _, answer := open(pod); answer.StatusCode != http.StatusForbidden {
		t.Errorf("without the right: %s", answer.Status)
	}
	d.roles.set("applications, get, *", "exec, create, *")
	conn, answer := open(pod)
	if conn == nil {
		t.Fatalf("it does not open: %v", answer)
	}
	typed(t, conn, map[string]any{"operation": "resize", "cols": 80, "rows": 24})
	typed(t, conn, map[string]any{"operation": "stdin", "data": "echo gr$((6*7))ün\n"})
	if all, err := shown(t, conn, "gr42ün"); err != nil {
		t.Fatalf("it shows %q and ends: %v", all, err)
	}
	taken := time.Now()
	d.roles.set("applications, get, *")
	all, err := shown(t, conn, "never shown")
	if websocket.CloseStatus(err) != websocket.StatusPolicyViolation || !strings.Contains(all, "permission denied: exec, create, team/"+ns) {
		t.Errorf("after the right was taken it says %q and ends with %v", all, err)
	}
	t.Logf("it ended after %v", time.Since(taken))
}
