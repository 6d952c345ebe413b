// SPDX-License-Identifier: Apache-2.0

package action

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// numa are the actions of Numaflow's kinds and of Numaplane's, which manages them.
func numa() map[schema.GroupKind][]rule {
	const flow, plane = "numaflow.numaproj.io", "numaplane.numaproj.io"
	loss := plane + "/allow-data-loss"
	return map[schema.GroupKind][]rule{
		kind(flow, "Pipeline"):               slices.Concat(lifecycle("spec"), forcePromoteChild()),
		kind(flow, "MonoVertex"):             slices.Concat(lifecycle("spec"), forcePromoteChild()),
		kind(flow, "InterStepBufferService"): forcePromoteChild(),
		kind(plane, "PipelineRollout"): slices.Concat(lifecycle("spec", "pipeline", "spec"), forcePromote(), []rule{
			{Action: named("allow-data-loss", "Allow (possible) data loss", "trash"), unless: marked(loss, "true"), change: mark(loss, "true")},
			{Action: named("disallow-data-loss", "Disallow data loss", "shield-alt"), unless: not(marked(loss, "true")), change: unmark(loss)},
		}),
		kind(plane, "MonoVertexRollout"): slices.Concat(lifecycle("spec", "monoVertex", "spec"), forcePromote()),
		kind(plane, "ISBServiceRollout"): forcePromote(),
	}
}

// lifecycle is the pair of actions about the desired phase below a path.
func lifecycle(at ...string) []rule {
	path := append(slices.Clone(at), "lifecycle", "desiredPhase")
	isPaused := is(path, "Paused")
	return []rule{
		{Action: named("pause", "Pause", "pause-circle"), unless: isPaused, change: set("Paused", path...)},
		{Action: named("unpause", "Unpause", "play-circle"), unless: not(isPaused), change: set("Running", path...)},
	}
}

// forcePromote is the pair of actions about a progressive upgrade that is to count as a success.
func forcePromote() []rule {
	path := []string{"spec", "strategy", "progressive", "forcePromote"}
	forced := isTrue(path...)
	return []rule{
		{Action: named("enable-force-promote", "Enable Force Promote", "fast-forward"), unless: forced, change: set(true, path...)},
		{Action: named("disable-force-promote", "Disable Force Promote", "ban"), unless: not(forced), change: set(false, path...)},
	}
}

// forcePromoteChild does the same for one upgrade, at the object that is on trial.
func forcePromoteChild() []rule {
	const state, force = "numaplane.numaproj.io/upgrade-state", "numaplane.numaproj.io/force-promote"
	return []rule{{
		Action: named("force-promote", "Force Promote", "fast-forward"),
		unless: func(obj *unstructured.Unstructured) bool {
			labels := obj.GetLabels()
			return labels[force] == "true" || labels[state] != "in-progress" && labels[state] != "trial"
		},
		change: set("true", "metadata", "labels", force),
	}}
}
