// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationTree is what hangs together below an application: its resources and everything that came of them.
type ApplicationTree struct {
	// Nodes are the application's own resources and all their descendants.
	Nodes []ResourceNode `json:"nodes,omitempty"`
	// OrphanedNodes are objects in the application's namespaces that belong to no application.
	OrphanedNodes []ResourceNode `json:"orphanedNodes,omitempty"`
	// Hosts are the nodes of the cluster on which the application's Pods run.
	Hosts []HostInfo `json:"hosts,omitempty"`
	// ShardsCount is in how many pieces the tree is stored elsewhere; here it is in one.
	ShardsCount int64 `json:"shardsCount,omitempty"`
}

// ResourceRef names one object of a cluster.
type ResourceRef struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	UID       string `json:"uid,omitempty"`
}

// ResourceNode is one object of a tree.
type ResourceNode struct {
	ResourceRef     `json:",inline"`
	ParentRefs      []ResourceRef           `json:"parentRefs,omitempty"`
	Info            []InfoItem              `json:"info,omitempty"`
	NetworkingInfo  *ResourceNetworkingInfo `json:"networkingInfo,omitempty"`
	ResourceVersion string                  `json:"resourceVersion,omitempty"`
	Images          []string                `json:"images,omitempty"`
	Health          *HealthStatus           `json:"health,omitempty"`
	CreatedAt       *metav1.Time            `json:"createdAt,omitempty"`
}

// InfoItem is a fact about an object, under its title.
type InfoItem struct {
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
}

// ResourceNetworkingInfo says where traffic comes from and goes to.
type ResourceNetworkingInfo struct {
	// TargetLabels choose the objects that traffic goes to, TargetRefs name them.
	TargetLabels map[string]string `json:"targetLabels,omitempty"`
	TargetRefs   []ResourceRef     `json:"targetRefs,omitempty"`
	// Labels are those by which the object itself is chosen.
	Labels map[string]string `json:"labels,omitempty"`
	// Ingress are the addresses at which the cluster takes traffic for the object.
	Ingress []corev1.LoadBalancerIngress `json:"ingress,omitempty"`
	// ExternalURLs are addresses that a person can open.
	ExternalURLs []string `json:"externalURLs,omitempty"`
}

// HostInfo is a node of the cluster as far as Pods of the application are concerned.
type HostInfo struct {
	Name          string                `json:"name,omitempty"`
	ResourcesInfo []HostResourceInfo    `json:"resourcesInfo,omitempty"`
	SystemInfo    corev1.NodeSystemInfo `json:"systemInfo"`
	Labels        map[string]string     `json:"labels,omitempty"`
}

// HostResourceInfo says how much of a resource of a host is asked for, in thousandths of its unit.
type HostResourceInfo struct {
	ResourceName         corev1.ResourceName `json:"resourceName,omitempty"`
	RequestedByApp       int64               `json:"requestedByApp,omitempty"`
	RequestedByNeighbors int64               `json:"requestedByNeighbors,omitempty"`
	Capacity             int64               `json:"capacity,omitempty"`
}
