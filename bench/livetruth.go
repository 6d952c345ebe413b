// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// sighting is when the statuses of applications came to say what is true.
type sighting struct {
	half, all time.Time
	wrong     int // Applications that said something else on the way: not known yet is not wrong
}

// truth follows Applications until each has the sync status that is wanted of it.
func (l *live) truth(ctx context.Context, want map[string]v1alpha1.SyncStatusCode) (sighting, error) {
	var seen sighting
	before := map[string]v1alpha1.SyncStatusCode{} // what a status said from the beginning is not of this process
	right, wrong := map[string]bool{}, map[string]bool{}
	err := l.watched(ctx, applications, v1alpha1.DefaultNamespace, func(u *unstructured.Unstructured, _ bool) bool {
		name, said := u.GetName(), syncStatus(u)
		first, known := before[name]
		if !known {
			before[name], first = said, said
		}
		right[name] = said == want[name]
		if said != first && said != "" && said != v1alpha1.SyncStatusCodeUnknown && !right[name] {
			wrong[name] = true
		}
		if !right[name] {
			delete(right, name)
		}
		if seen.half.IsZero() && 2*len(right) >= len(want) {
			seen.half = time.Now()
		}
		return len(right) == len(want)
	})
	seen.all, seen.wrong = time.Now(), len(wrong)
	return seen, err
}

func syncStatus(u *unstructured.Unstructured) v1alpha1.SyncStatusCode {
	said, _, _ := unstructured.NestedString(u.Object, "status", "sync", "status")
	return v1alpha1.SyncStatusCode(said)
}
