// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Noise tells which changes of live objects concern nobody: those of the fields that resource.ignoreResourceUpdates names
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/reconcile/), of metadata.resourceVersion and generation, and
// of the times in managedFields. It is immutable but for what it remembers, and may be used from many goroutines. A nil
// *Noise has no rules.
type Noise struct {
	limit time.Duration
	rules []rule
	kinds sync.Map // schema.GroupKind -> *kindNoise
}

// NewNoise compiles rules: those of resource.ignoreResourceUpdates, and the system-level ignoreDifferences where
// ignoreDifferencesOnResourceUpdates asks for them. Group and Kind are globs. All rules that match a kind hold for it.
// managedFieldsManagers spare no work, as in Argo CD. limit bounds one jq expression on one object; 0 means one second.
//
// A rule that cannot be used is an error that names it, one with a name or namespace among them: these rules are of kinds.
func NewNoise(rules []v1alpha1.ResourceIgnoreDifferences, limit time.Duration) (*Noise, error) {
	n := &Noise{limit: limit}
	if n.limit == 0 {
		n.limit = jqTimeout
	}
	for _, given := range rules {
		compiled, err := compileRule(given, false)
		if err == nil && (given.Name != "" || given.Namespace != "") {
			err = errors.New("it names an object, and can only name kinds")
		}
		if err != nil {
			return nil, &fault.Error{Kind: fault.Mistake, Op: "use", Thing: fmt.Sprintf("the rule for %s/%s", given.Group, given.Kind),
				Where: "resource.customizations.ignoreResourceUpdates in argocd-cm", Err: err, Fix: "correct the rule or remove it"}
		}
		n.rules = append(n.rules, compiled)
	}
	return n, nil
}

// Digest returns the digest of a live object, given as the JSON that the API server sent, without what is noise. Two forms of
// one object with the same digest differ in nothing that concerns anybody but, maybe, its health, which is for the caller to
// judge. Text that is not an object's JSON is digested whole, so that it concerns somebody. The order of fields counts, so
// these digests are not those of DigestOf, and another API server may give others.
func (n *Noise) Digest(gk schema.GroupKind, raw []byte) object.Digest {
	return n.kind(gk).digest(raw, n.timeLimit())
}

// DigestOf is Digest for an object that was decoded. It costs more, and gives other digests.
func (n *Noise) DigestOf(u *unstructured.Unstructured) object.Digest {
	raw, err := json.Marshal(u.Object)
	if err != nil {
		return "" // no JSON form: equal to no other but its like
	}
	return n.Digest(u.GroupVersionKind().GroupKind(), raw)
}

func (n *Noise) timeLimit() time.Duration {
	if n == nil {
		return 0
	}
	return n.limit
}

// kindNoise is what is noise in objects of one kind.
type kindNoise struct {
	skip, fields *skipped // in the object, and in the field sets of its managedFields
	programs     []*noiseProgram
}

// noiseProgram is a jq expression that is given up once it did not end in time: it would cost that time at every event.
type noiseProgram struct {
	program
	hangs atomic.Bool
}

var withoutRules = newKindNoise(nil, schema.GroupKind{})

func (n *Noise) kind(gk schema.GroupKind) *kindNoise {
	if n == nil || len(n.rules) == 0 {
		return withoutRules
	}
	if k, ok := n.kinds.Load(gk); ok {
		return k.(*kindNoise)
	}
	k, _ := n.kinds.LoadOrStore(gk, newKindNoise(n.rules, gk))
	return k.(*kindNoise)
}

func newKindNoise(rules []rule, gk schema.GroupKind) *kindNoise {
	k := &kindNoise{skip: &skipped{}, fields: &skipped{}}
	k.add("kind") // known to whoever asks, and left out of the items of lists
	k.add("apiVersion")
	k.add("metadata", "resourceVersion")
	k.add("metadata", "generation")
	for _, r := range rules {
		if !matches(r.Group, gk.Group) || !matches(r.Kind, gk.Kind) {
			continue
		}
		for _, tokens := range r.pointers {
			k.add(tokens...)
		}
		for _, p := range r.programs {
			k.programs = append(k.programs, &noiseProgram{program: p})
		}
	}
	return k
}

// add makes a field noise, and so who owns it. Owners of what stands at a place in a list are named by what identifies
// them, which a place does not tell.
func (k *kindNoise) add(path ...string) {
	k.skip.add(path)
	owned := make([]string, len(path))
	for i, name := range path {
		owned[i] = "f:" + name
	}
	k.fields.add(owned)
}

func (k *kindNoise) digest(raw []byte, limit time.Duration) object.Digest {
	of := k
	if len(k.programs) > 0 {
		of = k.selected(raw, limit)
	}
	return object.DigestBytes(of.strip(raw))
}

// selected returns the kind's noise with the fields that its expressions select in an object.
func (k *kindNoise) selected(raw []byte, limit time.Duration) *kindNoise {
	var doc map[string]any
	if json.Unmarshal(raw, &doc) != nil {
		return k
	}
	out := &kindNoise{skip: k.skip.clone(), fields: k.fields.clone()}
	for _, p := range k.programs {
		for _, path := range p.run(doc, limit) {
			out.add(path...)
		}
	}
	return out
}

// run returns the paths that an expression selects; one that fails, or was given up, selects none.
func (p *noiseProgram) run(doc map[string]any, limit time.Duration) [][]string {
	if p.hangs.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	paths, err := p.paths(ctx, doc)
	if err != nil {
		p.hangs.Store(ctx.Err() != nil)
		return nil
	}
	out := make([][]string, 0, len(paths))
	for _, path := range paths {
		if steps, ok := stepsOf(doc, path); ok {
			out = append(out, steps)
		}
	}
	return out
}

// stepsOf writes a path as names, places in lists from the front; false if doc has nothing there.
func stepsOf(doc any, path []any) ([]string, bool) {
	steps := make([]string, len(path))
	for i, step := range path {
		switch at := doc.(type) {
		case map[string]any:
			name, ok := step.(string)
			if !ok {
				return nil, false
			}
			steps[i], doc = name, at[name]
		case []any:
			n, ok := placeOf(step, len(at))
			if !ok {
				return nil, false
			}
			steps[i], doc = strconv.Itoa(n), at[n]
		default:
			return nil, false
		}
	}
	return steps, len(steps) > 0
}
