// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/topology"
)

// world is the store and, beside it, a plain list of what is there.
type world struct {
	index   *index
	kinds   map[string]*kind
	objects map[object.Key]*thing
	rv, uid int
	refills []place
}

// thing is an object as the naive model has it.
type thing struct {
	key     object.Key
	uid     string
	app     string
	owners  []string // uids
	claims  []string // of a StatefulSet
	service string   // label of an EndpointSlice
}

var worldKinds = []struct {
	group, kind string
	namespaced  bool
}{
	{"apps", "StatefulSet", true}, {"", "PersistentVolumeClaim", true}, {"", "Service", true}, {"", "Endpoints", true},
	{"discovery.k8s.io", "EndpointSlice", true}, {"", "Pod", true}, {"example.com", "Widget", false},
}

func newWorld() *world {
	w := &world{index: newIndex(), kinds: map[string]*kind{}, objects: map[object.Key]*thing{}}
	w.index.refills = func(at []place) { w.refills = append(w.refills, at...) }
	w.index.seek(map[string]struct{}{"a": {}, "b": {}})
	for _, wk := range worldKinds {
		k := newKind(Resource{GVK: schema.GroupVersionKind{Group: wk.group, Version: "v1", Kind: wk.kind}, Namespaced: wk.namespaced}, nil)
		k.tracker, k.index, k.feed, k.clock = object.Tracker{}, w.index, newFeed(), clock.RealClock{}
		k.mode, k.answered, k.markMet = watchSummary, func() {}, func() {}
		k.describe = func([]byte) packed { return packDetail(topology.Detail{Health: &health.Status{}}) }
		w.index.begins()
		w.kinds[wk.kind] = k
	}
	return w
}

func (w *world) settle() {
	for _, k := range w.kinds {
		k.relisted("", "0", w.seen(k), false)
	}
}

func (w *world) seen(k *kind) map[nsName]struct{} {
	out := map[nsName]struct{}{}
	for n := range k.objects {
		out[n] = struct{}{}
	}
	return out
}

func (w *world) put(t testing.TB, th *thing) {
	w.rv++
	var refs, claims []string
	for _, uid := range th.owners {
		refs = append(refs, fmt.Sprintf(`{"uid":%q}`, uid))
	}
	for _, claim := range th.claims {
		claims = append(claims, fmt.Sprintf(`{"metadata":{"name":%q}}`, claim))
	}
	tracking := ""
	if th.app != "" {
		tracking = object.TrackingID{App: th.app, Key: th.key}.String()
		if th.key.Namespace == "" {
			tracking = object.TrackingID{App: th.app, Key: object.Key{Group: th.key.Group, Kind: th.key.Kind, Namespace: "a", Name: th.key.Name}}.String()
		}
	}
	raw := fmt.Sprintf(`{"metadata":{"name":%q,"namespace":%q,"uid":%q,"resourceVersion":"%d","ownerReferences":[%s],"labels":{"kubernetes.io/service-name":%q},"annotations":{"argocd.argoproj.io/tracking-id":%q}},"spec":{"volumeClaimTemplates":[%s]}}`,
		th.key.Name, th.key.Namespace, th.uid, w.rv, strings.Join(refs, ","), th.service, tracking, strings.Join(claims, ","))
	it, err := decodeItem([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	w.kinds[th.key.Kind].put(it, false)
	w.objects[th.key] = th
}

func (w *world) del(key object.Key) {
	w.rv++
	w.kinds[key.Kind].del(nsName{key.Namespace, key.Name}, fmt.Sprint(w.rv))
	delete(w.objects, key)
}

// step does one random thing: make, change, delete, or delete and re-create under another uid without a word between.
func (w *world) step(t *testing.T, r *rand.Rand) {
	wk := worldKinds[r.IntN(len(worldKinds))]
	key := object.Key{Group: wk.group, Kind: wk.kind, Name: []string{"x", "y", "d-x-0", "d-y-1", "e-x-12"}[r.IntN(5)]}
	if wk.namespaced {
		key.Namespace = []string{"a", "b"}[r.IntN(2)]
	}
	old := w.objects[key]
	if old != nil && r.IntN(3) == 0 {
		w.del(key)
		return
	}
	th := &thing{key: key, app: []string{"", "", "", "one", "two"}[r.IntN(5)]}
	if old != nil && r.IntN(4) > 0 {
		th.uid = old.uid
	} else {
		w.uid++
		th.uid = fmt.Sprintf("0d9b1a9e-0000-4000-8000-%012d", w.uid)
	}
	// Owners may be anything that ever was or will be: late ones, gone ones, itself, cycles, other namespaces.
	for range r.IntN(3) {
		th.owners = append(th.owners, fmt.Sprintf("0d9b1a9e-0000-4000-8000-%012d", 1+r.IntN(w.uid+3)))
	}
	switch key.Kind {
	case "StatefulSet":
		th.claims = [][]string{nil, {"d"}, {"d", "e"}}[r.IntN(3)]
	case "EndpointSlice":
		th.service = []string{"", "x", "y"}[r.IntN(3)]
	}
	w.put(t, th)
}

// isChild is the rule, said plainly.
func isChild(child, parent *thing) bool {
	if parent.key.Namespace != "" && parent.key.Namespace != child.key.Namespace {
		return false
	}
	inferred := false
	switch {
	case child.key.Kind == "Endpoints" && parent.key.Kind == "Service":
		inferred = child.key.Name == parent.key.Name
	case child.key.Kind == "EndpointSlice" && parent.key.Kind == "Service":
		inferred = child.service == parent.key.Name
	case child.key.Kind == "PersistentVolumeClaim" && parent.key.Kind == "StatefulSet":
		for _, claim := range parent.claims {
			rest, ok := strings.CutPrefix(child.key.Name, claim+"-"+parent.key.Name+"-")
			inferred = inferred || ok && rest != "" && strings.Trim(rest, "0123456789") == ""
		}
	}
	return inferred || slices.Contains(child.owners, parent.uid)
}

func (w *world) descendants(from []*thing) map[object.Key]bool {
	out := map[object.Key]bool{}
	for len(from) > 0 {
		parent := from[0]
		from = from[1:]
		if out[parent.key] {
			continue
		}
		out[parent.key] = true
		for _, th := range w.objects {
			if isChild(th, parent) {
				from = append(from, th)
			}
		}
	}
	return out
}

func (w *world) owned(app string) []*thing {
	var out []*thing
	for _, th := range w.objects {
		if th.app != "" && (app == "" || th.app == app) {
			out = append(out, th)
		}
	}
	return out
}

func (w *world) check(t *testing.T) {
	t.Helper()
	for _, app := range []string{"one", "two"} {
		owned := w.owned(app)
		var keys []object.Key
		for _, th := range owned {
			keys = append(keys, th.key)
		}
		slices.SortFunc(keys, object.Key.Compare)
		if got := w.index.ownedBy(app); !slices.Equal(got, keys) {
			t.Fatalf("owned by %s: %v, want %v", app, got, keys)
		}
		want := w.descendants(owned)
		got := w.tree(keys)
		for key := range want {
			if !got[key] {
				t.Fatalf("%s is not in the tree of %s", key, app)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("the tree of %s has %d nodes, want %d: %v, want %v", app, len(got), len(want), got, want)
		}
	}
	w.checkDetails(t)
	w.checkLoose(t)
}

func (w *world) tree(roots []object.Key) map[object.Key]bool {
	var starts []start
	for _, key := range roots {
		k := w.kinds[key.Kind]
		n := nsName{key.Namespace, key.Name}
		starts = append(starts, start{place{k, n}, k.objects[n].id})
	}
	out := map[object.Key]bool{}
	for _, b := range w.index.hanging(starts, map[place]struct{}{}) {
		out[b.kind.key(b.n)] = true
	}
	return out
}

// checkDetails: what a tree shows is kept of the descendants of ours, or was asked for again.
func (w *world) checkDetails(t *testing.T) {
	t.Helper()
	for key := range w.descendants(w.owned("")) {
		k, n := w.kinds[key.Kind], nsName{key.Namespace, key.Name}
		if k.lacksDetail(n) && !slices.Contains(w.refills, place{k, n}) {
			t.Fatalf("nothing is kept of %s, and nobody was told", key)
		}
	}
}

func (w *world) checkLoose(t *testing.T) {
	t.Helper()
	for _, namespace := range []string{"a", "b"} {
		got := map[object.Key]bool{}
		for _, at := range w.index.unowned([]string{namespace}, func(app string) bool { return app == "one" }) {
			got[at.kind.key(at.n)] = true
		}
		want := 0
		for key, th := range w.objects {
			inferred := topology.Infer(key, map[string]string{"kubernetes.io/service-name": th.service}, nil)
			if key.Namespace != namespace || th.app == "one" || len(th.owners)+len(inferred.Roles) > 0 {
				continue
			}
			if want++; !got[key] {
				t.Fatalf("%s is nobody's and was not found", key)
			}
		}
		if len(got) != want {
			t.Fatalf("%d objects of %s are nobody's, want %d: %v", len(got), namespace, want, got)
		}
	}
}

// The index says after each change what somebody finds who looks at everything.
func TestIndexAgreesWithEverything(t *testing.T) {
	rounds := 60
	if os.Getenv("BOWLINE_SOAK") != "" {
		rounds = 5000
	}
	for round := range rounds {
		seed := uint64(round)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWorld()
			settleAt := r.IntN(40)
			for i := range 120 {
				if i == settleAt {
					w.settle()
				}
				w.step(t, r)
				w.check(t)
			}
			for key := range w.objects {
				w.del(key)
			}
			if n := len(w.index.nodes) + len(w.index.owned) + len(w.index.loose["a"]) + len(w.index.loose["b"]); n != 0 {
				t.Errorf("%d entries are left of nothing", n)
			}
		})
	}
}

// A chain that somebody builds to keep us busy costs nothing beyond its first generations.
func TestClimbingEnds(t *testing.T) {
	w := newWorld()
	const long = 5000
	id := func(i int) string { return fmt.Sprintf("0d9b1a9e-0000-4000-8000-%012d", i) }
	for i := range long {
		w.put(t, &thing{key: object.Key{Kind: "Pod", Namespace: "a", Name: fmt.Sprint("p", i)}, uid: id(i + 1), owners: []string{id(i)}})
	}
	w.settle()
	if w.index.mayBeOurs("a", links{parents: []uid{uidOf(id(long))}}) {
		t.Error("a chain that leads to nobody is ours")
	}
}

func TestUID(t *testing.T) {
	const text = "0d9b1a9e-0000-4000-8000-00000000abcd"
	if got := uidOf(text).String(); got != text {
		t.Errorf("%s came back as %s", text, got)
	}
	for _, other := range []string{"", "u", strings.ToUpper(text), text + "0", strings.ReplaceAll(text, "-", "0")} {
		if _, ok := parseUUID(other); ok || uidOf(other) == uidOf(text) {
			t.Errorf("%q is taken for a UUID", other)
		}
		e := newEntry(&itemMeta{UID: other, ResourceVersion: "x1"})
		if e.uid() != other || e.rv() != "x1" {
			t.Errorf("%q came back as %q at %q", other, e.uid(), e.rv())
		}
	}
	for _, rv := range []string{"7", "0", "007", "18446744073709551615", "18446744073709551616"} {
		if e := newEntry(&itemMeta{UID: text, ResourceVersion: rv}); e.rv() != rv || e.uid() != text {
			t.Errorf("version %s came back as %s of %s", rv, e.rv(), e.uid())
		}
	}
}
