// SPDX-License-Identifier: Apache-2.0

package health

import (
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

const notObserved = "Waiting for rollout to finish: the controller has not seen the newest generation yet"

type generation struct {
	Generation int64 `json:"generation"`
}

type deploymentView struct {
	Metadata generation `json:"metadata"`
	Spec     struct {
		Paused   bool   `json:"paused"`
		Replicas *int32 `json:"replicas"`
	} `json:"spec"`
	Status appsv1.DeploymentStatus `json:"status"`
}

func deployment(d *deploymentView) Status {
	s := d.Status
	switch {
	case d.Spec.Paused:
		return Status{v1alpha1.HealthStatusSuspended, "Deployment is paused"}
	case d.Metadata.Generation > s.ObservedGeneration:
		return progressing(notObserved)
	case deadlineExceeded(s.Conditions):
		return degraded("Deployment exceeded its progress deadline")
	case d.Spec.Replicas != nil && s.UpdatedReplicas < *d.Spec.Replicas:
		return progressing("Waiting for rollout to finish: %d out of %d new replicas have been updated", s.UpdatedReplicas, *d.Spec.Replicas)
	case s.Replicas > s.UpdatedReplicas:
		return progressing("Waiting for rollout to finish: %d old replicas are pending termination", s.Replicas-s.UpdatedReplicas)
	case s.AvailableReplicas < s.UpdatedReplicas:
		return progressing("Waiting for rollout to finish: %d of %d updated replicas are available", s.AvailableReplicas, s.UpdatedReplicas)
	}
	return healthy("")
}

func deadlineExceeded(conditions []appsv1.DeploymentCondition) bool {
	for _, c := range conditions {
		if c.Type == appsv1.DeploymentProgressing {
			return c.Reason == "ProgressDeadlineExceeded"
		}
	}
	return false
}

type statefulSetView struct {
	Metadata generation `json:"metadata"`
	Spec     struct {
		Replicas       *int32                           `json:"replicas"`
		UpdateStrategy appsv1.StatefulSetUpdateStrategy `json:"updateStrategy"`
	} `json:"spec"`
	Status appsv1.StatefulSetStatus `json:"status"`
}

func statefulSet(set *statefulSetView) Status {
	s, strategy := set.Status, set.Spec.UpdateStrategy
	if s.ObservedGeneration == 0 || set.Metadata.Generation > s.ObservedGeneration {
		return progressing(notObserved)
	}
	if set.Spec.Replicas != nil && s.ReadyReplicas < *set.Spec.Replicas {
		return progressing("Waiting for %d pods to be ready", *set.Spec.Replicas-s.ReadyReplicas)
	}
	if rolling := strategy.RollingUpdate; strategy.Type == appsv1.RollingUpdateStatefulSetStrategyType && rolling != nil {
		if set.Spec.Replicas != nil && rolling.Partition != nil {
			if want := *set.Spec.Replicas - *rolling.Partition; s.UpdatedReplicas < want {
				return progressing("Waiting for partitioned roll out to finish: %d out of %d new pods have been updated", s.UpdatedReplicas, want)
			}
		}
		return healthy("partitioned roll out complete: %d new pods have been updated", s.UpdatedReplicas)
	}
	if strategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
		return healthy("statefulset has %d ready pods", s.ReadyReplicas)
	}
	if s.UpdateRevision != s.CurrentRevision {
		return progressing("Waiting for rolling update to complete: %d pods at revision %s", s.UpdatedReplicas, s.UpdateRevision)
	}
	return healthy("rolling update complete: %d pods at revision %s", s.CurrentReplicas, s.CurrentRevision)
}

type daemonSetView struct {
	Metadata generation `json:"metadata"`
	Spec     struct {
		UpdateStrategy appsv1.DaemonSetUpdateStrategy `json:"updateStrategy"`
	} `json:"spec"`
	Status appsv1.DaemonSetStatus `json:"status"`
}

func daemonSet(set *daemonSetView) Status {
	s := set.Status
	switch {
	case set.Metadata.Generation > s.ObservedGeneration:
		return progressing(notObserved)
	case set.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType:
		return healthy("%d out of %d pods have been updated", s.UpdatedNumberScheduled, s.DesiredNumberScheduled)
	case s.UpdatedNumberScheduled < s.DesiredNumberScheduled:
		return progressing("Waiting for rollout to finish: %d out of %d new pods have been updated", s.UpdatedNumberScheduled, s.DesiredNumberScheduled)
	case s.NumberAvailable < s.DesiredNumberScheduled:
		return progressing("Waiting for rollout to finish: %d of %d updated pods are available", s.NumberAvailable, s.DesiredNumberScheduled)
	}
	return healthy("")
}

type replicaSetView struct {
	Metadata generation `json:"metadata"`
	Spec     struct {
		Replicas *int32 `json:"replicas"`
	} `json:"spec"`
	Status appsv1.ReplicaSetStatus `json:"status"`
}

func replicaSet(set *replicaSetView) Status {
	if set.Metadata.Generation > set.Status.ObservedGeneration {
		return progressing(notObserved)
	}
	for _, c := range set.Status.Conditions {
		if c.Type == appsv1.ReplicaSetReplicaFailure && isTrue(c.Status) {
			return degraded(c.Message)
		}
	}
	if set.Spec.Replicas != nil && set.Status.AvailableReplicas < *set.Spec.Replicas {
		return progressing("Waiting for rollout to finish: %d out of %d new replicas are available", set.Status.AvailableReplicas, *set.Spec.Replicas)
	}
	return healthy("")
}

type jobView struct {
	Status batchv1.JobStatus `json:"status"`
}

func job(j *jobView) Status {
	found := map[batchv1.JobConditionType]string{}
	for _, c := range j.Status.Conditions {
		if isTrue(c.Status) {
			found[c.Type] = c.Message
		}
	}
	if message, ok := found[batchv1.JobFailed]; ok {
		return degraded(message)
	}
	if message, ok := found[batchv1.JobSuspended]; ok {
		return Status{v1alpha1.HealthStatusSuspended, message}
	}
	if message, ok := found[batchv1.JobComplete]; ok {
		return healthy(message)
	}
	return progressing("")
}
