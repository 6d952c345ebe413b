// SPDX-License-Identifier: Apache-2.0

// Package crds holds the custom resource definitions of the API group argoproj.io as controller-gen writes them from the
// Go types.
package crds

import "embed"

// Files are the definitions, one YAML document in each file.
//
//go:embed *.yaml
var Files embed.FS
