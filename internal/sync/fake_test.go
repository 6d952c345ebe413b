// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// fake behaves like an API server for the few calls that a sync makes: objects by name, resource versions, field
// ownership of server-side apply for plain maps, preconditions, namespaces that have to be there.
type fake struct {
	mu      stdsync.Mutex
	kinds   map[schema.GroupKind]bool // namespaced
	objects map[object.Key]*unstructured.Unstructured
	rv      int
	log     []string
	// refuse is asked before every write; an error is the answer.
	refuse func(*fake, Write) error
	// tick is called whenever somebody waits.
	tick  func(*fake)
	clock *ticking
}

type refusal struct {
	reason Reason
	text   string
}

func (e *refusal) Error() string { return e.text }

func refuse(reason Reason, kind fault.Kind, text string) error {
	return &fault.Error{Kind: kind, Err: &refusal{reason, text}}
}

// ticking is a clock on which waiting takes no time.
type ticking struct {
	*clocktesting.FakeClock
	tick func()
}

func (c *ticking) After(d time.Duration) <-chan time.Time {
	c.Step(d)
	c.tick()
	ch := make(chan time.Time, 1)
	ch <- c.Now()
	return ch
}

func newFake(objects ...*unstructured.Unstructured) *fake {
	f := &fake{
		kinds: map[schema.GroupKind]bool{
			{Kind: "ConfigMap"}: true, {Kind: "Secret"}: true, {Kind: "Pod"}: true, {Kind: "Namespace"}: false,
			{Group: "apps", Kind: "Deployment"}:                               true,
			{Group: "batch", Kind: "Job"}:                                     true,
			{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: false,
		},
		objects: map[object.Key]*unstructured.Unstructured{},
	}
	f.clock = &ticking{FakeClock: clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), tick: func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.tick != nil {
			f.tick(f)
		}
	}}
	f.put(parse("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"))
	for _, o := range objects {
		f.put(o)
	}
	f.log = nil
	return f
}

func (f *fake) put(u *unstructured.Unstructured) *unstructured.Unstructured {
	f.rv++
	u = u.DeepCopy()
	u.SetResourceVersion(strconv.Itoa(f.rv))
	if u.GetUID() == "" {
		u.SetUID(types.UID(fmt.Sprintf("uid-%s-%d", u.GetName(), f.rv)))
	}
	f.objects[object.KeyOf(u)] = u
	return u.DeepCopy()
}

func (f *fake) get(key object.Key) *unstructured.Unstructured {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u := f.objects[key]; u != nil {
		return u.DeepCopy()
	}
	return nil
}

func (f *fake) Kind(_ context.Context, gvk schema.GroupVersionKind) Kind {
	f.mu.Lock()
	defer f.mu.Unlock()
	namespaced, ok := f.kinds[gvk.GroupKind()]
	return Kind{Served: ok, Absent: !ok && gvk.Group != "unknown.example.com", Namespaced: namespaced, Why: "discovery fails"}
}

func (f *fake) Read(_ context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	u := f.get(object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: namespace, Name: name})
	if u == nil {
		return nil, refuse(NotFound, fault.Mistake, name+" not found")
	}
	return u, nil
}

func (f *fake) Live(_ context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, bool) {
	return f.get(object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: namespace, Name: name}), true
}

func (f *fake) Reason(err error) Reason {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	return ""
}

func (f *fake) Write(ctx context.Context, w Write) (*unstructured.Unstructured, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key := object.KeyOf(w.Object)
	line := string(w.Method) + " " + key.String()
	if w.PatchType == types.JSONPatchType {
		line = "adopt " + key.String()
	}
	if w.DryRun {
		line = "dry " + line
	}
	f.log = append(f.log, line)
	if f.refuse != nil {
		if err := f.refuse(f, w); err != nil {
			return nil, err
		}
	}
	if _, ok := f.kinds[key.GroupKind()]; !ok {
		return nil, refuse(NoSuchKind, fault.Wait, "no such kind "+key.Kind)
	}
	if key.Namespace != "" && f.objects[object.Key{Kind: "Namespace", Name: key.Namespace}] == nil {
		return nil, refuse(NamespaceMissing, fault.Wait, "namespace "+key.Namespace+" not found")
	}
	next, err := f.written(w, f.objects[key])
	if err != nil {
		return nil, err
	}
	if w.DryRun {
		return next, nil
	}
	if live := f.objects[key]; live != nil && same(live, next) {
		return live.DeepCopy(), nil
	}
	answer := f.put(next)
	if answer.GetDeletionTimestamp() != nil && len(answer.GetFinalizers()) == 0 {
		delete(f.objects, key)
	}
	return answer, nil
}

func same(a, b *unstructured.Unstructured) bool {
	return object.DigestOf(a.Object) == object.DigestOf(b.Object)
}

func (f *fake) Delete(_ context.Context, d Deletion) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	line := "delete " + d.Key.String()
	if d.DryRun {
		line = "dry " + line
	}
	f.log = append(f.log, line)
	live := f.objects[d.Key]
	switch {
	case live == nil:
		return nil
	case d.UID == "" || d.ResourceVersion == "":
		return refuse(Invalid, fault.Bug, "no preconditions")
	case live.GetUID() != d.UID:
		return refuse(Conflict, fault.Retry, "another object of this name")
	}
	if live.GetResourceVersion() != d.ResourceVersion {
		if owner := live.GetAnnotations()["argocd.argoproj.io/tracking-id"]; d.Owner != "" && !strings.HasPrefix(owner, d.Owner+":") {
			return refuse(NotOwned, fault.Stalled, "it belongs to "+owner)
		}
		if d.Check != nil {
			if err := d.Check(live.DeepCopy()); err != nil {
				return err
			}
		}
	}
	switch {
	case d.DryRun:
	case len(live.GetFinalizers()) > 0:
		now := metav1.Now()
		live.SetDeletionTimestamp(&now)
	default:
		delete(f.objects, d.Key)
	}
	return nil
}

// calls returns the log in the order of the calls, or sorted where they may come in any order.
func (f *fake) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

func parse(text string) *unstructured.Unstructured {
	docs, err := object.ParseYAML("test", []byte(text))
	if err != nil {
		panic(err)
	}
	return &unstructured.Unstructured{Object: docs[0].Data}
}

var _ Target = (*fake)(nil)

// madeBy returns an object as another program wrote it.
func madeBy(manager string, op metav1.ManagedFieldsOperationType, text string) *unstructured.Unstructured {
	return owned(parse(text), manager, op)
}

func configMap(name string, data ...string) *unstructured.Unstructured {
	u := parse(fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: %s, annotations: {argocd.argoproj.io/tracking-id: 'shop:/ConfigMap:shop/%s'}}}", name, name))
	m := map[string]any{}
	for i := 0; i+1 < len(data); i += 2 {
		m[data[i]] = data[i+1]
	}
	if len(m) > 0 {
		u.Object["data"] = m
	}
	return u
}

// ours returns an object as an earlier sync of ours left it.
func ours(u *unstructured.Unstructured) *unstructured.Unstructured {
	return owned(u, diff.Manager, metav1.ManagedFieldsOperationApply)
}

func requireEqual(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}
