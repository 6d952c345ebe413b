// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"io"
	"net/http"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/bowline-cd/bowline/internal/fault"
)

var podKind = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}

// Logs opens the log of a container of a pod, as the user of ctx. The answer has to be closed; it ends with ctx. Errors are
// *Error; NotFound is one.
func (c *Cluster) Logs(ctx context.Context, namespace, pod string, o corev1.PodLogOptions) (io.ReadCloser, error) {
	t, err := c.target(ctx, "read the log of", podKind, namespace, pod)
	if err != nil {
		return nil, err
	}
	req := c.api.rest.Get().AbsPath(t.path+"/log").SetHeader("Accept", "text/plain, "+acceptJSON).
		SpecificallyVersionedParams(&o, scheme.ParameterCodec, corev1.SchemeGroupVersion)
	stream, err := req.Stream(ctx)
	if err != nil {
		c.link.report(err)
		return nil, t.wrap("read the log of", err)
	}
	return stream, nil
}

// ExecOptions are what runs in a container, and what it is connected to.
type ExecOptions struct {
	Container string
	Command   []string
	In        io.Reader
	Out       io.Writer
	// Sizes are those of the terminal, as they change; it ends with nil.
	Sizes remotecommand.TerminalSizeQueue
}

// Exec runs a command in a container with a terminal, as the user of ctx, until it ends or ctx does. It speaks WebSocket, and
// SPDY to API servers that do not.
func (c *Cluster) Exec(ctx context.Context, namespace, pod string, o ExecOptions) error {
	t, err := c.target(ctx, "run a command in", podKind, namespace, pod)
	if err != nil {
		return err
	}
	req := c.api.rest.Post().AbsPath(t.path+"/exec").SpecificallyVersionedParams(&corev1.PodExecOptions{
		Container: o.Container, Command: o.Command, Stdin: true, Stdout: true, TTY: true,
	}, scheme.ParameterCodec, corev1.SchemeGroupVersion)
	config := rest.CopyConfig(c.cfg.REST)
	if user := identityOf(ctx); user != "" {
		config.Impersonate = rest.ImpersonationConfig{UserName: user}
	}
	ctx = klog.NewContext(ctx, logr.Discard()) // how its streams end is said in the error
	executor, err := newExecutor(config, req)
	if err != nil {
		return fault.Wrap(fault.Stalled, "connect to", "cluster "+c.cfg.Name, err, "")
	}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: o.In, Stdout: o.Out, Tty: true, TerminalSizeQueue: o.Sizes})
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func newExecutor(config *rest.Config, req *rest.Request) (remotecommand.Executor, error) {
	spdy, err := remotecommand.NewSPDYExecutor(config, http.MethodPost, req.URL())
	if err != nil {
		return nil, err
	}
	web, err := remotecommand.NewWebSocketExecutor(config, http.MethodGet, req.URL().String())
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(web, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}
