// SPDX-License-Identifier: Apache-2.0

package declared

import (
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// ClusterKind is the label's value of a Secret that declares a cluster.
const ClusterKind = v1alpha1.LabelValueSecretTypeCluster

// ClusterName is the name of the Secret of the cluster at an address: cluster-<host>-<hash>.
func ClusterName(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fault.New(fault.Mistake, "declare", "a cluster", "server", "it is no http(s) address", "name the URL of the API server")
	}
	host := u.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
		host = strings.ReplaceAll(addr.WithZone("").String(), ":", "-")
	}
	return hashed("cluster-"+strings.ToLower(host), server), nil
}

// NewCluster returns the Secret of a cluster, without a namespace. An error is a fault.Mistake.
func NewCluster(c *v1alpha1.Cluster) (*corev1.Secret, error) {
	name, err := ClusterName(c.Server)
	if err != nil {
		return nil, err
	}
	secret := own(name, ClusterKind)
	return secret, WriteCluster(secret, c)
}

// WriteCluster puts a cluster into its Secret. An error is a fault.Mistake.
func WriteCluster(secret *corev1.Secret, c *v1alpha1.Cluster) error {
	if c.Annotations[v1alpha1.AnnotationKubectlLastApplied] != "" {
		// It holds the Secret as it was applied, credentials included.
		return fault.New(fault.Mistake, "declare", "cluster "+c.Server, "annotations", v1alpha1.AnnotationKubectlLastApplied+" cannot be set", "leave it out")
	}
	config, err := json.Marshal(c.Config)
	if err != nil {
		// What it says of the connection may be quoted in err.
		return &fault.Error{Kind: fault.Mistake, Op: "declare", Thing: "cluster " + c.Server, Where: "config", Err: errors.New("it cannot be written as JSON"), Fix: "correct it"}
	}
	name := c.Name
	if name == "" {
		name = c.Server
	}
	data := map[string]string{"server": strings.TrimRight(c.Server, "/"), "name": name, "config": string(config),
		"namespaces": strings.Join(c.Namespaces, ","), "project": c.Project}
	if c.ClusterResources {
		data["clusterResources"] = "true"
	}
	if c.Shard != nil {
		data["shard"] = strconv.FormatInt(*c.Shard, 10)
	}
	secret.Data = map[string][]byte{}
	for key, value := range data {
		if value != "" {
			secret.Data[key] = []byte(value)
		}
	}
	writeClusterMeta(secret, c)
	return nil
}

// writeClusterMeta replaces labels and annotations but those that are no part of the cluster.
func writeClusterMeta(secret *corev1.Secret, c *v1alpha1.Cluster) {
	annotations := maps.Clone(c.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	delete(annotations, v1alpha1.AnnotationKeyRefresh)
	for _, key := range []string{managedByKey, v1alpha1.AnnotationKubectlLastApplied} {
		if value, ok := secret.Annotations[key]; ok {
			annotations[key] = value
		}
	}
	if c.RefreshRequestedAt != nil {
		annotations[v1alpha1.AnnotationKeyRefresh] = c.RefreshRequestedAt.UTC().Format(time.RFC3339)
	}
	secret.Labels, secret.Annotations = maps.Clone(c.Labels), annotations
	mark(secret, ClusterKind)
}

// ReadCluster reads a Secret. With an error, which is a fault.Mistake that quotes no value, the rest is read.
func ReadCluster(secret *corev1.Secret) (*v1alpha1.Cluster, error) {
	text := func(key string) string { return strings.TrimSpace(string(secret.Data[key])) }
	c := &v1alpha1.Cluster{
		Server: strings.TrimRight(text("server"), "/"), Name: text("name"), Project: text("project"),
		ClusterResources: text("clusterResources") == "true", Labels: maps.Clone(secret.Labels), Annotations: maps.Clone(secret.Annotations),
	}
	delete(c.Labels, v1alpha1.LabelKeySecretType)
	delete(c.Annotations, v1alpha1.AnnotationKubectlLastApplied)
	delete(c.Annotations, managedByKey)
	for namespace := range strings.SplitSeq(text("namespaces"), ",") {
		if namespace = strings.TrimSpace(namespace); namespace != "" {
			c.Namespaces = append(c.Namespaces, namespace)
		}
	}
	if at, err := time.Parse(time.RFC3339, secret.Annotations[v1alpha1.AnnotationKeyRefresh]); err == nil {
		c.RefreshRequestedAt = &metav1.Time{Time: at}
	}
	if shard, err := strconv.ParseInt(text("shard"), 10, 64); err == nil {
		c.Shard = &shard
	}
	if len(secret.Data["config"]) > 0 && json.Unmarshal(secret.Data["config"], &c.Config) != nil {
		c.Config = v1alpha1.ClusterConfig{}
		return c, fault.New(fault.Mistake, "read", "Secret "+secret.Namespace+"/"+secret.Name, "data.config", "it is not the JSON of a cluster's connection",
			"correct it, or add the cluster again")
	}
	return c, nil
}

// ShownCluster is the cluster without anything that gives access. How a credentials plugin is called is left out as a whole:
// its arguments and variables may hold anything.
func ShownCluster(c *v1alpha1.Cluster) v1alpha1.Cluster {
	return v1alpha1.Cluster{
		Server: shownURL(c.Server), Name: c.Name, Project: c.Project, Namespaces: c.Namespaces, ClusterResources: c.ClusterResources, Shard: c.Shard,
		Labels: c.Labels, Annotations: shownAnnotations(c.Annotations), RefreshRequestedAt: c.RefreshRequestedAt,
		ServerVersion: c.ServerVersion, ConnectionState: c.ConnectionState, Info: c.Info,
		Config: v1alpha1.ClusterConfig{
			AWSAuthConfig: c.Config.AWSAuthConfig, ProxyURL: shownURL(c.Config.ProxyURL), DisableCompression: c.Config.DisableCompression,
			TLSClientConfig: v1alpha1.TLSClientConfig{Insecure: c.Config.TLSClientConfig.Insecure, ServerName: c.Config.TLSClientConfig.ServerName},
		},
	}
}

func shownAnnotations(all map[string]string) map[string]string {
	out := maps.Clone(all)
	delete(out, v1alpha1.AnnotationKubectlLastApplied)
	return out
}
