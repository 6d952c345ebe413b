// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/health"
)

// Detail is what a node shows of its object besides its identity. It is never changed after it was made: many readers
// share it.
type Detail struct {
	Health  *health.Status                   `json:"health,omitempty"` // nil: nothing is known of its kind
	Images  []string                         `json:"images,omitempty"`
	Info    []v1alpha1.InfoItem              `json:"info,omitempty"`
	Network *v1alpha1.ResourceNetworkingInfo `json:"network,omitempty"`
	Host    *HostFacts                       `json:"host,omitempty"` // of a Node
}

// Describe reads an object. judge gives its health; nil judges by the rules that need no settings.
func Describe(obj *unstructured.Unstructured, judge *health.Judge) Detail {
	d := Detail{Images: images(obj), Info: facts(obj)}
	if status, ok := judge.Of(obj); ok {
		d.Health = &status
	}
	d.Network = network(obj)
	if kind := obj.GroupVersionKind(); kind.Group == "" && kind.Kind == "Node" {
		d.Host = host(obj)
	}
	return d
}
