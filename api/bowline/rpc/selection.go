// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"errors"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

var errResource = errors.New("write GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME, such as apps:Deployment:web or :Service:web")

// ParseResource reads the object that a sync is limited to from how PlanQuery writes it.
func ParseResource(text string) (v1alpha1.SyncOperationResource, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) != 3 || parts[1] == "" {
		return v1alpha1.SyncOperationResource{}, errResource
	}
	out := v1alpha1.SyncOperationResource{Group: parts[0], Kind: parts[1], Name: parts[2]}
	if namespace, name, ok := strings.Cut(parts[2], "/"); ok {
		out.Namespace, out.Name = namespace, name
	}
	if out.Name == "" {
		return out, errResource
	}
	return out, nil
}

// FormatResource writes an object as ParseResource reads it.
func FormatResource(r v1alpha1.SyncOperationResource) string {
	name := r.Name
	if r.Namespace != "" {
		name = r.Namespace + "/" + name
	}
	return r.Group + ":" + r.Kind + ":" + name
}
