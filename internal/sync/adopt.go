// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
)

// adoptAttempts is how often an object is read again because it changed while it was being adopted.
const adoptAttempts = 5

// adopt takes over what earlier writers own of an object, before its first apply: fields that are no longer desired
// then go with the apply instead of staying with an owner that never writes again. The managedFields that are written
// were made from one version of the object and are refused for any other.
func (a *attempt) adopt() error {
	uid := a.in.Live.GetUID()
	for try := 1; ; try++ {
		takeover, err := diff.Adoption(a.in)
		if err != nil || !takeover.Needed() {
			return a.cannotAdopt(err)
		}
		entries, err := diff.Folded(a.in, a.Automated)
		if err != nil {
			return a.cannotAdopt(err)
		}
		folded, err := a.target.Write(a.ctx, Write{
			Method: Patch, Object: a.in.Live, PatchType: types.JSONPatchType, Patch: foldPatch(entries, a.in.Live.GetResourceVersion()),
			Manager: diff.Manager, DropUnknown: true,
		})
		if err == nil {
			a.in.Live = folded
			a.noteTakeover(takeover)
			return nil
		}
		if a.target.Reason(err) != Conflict || try == adoptAttempts {
			return err
		}
		live, err := a.read()
		if err != nil {
			return err
		}
		if live == nil || live.GetUID() != uid {
			return fault.New(fault.Retry, "apply", a.step.Key.String(), "", "another object of this name has taken its place", "")
		}
		a.in.Live = live
	}
}

func (a *attempt) cannotAdopt(err error) error {
	return fault.Wrap(fault.Stalled, "take over", a.step.Key.String(), err, "remove metadata.managedFields of the object")
}

// foldPatch writes managedFields. The resourceVersion beside them makes the API server refuse when the object changed.
func foldPatch(entries []metav1.ManagedFieldsEntry, resourceVersion string) []byte {
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": entries},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": resourceVersion},
	})
	if err != nil {
		panic(fmt.Sprintf("sync: managedFields without a JSON form: %v", err))
	}
	return patch
}

func (a *attempt) noteTakeover(t diff.Takeover) {
	text := "took over the fields of " + strings.Join(t.Managers, ", ")
	if len(t.Held) > 0 {
		text += "; no longer in the source and removed: " + some(t.Held)
	}
	if len(t.Unheld) > 0 {
		what := "; not in the source and removed unless they are defaults: "
		if a.Automated {
			what = "; not in the source and left as they are: "
		}
		text += what + some(t.Unheld)
	}
	a.note(text)
}

// some lists the first few of many.
func some(texts []string) string {
	const show = 5
	if len(texts) > show {
		return strings.Join(texts[:show], ", ") + fmt.Sprintf(" and %d more", len(texts)-show)
	}
	return strings.Join(texts, ", ")
}
