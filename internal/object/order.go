// SPDX-License-Identifier: Apache-2.0

package object

import (
	"cmp"
)

// kindOrder is Argo CD's order of kinds within a wave. Kinds that are not listed come after all of them.
var kindOrder = func() map[string]int {
	kinds := []string{
		"Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget",
		"ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume",
		"PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList",
		"ClusterRoleBinding", "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList",
		"Service", "DaemonSet", "Pod", "ReplicationController", "ReplicaSet", "Deployment",
		"HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService",
	}
	order := make(map[string]int, len(kinds))
	for i, kind := range kinds {
		order[kind] = i - len(kinds)
	}
	return order
}()

// KindOrder returns the place of a kind in the order objects are applied in: negative for the kinds with a
// fixed place, 0 for all others, which come last.
func KindOrder(kind string) int { return kindOrder[kind] }

// CompareForApply orders keys as they are applied within a wave: by kind order, then by key.
func CompareForApply(a, b Key) int {
	return cmp.Or(cmp.Compare(KindOrder(a.Kind), KindOrder(b.Kind)), a.Compare(b))
}
