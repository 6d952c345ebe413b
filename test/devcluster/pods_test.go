// SPDX-License-Identifier: Apache-2.0

package devcluster_test

import (
	"context"
	"testing"

	"github.com/bowline-cd/bowline/test/devcluster"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestDeploymentBecomesAvailable(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	deployments := c.Client().AppsV1().Deployments(c.Namespace(t))
	replicas := int32(3)
	_, err := deployments.Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "sample"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "sample"}},
			Template: podTemplate("run", corev1.RestartPolicyAlways),
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "three replicas are available", func(ctx context.Context) (bool, error) {
		d, err := deployments.Get(ctx, "sample", metav1.GetOptions{})
		return err == nil && d.Status.AvailableReplicas == 3, err
	})
}

func TestJobCompletes(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	waitForJob(t, c, sampleJob("run"), batchv1.JobComplete)
}

func TestJobOfFailingPodFails(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	waitForJob(t, c, sampleJob("fail"), batchv1.JobFailed)
}

func TestJobOfHangingPodHangsUntilToldToRun(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	ns := c.Namespace(t)
	if _, err := c.Client().BatchV1().Jobs(ns).Create(t.Context(), sampleJob("hang"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pods := c.Client().CoreV1().Pods(ns)
	var pod corev1.Pod
	eventually(t, "the pod runs", func(ctx context.Context) (bool, error) {
		list, err := pods.List(ctx, metav1.ListOptions{})
		if err != nil || len(list.Items) == 0 {
			return false, err
		}
		pod = list.Items[0]
		return pod.Status.Phase == corev1.PodRunning, nil
	})
	// A second pod goes the whole way while the first stays: no clock is asked.
	if _, err := pods.Create(t.Context(), barePod("other", "example.com/sample:1"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	waitForPhase(t, c, ns, "other", corev1.PodSucceeded)
	waitForPhase(t, c, ns, pod.Name, corev1.PodRunning)

	pod.Annotations[devcluster.PodAnnotation] = "run"
	pod.ResourceVersion = ""
	if _, err := pods.Update(t.Context(), &pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	waitForPhase(t, c, ns, pod.Name, corev1.PodSucceeded)
}

func TestImageTagChoosesTheBehaviour(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	ns := c.Namespace(t)
	for _, tc := range []struct {
		tag    string
		policy corev1.RestartPolicy
		phase  corev1.PodPhase
		reason string // why the container waits
	}{
		{"1.27", corev1.RestartPolicyNever, corev1.PodSucceeded, ""},
		{"1.27", corev1.RestartPolicyAlways, corev1.PodRunning, ""},
		{"fail", corev1.RestartPolicyNever, corev1.PodFailed, ""},
		{"fail", corev1.RestartPolicyOnFailure, corev1.PodFailed, ""},
		{"fail", corev1.RestartPolicyAlways, corev1.PodRunning, "CrashLoopBackOff"},
		{"crash", corev1.RestartPolicyAlways, corev1.PodRunning, "CrashLoopBackOff"},
		{"crash", corev1.RestartPolicyOnFailure, corev1.PodRunning, "CrashLoopBackOff"},
		{"crash", corev1.RestartPolicyNever, corev1.PodFailed, ""},
		{"hang", corev1.RestartPolicyNever, corev1.PodRunning, ""},
		{"missing", corev1.RestartPolicyAlways, corev1.PodPending, "ImagePullBackOff"},
	} {
		t.Run(tc.tag+"-"+string(tc.policy), func(t *testing.T) {
			t.Parallel()
			pod := barePod("", "example.com/team/sample:"+tc.tag)
			pod.GenerateName, pod.Spec.RestartPolicy = "sample-", tc.policy
			made, err := c.Client().CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := waitForPhase(t, c, ns, made.Name, tc.phase)
			eventually(t, "the container's state is "+tc.reason, func(ctx context.Context) (bool, error) {
				got, err = c.Client().CoreV1().Pods(ns).Get(ctx, made.Name, metav1.GetOptions{})
				return err == nil && waitingReason(got) == tc.reason && len(got.Status.ContainerStatuses) == 1, err
			})
			ready := tc.phase == corev1.PodRunning && tc.tag == "1.27"
			if isReady(got) != ready {
				t.Errorf("ready is %t: %+v", !ready, got.Status.Conditions)
			}
		})
	}
}

func TestDelayPutsReadinessOff(t *testing.T) {
	t.Parallel()
	c := devcluster.Shared(t)
	ns := c.Namespace(t)
	late := barePod("late", "example.com/sample:1")
	late.Annotations = map[string]string{devcluster.DelayAnnotation: "1h"}
	for _, pod := range []*corev1.Pod{late, barePod("soon", "example.com/sample:1")} {
		if _, err := c.Client().CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	waitForPhase(t, c, ns, "soon", corev1.PodSucceeded)
	waitForPhase(t, c, ns, "late", corev1.PodPending)
}

func barePod(name, image string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{{Name: "main", Image: image}},
		},
	}
}

func waitForPhase(t *testing.T, c *devcluster.Cluster, ns, name string, phase corev1.PodPhase) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	eventually(t, "pod "+name+" is "+string(phase), func(ctx context.Context) (bool, error) {
		var err error
		pod, err = c.Client().CoreV1().Pods(ns).Get(ctx, name, metav1.GetOptions{})
		return err == nil && pod.Status.Phase == phase, err
	})
	return pod
}

func waitForJob(t *testing.T, c *devcluster.Cluster, job *batchv1.Job, condition batchv1.JobConditionType) {
	t.Helper()
	jobs := c.Client().BatchV1().Jobs(c.Namespace(t))
	if _, err := jobs.Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job is "+string(condition), func(ctx context.Context) (bool, error) {
		got, err := jobs.Get(ctx, job.Name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		for _, c := range got.Status.Conditions {
			if c.Type == condition && c.Status == corev1.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	})
}

func waitingReason(pod *corev1.Pod) string {
	for _, s := range pod.Status.ContainerStatuses {
		if s.State.Waiting != nil {
			return s.State.Waiting.Reason
		}
	}
	return ""
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
