// SPDX-License-Identifier: Apache-2.0

package access

import (
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Unserved are the demands of a project that this version of Bowline cannot meet. What a project asks for must not be
// passed over in silence, so each of them closes what it guards.
type Unserved struct {
	// Windows says why no sync may begin by itself: the project has sync windows. nil if it has none.
	Windows error
}

// UnservedOf reads the demands of an AppProject.
func UnservedOf(p *v1alpha1.AppProject) Unserved {
	var out Unserved
	if len(p.Spec.SyncWindows) > 0 {
		out.Windows = unserved(p, "syncWindows", "this version of Bowline does not read sync windows, so no sync begins by itself",
			"sync by hand, or take them out")
	}
	return out
}

func unserved(p *v1alpha1.AppProject, field, cause, fix string) error {
	return fault.New(fault.Forbidden, "serve", "AppProject "+p.Name, "spec."+field, cause, fix)
}
