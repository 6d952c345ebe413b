// SPDX-License-Identifier: Apache-2.0

package action

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// flux are the actions of Flux's kinds, as `flux reconcile`, `flux suspend` and `flux resume` do them.
func flux() map[schema.GroupKind][]rule {
	out := map[schema.GroupKind][]rule{}
	for group, kinds := range map[string][]string{
		"source.toolkit.fluxcd.io":       {"Bucket", "GitRepository", "HelmChart", "HelmRepository", "OCIRepository"},
		"kustomize.toolkit.fluxcd.io":    {"Kustomization"},
		"helm.toolkit.fluxcd.io":         {"HelmRelease"},
		"image.toolkit.fluxcd.io":        {"ImageRepository", "ImageUpdateAutomation"},
		"notification.toolkit.fluxcd.io": {"Receiver"},
	} {
		for _, name := range kinds {
			out[kind(group, name)] = []rule{reconcile(), suspend(true), suspend(false)}
		}
	}
	for _, name := range []string{"Alert", "Provider"} {
		out[kind("notification.toolkit.fluxcd.io", name)] = []rule{suspend(true), suspend(false)}
	}
	return out
}

// reconcile has a controller look at once. It does not look at what is suspended.
func reconcile() rule {
	return rule{
		Action: named("reconcile", "Reconcile", "sync"), unless: isTrue("spec", "suspend"),
		change: stamp(time.RFC3339Nano, "metadata", "annotations", "reconcile.fluxcd.io/requestedAt"),
	}
}
