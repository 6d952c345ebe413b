// SPDX-License-Identifier: Apache-2.0

// Package health turns a live object into a verdict about how it is, and the verdicts of an application's objects
// into one for the application.
//
// The words of this room:
//
//   - Rule: how one kind is judged: in Go for the built-in kinds, as data in the library for others. An object that no rule
//     says anything of has no health: it counts for nothing, neither good nor bad.
//   - Convention: what most controllers keep to in their status. It is the rule of kinds without one of their own.
//   - Status: a rule's verdict and the sentence that explains it.
//   - Child: what one object of an application contributes to the application's health.
//   - Tally: the count of children by verdict, from which the application's health is read.
//
// The rules in Go are those of Argo CD for the kinds it judges in Go, so that the same object shows the same health here and
// there. An object that cannot be read as its kind is Unknown, never Healthy.
package health

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/health/library"
)

// Status is a verdict about one object.
type Status struct {
	Status  v1alpha1.HealthStatusCode
	Message string
}

// rule judges an object of the kind it is registered for. An error means that the object is not what its kind says.
type rule func(*unstructured.Unstructured) (Status, error)

var rules = map[schema.GroupKind]rule{
	{Group: "apps", Kind: "Deployment"}:                               typed(deployment),
	{Group: "apps", Kind: "StatefulSet"}:                              typed(statefulSet),
	{Group: "apps", Kind: "DaemonSet"}:                                typed(daemonSet),
	{Group: "apps", Kind: "ReplicaSet"}:                               typed(replicaSet),
	{Group: "extensions", Kind: "Ingress"}:                            typed(ingress),
	{Group: "networking.k8s.io", Kind: "Ingress"}:                     typed(ingress),
	{Group: "", Kind: "Service"}:                                      typed(service),
	{Group: "", Kind: "PersistentVolumeClaim"}:                        typed(claim),
	{Group: "", Kind: "Pod"}:                                          typed(pod),
	{Group: "batch", Kind: "Job"}:                                     typed(job),
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}:           autoscaler,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:             typed(apiService),
	{Group: "argoproj.io", Kind: "Workflow"}:                          typed(workflow),
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: typed(crd),
}

// Check judges an object. An error means that it came to no verdict: the object is then Unknown, with the error as its
// message. A Status without a verdict means that the object has no health.
type Check func(*unstructured.Unstructured) (Status, error)

// Overrides are users' own checks, which come before every rule.
type Overrides interface {
	// Health returns the check of a kind; ok is false if users have none for it.
	Health(gk schema.GroupKind) (check Check, ok bool)
}

// Judge judges objects: by users' checks, else by the library of rules for custom resources, else by the rules of the
// built-in kinds, else by the conventions that most controllers keep. A nil Judge has no users' checks and goes by the conventions.
type Judge struct {
	overrides     Overrides
	noConventions bool
	applications  bool
}

// NewJudge returns a Judge. overrides may be nil; without conventions an object of a kind that nothing is known of has
// no health.
func NewJudge(overrides Overrides, conventions bool) *Judge {
	return &Judge{overrides: overrides, noConventions: !conventions}
}

// WithApplications returns a Judge that judges Applications, too, by what their own status says.
func (j *Judge) WithApplications() *Judge {
	with := *j
	with.applications = true
	return &with
}

// Of judges a live object. ok is false if nothing is known of its kind and it is not being deleted; then it has no health.
func (j *Judge) Of(obj *unstructured.Unstructured) (status Status, ok bool) {
	// The hook finalizer keeps a hook's object until its outcome is recorded: it is judged although it is being
	// deleted, or a hook that succeeded and was removed by its own policy would never be seen to have succeeded.
	if obj.GetDeletionTimestamp() != nil && !slices.Contains(obj.GetFinalizers(), v1alpha1.HookFinalizer) {
		return Status{v1alpha1.HealthStatusProgressing, "Pending deletion"}, true
	}
	check, ok := j.checkOf(obj.GroupVersionKind().GroupKind())
	if !ok {
		return Status{}, false
	}
	status = verdict(check, obj)
	status.Message = clipped(status.Message)
	return status, status.Status != ""
}

// maxMessage bounds a message in bytes: it is kept for each object and written into status, and a user's check or a
// controller may say anything.
const maxMessage = 8 << 10

func clipped(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + "…"
}

// verdict is what a check says, or Unknown and why it says nothing.
func verdict(check Check, obj *unstructured.Unstructured) Status {
	status, err := check(obj)
	switch {
	case err != nil && obj.GroupVersionKind().GroupKind() == secrets: // data[data.password] fails with the name that it did not find
		return Status{v1alpha1.HealthStatusUnknown, "its check fails, or says nothing of use: the reason is left out, for it may hold a value of the Secret"}
	case err != nil:
		return Status{v1alpha1.HealthStatusUnknown, err.Error()}
	}
	return status
}

var secrets = schema.GroupKind{Kind: "Secret"}

func (j *Judge) checkOf(gk schema.GroupKind) (Check, bool) {
	if j != nil && j.overrides != nil {
		if check, ok := j.overrides.Health(gk); ok {
			return check, true
		}
	}
	if gk == applications {
		return ofStatus, j != nil && j.applications
	}
	if rule, ok := library.Of(gk); ok {
		return ofLibrary(rule), true
	}
	if judge, ok := rules[gk]; ok {
		return Check(judge), true
	}
	if j != nil && j.noConventions {
		return nil, false
	}
	return ofLibrary(library.Conventions()), true
}

// applications have no health of their own unless a setting gives them one: whether an application of applications waits for its
// children is for users to say.
var applications = schema.GroupKind{Group: v1alpha1.Group, Kind: "Application"}

var ofStatus = Check(typed(application))

func ofLibrary(rule *library.Rule) Check {
	return func(obj *unstructured.Unstructured) (Status, error) {
		verdict, err := rule.Judge(obj.Object)
		return Status(verdict), err
	}
}

// typed makes a rule of a judge of T, which holds only the fields that the judge reads: a field of a newer version
// that does not decode must not hide the health of the object.
func typed[T any](judge func(*T) Status) rule {
	return func(obj *unstructured.Unstructured) (Status, error) {
		var t T
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &t); err != nil {
			return Status{}, fmt.Errorf("cannot be read as a %s: %w", obj.GetKind(), err)
		}
		return judge(&t), nil
	}
}

func isTrue(s corev1.ConditionStatus) bool { return s == corev1.ConditionTrue }

func healthy(format string, args ...any) Status {
	return Status{v1alpha1.HealthStatusHealthy, text(format, args)}
}

func progressing(format string, args ...any) Status {
	return Status{v1alpha1.HealthStatusProgressing, text(format, args)}
}

func degraded(format string, args ...any) Status {
	return Status{v1alpha1.HealthStatusDegraded, text(format, args)}
}

// text formats only when there is something to fill in: messages of controllers may hold percent signs.
func text(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}
