// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/object"
)

var configMaps = Resource{
	GVR: schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, GVK: schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"},
	Namespaced: true, Verbs: []string{"list", "watch"},
}

func testKind(tracker object.Tracker) *kind {
	k := newKind(configMaps, nil)
	k.tracker, k.index, k.feed, k.clock, k.grace = tracker, newIndex(), newFeed(), clock.RealClock{}, time.Minute
	k.mode, k.answered, k.markMet = watchFull, func() {}, func() {}
	k.index.begins()
	return k
}

// manifest is a small ConfigMap as the API server sends it; app "" leaves the mark out.
func manifest(name, uid, rv, app string) []byte {
	mark := ""
	if app != "" {
		mark = `"annotations":{"argocd.argoproj.io/tracking-id":"` + app + `:/ConfigMap:shop/` + name + `"},`
	}
	return fmt.Appendf(nil, `{"apiVersion":"v1","data":{"LOG_LEVEL":"info","REGION":"eu-central-1","URL":"https://%[1]s.example.com/%[2]s"},"kind":"ConfigMap","metadata":{%[4]s"creationTimestamp":"2026-11-01T08:00:00Z","labels":{"app.kubernetes.io/name":"%[1]s"},"managedFields":[{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:LOG_LEVEL":{},"f:REGION":{},"f:URL":{}},"f:metadata":{"f:annotations":{"f:argocd.argoproj.io/tracking-id":{}},"f:labels":{"f:app.kubernetes.io/name":{}}}},"manager":"argocd-controller","operation":"Apply","time":"2026-11-01T08:00:00Z"}],"name":"%[1]s","namespace":"shop","resourceVersion":"%[3]s","uid":"%[2]s"}}`,
		name, uid, rv, mark)
}

func wire(t testing.TB, name, uid, rv, app string) item {
	it, err := decodeItem(manifest(name, uid, rv, app))
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// What the store holds after lists, watch events and own writes that arrive in any order.
func TestStoreGuardsAgainstOlderNews(t *testing.T) {
	n := nsName{"shop", "a"}
	synced := func(k *kind) { k.relisted("", "10", map[nsName]struct{}{}, false) }
	for _, tc := range []struct {
		name string
		do   func(*kind)
		want string // resourceVersion; "" for absent
	}{
		{"an own write before its event", func(k *kind) { k.absorb(wire(t, "a", "u", "12", ""), false) }, "12"},
		{"the event of an earlier write comes late", func(k *kind) {
			k.absorb(wire(t, "a", "u", "12", ""), false)
			k.put(wire(t, "a", "u", "11", ""), false)
		}, "12"},
		{"an answer that comes after the watch saw the deletion", func(k *kind) {
			k.put(wire(t, "a", "u", "11", ""), false)
			k.del(n, "13")
			k.progress("", "13")
			k.absorb(wire(t, "a", "u", "12", ""), false)
		}, ""},
		{"a deletion that is older than our re-creation", func(k *kind) {
			k.put(wire(t, "a", "u", "11", ""), false)
			k.absorb(wire(t, "a", "u2", "14", ""), false)
			k.del(n, "13")
		}, "14"},
		{"a list that is older than our write", func(k *kind) {
			k.absorb(wire(t, "a", "u", "14", ""), false)
			k.relisted("", "13", map[nsName]struct{}{}, false)
		}, "14"},
		{"a list that does not show the object any more", func(k *kind) {
			k.put(wire(t, "a", "u", "11", ""), false)
			k.relisted("", "13", map[nsName]struct{}{}, false)
		}, ""},
		{"versions that cannot be compared: the watch is right", func(k *kind) {
			k.put(wire(t, "a", "u", "x9", ""), false)
			k.put(wire(t, "a", "u", "x1", ""), false)
		}, "x1"},
		{"versions that cannot be compared: an answer is not believed", func(k *kind) {
			k.put(wire(t, "a", "u", "x9", ""), false)
			k.absorb(wire(t, "a", "u", "x1", ""), false)
		}, "x9"},
		{"storage restored from a backup", func(k *kind) {
			k.put(wire(t, "a", "u", "11", ""), false)
			k.progress("", "11")
			if !k.wentBack("", "5") || k.wentBack("", "12") {
				t.Error("wentBack is wrong")
			}
			k.put(wire(t, "a", "u", "4", ""), true)
			k.relisted("", "5", map[nsName]struct{}{n: {}}, true)
		}, "4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := testKind(object.Tracker{})
			synced(k)
			tc.do(k)
			got := ""
			if e := k.objects[n]; e != nil {
				got = e.rv()
			}
			if got != tc.want {
				t.Errorf("resourceVersion = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestIndexFollowsMarks(t *testing.T) {
	k := testKind(object.Tracker{})
	key := object.Key{Kind: "ConfigMap", Namespace: "shop", Name: "a"}
	owned := k.index.ownedBy
	k.put(wire(t, "a", "u", "1", "one"), false)
	if !slices.Equal(owned("one"), []object.Key{key}) {
		t.Errorf("owned = %v", owned("one"))
	}
	k.put(wire(t, "a", "u", "2", "two"), false)
	if len(owned("one")) != 0 || len(owned("two")) != 1 {
		t.Errorf("after the move: %v, %v", owned("one"), owned("two"))
	}
	copied := wire(t, "b", "v", "3", "")
	copied.meta.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "two:/ConfigMap:shop/a"}
	k.put(copied, false)
	if len(owned("two")) != 1 {
		t.Errorf("a copy that carries another object's mark is owned: %v", owned("two"))
	}
	k.del(nsName{"shop", "a"}, "4")
	if len(owned("two")) != 0 || len(k.index.owned) != 0 {
		t.Errorf("after the deletion: %v", k.index.owned)
	}
}

func TestFeedCoalescesByKeyAndNeverBlocks(t *testing.T) {
	f := newFeed()
	defer f.close()
	entered, release := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	var got []Change
	f.subscribe(func(c Change) {
		if c.Key.Name == "first" {
			close(entered)
			<-release
			return
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, c)
	})
	key := func(name string) object.Key { return object.Key{Kind: "ConfigMap", Namespace: "shop", Name: name} }
	f.publish(Change{Key: key("first")})
	<-entered // the subscriber is busy now; publishing goes on
	at := time.Unix(1, 0)
	f.publish(Change{Key: key("a"), Event: Added, Owners: []string{"one"}, At: at})
	f.publish(Change{Key: key("b"), Event: Modified, At: at})
	for range 10000 {
		f.publish(Change{Key: key("a"), Event: Modified, Owners: []string{"two"}, At: at.Add(time.Second)})
	}
	f.publish(Change{Key: key("b"), Event: Deleted, At: at})
	f.publish(Change{Key: object.Key{Kind: "ConfigMap"}, Event: KindSynced})
	f.publish(Change{Key: object.Key{Kind: "ConfigMap"}, Event: KindUnknown})
	close(release)
	for {
		mu.Lock()
		n := len(got)
		mu.Unlock()
		if n == 4 {
			break
		}
		runtime.Gosched()
	}
	want := []Change{
		{Key: key("a"), Event: Added, Owners: []string{"one", "two"}, At: at},
		{Key: key("b"), Event: Deleted, At: at},
		{Key: object.Key{Kind: "ConfigMap"}, Event: KindSynced},
		{Key: object.Key{Kind: "ConfigMap"}, Event: KindUnknown},
	}
	for i := range want {
		if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) {
			t.Errorf("change %d = %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestPackKeepsEveryByte(t *testing.T) {
	for _, raw := range [][]byte{manifest("a", "u", "1", "app"), []byte(`{}`), bytes.Repeat([]byte("x"), 1<<20), nil} {
		p := pack(raw)
		back, err := p.unpack()
		if err != nil || !bytes.Equal(back, raw) {
			t.Errorf("%d bytes came back as %d, %v", len(raw), len(back), err)
		}
	}
	if raw := manifest("a", "u", "1", "app"); 2*len(pack(raw).data) > len(raw) {
		t.Errorf("a small ConfigMap of %d bytes takes %d", len(raw), len(pack(raw).data))
	}
}

// Field names are matched by exact case: an object must not be able to forge its own marks.
func TestMetadataCannotBeForgedByCase(t *testing.T) {
	it, err := decodeItem([]byte(`{"metadata":{"name":"a"},"METADATA":{"name":"b"},"Metadata":{"name":"c"}}`))
	if err != nil || it.meta.Name != "a" {
		t.Errorf("name = %q, %v", it.meta.Name, err)
	}
}

func TestDiscoveryThatFailsInPartKeepsWhatItKnew(t *testing.T) {
	core := metav1.APIGroup{Versions: []metav1.GroupVersionForDiscovery{{Version: "v1"}}}
	custom := metav1.APIGroup{Name: "example.com", Versions: []metav1.GroupVersionForDiscovery{{Version: "v1"}, {Version: "v1beta1"}},
		PreferredVersion: metav1.GroupVersionForDiscovery{Version: "v1"}}
	customV1 := schema.GroupVersion{Group: "example.com", Version: "v1"}
	lists := map[schema.GroupVersion]*metav1.APIResourceList{
		{Version: "v1"}: {APIResources: []metav1.APIResource{{Name: "pods", Kind: "Pod", Namespaced: true, Verbs: []string{"list"}}, {Name: "pods/log", Kind: "Pod"}}},
		customV1:        {APIResources: []metav1.APIResource{{Name: "widgets", Kind: "Widget", Verbs: []string{"list"}}}},
	}
	build := func(prev *catalog, failed map[schema.GroupVersion]error) *catalog {
		c := newCatalog()
		resources := map[schema.GroupVersion]*metav1.APIResourceList{}
		for gv, list := range lists {
			if failed[gv] == nil {
				resources[gv] = list
			}
		}
		for _, group := range []metav1.APIGroup{core, custom} {
			c.add(group, resources, failed, prev)
		}
		for gv, err := range failed {
			c.failed[gv] = err.Error()
		}
		return c
	}
	widget, gadget := customV1.WithKind("Widget"), customV1.WithKind("Gadget")
	good := build(nil, nil)
	bad := map[schema.GroupVersion]error{customV1: errors.New("stale")}
	for _, tc := range []struct {
		name string
		cat  *catalog
		gvk  schema.GroupVersionKind
		want Presence
	}{
		{"served", good, widget, Present},
		{"not served", good, gadget, Absent},
		{"served in another version", good, schema.GroupVersionKind{Group: "example.com", Version: "v2", Kind: "Widget"}, Absent},
		{"known before, not answering now", build(good, bad), widget, Present},
		{"never known, not answering", build(nil, bad), widget, Unknown},
		{"may be among what does not answer", build(good, bad), gadget, Unknown},
		{"another group is not affected", build(nil, bad), schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, Present},
		{"nothing asked yet", nil, widget, Unknown},
	} {
		if _, got, reason := tc.cat.find(tc.gvk); got != tc.want || (got != Present) != (reason != "") {
			t.Errorf("%s: %v %q, want %v", tc.name, got, reason, tc.want)
		}
	}
}

func TestRefusalsAreRecognised(t *testing.T) {
	at := target{cluster: "prod", res: configMaps, key: object.Key{Kind: "ConfigMap", Namespace: "shop", Name: "a"}}
	details := func(kind, name string) *metav1.StatusDetails { return &metav1.StatusDetails{Kind: kind, Name: name} }
	for _, tc := range []struct {
		name    string
		status  metav1.Status
		reason  Reason
		webhook string
	}{
		{"the object", metav1.Status{Code: 404, Details: details("configmaps", "a")}, NotFound, ""},
		{"its namespace", metav1.Status{Code: 404, Details: details("namespaces", "shop")}, NamespaceMissing, ""},
		{"a 404 of something in between", metav1.Status{Code: 404, Message: "nginx"}, NoSuchKind, ""},
		{"a dry run that a webhook does not take", metav1.Status{Code: 400, Message: `admission webhook "guard.example.com" does not support dry run`}, DryRunUnsupported, "guard.example.com"},
		{"a webhook that says no", metav1.Status{Code: 403, Message: `admission webhook "guard.example.com" denied the request: no`}, WebhookRefused, "guard.example.com"},
		{"a webhook that cannot be asked", metav1.Status{Code: 500, Message: `Internal error occurred: failed calling webhook "guard.example.com": timeout`}, WebhookFailed, "guard.example.com"},
		{"a policy that says no", metav1.Status{Code: 422, Message: `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'no-a' with binding 'b' denied request: no`}, WebhookRefused, "no-a"},
		{"a namespace that is going away", metav1.Status{Code: 403, Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: "NamespaceTerminating"}}}}, Terminating, ""},
		{"no right", metav1.Status{Code: 403}, Forbidden, ""},
		{"a quota", metav1.Status{Code: 403, Message: `pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2`}, QuotaExceeded, ""},
		{"a quota that wants limits", metav1.Status{Code: 403, Message: `pods "a" is forbidden: failed quota: q: must specify limits.cpu`}, QuotaExceeded, ""},
		{"pod security", metav1.Status{Code: 403, Message: `pods "a" is forbidden: violates PodSecurity "restricted:latest": privileged`}, NotAdmitted, ""},
		{"a limit range", metav1.Status{Code: 403, Message: `pods "a" is forbidden: maximum cpu usage per Container is 1, but limit is 2`}, NotAdmitted, ""},
		{"too large", metav1.Status{Code: 500, Message: "etcdserver: request is too large"}, TooLarge, ""},
		{"the API server fails", metav1.Status{Code: 503}, Unavailable, ""},
	} {
		err := at.wrap("apply", &apierrors.StatusError{ErrStatus: tc.status})
		var typed *Error
		if !errors.As(err, &typed) || typed.Reason != tc.reason || typed.Webhook != tc.webhook {
			t.Errorf("%s: %v (%+v), want %s of %q", tc.name, err, typed, tc.reason, tc.webhook)
		}
	}
	at.key.Kind = "Secret"
	secretive := `admission webhook "guard.example.com" denied the request: hunter2 is a bad password`
	if err := at.wrap("apply", &apierrors.StatusError{ErrStatus: metav1.Status{Code: 403, Message: secretive}}); bytes.Contains([]byte(err.Error()), []byte("hunter2")) {
		t.Errorf("a value is in %q", err)
	}
}

func TestLimiterShrinksWhenRefusedAndGrowsAgain(t *testing.T) {
	l := newLimiter(clock.RealClock{})
	done, err := l.acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	done(time.Millisecond, true, 0)
	if l.limit != firstLimit/2 {
		t.Errorf("limit = %v after a refusal, want half", l.limit)
	}
	for l.limit < firstLimit {
		var all []func(time.Duration, bool, time.Duration)
		for range int(l.limit) {
			done, err := l.acquire(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, done)
		}
		before := l.limit
		for _, done := range all {
			done(time.Millisecond, false, 0)
		}
		if l.limit <= before {
			t.Fatalf("limit = %v after a round that went well, was %v", l.limit, before)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l.limit = 0
	if _, err := l.acquire(ctx); !errors.Is(err, context.Canceled) || len(l.waiting) != 0 {
		t.Errorf("acquire = %v, %d still wait", err, len(l.waiting))
	}
}

func FuzzDecodeItem(f *testing.F) {
	f.Add(manifest("a", "u", "1", "app"))
	f.Add([]byte(`{"metadata":{"annotations":{"a":1}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		it, err := decodeItem(raw)
		if err != nil || !json.Valid(raw) {
			return
		}
		_ = it.meta.marks(object.Tracker{})
		if back, err := pack(raw).unpack(); err != nil || !bytes.Equal(back, raw) {
			t.Errorf("pack lost bytes: %v", err)
		}
	})
}
