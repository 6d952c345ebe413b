// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// The titles of facts, as Argo CD's API has them and its clients look for them.
const (
	FactRevision   = "Revision"
	FactStatus     = "Status Reason"
	FactNode       = "Node"
	FactContainers = "Containers"
	FactRestarts   = "Restart Count"
)

// facts returns what people want to know of an object at a glance.
func facts(obj *unstructured.Unstructured) []v1alpha1.InfoItem {
	var out []v1alpha1.InfoItem
	if revision := revisionOf(obj); revision > 0 {
		out = append(out, v1alpha1.InfoItem{Name: FactRevision, Value: "Rev:" + strconv.FormatInt(revision, 10)})
	}
	if obj.GetKind() == "Pod" && obj.GroupVersionKind().Group == "" {
		out = append(out, podFacts(obj)...)
	}
	return out
}

// revisionAnnotations are where controllers write which rollout a ReplicaSet belongs to.
var revisionAnnotations = []string{"deployment.kubernetes.io/revision", "rollout.argoproj.io/revision"}

// revisionOf returns which rollout an object stands for: of a ReplicaSet and a ControllerRevision; 0 if it says none.
func revisionOf(obj *unstructured.Unstructured) int64 {
	switch {
	case obj.GetKind() == "ControllerRevision":
		revision, _, _ := unstructured.NestedInt64(obj.Object, "revision")
		return revision
	case obj.GetKind() == "ReplicaSet":
		annotations := obj.GetAnnotations()
		for _, key := range revisionAnnotations {
			if revision, err := strconv.ParseInt(annotations[key], 10, 64); err == nil {
				return revision
			}
		}
	}
	return 0
}

func podFacts(obj *unstructured.Unstructured) []v1alpha1.InfoItem {
	var p corev1.Pod
	if runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &p) != nil {
		return nil
	}
	s := progressOf(&p)
	var out []v1alpha1.InfoItem
	add := func(name, value string) { out = append(out, v1alpha1.InfoItem{Name: name, Value: value}) }
	if s.reason != "" {
		add(FactStatus, s.reason)
	}
	add(FactNode, p.Spec.NodeName)
	add(FactContainers, strconv.Itoa(s.ready)+"/"+strconv.Itoa(s.total))
	if s.restarts > 0 {
		add(FactRestarts, strconv.Itoa(s.restarts))
	}
	return out
}

// workloads are where kinds keep the Pods that they make.
var workloads = [][]string{
	{"spec"},
	{"spec", "template", "spec"},
	{"spec", "jobTemplate", "spec", "template", "spec"},
}

// images returns the images that an object runs or makes others run, sorted: those of every container, init containers
// and sidecars among them, wherever the kind keeps its Pods.
func images(obj *unstructured.Unstructured) []string {
	var out []string
	for _, path := range workloads {
		spec, ok, err := unstructured.NestedFieldNoCopy(obj.Object, path...)
		if !ok || err != nil {
			continue
		}
		fields, _ := spec.(map[string]any)
		for _, list := range []string{"initContainers", "containers"} {
			containers, _ := fields[list].([]any)
			for _, c := range containers {
				container, _ := c.(map[string]any)
				if image, _ := container["image"].(string); image != "" {
					out = append(out, image)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
