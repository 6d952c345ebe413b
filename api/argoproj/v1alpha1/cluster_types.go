// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Cluster is a connection to a cluster, as the API speaks of it. The secret fields of Config are for requests: no answer has
// them.
type Cluster struct {
	Server             string            `json:"server"`
	Name               string            `json:"name"`
	Config             ClusterConfig     `json:"config"`
	ConnectionState    ConnectionState   `json:"connectionState,omitzero"`
	ServerVersion      string            `json:"serverVersion,omitempty"`
	Namespaces         []string          `json:"namespaces,omitempty"`
	RefreshRequestedAt *metav1.Time      `json:"refreshRequestedAt,omitempty"`
	Info               ClusterInfo       `json:"info,omitzero"`
	Shard              *int64            `json:"shard,omitempty"`
	ClusterResources   bool              `json:"clusterResources,omitempty"`
	Project            string            `json:"project,omitempty"`
	Labels             map[string]string `json:"labels,omitempty"`
	Annotations        map[string]string `json:"annotations,omitempty"`
}

// ClusterList is a list of clusters.
type ClusterList struct {
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Cluster `json:"items"`
}

// ClusterConfig is how to connect to a cluster.
type ClusterConfig struct {
	Username           string              `json:"username,omitempty"`
	Password           string              `json:"password,omitempty"`
	BearerToken        string              `json:"bearerToken,omitempty"`
	TLSClientConfig    TLSClientConfig     `json:"tlsClientConfig"`
	AWSAuthConfig      *AWSAuthConfig      `json:"awsAuthConfig,omitempty"`
	ExecProviderConfig *ExecProviderConfig `json:"execProviderConfig,omitempty"`
	DisableCompression bool                `json:"disableCompression,omitempty"`
	ProxyURL           string              `json:"proxyUrl,omitempty"`
}

// TLSClientConfig is by what a cluster is trusted, and by what it trusts.
type TLSClientConfig struct {
	Insecure   bool   `json:"insecure"`
	ServerName string `json:"serverName,omitempty"`
	CertData   []byte `json:"certData,omitempty"`
	KeyData    []byte `json:"keyData,omitempty"`
	CAData     []byte `json:"caData,omitempty"`
}

// AWSAuthConfig is how to sign in to a cluster of AWS.
type AWSAuthConfig struct {
	ClusterName string `json:"clusterName,omitempty"`
	RoleARN     string `json:"roleARN,omitempty"`
	Profile     string `json:"profile,omitempty"`
}

// ExecProviderConfig is a program that gives credentials.
type ExecProviderConfig struct {
	Command            string                `json:"command,omitempty"`
	Args               []string              `json:"args,omitempty"`
	Env                map[string]string     `json:"env,omitempty"`
	APIVersion         string                `json:"apiVersion,omitempty"`
	InstallHint        string                `json:"installHint,omitempty"`
	ProvideClusterInfo bool                  `json:"provideClusterInfo,omitempty"`
	Config             *runtime.RawExtension `json:"config,omitempty"`
}

// ClusterInfo is what is known of a cluster.
type ClusterInfo struct {
	ConnectionState   ConnectionState  `json:"connectionState,omitzero"`
	ServerVersion     string           `json:"serverVersion,omitempty"`
	CacheInfo         ClusterCacheInfo `json:"cacheInfo,omitzero"`
	ApplicationsCount int64            `json:"applicationsCount"`
	APIVersions       []string         `json:"apiVersions,omitempty"`
}

// ClusterCacheInfo counts what is watched of a cluster.
type ClusterCacheInfo struct {
	ResourcesCount    int64        `json:"resourcesCount,omitempty"`
	APIsCount         int64        `json:"apisCount,omitempty"`
	LastCacheSyncTime *metav1.Time `json:"lastCacheSyncTime,omitempty"`
}
