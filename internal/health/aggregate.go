// SPDX-License-Identifier: Apache-2.0

package health

import (
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// order lists the verdicts from best to worst.
var order = []v1alpha1.HealthStatusCode{
	v1alpha1.HealthStatusHealthy,
	v1alpha1.HealthStatusSuspended,
	v1alpha1.HealthStatusProgressing,
	v1alpha1.HealthStatusMissing,
	v1alpha1.HealthStatusDegraded,
	v1alpha1.HealthStatusUnknown,
}

// rank returns the place of a verdict in order; a word that is not a verdict is as bad as Unknown.
func rank(code v1alpha1.HealthStatusCode) int {
	if i := slices.Index(order, code); i >= 0 {
		return i
	}
	return len(order) - 1
}

// Worse reports whether b is worse than a.
func Worse(a, b v1alpha1.HealthStatusCode) bool { return rank(b) > rank(a) }

// Child is what one object contributes to its application's health.
type Child struct {
	// Status is the verdict about the live object; "" if its kind has no rule. It is not read when Live is false.
	Status v1alpha1.HealthStatusCode
	// Live says that the object is in the cluster.
	Live bool
	// Application says that the object is itself an Application. One that is Missing or Unknown does not count.
	Application bool
	// Excluded says that the object does not count at all: a hook, an object that is not applied, the application
	// itself among its own objects, or one that asks to be left out.
	Excluded bool
}

// Tally counts children by verdict. The zero value has none. It can be kept while children come, change and go: a child
// that changed is removed as it was and added as it is.
type Tally struct {
	verdicts      [6]int
	objects, live int
}

// Add counts a child.
func (t *Tally) Add(c Child) { t.count(c, 1) }

// Remove undoes an Add of the same child. Removing one that was not added makes the tally wrong for good.
func (t *Tally) Remove(c Child) { t.count(c, -1) }

func (t *Tally) count(c Child, by int) {
	if c.Excluded {
		return
	}
	t.objects += by
	if !c.Live {
		return
	}
	t.live += by
	if c.Status == "" {
		return
	}
	if c.Application && (c.Status == v1alpha1.HealthStatusMissing || c.Status == v1alpha1.HealthStatusUnknown) {
		return
	}
	t.verdicts[rank(c.Status)] += by
}

// Status returns the health of the application: the worst verdict of its live objects, Missing if none of its objects
// is live, Healthy if it has none. An object that is missing beside live ones does not count: that the application is
// out of sync says it already.
func (t *Tally) Status() v1alpha1.HealthStatusCode {
	if t.objects > 0 && t.live == 0 {
		return v1alpha1.HealthStatusMissing
	}
	for i := len(order) - 1; i > 0; i-- {
		if t.verdicts[i] > 0 {
			return order[i]
		}
	}
	return v1alpha1.HealthStatusHealthy
}
