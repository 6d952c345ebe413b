// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Resource reads the value of a flag --resource: GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME. The core group is empty; a name may hold colons.
func Resource(raw string) (v1alpha1.SyncOperationResource, error) {
	parts := strings.SplitN(raw, ":", 3)
	if strings.HasPrefix(raw, "!") {
		return v1alpha1.SyncOperationResource{}, fmt.Errorf("--resource is %q: excluding an object is not possible, name those to sync", raw)
	}
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
		return v1alpha1.SyncOperationResource{}, fmt.Errorf("--resource is %q and has to be GROUP:KIND:NAME, such as apps:Deployment:web or :Service:web", raw)
	}
	out := v1alpha1.SyncOperationResource{Group: parts[0], Kind: parts[1], Name: parts[2]}
	if namespace, name, ok := strings.Cut(parts[2], "/"); ok {
		out.Namespace, out.Name = namespace, name
	}
	if out.Name == "" {
		return out, fmt.Errorf("--resource is %q and names no object", raw)
	}
	return out, nil
}
