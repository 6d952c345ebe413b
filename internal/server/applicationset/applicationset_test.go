// SPDX-License-Identifier: Apache-2.0

package applicationset

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	rpcapplicationset "github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
)

// bell tells those who wait.
type bell struct {
	mu   sync.Mutex
	next chan struct{}
}

func newBell() *bell { return &bell{next: make(chan struct{})} }

func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.next)
	b.next = make(chan struct{})
}

// rights grants to get what it lists; it can change.
type rights struct {
	*bell
	mu      sync.Mutex
	objects []string
}

func (r *rights) Rule(_ auth.Caller, right access.Right) access.Ruling {
	r.mu.Lock()
	defer r.mu.Unlock()
	return access.Ruling{Allowed: right.Resource == access.ApplicationSets && slices.Contains(r.objects, right.Object)}
}
func (r *rights) Changed() <-chan struct{}  { return r.wait() }
func (r *rights) Valid(_ auth.Caller) error { return nil }
func (r *rights) set(objects ...string) {
	r.mu.Lock()
	r.objects = objects
	r.mu.Unlock()
	r.ring()
}

func set(namespace, name, project string) *v1alpha1.ApplicationSet {
	return &v1alpha1.ApplicationSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"name": name}},
		Spec:       v1alpha1.ApplicationSetSpec{Template: v1alpha1.ApplicationSetTemplate{Spec: v1alpha1.ApplicationSpec{Project: project}}},
		Status:     v1alpha1.ApplicationSetStatus{Resources: []v1alpha1.ResourceStatus{{Kind: "Application", Namespace: namespace, Name: name + "-1"}}},
	}
}

func newService(t *testing.T, may *rights, changed *bell, objects ...client.Object) *Service {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	return New(Deps{
		Gate: &gate.Gate{Roles: may}, Hub: &hub.Hub{Client: c, Fresh: c, Home: "argocd", Clock: clock.RealClock{}}, Changed: changed.wait,
		Served: func(namespace string) bool { return namespace != "unserved" },
	})
}

func signedIn(t *testing.T) context.Context {
	t.Helper()
	return auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "ann"})
}

func TestList(t *testing.T) {
	may := &rights{bell: newBell(), objects: []string{"shop/a", "shop/team/b", "else/c", "shop/unserved/u"}}
	s := newService(t, may, newBell(), set("argocd", "a", "shop"), set("team", "b", "shop"), set("argocd", "c", "else"), set("argocd", "hidden", "shop"), set("unserved", "u", "shop"))
	for _, tt := range []struct {
		query rpcapplicationset.ApplicationSetListQuery
		want  []string
	}{
		{rpcapplicationset.ApplicationSetListQuery{}, []string{"a", "b", "c"}},
		{rpcapplicationset.ApplicationSetListQuery{Projects: []string{"shop"}}, []string{"a", "b"}},
		{rpcapplicationset.ApplicationSetListQuery{Selector: "name in (a, hidden)"}, []string{"a"}},
		{rpcapplicationset.ApplicationSetListQuery{AppsetNamespace: "team"}, []string{"b"}},
	} {
		got, err := s.List(signedIn(t), &tt.query)
		var names []string
		if err == nil {
			for _, one := range got.Items {
				names = append(names, one.Name)
			}
		}
		if err != nil || !slices.Equal(names, tt.want) {
			t.Errorf("%+v: got %v, %v, want %v", tt.query, names, err, tt.want)
		}
	}
	if _, err := s.List(signedIn(t), &rpcapplicationset.ApplicationSetListQuery{Selector: "a in"}); !fault.Is(err, fault.Mistake) {
		t.Errorf("a selector that is none: got %v", err)
	}
}

func TestGet(t *testing.T) {
	s := newService(t, &rights{bell: newBell(), objects: []string{"shop/a"}}, newBell(), set("argocd", "a", "shop"), set("argocd", "hidden", "shop"), set("unserved", "a", "shop"))
	if got, err := s.Get(signedIn(t), &rpcapplicationset.ApplicationSetGetQuery{Name: "a"}); err != nil || got.Name != "a" {
		t.Errorf("got %+v, %v", got, err)
	}
	tree, err := s.ResourceTree(signedIn(t), &rpcapplicationset.ApplicationSetTreeQuery{Name: "a"})
	if err != nil || len(tree.Nodes) != 1 || tree.Nodes[0].Name != "a-1" || tree.Nodes[0].ParentRefs[0].Name != "a" {
		t.Errorf("got %+v, %v", tree, err)
	}
	_, missing := s.Get(signedIn(t), &rpcapplicationset.ApplicationSetGetQuery{Name: "none"})
	_, hidden := s.Get(signedIn(t), &rpcapplicationset.ApplicationSetGetQuery{Name: "hidden"})
	_, unserved := s.Get(signedIn(t), &rpcapplicationset.ApplicationSetGetQuery{Name: "a", AppsetNamespace: "unserved"})
	if missing == nil || hidden == nil || unserved == nil || missing.Error() != hidden.Error() || missing.Error() != unserved.Error() {
		t.Errorf("missing: %v; hidden: %v; unserved: %v", missing, hidden, unserved)
	}
	if _, err := s.Create(signedIn(t), nil); fault.CodeOf(err) != fault.Unsupported {
		t.Errorf("create: got %v", err)
	}
}

func TestWatch(t *testing.T) {
	may, changed := &rights{bell: newBell(), objects: []string{"shop/a", "shop/b"}}, newBell()
	s := newService(t, may, changed, set("argocd", "a", "shop"))
	ctx, cancel := context.WithTimeout(signedIn(t), 30*time.Second)
	defer cancel()
	events, done := make(chan string, 10), make(chan error, 1)
	go func() {
		done <- s.Watch(ctx, &rpcapplicationset.ApplicationSetWatchQuery{}, func(e *v1alpha1.ApplicationSetWatchEvent) error {
			events <- e.Type + " " + e.ApplicationSet.Name
			return nil
		})
	}()
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-events:
			if got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("nothing came, want %s", want)
		}
	}
	expect("ADDED a")
	if err := s.Hub.Client.Create(ctx, set("argocd", "b", "shop")); err != nil {
		t.Fatal(err)
	}
	changed.ring()
	expect("ADDED b")
	b, err := s.load(ctx, "", "b")
	if err != nil {
		t.Fatal(err)
	}
	b.Labels = nil
	if err := s.Hub.Client.Update(ctx, b); err != nil {
		t.Fatal(err)
	}
	changed.ring()
	expect("MODIFIED b")
	may.set("shop/b") // a goes out of sight
	expect("DELETED a")
	if err := s.Hub.Client.Delete(ctx, b); err != nil {
		t.Fatal(err)
	}
	changed.ring()
	expect("DELETED b")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("got %v at the caller's own end", err)
	}
}
