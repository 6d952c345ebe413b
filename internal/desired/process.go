// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/render"
)

// Scope is what is known of a kind.
type Scope int

// The scopes. ScopeUnknown is a kind that the cluster does not serve (yet).
const (
	ScopeUnknown Scope = iota
	ScopeNamespaced
	ScopeCluster
)

// Target holds what of project, cluster and settings goes into the objects of one application.
type Target struct {
	Instance  string // instance name of the application
	Release   string // the application's name without its namespace
	Server    string // destination cluster
	Namespace string // destination namespace
	Tracker   object.Tracker
	// Facts are what the destination cluster can do; nil means that it is not known.
	Facts render.Facts
	// PermitSource says whether the project permits to read from an address that a render asks for; nil permits none.
	PermitSource func(url string) error
	// Options and Limits are those of the settings. They are not part of Version: what is remembered is checked against them.
	Options render.Options
	Limits  render.Limits
	// Scope tells whether a kind is namespaced.
	Scope func(schema.GroupVersionKind) Scope
	// Permit says whether the project permits an object: its kind and name, and the namespace it goes to, which a
	// manifest may choose freely; nil error means yes.
	Permit func(key object.Key, namespaced bool) error
	// Excluded says whether settings take a kind out of Bowline's sight.
	Excluded func(group, kind string) bool
	// Version changes whenever an answer of Scope, Permit or Excluded may change, or what Sources.Verify says.
	Version string
}

// maxListed bounds how many objects one error or warning names.
const maxListed = 10

// atMost cuts a list and says how much was cut.
func atMost(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(slices.Clip(list[:n]), fmt.Sprintf("and %d more", len(list)-n))
}

// process turns manifests into objects: namespaces filled in, duplicates and excluded kinds dropped with a warning,
// tracking marks written, the project asked.
func process(encoded []rawManifest, target Target, warnings *warner) ([]Object, error) {
	manifests, err := decode(encoded)
	if err != nil {
		return nil, err
	}
	p := processor{
		target: target, own: scopesOfOwnCRDs(manifests), warnings: warnings, at: map[object.Key]int{},
		placed: &placement{tracker: target.Tracker, instance: target.Instance, namespace: target.Namespace},
	}
	for i, m := range manifests {
		if err := p.add(m, &encoded[i]); err != nil {
			return nil, err
		}
	}
	if len(p.missing) > 0 {
		return nil, p.missingNamespaces()
	}
	return p.objects, nil
}

type processor struct {
	target   Target
	placed   *placement
	own      map[schema.GroupKind]Scope
	warnings *warner
	objects  []Object
	at       map[object.Key]int // place of each key in objects
	missing  []string           // namespaced objects for which nothing names a namespace
}

func (p *processor) add(m object.Manifest, raw *rawManifest) error {
	u := m.Object
	gvk := u.GroupVersionKind()
	if p.target.Excluded(gvk.Group, gvk.Kind) {
		p.warnings.add(v1alpha1.ApplicationConditionExcludedResourceWarning,
			fmt.Sprintf("%s (%s) is of a kind that settings exclude: it is not applied (resource.exclusions in argocd-cm)", object.KeyOf(u), m.Origin))
		return nil
	}
	scope := p.scope(gvk)
	namespace := u.GetNamespace()
	switch {
	case scope == ScopeCluster:
		namespace = ""
	case namespace == "":
		namespace = p.target.Namespace
	}
	if scope == ScopeNamespaced && namespace == "" {
		p.missing = append(p.missing, fmt.Sprintf("%s (%s)", object.KeyOf(u), m.Origin))
		return nil
	}
	p.placed.put(u, namespace)
	content, err := json.Marshal(u.Object)
	if err != nil {
		return fmt.Errorf("%s: %w", m.Origin, err)
	}
	o := Object{Key: object.KeyOf(u), Version: gvk.Version, Digest: object.DigestBytes(content), Origin: m.Origin, Volatile: raw.volatile, manifest: raw.json, placed: p.placed}
	o.Refused = p.target.Permit(o.Key, scope != ScopeCluster)
	hooks, takesPart := plan.Hooks(u)
	o.Hook, o.Aside = len(hooks) > 0, !takesPart
	o.Wave, _ = plan.WaveOf(u)
	p.put(o)
	return nil
}

// scope asks the cluster first; a kind that it does not serve yet may be one that the application itself brings.
func (p *processor) scope(gvk schema.GroupVersionKind) Scope {
	if scope := p.target.Scope(gvk); scope != ScopeUnknown {
		return scope
	}
	return p.own[gvk.GroupKind()]
}

// put adds an object; of several with the same key the last one counts, as in Argo CD.
func (p *processor) put(o Object) {
	i, twice := p.at[o.Key]
	if !twice || o.Key.Name == "" { // objects with generateName are all different ones
		p.at[o.Key] = len(p.objects)
		p.objects = append(p.objects, o)
		return
	}
	p.warnings.add(v1alpha1.ApplicationConditionRepeatedResourceWarning,
		fmt.Sprintf("%s is defined at %s: the last one counts; remove one", o.Key, twoPlaces(p.objects[i].Origin, o.Origin)))
	p.objects[i] = o
}

// twoPlaces names both, with their sources if these are not the same: files of two sources may have the same name.
func twoPlaces(a, b object.Origin) string {
	if a.Source == b.Source {
		return fmt.Sprintf("%s and again at %s", a, b)
	}
	return fmt.Sprintf("%s of spec.sources[%d] and again at %s of spec.sources[%d]", a, a.Source, b, b.Source)
}

func (p *processor) missingNamespaces() error {
	return fault.New(fault.Mistake, "place", strings.Join(atMost(p.missing, maxListed), ", "), "", "nothing names a namespace",
		"set spec.destination.namespace, or metadata.namespace in the manifest")
}

// rawManifest is a manifest as it is remembered: JSON takes a fraction of the memory of decoded maps.
type rawManifest struct {
	json     []byte
	origin   object.Origin
	volatile []string // see Object.Volatile
}

func encode(manifests []object.Manifest) ([]rawManifest, error) {
	out := make([]rawManifest, len(manifests))
	for i, m := range manifests {
		if gvk := m.Object.GroupVersionKind(); gvk.Group == v1alpha1.Group && gvk.Kind == v1alpha1.ApplicationKind {
			// The kind has no status subresource: a status from a source would be taken for what the hub found out.
			delete(m.Object.Object, "status")
		}
		raw, err := json.Marshal(m.Object.Object)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Origin, err)
		}
		out[i] = rawManifest{json: raw, origin: m.Origin}
	}
	return out, nil
}

func decode(encoded []rawManifest) ([]object.Manifest, error) {
	out := make([]object.Manifest, len(encoded))
	for i, r := range encoded {
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(r.json); err != nil {
			return nil, fmt.Errorf("%s: %w", r.origin, err)
		}
		out[i] = object.Manifest{Object: u, Origin: r.origin}
	}
	return out, nil
}

// scopesOfOwnCRDs reads the scope of kinds that the application itself brings.
func scopesOfOwnCRDs(manifests []object.Manifest) map[schema.GroupKind]Scope {
	scopes := map[schema.GroupKind]Scope{}
	for _, m := range manifests {
		if m.Object.GetKind() != "CustomResourceDefinition" {
			continue
		}
		spec, _ := m.Object.Object["spec"].(map[string]any)
		names, _ := spec["names"].(map[string]any)
		group, _ := spec["group"].(string)
		kind, _ := names["kind"].(string)
		scope := ScopeNamespaced
		if spec["scope"] == "Cluster" {
			scope = ScopeCluster
		}
		scopes[schema.GroupKind{Group: group, Kind: kind}] = scope
	}
	return scopes
}

// warner gathers messages by condition type: an application has one condition of a type.
type warner struct {
	messages map[v1alpha1.ApplicationConditionType][]string
}

func (w *warner) add(t v1alpha1.ApplicationConditionType, message string) {
	if w.messages == nil {
		w.messages = map[v1alpha1.ApplicationConditionType][]string{}
	}
	w.messages[t] = append(w.messages[t], message)
}

// conditions returns the warnings sorted, so that the same warnings always make the same status.
func (w *warner) conditions() []v1alpha1.ApplicationCondition {
	var out []v1alpha1.ApplicationCondition
	for t, messages := range w.messages {
		slices.Sort(messages)
		out = append(out, v1alpha1.ApplicationCondition{Type: t, Message: strings.Join(atMost(slices.Compact(messages), maxListed), "\n")})
	}
	slices.SortFunc(out, func(a, b v1alpha1.ApplicationCondition) int { return strings.Compare(string(a.Type), string(b.Type)) })
	return out
}

// digestOf folds the objects' digests into one that does not depend on their order.
func digestOf(objects []Object) object.Digest {
	lines := make([]string, len(objects))
	for i, o := range objects {
		lines[i] = o.Key.String() + " " + o.Version + " " + string(o.Digest)
	}
	slices.Sort(lines)
	return object.DigestOf(lines)
}
