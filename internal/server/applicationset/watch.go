// SPDX-License-Identifier: Apache-2.0

package applicationset

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	rpcapplicationset "github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Watch sends the sets that the request chooses and the caller may see, and then what becomes of them. With a resource version it
// begins with those that are newer. Of a set that changes faster than it is taken only the newest state is sent; one that is no longer
// chosen, or no longer to be seen, is sent as deleted, with nothing but its name.
//
// The stream ends when the caller is not let in any more; the error says so.
func (s *Service) Watch(ctx context.Context, query *rpcapplicationset.ApplicationSetWatchQuery, send func(*v1alpha1.ApplicationSetWatchEvent) error) error {
	c, err := newChoice(query.AppSetNamespace, query.Name, query.Selector, query.Projects)
	if err != nil {
		return err
	}
	ctx, stop := s.Gate.Still(ctx, func(context.Context) error { return nil })
	defer stop()
	w := &watcher{send: send, shown: map[types.NamespacedName]string{}, since: query.ResourceVersion}
	for {
		changed, rights := s.Changed(), s.rights() // before looking: what happens meanwhile is looked at again
		sets, _, err := s.chosen(ctx, c)
		if err == nil {
			err = w.tell(sets)
		}
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-rights:
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
				return cause
			}
			return nil
		}
	}
}

// rights returns a channel that is closed when rights may have changed; nil if they never do.
func (s *Service) rights() <-chan struct{} {
	if s.Gate.Roles == nil {
		return nil
	}
	return s.Gate.Roles.Changed()
}

// watcher is one stream of sets.
type watcher struct {
	send  func(*v1alpha1.ApplicationSetWatchEvent) error
	shown map[types.NamespacedName]string // the version that the other side has of each set
	since string                          // what the other side knows at first; "" after it was told
}

// tell sends what differs from what the other side has.
func (w *watcher) tell(sets []v1alpha1.ApplicationSet) error {
	there := map[types.NamespacedName]bool{}
	for i := range sets {
		key := client.ObjectKeyFromObject(&sets[i])
		there[key] = true
		had, known := w.shown[key]
		w.shown[key] = sets[i].ResourceVersion
		kind := watch.Added
		switch {
		case had == sets[i].ResourceVersion, !known && w.knows(&sets[i]):
			continue
		case known:
			kind = watch.Modified
		}
		if err := w.send(&v1alpha1.ApplicationSetWatchEvent{Type: string(kind), ApplicationSet: sets[i]}); err != nil {
			return err
		}
	}
	w.since = ""
	for key := range w.shown {
		if there[key] {
			continue
		}
		delete(w.shown, key)
		gone := v1alpha1.ApplicationSet{}
		gone.Namespace, gone.Name = key.Namespace, key.Name
		if err := w.send(&v1alpha1.ApplicationSetWatchEvent{Type: string(watch.Deleted), ApplicationSet: gone}); err != nil {
			return err
		}
	}
	return nil
}

// knows reports whether the other side said that it has the set in this version.
func (w *watcher) knows(set *v1alpha1.ApplicationSet) bool {
	if w.since == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(set.ResourceVersion, w.since)
	return err == nil && order <= 0
}
