// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/plan"
)

// errKept says that an object asks to be kept in a newer version than the one that was judged.
var errKept = errors.New("not pruned: the object says Prune=false or keep by now")

// prune deletes one object: the one that was judged, in the version that was judged, or a later one that still carries
// this application's mark and still does not ask to be kept.
func (r *run) prune(i int) {
	s := r.steps[i]
	if err := r.Permit(s.Key, s.Key.Namespace != ""); err != nil {
		r.report.fail(i, err)
		return
	}
	err := r.target.Delete(r.whole(), Deletion{
		Key: s.Key, Version: s.Version, UID: s.Live.UID, ResourceVersion: s.Live.ResourceVersion, Owner: r.App,
		Propagation: r.plan.Options.PropagationPolicy, DryRun: r.DryRun, Check: r.stillPrunable,
	})
	switch {
	case err == nil:
		r.report.pruned(i)
	case errors.Is(err, errKept):
		r.report.leave(i, errKept.Error())
	case r.target.Reason(err) == NotOwned:
		r.report.leave(i, "not pruned: "+err.Error())
	default:
		r.report.fail(i, err)
	}
}

func (r *run) stillPrunable(live *unstructured.Unstructured) error {
	if options, _ := r.plan.Options.For(live); options.Prune == plan.DeleteNever {
		return errKept
	}
	return nil
}
