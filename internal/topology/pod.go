// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// progress is how far a Pod is, in the words of the column STATUS of kubectl get pods.
type progress struct {
	reason                 string
	ready, total, restarts int
}

// progressOf follows the Pod's life (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/): its phase, unless
// something says more; then the first init container that is not through, then what its containers say.
func progressOf(p *corev1.Pod) progress {
	s := progress{reason: string(p.Status.Phase), total: len(p.Spec.Containers)}
	if p.Status.Reason != "" {
		s.reason = p.Status.Reason
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated {
			s.reason = corev1.PodReasonSchedulingGated
		}
	}
	if waits := s.initialise(p); !waits || initialised(&p.Status) {
		s.run(p.Status.ContainerStatuses)
	}
	s.end(p)
	return s
}

// initialise looks at the init containers, and reports whether one of them is not through. Sidecars are those that go on
// running beside the others; they count like containers.
func (s *progress) initialise(p *corev1.Pod) (waits bool) {
	sidecars := map[string]bool{}
	for i := range p.Spec.InitContainers {
		if isSidecar(&p.Spec.InitContainers[i]) {
			sidecars[p.Spec.InitContainers[i].Name] = true
			s.total++
		}
	}
	for i := range p.Status.InitContainerStatuses {
		c := &p.Status.InitContainerStatuses[i]
		s.restarts += int(c.RestartCount)
		ended, started := c.State.Terminated, c.Started != nil && *c.Started
		switch {
		case ended != nil && ended.ExitCode == 0:
		case sidecars[c.Name] && started:
			if c.Ready {
				s.ready++
			}
		case ended != nil:
			s.reason = "Init:" + endOf(ended)
			return true
		case c.State.Waiting != nil && c.State.Waiting.Reason != "" && c.State.Waiting.Reason != "PodInitializing":
			s.reason = "Init:" + c.State.Waiting.Reason
			return true
		default:
			s.reason = fmt.Sprintf("Init:%d/%d", i, len(p.Spec.InitContainers))
			return true
		}
	}
	return false
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// run looks at the containers. The first one that says something is the one that is named.
func (s *progress) run(containers []corev1.ContainerStatus) {
	running := false
	for i := len(containers) - 1; i >= 0; i-- {
		c := &containers[i]
		s.restarts += int(c.RestartCount)
		switch {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "":
			s.reason = c.State.Waiting.Reason
		case c.State.Terminated != nil:
			s.reason = endOf(c.State.Terminated)
		case c.Ready && c.State.Running != nil:
			running = true
			s.ready++
		}
	}
	if s.reason == "Completed" && running {
		s.reason = "Running"
	}
}

// end looks at a Pod that is being deleted. nodeLost is written by the control plane when the node is out of reach.
func (s *progress) end(p *corev1.Pod) {
	const nodeLost = "NodeLost"
	through := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	switch {
	case p.DeletionTimestamp == nil:
	case p.Status.Reason == nodeLost:
		s.reason = "Unknown"
	case !through:
		s.reason = "Terminating"
	}
}

func endOf(t *corev1.ContainerStateTerminated) string {
	switch {
	case t.Reason != "":
		return t.Reason
	case t.Signal != 0:
		return fmt.Sprintf("Signal:%d", t.Signal)
	}
	return fmt.Sprintf("ExitCode:%d", t.ExitCode)
}

func initialised(s *corev1.PodStatus) bool {
	for _, c := range s.Conditions {
		if c.Type == corev1.PodInitialized {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
