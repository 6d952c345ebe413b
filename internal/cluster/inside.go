// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/object"
)

// madeByItself are objects that every namespace has without anybody's doing; they hold nothing that could be lost.
var madeByItself = []object.Key{
	{Kind: "ServiceAccount", Name: "default"},
	{Kind: "ConfigMap", Name: "kube-root-ca.crt"},
}

// leftOut are kinds that are never counted as what somebody has in a namespace: records of what happened.
var leftOut = []schema.GroupKind{
	{Kind: "Event"}, {Group: "events.k8s.io", Kind: "Event"}, {Group: "coordination.k8s.io", Kind: "Lease"},
	{Kind: "Endpoints"}, {Group: "discovery.k8s.io", Kind: "EndpointSlice"},
}

// Inside lists what would go with a container: the objects of a Namespace, those of a CustomResourceDefinition's kind,
// and for a PersistentVolumeClaim the volume it is bound to. Objects that others own, and so follow them anyway, are left
// out. It asks the API server, metadata only. An error means that not all of it could be listed: then nothing is known.
func (c *Cluster) Inside(ctx context.Context, container object.Key) ([]object.Key, error) {
	ctx = asOurselves(ctx) // what somebody may not see goes too
	switch container.GroupKind() {
	case schema.GroupKind{Kind: "Namespace"}:
		return c.insideNamespace(ctx, container.Name)
	case schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
		return c.ofDefinition(ctx, container.Name)
	case schema.GroupKind{Kind: "PersistentVolumeClaim"}:
		return c.insideClaim(ctx, container)
	default:
		return nil, nil
	}
}

func (c *Cluster) insideNamespace(ctx context.Context, namespace string) ([]object.Key, error) {
	catalog := c.snapshot()
	if catalog == nil || len(catalog.failed) > 0 {
		return nil, fmt.Errorf("not every kind that cluster %s serves is known", c.cfg.Name)
	}
	var out []object.Key
	for gk := range catalog.kinds {
		res, presence, _ := catalog.find(gk.WithVersion(""))
		if presence != Present || !res.Namespaced || !res.can("list") || !res.can("delete") || slices.Contains(leftOut, gk) {
			continue
		}
		keys, err := c.independent(ctx, res, namespace)
		if err != nil {
			return nil, err
		}
		out = append(out, keys...)
	}
	slices.SortFunc(out, object.Key.Compare)
	return out, nil
}

func (c *Cluster) ofDefinition(ctx context.Context, name string) ([]object.Key, error) {
	for gk := range c.snapshot().kindsOrNil() {
		res, presence, _ := c.snapshot().find(gk.WithVersion(""))
		if presence == Present && res.GVR.Resource+"."+res.GVR.Group == name {
			return c.independent(ctx, res, "")
		}
	}
	return nil, nil // the kind is not served: nothing of it can be there
}

func (c *Cluster) insideClaim(ctx context.Context, claim object.Key) ([]object.Key, error) {
	u, err := c.Read(ctx, schema.GroupVersionKind{Version: "v1", Kind: "PersistentVolumeClaim"}, claim.Namespace, claim.Name)
	if err != nil {
		return nil, err
	}
	spec, _ := u.Object["spec"].(map[string]any)
	if volume, _ := spec["volumeName"].(string); volume != "" {
		return []object.Key{{Kind: "PersistentVolume", Name: volume}}, nil
	}
	return nil, nil
}

// independent lists the objects of one kind that no other object owns.
func (c *Cluster) independent(ctx context.Context, res Resource, namespace string) ([]object.Key, error) {
	var out []object.Key
	each := func(raw []byte) error {
		it, err := decodeItem(raw)
		if err != nil {
			return err
		}
		key := object.Key{Group: res.GVK.Group, Kind: res.GVK.Kind, Namespace: it.meta.Namespace, Name: it.meta.Name}
		if len(it.meta.OwnerReferences) == 0 && !slices.Contains(madeByItself, object.Key{Kind: key.Kind, Name: key.Name}) {
			out = append(out, key)
		}
		return nil
	}
	for token := ""; ; {
		head, err := c.api.list(ctx, collectionPath(res.GVR, namespace), acceptMetadataList, token, pageSize, each)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", res.GVK.GroupKind(), err)
		}
		if token = head.next; token == "" {
			return out, nil
		}
	}
}

func (c *catalog) kindsOrNil() map[schema.GroupKind]*servedKind {
	if c == nil {
		return nil
	}
	return c.kinds
}
