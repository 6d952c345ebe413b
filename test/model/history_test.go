// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// event is what one object of an application was from a revision of the cluster's store on. All kinds share the revisions,
// so that they tell what came first.
type event struct {
	revision   uint64
	kind       string
	name, uid  string
	thing      string // its name in the scenario
	version    int    // which commit's object it is
	operation  string // of hooks: the try that they belong to
	hookType   string // of hooks with several types: which one it runs for, if it is not the first
	finalizer  bool   // of hooks: whether it is held until its outcome is on record
	healthy    bool
	ended      string // Succeeded or Failed for what ends by itself and has
	deleting   bool
	gone       bool
	resource   *unstructured.Unstructured // nil in histories written by hand
	operations *status                    // of the Application
}

// status is what the Application says of itself.
type status struct {
	phase, started, message string
	revision                string // of Git, that the operation is about
	try                     string // the name of the try, if the record tells
	retries                 int
	commit                  int  // what the operation syncs; -1 if it does not say
	partial                 bool // the operation has a selection
	sync                    string
	compared                int // the commit that sync is about; -1 if none of ours
	// hooks holds the outcomes on record: "kind/name/type" to Succeeded or Failed.
	hooks map[string]string
}

func (e event) String() string {
	if e.operations != nil {
		o := e.operations
		return fmt.Sprintf("%d Application: %s (commit %d, started %s, retry %d, try %q), %s at commit %d: %s, outcomes on record %v", e.revision, o.phase, o.commit, o.started, o.retries, o.try, o.sync, o.compared, o.message, o.hooks)
	}
	text := fmt.Sprintf("%d %s/%s is version %d", e.revision, e.kind, e.name, e.version)
	for _, about := range []struct {
		said bool
		text string
	}{
		{e.operation != "", "of try " + e.operation}, {e.finalizer, "held"}, {!e.healthy, "not healthy"}, {e.ended != "", e.ended},
		{e.deleting, "being deleted"}, {e.gone, "gone"},
	} {
		if about.said {
			text += ", " + about.text
		}
	}
	return text
}

// read turns what a watch told into an event. commitOf names the commit of the scenario that a revision of Git is about.
func read(u *unstructured.Unstructured, gone bool, commitOf func(sha string) int) (event, error) {
	revision, err := strconv.ParseUint(u.GetResourceVersion(), 10, 64)
	if err != nil {
		return event{}, fmt.Errorf("resourceVersion of %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	e := event{
		revision: revision, kind: u.GetKind(), name: u.GetName(), uid: string(u.GetUID()), thing: u.GetAnnotations()[thingKey], gone: gone,
		finalizer: slices.Contains(u.GetFinalizers(), v1alpha1.HookFinalizer), deleting: u.GetDeletionTimestamp() != nil,
		healthy: healthy(u), ended: ended(u), resource: u,
	}
	e.operation, e.hookType, _ = strings.Cut(u.GetAnnotations()[v1alpha1.AnnotationOperation], "/")
	if e.kind == "Application" {
		e.operations = readStatus(u, commitOf)
		return e, nil
	}
	e.version, err = strconv.Atoi(u.GetAnnotations()[versionKey])
	if err != nil {
		return event{}, fmt.Errorf("%s %s says nothing of its version: %w", e.kind, e.name, err)
	}
	return e, nil
}

func text(u *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(u.Object, path...)
	return s
}

func number(u *unstructured.Unstructured, path ...string) int64 {
	n, _, _ := unstructured.NestedInt64(u.Object, path...)
	return n
}

func condition(u *unstructured.Unstructured, kind string) (fields, bool) {
	all, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range all {
		if c, ok := c.(fields); ok && c["type"] == kind {
			return c, true
		}
	}
	return nil, false
}

// healthy says whether a gate may pass the object, by the documentation of its kind.
func healthy(u *unstructured.Unstructured) bool {
	if u.GetKind() != "Deployment" {
		return true
	}
	if c, ok := condition(u, "Progressing"); ok && c["reason"] == "ProgressDeadlineExceeded" {
		return false
	}
	want := number(u, "spec", "replicas")
	return number(u, "status", "observedGeneration") >= u.GetGeneration() && number(u, "status", "updatedReplicas") >= want &&
		number(u, "status", "replicas") <= number(u, "status", "updatedReplicas") && number(u, "status", "availableReplicas") >= want
}

// ended says how a Job or a Pod ended.
func ended(u *unstructured.Unstructured) string {
	switch u.GetKind() {
	case "Job":
		for kind, end := range map[string]string{"Complete": "Succeeded", "Failed": "Failed"} {
			if c, ok := condition(u, kind); ok && c["status"] == "True" {
				return end
			}
		}
	case "Pod":
		if phase := text(u, "status", "phase"); phase == "Succeeded" || phase == "Failed" {
			return phase
		}
	case "ConfigMap":
		return "Succeeded"
	}
	return ""
}

func readStatus(u *unstructured.Unstructured, commitOf func(string) int) *status {
	at := []string{"status", "operationState"}
	of := func(path ...string) []string { return append(slices.Clone(at), path...) }
	s := &status{
		phase: text(u, of("phase")...), started: text(u, of("startedAt")...), message: text(u, of("message")...), retries: int(number(u, of("retryCount")...)),
		revision: text(u, of("syncResult", "revision")...), sync: text(u, "status", "sync", "status"),
		compared: commitOf(text(u, "status", "sync", "revision")), hooks: map[string]string{},
	}
	s.commit = commitOf(s.revision)
	selection, _, _ := unstructured.NestedSlice(u.Object, of("operation", "sync", "resources")...)
	s.partial = len(selection) > 0
	about, _, _ := unstructured.NestedSlice(u.Object, of("operation", "info")...)
	for _, i := range about {
		if i, _ := i.(fields); i["name"] == v1alpha1.AnnotationOperation {
			s.try, _ = i["value"].(string)
		}
	}
	results, _, _ := unstructured.NestedSlice(u.Object, of("syncResult", "resources")...)
	for _, r := range results {
		r, _ := r.(fields)
		phase, _ := r["hookPhase"].(string)
		if kind, _ := r["hookType"].(string); kind != "" && (phase == "Succeeded" || phase == "Failed") {
			s.hooks[strings.Join([]string{fmt.Sprint(r["kind"]), fmt.Sprint(r["name"]), kind}, "/")] = phase
		}
	}
	return s
}
