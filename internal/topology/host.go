// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"unique"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"
)

// PodFacts are what a Pod takes of its host, in thousandths of a core and of a byte.
type PodFacts struct {
	Host        string // "" before it is scheduled
	CPU, Memory int64
}

// HostFacts are what a Node has, in the same units.
type HostFacts struct {
	CPU    int64                 `json:"cpu"`
	Memory int64                 `json:"memory"`
	System corev1.NodeSystemInfo `json:"system"`
	Labels map[string]string     `json:"labels,omitempty"`
}

// podLoad is the part of a Pod that says what it takes.
type podLoad struct {
	Spec struct {
		NodeName       string              `json:"nodeName"`
		InitContainers []corev1.Container  `json:"initContainers"`
		Containers     []corev1.Container  `json:"containers"`
		Overhead       corev1.ResourceList `json:"overhead"`
	} `json:"spec"`
	Status struct {
		Phase corev1.PodPhase `json:"phase"`
	} `json:"status"`
}

// ReadPod reads a Pod's JSON; nil if it takes nothing: it has ended, is on no host, or cannot be read.
func ReadPod(raw []byte) *PodFacts {
	var p podLoad
	if kjson.UnmarshalCaseSensitivePreserveInts(raw, &p) != nil || p.Spec.NodeName == "" {
		return nil
	}
	if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return nil
	}
	return &PodFacts{Host: unique.Make(p.Spec.NodeName).Value(), CPU: p.takes(corev1.ResourceCPU), Memory: p.takes(corev1.ResourceMemory)}
}

// takes adds up as the scheduler does (https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers):
// containers run together with the sidecars; an init container runs with the sidecars that come before it.
func (p *podLoad) takes(name corev1.ResourceName) int64 {
	var together, beside, most int64
	for i := range p.Spec.Containers {
		together += milli(p.Spec.Containers[i].Resources.Requests, name)
	}
	for i := range p.Spec.InitContainers {
		c := &p.Spec.InitContainers[i]
		if request := milli(c.Resources.Requests, name); isSidecar(c) {
			beside += request
			most = max(most, beside)
		} else {
			most = max(most, beside+request)
		}
	}
	return max(together+beside, most) + milli(p.Spec.Overhead, name)
}

func milli(list corev1.ResourceList, name corev1.ResourceName) int64 {
	quantity := list[name]
	return quantity.MilliValue()
}

// host reads a Node; nil if it cannot be read.
func host(obj *unstructured.Unstructured) *HostFacts {
	var n corev1.Node
	if runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &n) != nil {
		return nil
	}
	return &HostFacts{
		CPU: milli(n.Status.Capacity, corev1.ResourceCPU), Memory: milli(n.Status.Capacity, corev1.ResourceMemory),
		System: n.Status.NodeInfo, Labels: n.Labels,
	}
}
