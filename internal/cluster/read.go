// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Live is what is known of one object.
type Live struct {
	Presence        Presence
	Reason          string                     // why Absent or Unknown
	Object          *unstructured.Unstructured // a copy of the caller's own; nil unless Present
	Raw             []byte                     // Object as the API server sent it, not to be changed; nil unless Present
	Owner           string                     // instance name its mark gives; "" for none
	UID             types.UID
	ResourceVersion string
	Deleting        bool
}

func unknown(reason string) Live { return Live{Reason: reason} }

// Get returns an object from the store, in the version given ("" for the watched one). It begins to watch the kind if
// nobody has. The API server is asked only for what the store does not hold and then keeps: an unmarked object, or one in
// another version than the watched one.
func (c *Cluster) Get(ctx context.Context, key object.Key, version string) Live {
	gk := key.GroupKind()
	c.mu.RLock()
	k, excluded := c.kinds[gk], c.filter.Excluded(gk.Group, gk.Kind, c.cfg.Server)
	c.mu.RUnlock()
	switch {
	case excluded:
		return unknown("the kind " + gk.String() + " is left out by resource.exclusions or resource.inclusions")
	case k == nil, k.mode != watchFull:
		return c.getUnwatched(key, version)
	}
	if !k.res.Namespaced {
		key.Namespace = ""
	}
	if reason := c.stale(); reason != "" {
		return unknown(reason)
	}
	return c.getWatched(ctx, k, key, version)
}

// getUnwatched answers for a kind that has no watch: because it does not exist, cannot be listed, or was not asked for.
func (c *Cluster) getUnwatched(key object.Key, version string) Live {
	gvk := key.GroupKind().WithVersion(version)
	res, presence, reason := c.snapshot().find(gvk)
	switch {
	case presence == Absent:
		c.Watch(gvk)
		return Live{Presence: Absent, Reason: reason}
	case presence == Unknown:
		c.Watch(gvk)
		return unknown(reason)
	case !res.can("list"):
		return unknown("objects of the kind " + gvk.GroupKind().String() + " cannot be listed")
	case !c.inScope(res):
		return unknown("cluster " + c.cfg.Name + " is limited to namespaces, and " + gvk.GroupKind().String() + " is cluster-scoped: set clusterResources in its Secret")
	}
	c.Watch(gvk)
	return unknown("objects of the kind " + gvk.GroupKind().String() + " are not listed yet")
}

func (c *Cluster) getWatched(ctx context.Context, k *kind, key object.Key, version string) Live {
	n := nsName{key.Namespace, key.Name}
	k.mu.RLock()
	e, inScope := k.objects[n], k.scopeOf(n.namespace) != nil
	var synced bool
	var reason string
	if inScope {
		synced, reason = k.stateIn(k.scopeName(n.namespace))
	}
	var body packed
	var owner string
	if e != nil {
		body, owner = e.body(), e.owner()
		if version != "" && version != k.res.GVK.Version {
			body = e.version(version)
		}
	}
	k.mu.RUnlock()
	switch {
	case k.res.Namespaced && n.namespace == "":
		return unknown("objects of the kind " + k.gk().String() + " live in namespaces, and none is given")
	case !inScope:
		return unknown("cluster " + c.cfg.Name + " is limited to namespaces, and " + n.namespace + " is not among them")
	case !synced:
		return unknown(reason)
	case e == nil:
		return Live{Presence: Absent}
	case body.empty():
		return c.readThrough(ctx, k, key, version)
	}
	raw, err := body.unpack()
	if err != nil {
		return unknown(err.Error())
	}
	if version == "" {
		version = k.res.GVK.Version
	}
	return liveOf(raw, key.GroupKind().WithVersion(version), owner)
}

// readThrough asks the API server for an object that the store holds only as metadata or in another version, and keeps
// the answer.
func (c *Cluster) readThrough(ctx context.Context, k *kind, key object.Key, version string) Live {
	gvk := key.GroupKind().WithVersion(version)
	raw, err := c.readRaw(asOurselves(ctx), gvk, key.Namespace, key.Name)
	if errors.Is(err, NotFound) {
		return Live{Presence: Absent}
	}
	if err != nil {
		return unknown(err.Error())
	}
	it, err := decodeItem(raw)
	if err != nil {
		return unknown(err.Error())
	}
	if version == "" || version == k.res.GVK.Version {
		gvk.Version = k.res.GVK.Version
		k.absorb(it, true)
	} else {
		k.keepVersion(it, version)
	}
	return liveOf(raw, gvk, k.tracker.Owner(key, it.meta.marks(k.tracker)))
}

// keepVersion holds an object in another version for as long as its resourceVersion stays.
func (k *kind) keepVersion(it item, version string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.objects[nsName{it.meta.Namespace, it.meta.Name}]
	if e == nil || e.rv() != it.meta.ResourceVersion {
		return
	}
	if e.rest().versions == nil {
		e.more.versions = map[string]packed{}
	}
	e.more.versions[version] = pack(it.raw)
}

// liveOf decodes an object. Items of lists of built-in kinds do not say their kind, so it is set.
func liveOf(raw []byte, gvk schema.GroupVersionKind, owner string) Live {
	u := &unstructured.Unstructured{}
	if err := unmarshal(raw, &u.Object); err != nil {
		return unknown("decode the object: " + err.Error())
	}
	u.SetGroupVersionKind(gvk)
	return Live{
		Presence: Present, Object: u, Raw: raw, Owner: owner, UID: u.GetUID(), ResourceVersion: u.GetResourceVersion(), Deleting: u.GetDeletionTimestamp() != nil,
	}
}

// Read asks the API server for an object, past the store. Errors are *Error; NotFound is one.
func (c *Cluster) Read(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	raw, err := c.readRaw(ctx, gvk, namespace, name)
	if err != nil {
		return nil, err
	}
	live := liveOf(raw, gvk, "")
	if live.Object == nil {
		return nil, fault.New(fault.Retry, "read", object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: namespace, Name: name}.String(), "", live.Reason, "")
	}
	return live.Object, nil
}

func (c *Cluster) readRaw(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) ([]byte, error) {
	t, err := c.target(ctx, "read", gvk, namespace, name)
	if err != nil {
		return nil, err
	}
	raw, err := c.api.get(ctx, t.path, acceptJSON)
	if err != nil {
		c.link.report(err)
		return nil, t.wrap("read", err)
	}
	return raw, nil
}

// Owned returns the objects that carry this application's mark, sorted. It is the whole truth only as far as Inventory
// says.
func (c *Cluster) Owned(app string) []object.Key { return c.index.ownedBy(app) }

// Owners returns the instance names that any mark names, sorted.
func (c *Cluster) Owners() []string { return c.index.owners() }

// Resource says how a kind is served, by the last discovery; version "" means the preferred one. Absent is the API
// server's word; Unknown (with the reason) means that it could not be told.
func (c *Cluster) Resource(gvk schema.GroupVersionKind) (Resource, Presence, string) {
	return c.snapshot().find(gvk)
}

// Excluded reports whether the settings leave the kind out.
func (c *Cluster) Excluded(gk schema.GroupKind) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.filter.Excluded(gk.Group, gk.Kind, c.cfg.Server)
}

// Version returns the API server's version, such as "v1.36.3"; "" before it answered.
func (c *Cluster) Version() string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.version
}

// APIVersions returns what the cluster serves as "group/version" and "group/version/Kind", sorted. The list is shared: it
// is not to be changed, and it is the same one until the cluster serves something else.
func (c *Cluster) APIVersions() []string {
	if cat := c.snapshot(); cat != nil {
		return cat.versions
	}
	return nil
}

// Connection is the state of the link.
type Connection struct {
	Connected bool
	Reason    string    // why not
	Since     time.Time // of this state
	Contact   time.Time // last answer of the probe
}

// Connection says whether the API server answers.
func (c *Cluster) Connection() Connection {
	up, reason, since, contact := c.link.state()
	return Connection{Connected: up, Reason: reason, Since: since, Contact: contact}
}

// Wait blocks until the store can answer for these kinds, with objects or with a reason. The error is the context's.
func (c *Cluster) Wait(ctx context.Context, kinds ...schema.GroupVersionKind) error {
	c.Watch(kinds...)
	for _, gvk := range kinds {
		for !c.answers(gvk) {
			if err := sleep(ctx, c.opts.Clock, 5*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Cluster) answers(gvk schema.GroupVersionKind) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	k := c.kinds[gvk.GroupKind()]
	if k == nil {
		if c.catalog == nil {
			return false
		}
		_, ok := c.watchable(gvk.GroupKind(), gvk.Version)
		return !ok
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	synced, _ := k.state()
	return synced || k.said == saidUnknown
}
