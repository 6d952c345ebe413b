// SPDX-License-Identifier: Apache-2.0

package health

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

type podView struct {
	Metadata struct {
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		RestartPolicy corev1.RestartPolicy `json:"restartPolicy"`
	} `json:"spec"`
	Status corev1.PodStatus `json:"status"`
}

// runsForEver reports whether the pod is meant to stay up. One that is meant to end is often a hook: it must not be
// called failed while its image cannot be pulled, because it would still run once the image is there.
func (p *podView) runsForEver() bool {
	if p.Spec.RestartPolicy == corev1.RestartPolicyAlways {
		return true
	}
	_, hook := p.Metadata.Annotations[v1alpha1.AnnotationKeyHook]
	return p.Metadata.Annotations[v1alpha1.AnnotationIgnoreRestartPolicy] == "true" && !hook
}

func pod(p *podView) Status {
	if p.runsForEver() {
		if messages, stuck := stuckContainers(p.Status.ContainerStatuses); stuck {
			return degraded(strings.Join(messages, ", "))
		}
	}
	message := p.Status.Message
	switch p.Status.Phase {
	case corev1.PodPending:
		return progressing(message)
	case corev1.PodSucceeded:
		return healthy(message)
	case corev1.PodFailed:
		return degraded(failure(&p.Status))
	case corev1.PodRunning:
		if p.runsForEver() {
			return running(&p.Status)
		}
		return progressing(message)
	}
	return Status{v1alpha1.HealthStatusUnknown, message}
}

// stuckContainers returns why containers wait, if for a reason that time alone does not cure.
func stuckContainers(containers []corev1.ContainerStatus) (messages []string, stuck bool) {
	for _, c := range containers {
		w := c.State.Waiting
		if w == nil {
			continue
		}
		if strings.HasPrefix(w.Reason, "Err") || strings.HasSuffix(w.Reason, "Error") || strings.HasSuffix(w.Reason, "BackOff") {
			stuck = true
			messages = append(messages, w.Message)
		}
	}
	return messages, stuck
}

func running(s *corev1.PodStatus) Status {
	ready := slices.ContainsFunc(s.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && isTrue(c.Status)
	})
	if ready {
		return healthy(s.Message)
	}
	for _, c := range s.ContainerStatuses {
		if c.LastTerminationState.Terminated != nil {
			return degraded(s.Message)
		}
	}
	return progressing(s.Message)
}

func failure(s *corev1.PodStatus) string {
	if s.Message != "" {
		return s.Message
	}
	for _, c := range slices.Concat(s.InitContainerStatuses, s.ContainerStatuses) {
		t := c.State.Terminated
		switch {
		case t == nil:
		case t.Message != "":
			return t.Message
		case t.Reason == "OOMKilled":
			return t.Reason
		case t.ExitCode != 0:
			return fmt.Sprintf("container %q failed with exit code %d", c.Name, t.ExitCode)
		}
	}
	return ""
}
