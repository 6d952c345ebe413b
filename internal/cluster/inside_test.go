// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// What others own follows its owner, and what every namespace has is nobody's loss: neither is counted.
func TestInsideANamespace(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	owner := mustApply(t, c, configMap(ns, "owner", "1"))
	owned := configMap(ns, "owned", "1")
	owned.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: owner.GetUID()}})
	mustApply(t, c, owned)
	mustApply(t, c, parse(t, ns, "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\n"))
	inside, err := c.Inside(context.Background(), object.Key{Kind: "Namespace", Name: ns})
	want := []object.Key{{Kind: "ConfigMap", Namespace: ns, Name: "owner"}, {Kind: "Secret", Namespace: ns, Name: "token"}}
	if err != nil || !slices.Equal(inside, want) {
		t.Errorf("Inside = %v, %v, want %v", inside, err, want)
	}
}

func TestInsideADefinition(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	group := ns + ".example.com"
	definition := mustApply(t, c, parse(t, "", widgetCRD("gadgets", group, "Gadget")))
	key := object.KeyOf(definition)
	t.Cleanup(func() {
		err := c.Delete(context.Background(), key, cluster.DeleteOptions{UID: definition.GetUID(), ResourceVersion: definition.GetResourceVersion()})
		if err != nil {
			t.Error(err)
		}
	})
	gadget := parse(t, ns, "apiVersion: "+group+"/v1\nkind: Gadget\nmetadata: {name: one}\n")
	eventually(t, "the kind is served", func() bool {
		_, presence, _ := c.Resource(gadget.GroupVersionKind())
		return presence == cluster.Present
	})
	eventually(t, "a gadget can be made", func() bool {
		_, err := c.Apply(context.Background(), gadget, apply)
		return err == nil
	})
	inside, err := c.Inside(context.Background(), key)
	if want := object.KeyOf(gadget); err != nil || !slices.Equal(inside, []object.Key{want}) {
		t.Errorf("Inside = %v, %v, want %v", inside, err, want)
	}
}

// What a claim holds is the volume behind it; a claim without one holds nothing.
func TestInsideAClaim(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, dev.RESTConfig(), nil)
	complete(t, c)
	const spec = "spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}VOLUME}\n"
	for name, volume := range map[string]string{"bound": ", volumeName: disk-7", "unbound": ""} {
		mustApply(t, c, parse(t, ns, "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: "+name+"}\n"+strings.Replace(spec, "VOLUME", volume, 1)))
	}
	for name, want := range map[string][]object.Key{"bound": {{Kind: "PersistentVolume", Name: "disk-7"}}, "unbound": nil} {
		inside, err := c.Inside(context.Background(), object.Key{Kind: "PersistentVolumeClaim", Namespace: ns, Name: name})
		if err != nil || !slices.Equal(inside, want) {
			t.Errorf("Inside(%s) = %v, %v, want %v", name, inside, err, want)
		}
	}
}

// A namespace of which a part cannot be listed is not an empty one.
func TestInsideIsUnknownWhereAKindCannotBeListed(t *testing.T) {
	dev := devcluster.Shared(t)
	ns := dev.Namespace(t)
	c := open(t, restricted(t, dev, ns, []string{"configmaps"}), nil)
	eventually(t, "the cluster has answered", func() bool { return c.Version() != "" })
	if inside, err := c.Inside(context.Background(), object.Key{Kind: "Namespace", Name: ns}); err == nil {
		t.Errorf("Inside = %v, want an error", inside)
	}
}
