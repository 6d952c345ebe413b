// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/object"
)

// Verdict is the outcome of a comparison.
type Verdict int

const (
	// Unknown means that the comparison did not run to its end; Reason says why. It is the zero value and never means Same.
	Unknown Verdict = iota
	// Same means that applying desired would change nothing that is desired or owned.
	Same
	// Different means that it would, and Changes says where.
	Different
)

func (v Verdict) String() string {
	switch v {
	case Same:
		return "same"
	case Different:
		return "different"
	default:
		return "unknown"
	}
}

// Input is all a comparison looks at. Nothing in it is changed.
type Input struct {
	Desired *unstructured.Unstructured
	// DesiredDigest is object.DigestOf(Desired.Object); computed if empty. Callers that keep it save the work.
	DesiredDigest object.Digest
	// Live is nil if the object does not exist (and only then: not knowing is the caller's Unknown).
	Live *unstructured.Unstructured
	// Accepted is what an earlier apply or confirmation taught; nil if nothing did.
	Accepted *Accepted

	How     How      // how the object is written; see HowTo
	Manager string   // field manager of applies; "" means Manager
	Adopt   []string // managers whose Update entries are ours to fold; nil means DefaultAdopt

	// Mutations: all that the write changes is a difference, not only fields that are desired or ours (compare option
	// IncludeMutationWebhook). Only a dry run can tell, so there is one for each form of live that was not seen yet.
	Mutations bool

	Schema *Schema // nil: built in if the kind is, else unknown
	Rules  *Rules  // nil: Argo CD's defaults

	// Tracker is how objects are marked; nil leaves marks to be compared like any other field. See migrated.
	Tracker *object.Tracker

	// Probed is the API server's answer to a dry-run update with the object of Probe; see there.
	Probed *unstructured.Unstructured

	// MaxShown is how many bytes of a value Changes have; 0 is as many as fit into a line.
	MaxShown int
}

// Accepted is what is kept of an API server's answer: small, and meaningful across restarts.
type Accepted struct {
	Desired object.Digest `json:"desired"` // of the desired form that was accepted
	Form    object.Digest `json:"form"`    // of the projection of the answer
}

// ConfirmationKey names what a confirmation holds for. As long as it stays the same, so does the answer: status,
// heartbeats and other people's fields are not part of it, resourceVersion is not either.
type ConfirmationKey struct {
	Desired    object.Digest
	Projection object.Digest
}

// Result is the outcome of a comparison.
type Result struct {
	Verdict Verdict
	Reason  string // for people; always set if the verdict is Unknown
	How     How    // how the object was compared, and is to be written

	Missing bool // the object does not exist
	// ReadIn is the apiVersion in which live has to be read before it can be compared; "" if it was.
	ReadIn string

	// NeedsConfirmation: Changes are candidates; a dry run written in the way of How, handed to Confirm, decides.
	NeedsConfirmation bool
	// NeedsProbe: fields of earlier writers would vanish, and only the answer to Probe tells which of them the API
	// server would fill in again. Without it they count as differences.
	NeedsProbe bool
	Key        ConfirmationKey
	Changes    []Change
	// Learned is set when the verdict is Same: with it as Accepted the next comparison is a comparison of digests.
	Learned *Accepted
}

// Compare decides whether live is what desired says. A difference that the accepted form does not explain and the
// canonical form does not remove is a candidate: Verdict is Unknown and NeedsConfirmation true.
func Compare(in Input) Result {
	res, done := compareOutside(in)
	if done {
		return res
	}
	c, err := newComparison(in)
	if err != nil {
		return Result{How: in.How, Reason: err.Error()}
	}
	digest, err := c.digest(c.live)
	if err != nil {
		return Result{How: c.how, Reason: err.Error()}
	}
	res = Result{How: c.how, Key: ConfirmationKey{Desired: c.desiredDigest, Projection: digest}}
	if in.Accepted != nil && *in.Accepted == (Accepted{Desired: c.desiredDigest, Form: digest}) {
		return c.same(res)
	}
	return c.compareCanonical(res)
}

// compareOutside answers what needs no look at fields.
func compareOutside(in Input) (res Result, done bool) {
	switch {
	case in.Desired == nil:
		return Result{How: in.How, Reason: "there is no desired form to compare with"}, true
	case in.Live == nil:
		how, _, _ := HowTo(in) // without a live object there is nothing to fail on
		return Result{Verdict: Different, How: how, Missing: true, Reason: "does not exist in the cluster",
			Key: ConfirmationKey{Desired: in.desiredDigest()}}, true
	case in.Live.GetAPIVersion() != in.Desired.GetAPIVersion():
		// managedFields and field names belong to a version; only the API server can convert.
		return Result{How: in.How, ReadIn: in.Desired.GetAPIVersion(), Reason: fmt.Sprintf(
			"is desired as %s but was read as %s", in.Desired.GetAPIVersion(), in.Live.GetAPIVersion())}, true
	}
	return Result{}, false
}

func (in Input) desiredDigest() object.Digest {
	if in.DesiredDigest != "" {
		return in.DesiredDigest
	}
	return object.DigestOf(in.Desired.Object)
}

// compareCanonical compares canonical forms, for when the accepted form did not match.
func (c *comparison) compareCanonical(res Result) Result {
	differences, err := c.candidates()
	if err != nil {
		res.Reason = err.Error()
		return res
	}
	if len(differences) == 0 && !c.undecidable() {
		return c.same(res)
	}
	vanishing, err := c.vanishing()
	if err != nil {
		res.Reason = err.Error()
		return res
	}
	res.NeedsConfirmation = true
	res.NeedsProbe = len(vanishing) > 0 && c.in.Probed == nil
	res.Changes = c.changes(differences)
	res.Reason = fmt.Sprintf("%d fields look different; not confirmed by the API server yet", len(differences))
	switch {
	case len(differences) > 0:
	case c.in.Mutations:
		res.Reason = "what webhooks would change is not known; not confirmed by the API server yet"
	default:
		res.Reason = "its fields are owned in another version of the kind; not confirmed by the API server yet"
	}
	return res
}

// undecidable reports whether only a dry run can say that live is as desired.
func (c *comparison) undecidable() bool { return c.own.otherVersion || c.in.Mutations }

func (c *comparison) same(res Result) Result {
	res.Verdict = Same
	res.Learned = &Accepted{Desired: res.Key.Desired, Form: res.Key.Projection}
	return res
}

// Confirm decides by the API server's answer to a dry run of the write that Compare's How names. An answer in
// another version, or none, leaves the verdict Unknown; why there is none (a webhook that refuses dry runs, say)
// is for the caller to put into the reason.
func Confirm(in Input, answer *unstructured.Unstructured) Result {
	res, done := compareOutside(in)
	if done {
		return res
	}
	if answer == nil || answer.GetAPIVersion() != in.Desired.GetAPIVersion() {
		return Result{How: in.How, ReadIn: in.Desired.GetAPIVersion(), Reason: "the API server gave no answer to the dry run in the desired version"}
	}
	c, err := newComparison(in)
	if err != nil {
		return Result{How: in.How, Reason: err.Error()}
	}
	res, err = c.confirm(answer)
	if err != nil {
		return Result{How: c.how, Reason: err.Error()}
	}
	return res
}

func (c *comparison) confirm(answer *unstructured.Unstructured) (Result, error) {
	digest, err := c.digest(c.live)
	if err != nil {
		return Result{}, err
	}
	differences, err := c.predicted(answer)
	if err != nil {
		return Result{}, err
	}
	vanishing, err := c.vanishing()
	if err != nil {
		return Result{}, err
	}
	differences = append(differences, notAmong(vanishing, differences)...)
	res := Result{How: c.how, Key: ConfirmationKey{Desired: c.desiredDigest, Projection: digest}}
	if len(differences) == 0 {
		return c.same(res), nil
	}
	res.Verdict = Different
	res.NeedsProbe = len(vanishing) > 0 && c.in.Probed == nil
	res.Changes = c.changes(differences)
	res.Reason = fmt.Sprintf("%d fields differ", len(differences))
	return res, nil
}

// predicted returns where an answer is not as live is, in what is desired or ours.
func (c *comparison) predicted(answer *unstructured.Unstructured) ([]found, error) {
	after, err := c.read(answer)
	if err != nil {
		return nil, err
	}
	before := c.live
	if c.undecidable() {
		// All that the dry run changes counts. (What we own in another version is named as that version names it, so it
		// cannot be told apart here.)
		before, after = without(before, c.skip, c.schema), without(after, c.skip, c.schema)
	} else {
		if before, err = c.form(before); err != nil {
			return nil, err
		}
		if after, err = c.form(after); err != nil {
			return nil, err
		}
	}
	w := walker{schema: c.schema, everything: true}
	return w.object(after, before, c.ours, nil, c.skip), nil
}

// notAmong returns the elements of more whose paths are not in differences yet.
func notAmong(more, differences []found) []found {
	var out []found
next:
	for _, m := range more {
		for _, d := range differences {
			if d.path.Equals(m.path) {
				continue next
			}
		}
		out = append(out, m)
	}
	return out
}

// Accept returns what to keep of the API server's answer to an apply (not a dry run) of the desired form with this
// digest; in is the Input that was applied, its Live is not looked at. ok is false if nothing may be kept: fields
// of earlier writers are still to be taken over, so that live being the answer would not mean that it is as desired.
func Accept(desired object.Digest, answer *unstructured.Unstructured, in Input) (a Accepted, ok bool, err error) {
	in.Live, in.DesiredDigest, in.Probed = answer, desired, nil
	if res, done := compareOutside(in); done {
		return Accepted{}, false, fmt.Errorf("answer to the apply: %s", res.Reason)
	}
	c, err := newComparison(in)
	if err != nil {
		return Accepted{}, false, err
	}
	vanishing, err := c.vanishing()
	if err != nil || len(vanishing) > 0 {
		return Accepted{}, false, err
	}
	digest, err := c.digest(c.live)
	if err != nil {
		return Accepted{}, false, err
	}
	return Accepted{Desired: desired, Form: digest}, true, nil
}

// Project returns live reduced to the fields that are desired or owned, and its digest.
func Project(in Input) (form map[string]any, digest object.Digest, err error) {
	if res, done := compareOutside(in); done {
		return nil, "", fmt.Errorf("project: %s", res.Reason)
	}
	c, err := newComparison(in)
	if err != nil {
		return nil, "", err
	}
	if digest, err = c.digest(c.live); err != nil {
		return nil, "", err
	}
	form, err = c.form(c.live)
	return form, digest, err
}
