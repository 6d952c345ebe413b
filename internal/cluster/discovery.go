// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// Presence says whether something is there. The zero value is Unknown: what nobody could read is not absent.
type Presence int

// The three answers.
const (
	Unknown Presence = iota
	Absent
	Present
)

func (p Presence) String() string { return [...]string{"unknown", "absent", "present"}[p] }

// Resource is how the API server serves a kind in one version.
type Resource struct {
	GVR        schema.GroupVersionResource
	GVK        schema.GroupVersionKind
	Namespaced bool
	Verbs      []string
	Served     []string // versions, the preferred one first
}

func (r Resource) can(verb string) bool { return slices.Contains(r.Verbs, verb) }

// catalog is what one discovery said. It is never changed after it was built.
type catalog struct {
	kinds    map[schema.GroupKind]*servedKind
	plurals  map[schema.GroupResource]struct{}
	failed   map[schema.GroupVersion]string // group versions that did not answer, with the reason
	versions []string                       // "apps/v1", "apps/v1/Deployment", sorted
}

type servedKind struct {
	byVersion map[string]metav1.APIResource
	order     []string // versions, the preferred one first
}

func newCatalog() *catalog {
	return &catalog{kinds: map[schema.GroupKind]*servedKind{}, plurals: map[schema.GroupResource]struct{}{}, failed: map[schema.GroupVersion]string{}}
}

// find answers for a kind; version "" means the preferred one.
func (c *catalog) find(gvk schema.GroupVersionKind) (Resource, Presence, string) {
	if c == nil {
		return Resource{}, Unknown, "the cluster has not been asked yet which kinds it serves"
	}
	served := c.kinds[gvk.GroupKind()]
	if served == nil {
		if reason, failed := c.groupFailed(gvk); failed {
			return Resource{}, Unknown, reason
		}
		return Resource{}, Absent, fmt.Sprintf("the cluster does not serve the kind %s", gvk.GroupKind())
	}
	version := gvk.Version
	if version == "" {
		version = served.order[0]
	}
	res, ok := served.byVersion[version]
	if !ok {
		if reason, failed := c.groupFailed(gvk); failed {
			return Resource{}, Unknown, reason
		}
		return Resource{}, Absent, fmt.Sprintf("the cluster serves the kind %s in %s, not in %s", gvk.GroupKind(), strings.Join(served.order, ", "), version)
	}
	gvk.Version = version
	return Resource{
		GVR: schema.GroupVersionResource{Group: gvk.Group, Version: version, Resource: res.Name}, GVK: gvk,
		Namespaced: res.Namespaced, Verbs: res.Verbs, Served: served.order,
	}, Present, ""
}

func (c *catalog) groupFailed(gvk schema.GroupVersionKind) (string, bool) {
	for _, gv := range sortedGVs(c.failed) {
		if gv.Group == gvk.Group && (gvk.Version == "" || gv.Version == gvk.Version) {
			return fmt.Sprintf("the API group version %s does not answer: %s", gv, c.failed[gv]), true
		}
	}
	return "", false
}

// serves reports whether any kind of the group is served under this plural name.
func (c *catalog) serves(gr schema.GroupResource) bool {
	_, ok := c.plurals[gr]
	return ok
}

func sortedGVs(m map[schema.GroupVersion]string) []schema.GroupVersion {
	return slices.SortedFunc(maps.Keys(m), func(a, b schema.GroupVersion) int { return strings.Compare(a.String(), b.String()) })
}

// discover asks the API server for its kinds. What a failed group version served before (prev) is kept: that it does
// not answer now does not make its kinds go away.
func (a *api) discover(ctx context.Context, prev *catalog) (*catalog, error) {
	out := newCatalog()
	for _, path := range []string{"/api", "/apis"} {
		groups, resources, failed, err := a.discoverUnder(ctx, path)
		if err != nil {
			return nil, err
		}
		for _, group := range groups {
			out.add(group, resources, failed, prev)
		}
		for gv, err := range failed {
			out.failed[gv] = err.Error()
		}
	}
	slices.Sort(out.versions)
	return out, nil
}

func (c *catalog) add(group metav1.APIGroup, resources map[schema.GroupVersion]*metav1.APIResourceList, failed map[schema.GroupVersion]error, prev *catalog) {
	for _, version := range versionsInOrder(group) {
		gv := schema.GroupVersion{Group: group.Name, Version: version}
		if list := resources[gv]; list != nil {
			for _, res := range list.APIResources {
				c.addResource(gv, res)
			}
		} else if failed[gv] != nil && prev != nil {
			for gk, kind := range prev.kinds {
				if res, ok := kind.byVersion[version]; ok && gk.Group == group.Name {
					c.addResource(gv, res)
				}
			}
		}
		c.versions = append(c.versions, gv.String())
	}
}

func (c *catalog) addResource(gv schema.GroupVersion, res metav1.APIResource) {
	if strings.Contains(res.Name, "/") {
		return // a subresource
	}
	c.plurals[schema.GroupResource{Group: gv.Group, Resource: res.Name}] = struct{}{}
	gk := schema.GroupKind{Group: gv.Group, Kind: res.Kind}
	kind := c.kinds[gk]
	if kind == nil {
		kind = &servedKind{byVersion: map[string]metav1.APIResource{}}
		c.kinds[gk] = kind
	}
	if old, ok := kind.byVersion[gv.Version]; ok {
		if !slices.Contains(old.Verbs, "list") && slices.Contains(res.Verbs, "list") {
			kind.byVersion[gv.Version] = res
		}
		return
	}
	kind.byVersion[gv.Version] = res
	kind.order = append(kind.order, gv.Version)
	c.versions = append(c.versions, gv.String()+"/"+res.Kind)
}

// check refuses an answer that no API server gives: something in between made it up, or cut it.
func (c *catalog) check() error {
	core := schema.GroupVersion{Version: "v1"}
	if c.kinds[schema.GroupKind{Kind: "Namespace"}] == nil && c.failed[core] == "" {
		return errors.New("the API server says that it serves no Namespaces: this is not its whole answer")
	}
	return nil
}

// keepDefined keeps kinds that discovery does not name any more although their CRD is there: API servers that run side
// by side differ for a moment, and a kind that seems gone would take its objects along.
func (c *catalog) keepDefined(prev *catalog, exists func(schema.GroupResource) bool) {
	if prev == nil {
		return
	}
	for gk, kind := range prev.kinds {
		gr := schema.GroupResource{Group: gk.Group, Resource: kind.byVersion[kind.order[0]].Name}
		if c.kinds[gk] == nil && exists(gr) {
			c.kinds[gk] = kind
			c.plurals[gr] = struct{}{}
		}
	}
}

func versionsInOrder(group metav1.APIGroup) []string {
	var out []string
	if group.PreferredVersion.Version != "" {
		out = append(out, group.PreferredVersion.Version)
	}
	for _, v := range group.Versions {
		if !slices.Contains(out, v.Version) {
			out = append(out, v.Version)
		}
	}
	return out
}

// discoverUnder reads the groups below /api or /apis with their resources, in one request where the API server
// aggregates its discovery (Kubernetes 1.27 and later), otherwise in one per group version.
func (a *api) discoverUnder(ctx context.Context, path string) ([]metav1.APIGroup, map[schema.GroupVersion]*metav1.APIResourceList, map[schema.GroupVersion]error, error) {
	raw, err := a.get(ctx, path, discovery.AcceptV2+","+acceptJSON)
	if err != nil {
		return nil, nil, nil, err
	}
	var aggregated apidiscovery.APIGroupDiscoveryList
	if err := unmarshal(raw, &aggregated); err != nil {
		return nil, nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	if aggregated.Kind == "APIGroupDiscoveryList" {
		groups, resources, failed := discovery.SplitGroupsAndResources(aggregated)
		return groups.Groups, resources, failed, nil
	}
	groups, err := legacyGroups(raw)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	resources, failed := map[schema.GroupVersion]*metav1.APIResourceList{}, map[schema.GroupVersion]error{}
	for _, group := range groups {
		for _, version := range group.Versions {
			gv := schema.GroupVersion{Group: group.Name, Version: version.Version}
			var list metav1.APIResourceList
			raw, err := a.get(ctx, path+"/"+gv.String(), acceptJSON)
			if err == nil {
				err = unmarshal(raw, &list)
			}
			if err != nil {
				failed[gv] = err
				continue
			}
			resources[gv] = &list
		}
	}
	return groups, resources, failed, nil
}

// legacyGroups reads the unaggregated answer of /apis, or of /api, which only lists versions of the core group.
func legacyGroups(raw []byte) ([]metav1.APIGroup, error) {
	var list struct {
		Kind     string            `json:"kind"`
		Groups   []metav1.APIGroup `json:"groups"`
		Versions []string          `json:"versions"`
	}
	if err := unmarshal(raw, &list); err != nil {
		return nil, err
	}
	switch list.Kind {
	case "APIGroupList":
		return list.Groups, nil
	case "APIVersions":
		var core metav1.APIGroup
		for _, version := range list.Versions {
			core.Versions = append(core.Versions, metav1.GroupVersionForDiscovery{GroupVersion: version, Version: version})
		}
		return []metav1.APIGroup{core}, nil
	default:
		return nil, fmt.Errorf("the answer is a %q, not a list of API groups", list.Kind)
	}
}
