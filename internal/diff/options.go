// SPDX-License-Identifier: Apache-2.0

package diff

import "strings"

// CompareOptions are those of the annotation argocd.argoproj.io/compare-options: a list with commas
// (https://argo-cd.readthedocs.io/en/stable/user-guide/compare-options/).
type CompareOptions struct {
	// IgnoreExtraneous, on an object: that it is there without being desired does not make its application OutOfSync.
	IgnoreExtraneous bool
	// ServerSideDiff, on an application: Different is said of no object but by the answer to a dry run. That holds without
	// the option too, as long as the API server answers; with it, a refusal to answer is Unknown.
	ServerSideDiff bool
	// IncludeMutationWebhook, on an application: all that the dry run changes is a difference, not only fields that are
	// desired or ours (see Input.Mutations).
	IncludeMutationWebhook bool
}

// ParseCompareOptions reads the annotation. What it does not know it leaves alone: others use it as well.
func ParseCompareOptions(annotation string) CompareOptions {
	var o CompareOptions
	for part := range strings.SplitSeq(annotation, ",") {
		switch strings.TrimSpace(part) {
		case "IgnoreExtraneous":
			o.IgnoreExtraneous = true
		case "ServerSideDiff=true":
			o.ServerSideDiff = true
		case "IncludeMutationWebhook=true":
			o.IncludeMutationWebhook = true
		}
	}
	return o
}
