// SPDX-License-Identifier: Apache-2.0

package index

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Changed returns how many changes there were that matter to lists, and a channel that is closed with the next one. Unlike a
// Subscription it costs nothing that grows with what changes: it is for those who look at all of it anew.
func (x *Index) Changed() (changes uint64, next <-chan struct{}) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.news == nil {
		x.news = make(chan struct{})
	}
	return x.changes, x.news
}

// announce tells those who wait for a change. It is called with the lock held.
func (x *Index) announce() {
	x.changes++
	if x.news != nil {
		close(x.news)
		x.news = nil
	}
}

// sameInLists reports whether a change is none that a list could show: the history of deployments and what the API server keeps
// for itself are in no row.
func sameInLists(a, b *v1alpha1.Application) bool {
	return reflect.DeepEqual(shownInLists(a), shownInLists(b))
}

func shownInLists(app *v1alpha1.Application) *v1alpha1.Application {
	out := *app
	out.TypeMeta, out.ManagedFields, out.ResourceVersion, out.Generation = metav1.TypeMeta{}, nil, "", 0
	out.Status.History, out.Status.Summary, out.Status.SourceTypes = nil, v1alpha1.ApplicationSummary{}, nil
	return &out
}
