// SPDX-License-Identifier: Apache-2.0

package action

import (
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// workloads are the actions of Kubernetes' own kinds.
func workloads() map[schema.GroupKind][]rule {
	return map[schema.GroupKind][]rule{
		kind("apps", "Deployment"): {
			restart(), scale(),
			{Action: named("pause", "Pause", "pause-circle"), unless: isTrue("spec", "paused"), change: set(true, "spec", "paused")},
			{Action: named("resume", "Resume", "play-circle"), unless: not(isTrue("spec", "paused")), change: remove("spec", "paused")},
		},
		kind("apps", "StatefulSet"): {restart(), scale()},
		kind("apps", "DaemonSet"):   {restart()},
		kind("batch", "CronJob"): {
			{Action: named("create-job", "Create Job", "plus"), create: jobOf},
			suspend(true), suspend(false),
		},
		kind("batch", "Job"): {
			suspendUnlessOver(true), suspendUnlessOver(false),
			// A Job that is past its deadline ends its Pods and fails; it stays, with its record.
			{Action: named("terminate", "Terminate", "stop-circle"), unless: jobIsOver, change: set(int64(1), "spec", "activeDeadlineSeconds")},
		},
	}
}

// restart has the pods of a workload replaced, as `kubectl rollout restart` does.
func restart() rule {
	return rule{
		Action: named("restart", "Restart", "redo"),
		change: stamp(rfc3339, "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"),
	}
}

func scale() rule {
	a := named("scale", "Scale", "arrows-alt-v")
	a.Params = []Param{{Name: "replicas", Type: "number"}}
	return rule{
		Action:   a,
		defaults: map[string]func(*unstructured.Unstructured) string{"replicas": wholeAt("1", "spec", "replicas")},
		change: func(in input) error {
			n, err := in.replicas()
			if err != nil {
				return err
			}
			return unstructured.SetNestedField(in.obj.Object, n, "spec", "replicas")
		},
	}
}

// suspend is the pair of actions for kinds with spec.suspend.
func suspend(on bool) rule {
	suspended := isTrue("spec", "suspend")
	if on {
		return rule{Action: named("suspend", "Suspend", "pause-circle"), unless: suspended, change: set(true, "spec", "suspend")}
	}
	return rule{Action: named("resume", "Resume", "play-circle"), unless: not(suspended), change: set(false, "spec", "suspend")}
}

func suspendUnlessOver(on bool) rule {
	r := suspend(on)
	r.unless = either(r.unless, jobIsOver)
	return r
}

// jobIsOver reports whether a Job has ended, or is about to.
func jobIsOver(obj *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		switch condition["type"] {
		case "Complete", "Failed", "FailureTarget", "SuccessCriteriaMet":
			if condition["status"] == "True" {
				return true
			}
		}
	}
	return false
}

// jobOf makes the Job that a CronJob would make at its next time, as `kubectl create job --from` does.
func jobOf(in input) (*unstructured.Unstructured, error) {
	spec, ok, err := unstructured.NestedMap(in.obj.Object, "spec", "jobTemplate", "spec")
	if err != nil || !ok {
		return nil, errors.Join(errors.New("it has no spec.jobTemplate.spec"), err)
	}
	job := in.child("batch/v1", "Job", true)
	job.Object["spec"] = spec
	template := []string{"spec", "jobTemplate", "metadata"}
	return job, errors.Join(
		in.texts(job, "labels", nil, append(template, "labels")...),
		in.texts(job, "annotations", map[string]string{"cronjob.kubernetes.io/instantiate": "manual"}, append(template, "annotations")...),
	)
}
