// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// DeleteOptions say which object is meant, beyond its name, and how it is deleted.
type DeleteOptions struct {
	UID             types.UID // required
	ResourceVersion string    // required: the version whose mark was judged
	Owner           string    // the instance name its mark has to give; "" asks for none
	// Check, if set, judges a newer version of the object, should it have changed; an error leaves it alone.
	Check       func(*unstructured.Unstructured) error
	Propagation metav1.DeletionPropagation // "" means foreground
	Version     string                     // API version of the kind; "" means the preferred one
	DryRun      bool
	AtOnce      bool // without the time that the object would take to end (a grace period of 0)
}

// deleteAttempts is how often a changed object is judged anew.
const deleteAttempts = 4

// Delete deletes exactly the object that was judged: its uid and resourceVersion go along as preconditions. If it
// changed since, its new version is read and judged again (same uid, same owner, Check) and only then deleted. An object
// that is not there is success. NotOwned says that its mark names another owner now, Conflict that another object has
// taken its name or that it changes without end.
func (c *Cluster) Delete(ctx context.Context, key object.Key, o DeleteOptions) error {
	t, err := c.target(ctx, "delete", key.GroupKind().WithVersion(o.Version), key.Namespace, key.Name)
	if err != nil {
		return err
	}
	if o.UID == "" || o.ResourceVersion == "" {
		return newError(Invalid, fault.Bug, "delete", t.key.String(), "the uid and resourceVersion of the judged object are missing", "")
	}
	if o.Owner != "" {
		if err := c.ownedInStore(t, o); err != nil {
			return err
		}
	}
	rv := o.ResourceVersion
	for attempt := 1; ; attempt++ {
		err := c.deleteAt(ctx, t, o, rv)
		if errors.Is(err, NotFound) {
			return nil
		}
		if !errors.Is(err, Conflict) || attempt == deleteAttempts {
			return err
		}
		live, err := c.Read(ctx, t.res.GVK, t.key.Namespace, t.key.Name)
		if errors.Is(err, NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.judge(t, o, live); err != nil {
			return err
		}
		rv = live.GetResourceVersion()
	}
}

func (c *Cluster) deleteAt(ctx context.Context, t target, o DeleteOptions, rv string) error {
	propagation := o.Propagation
	if propagation == "" {
		propagation = metav1.DeletePropagationForeground
	}
	options := metav1.DeleteOptions{
		TypeMeta:          metav1.TypeMeta{Kind: "DeleteOptions", APIVersion: "v1"},
		Preconditions:     &metav1.Preconditions{UID: &o.UID, ResourceVersion: &rv},
		PropagationPolicy: &propagation,
	}
	if o.AtOnce {
		options.GracePeriodSeconds = new(int64)
	}
	if o.DryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	body, err := json.Marshal(options)
	if err != nil {
		return newError(Invalid, fault.Bug, "delete", t.key.String(), err.Error(), "")
	}
	answer, err := c.send(ctx, "delete", t, func() *rest.Request {
		return c.api.rest.Delete().AbsPath(t.path).SetHeader("Content-Type", acceptJSON).SetHeader("Accept", acceptJSON).Body(body)
	})
	if err == nil && !o.DryRun {
		c.learnDeletion(ctx, t, o.UID, answer)
	}
	return err
}

// learnDeletion puts what a delete did into the store, so that nobody deletes again what is gone. The API server answers
// with the object if something (a finalizer, a grace period) still holds it, and with a Status if it is gone.
func (c *Cluster) learnDeletion(ctx context.Context, t target, uid types.UID, answer []byte) {
	var meta metav1.TypeMeta
	if json.Unmarshal(answer, &meta) != nil {
		return
	}
	if meta.Kind != "Status" {
		c.learn(ctx, t, answer)
		return
	}
	c.mu.RLock()
	k := c.kinds[t.key.GroupKind()]
	c.mu.RUnlock()
	if k != nil {
		k.bury(nsName{t.key.Namespace, t.key.Name}, string(uid))
	}
}

// ownedInStore refuses when the store already knows a newer version with another owner's mark.
func (c *Cluster) ownedInStore(t target, o DeleteOptions) error {
	c.mu.RLock()
	k := c.kinds[t.key.GroupKind()]
	c.mu.RUnlock()
	if k == nil {
		return nil
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	e := k.objects[nsName{t.key.Namespace, t.key.Name}]
	if e == nil || e.uid() != string(o.UID) || e.owner() == o.Owner {
		return nil
	}
	return notOwned(t, o.Owner, e.owner())
}

// judge decides whether a newer version of the object is still the one to delete.
func (c *Cluster) judge(t target, o DeleteOptions, live *unstructured.Unstructured) error {
	if live.GetUID() != o.UID {
		return newError(Conflict, fault.Retry, "delete", t.key.String(), "another object of this name has taken its place", "")
	}
	if o.Owner != "" {
		c.mu.RLock()
		tracker := c.tracker
		c.mu.RUnlock()
		if owner := tracker.Owner(t.key, tracker.MarksOf(live)); owner != o.Owner {
			return notOwned(t, o.Owner, owner)
		}
	}
	if o.Check != nil {
		return o.Check(live)
	}
	return nil
}

func notOwned(t target, wanted, got string) error {
	whose := "it carries no tracking mark any more"
	if got != "" {
		whose = fmt.Sprintf("it belongs to application %q now", got)
	}
	return newError(NotOwned, fault.Stalled, "delete", t.key.String(), fmt.Sprintf("%s, not to %q; it is left alone", whose, wanted), "")
}
