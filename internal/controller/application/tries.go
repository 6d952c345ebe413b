// SPDX-License-Identifier: Apache-2.0

package application

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// A try of an operation has a name: hooks run once in each, and whoever goes on after a crash has to know the objects that
// this very try made. The name is in the record (operation.info) of a try that has hooks.

// Names of entries of operation.info.
const (
	infoOperation  = v1alpha1.AnnotationOperation // the name of the try
	infoSuperseded = "bowline.dev/superseded"     // how often a newer revision took over the operation
)

// triesOfARevision is how many tries of one revision are told apart by their number alone.
const triesOfARevision = 100

// tryNumber is 0 for the first try of an operation, and another one for each that follows: after a failure, or at a newer
// revision.
func tryNumber(spec v1alpha1.Operation, retries int64) int64 {
	superseded, err := strconv.ParseInt(infoOf(spec, infoSuperseded), 10, 32)
	if err != nil || superseded < 0 {
		superseded = 0
	}
	return superseded*triesOfARevision + max(retries, 0)
}

// tryName names one try of an operation that applies a state with this digest.
func tryName(startedAt metav1.Time, number int64, digest object.Digest) string {
	return fmt.Sprintf("%d-%d-%s", startedAt.Unix(), number, digestInName(digest))
}

// digestInName is the part of a digest that names of tries hold.
func digestInName(digest object.Digest) string {
	const n = 8
	return string(digest[:min(n, len(digest))])
}

// infoOf returns an entry of operation.info, "" if there is none.
func infoOf(spec v1alpha1.Operation, name string) string {
	for _, info := range spec.Info {
		if info != nil && info.Name == name {
			return info.Value
		}
	}
	return ""
}

// withInfo returns operation.info with an entry set; the empty value takes it out.
func withInfo(spec v1alpha1.Operation, name, value string) []*v1alpha1.Info {
	out := slices.DeleteFunc(slices.Clone(spec.Info), func(i *v1alpha1.Info) bool { return i == nil || i.Name == name })
	if value != "" {
		out = append(out, &v1alpha1.Info{Name: name, Value: value})
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// nameTry gives the try that is about to begin its name, on record if it has hooks, and what the record says of this very
// try, if it is one that was cut off.
func (p *pass) nameTry(op *operation, number int64) {
	op.name = tryName(op.record.StartedAt, number, op.state.Digest)
	if runsHooks(op.work) {
		if infoOf(op.spec, infoOperation) == op.name {
			op.before = p.resumes
		}
		op.spec.Info = withInfo(op.spec, infoOperation, op.name)
	} else {
		op.spec.Info = withInfo(op.spec, infoOperation, "")
	}
	op.record.Operation.Info, op.record.SyncResult.Resources = op.spec.Info, op.before
}

// runsHooks reports whether hooks are part of a plan.
func runsHooks(work plan.Plan) bool {
	return slices.ContainsFunc(work.Steps(), func(s *plan.Step) bool { return s.Action == plan.Run })
}

// afterTheLast is when an operation may begin that follows the last one: once the end of that is written, and at another time.
func (p *pass) afterTheLast() time.Duration {
	if p.finished {
		return time.Millisecond
	}
	return time.Second
}

// tooSoon reports whether an operation that begins now could not be told from the last one: times have whole seconds.
func (p *pass) tooSoon() bool {
	last := p.next.Status.OperationState
	return last != nil && last.StartedAt.Equal(&p.now) && infoOf(last.Operation, infoOperation) != ""
}
