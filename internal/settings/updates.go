// SPDX-License-Identifier: Apache-2.0

package settings

// DefaultIgnoredUpdates are the keys about updates that cause no work in a newly created argocd-cm, as Argo CD ships
// them since 3.0: status, which health reads by itself, and records that controllers keep in metadata.
func DefaultIgnoredUpdates() map[string]string {
	return map[string]string{
		updatesPrefix + "all": pointers("/status"),
		updatesPrefix + "argoproj.io_Application": annotations("argocd.argoproj.io/refresh", "argocd.argoproj.io/hydrate",
			"notified.notifications.argoproj.io") + "- .operation\n",
		updatesPrefix + "argoproj.io_Rollout": annotations("notified.notifications.argoproj.io"),
		updatesPrefix + "autoscaling_HorizontalPodAutoscaler": annotations("autoscaling.alpha.kubernetes.io/behavior",
			"autoscaling.alpha.kubernetes.io/conditions", "autoscaling.alpha.kubernetes.io/metrics", "autoscaling.alpha.kubernetes.io/current-metrics"),
		updatesPrefix + "ConfigMap": annotations("control-plane.alpha.kubernetes.io/leader", "cluster-autoscaler.kubernetes.io/last-updated"),
		updatesPrefix + "apps_ReplicaSet": annotations("deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas",
			"rollout.argoproj.io/desired-replicas"),
		updatesPrefix + "Endpoints":                      pointers("/metadata", "/subsets"),
		updatesPrefix + "discovery.k8s.io_EndpointSlice": pointers("/metadata", "/endpoints", "/ports"),
	}
}

const updatesPrefix = splitPrefix + "ignoreResourceUpdates."

func pointers(list ...string) string {
	text := "jsonPointers:\n"
	for _, p := range list {
		text += "- " + p + "\n"
	}
	return text
}

func annotations(list ...string) string {
	text := "jqPathExpressions:\n"
	for _, name := range list {
		text += `- .metadata.annotations."` + name + "\"\n"
	}
	return text
}
