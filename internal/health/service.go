// SPDX-License-Identifier: Apache-2.0

package health

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

type serviceView struct {
	Spec struct {
		Type corev1.ServiceType `json:"type"`
	} `json:"spec"`
	Status corev1.ServiceStatus `json:"status"`
}

func service(s *serviceView) Status {
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer && len(s.Status.LoadBalancer.Ingress) == 0 {
		return progressing("Waiting for the load balancer's address")
	}
	return healthy("")
}

type ingressView struct {
	Status networkingv1.IngressStatus `json:"status"`
}

func ingress(i *ingressView) Status {
	if len(i.Status.LoadBalancer.Ingress) == 0 {
		return progressing("Waiting for the ingress controller to report an address")
	}
	return healthy("")
}

type claimView struct {
	Status corev1.PersistentVolumeClaimStatus `json:"status"`
}

func claim(c *claimView) Status {
	switch c.Status.Phase {
	case corev1.ClaimBound:
		return healthy("")
	case corev1.ClaimPending:
		return progressing("")
	case corev1.ClaimLost:
		return degraded("")
	}
	return Status{v1alpha1.HealthStatusUnknown, ""}
}

// apiServiceView reads an APIService's status, whose Go type lives in a library of the API server.
type apiServiceView struct {
	Status struct {
		Conditions []metav1.Condition `json:"conditions"`
	} `json:"status"`
}

func apiService(s *apiServiceView) Status {
	for _, c := range s.Status.Conditions {
		if c.Type != "Available" {
			continue
		}
		if c.Status == metav1.ConditionTrue {
			return healthy("%s: %s", c.Reason, c.Message)
		}
		return progressing("%s: %s", c.Reason, c.Message)
	}
	return progressing("Waiting to be processed")
}

type workflowView struct {
	Status struct {
		Phase   string `json:"phase"`
		Message string `json:"message"`
	} `json:"status"`
}

func workflow(w *workflowView) Status {
	switch w.Status.Phase {
	case "", "Pending", "Running":
		return progressing(w.Status.Message)
	case "Succeeded":
		return healthy(w.Status.Message)
	case "Failed", "Error":
		return degraded(w.Status.Message)
	}
	return Status{v1alpha1.HealthStatusUnknown, w.Status.Message}
}

type crdView struct {
	Status struct {
		Conditions []apiextensionsv1.CustomResourceDefinitionCondition `json:"conditions"`
	} `json:"status"`
}

// crd judges whether objects of the kind can be created.
func crd(c *crdView) Status {
	found := map[apiextensionsv1.CustomResourceDefinitionConditionType]apiextensionsv1.CustomResourceDefinitionCondition{}
	for _, cond := range c.Status.Conditions {
		found[cond.Type] = cond
	}
	if found[apiextensionsv1.Terminating].Status == apiextensionsv1.ConditionTrue {
		return progressing("CRD is being deleted")
	}
	if names := found[apiextensionsv1.NamesAccepted]; names.Status == apiextensionsv1.ConditionFalse {
		return degraded("CRD names have not been accepted: %s", names.Message)
	}
	if found[apiextensionsv1.Established].Status == apiextensionsv1.ConditionTrue {
		return healthy("CRD is established")
	}
	return progressing("CRD is not established yet")
}
