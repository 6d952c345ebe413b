// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"io"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// runForDemo runs Bowline in this process, on free ports.
func runForDemo(ctx context.Context, kubeconfig, data string, log io.Writer, ready func(address string)) error {
	return Run(ctx, RunOptions{
		Kubeconfig: kubeconfig, Namespace: v1alpha1.DefaultNamespace, Listen: "127.0.0.1:0", Metrics: "127.0.0.1:0",
		Data: data, Install: "true", Insecure: true, Log: log, Ready: ready,
	})
}
