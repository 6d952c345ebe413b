// SPDX-License-Identifier: Apache-2.0

package health

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// conditionsAnnotation is where autoscaling/v1 keeps the conditions that later versions have in their status.
const conditionsAnnotation = "autoscaling.alpha.kubernetes.io/conditions"

// autoscalerCondition is the part of a condition that all versions of the kind write alike.
type autoscalerCondition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type autoscalerView struct {
	Status struct {
		Conditions []autoscalerCondition `json:"conditions"`
	} `json:"status"`
}

func autoscaler(obj *unstructured.Unstructured) (Status, error) {
	conditions, err := autoscalerConditions(obj)
	if err != nil {
		return Status{}, err
	}
	// A failure counts wherever it stands in the list: AbleToScale comes first and stays true while metrics fail.
	if i := slices.IndexFunc(conditions, autoscalerFailed); i >= 0 {
		return degraded(conditions[i].Message), nil
	}
	if i := slices.IndexFunc(conditions, autoscalerWorks); i >= 0 {
		return healthy(conditions[i].Message), nil
	}
	return progressing("Waiting to Autoscale"), nil
}

func autoscalerConditions(obj *unstructured.Unstructured) (conditions []autoscalerCondition, err error) {
	switch version := obj.GroupVersionKind().Version; version {
	case "v1":
		raw, ok := obj.GetAnnotations()[conditionsAnnotation]
		if !ok {
			return nil, nil
		}
		if err := json.Unmarshal([]byte(raw), &conditions); err != nil {
			return nil, fmt.Errorf("annotation %s: %w", conditionsAnnotation, err)
		}
		return conditions, nil
	case "v2", "v2beta1", "v2beta2":
		var view autoscalerView
		err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &view)
		return view.Status.Conditions, err
	default:
		return nil, fmt.Errorf("version %s has no rule", version)
	}
}

func autoscalerFailed(c autoscalerCondition) bool {
	switch c.Type {
	case "AbleToScale":
		return c.Reason == "FailedGetScale" || c.Reason == "FailedUpdateScale"
	case "ScalingActive":
		return c.Reason == "InvalidSelector" || c.Reason == "FailedComputeMetricsReplicas" ||
			strings.HasPrefix(c.Reason, "FailedGet") && strings.HasSuffix(c.Reason, "Metric")
	}
	return false
}

func autoscalerWorks(c autoscalerCondition) bool {
	return (c.Type == "AbleToScale" || c.Type == "ScalingLimited") && c.Status == "True"
}
