// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the three kinds of the API group argoproj.io as Bowline reads and writes them:
// Application, AppProject and ApplicationSet.
//
// The words:
//   - An Application says what is to run (one or more sources), where (a destination) and by whose leave (a project).
//   - An operation is a request to sync, written beside spec; its record afterwards is status.operationState.
//   - An AppProject says which sources, destinations and kinds its Applications may use.
//   - An ApplicationSet stamps out Applications from the parameters that generators produce.
//
// The JSON of every type is that of Argo CD's custom resources, so that a manifest, a status or a backup made for one
// program is understood by the other. The Go types are written by hand and depend on nothing but Kubernetes' own
// libraries. Where null, an empty value and false mean different things the type keeps them apart: such a field is a
// pointer, or a list or map that is left out only when nil (omitzero). A struct held by value is left out when it
// is zero, so encoding never adds what was not there.
//
// +kubebuilder:object:generate=true
// +groupName=argoproj.io
package v1alpha1

//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.21.0 object crd:maxDescLen=0 paths=. output:crd:dir=crds
