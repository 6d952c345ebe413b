// SPDX-License-Identifier: Apache-2.0

// Package deploy holds what Bowline runs in a cluster by: plain manifests for kustomize (cluster, namespaced, crds), a Helm chart
// that renders to the same, and the Dockerfile of the image.
package deploy

//go:generate go run ./generate
