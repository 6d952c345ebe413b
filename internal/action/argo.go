// SPDX-License-Identifier: Apache-2.0

package action

import (
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// argo are the actions of the kinds of the Argo projects.
func argo() map[schema.GroupKind][]rule {
	return map[schema.GroupKind][]rule{
		kind("argoproj.io", "Rollout"): rollout(),
		kind("argoproj.io", "AnalysisRun"): {{
			Action: named("terminate", "Terminate", "stop-circle"),
			unless: either(isTrue("spec", "terminate"), is([]string{"status", "phase"}, "Successful", "Failed", "Error", "Inconclusive")),
			change: set(true, "spec", "terminate"),
		}},
		kind("argoproj.io", "CronWorkflow"):     {{Action: named("create-workflow", "Create Workflow", "plus"), create: workflowOfCron}},
		kind("argoproj.io", "WorkflowTemplate"): {{Action: named("create-workflow", "Create Workflow", "plus"), create: workflowOfTemplate}},
		kind("argoproj.io", "Application"): {{
			Action: named("toggle-auto-sync", "Toggle Auto-Sync", "sync"), change: toggleAutoSync,
		}},
		kind("promoter.argoproj.io", "PullRequest"): {{
			Action: named("merge", "Merge", "code-branch"), unless: not(is([]string{"spec", "state"}, "open")), change: set("merged", "spec", "state"),
		}},
	}
}

// rollout are the actions that Argo Rollouts' kubectl plugin has.
func rollout() []rule {
	aborted := isTrue("status", "abort")
	return []rule{
		{Action: named("restart", "Restart", "redo"), change: stamp(rfc3339, "spec", "restartAt")},
		{Action: named("pause", "Pause", "pause-circle"), unless: isTrue("spec", "paused"), change: set(true, "spec", "paused")},
		{Action: named("resume", "Resume", "play-circle"), unless: not(paused), change: unpause},
		{Action: named("abort", "Abort", "times-circle"), unless: either(aborted, promoted), change: set(true, "status", "abort")},
		{Action: named("retry", "Retry", "redo-alt"), unless: not(aborted), change: remove("status", "abort")},
		{
			Action: named("promote-full", "Promote-Full", "fast-forward"), unless: either(promoted, isTrue("status", "promoteFull")),
			change: steps(set(true, "status", "promoteFull"), remove("status", "abort")),
		},
		{Action: named("skip-current-step", "Skip-Current-Step", "step-forward"), unless: func(obj *unstructured.Unstructured) bool {
			_, ok := nextStep(obj)
			return !ok || promoted(obj)
		}, change: skipStep},
	}
}

// paused reports whether a Rollout waits, by a step of its own or because somebody said so.
func paused(obj *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "pauseConditions")
	return len(conditions) > 0 || isTrue("spec", "paused")(obj)
}

// promoted reports whether a Rollout's pods are all of its newest template.
func promoted(obj *unstructured.Unstructured) bool {
	current := textAt(obj, "status", "currentPodHash")
	return current != "" && current == textAt(obj, "status", "stableRS")
}

func unpause(in input) error {
	if isTrue("spec", "paused")(in.obj) {
		if err := set(false, "spec", "paused")(in); err != nil {
			return err
		}
	}
	return remove("status", "pauseConditions")(in)
}

// nextStep is the index after the current step of a canary. The index after the last step is the end of them.
func nextStep(obj *unstructured.Unstructured) (int64, bool) {
	list, _, _ := unstructured.NestedSlice(obj.Object, "spec", "strategy", "canary", "steps")
	current, _, _ := unstructured.NestedInt64(obj.Object, "status", "currentStepIndex")
	return current + 1, current < int64(len(list))
}

func skipStep(in input) error {
	next, _ := nextStep(in.obj)
	return steps(set(next, "status", "currentStepIndex"), unpause)(in)
}

// toggleAutoSync turns automated sync off without forgetting how it was, or on again.
func toggleAutoSync(in input) error {
	automated, ok, err := unstructured.NestedMap(in.obj.Object, "spec", "syncPolicy", "automated")
	if err != nil {
		return err
	}
	enabled, given := automated["enabled"].(bool)
	on := ok && automated != nil && (!given || enabled)
	return set(!on, "spec", "syncPolicy", "automated", "enabled")(in)
}

// workflowOfCron makes the Workflow that a CronWorkflow would make at its next time.
func workflowOfCron(in input) (*unstructured.Unstructured, error) {
	spec, ok, err := unstructured.NestedMap(in.obj.Object, "spec", "workflowSpec")
	if err != nil || !ok {
		return nil, errors.Join(errors.New("it has no spec.workflowSpec"), err)
	}
	workflow := in.child(in.obj.GetAPIVersion(), "Workflow", false)
	workflow.Object["spec"] = spec
	return workflow, errors.Join(
		in.texts(workflow, "labels", map[string]string{"workflows.argoproj.io/cron-workflow": in.obj.GetName()}, "spec", "workflowMetadata", "labels"),
		in.texts(workflow, "annotations", map[string]string{"workflows.argoproj.io/scheduled-time": in.now.UTC().Format(rfc3339)}, "spec", "workflowMetadata", "annotations"),
	)
}

// workflowOfTemplate makes a Workflow of a WorkflowTemplate, as `argo submit --from` does.
func workflowOfTemplate(in input) (*unstructured.Unstructured, error) {
	workflow := in.child(in.obj.GetAPIVersion(), "Workflow", false)
	workflow.Object["spec"] = map[string]any{"workflowTemplateRef": map[string]any{"name": in.obj.GetName()}}
	return workflow, errors.Join(
		in.texts(workflow, "labels", map[string]string{"workflows.argoproj.io/workflow-template": in.obj.GetName()}, "spec", "workflowMetadata", "labels"),
		in.texts(workflow, "annotations", nil, "spec", "workflowMetadata", "annotations"),
	)
}
