// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// core returns the services of the API in this process, for a command line without a server: they read and write the cluster
// with the rights of the kubeconfig, and nothing else decides. What they need runs until ctx ends.
func core(ctx context.Context, s *session.Session) (*client.Services, error) {
	kube, err := s.Config()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bowline-core-")
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "make", "a folder for what is fetched", err, "set $TMPDIR to a folder that can be written to")
	}
	context.AfterFunc(ctx, func() { _ = os.RemoveAll(dir) })
	// Observe: no controller of this process may act beside the one that runs.
	opts := RunOptions{Namespace: s.Namespace, Data: dir, Observe: true}
	d, who, err := coreDoor(ctx, opts, tuned(kube))
	if err != nil {
		return nil, err
	}
	return client.NewServices(&inProcess{door: d, who: who}), nil
}

// coreDoor opens the services, and says who calls them.
func coreDoor(ctx context.Context, opts RunOptions, kube *rest.Config) (*door, auth.Caller, error) {
	who := auth.Caller{Kind: auth.Core}
	log := slog.New(slog.DiscardHandler)
	served, err := readNamespaces(ctx, kube, opts.Namespace)
	if err != nil {
		return nil, who, err
	}
	lead, err := newLead(kube, opts.Namespace)
	if err != nil {
		return nil, who, err
	}
	mgr, err := newManager(kube, opts, served, lead, log)
	if err != nil {
		return nil, who, err
	}
	r, err := newRoles(ctx, opts, kube, mgr, served, lead, log)
	if err != nil {
		return nil, who, err
	}
	r.idle = true
	context.AfterFunc(ctx, r.close)
	if who.Username, err = whoami(ctx, mgr); err != nil {
		return nil, who, err
	}
	d := &door{}
	for _, open := range []func(context.Context, *door, RunOptions) error{r.openAccounts, r.openApplications, r.openConnections} {
		if err := open(ctx, d, opts); err != nil {
			return nil, who, err
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return nil, who, errors.Join(fmt.Errorf("read the cluster: %w", context.Cause(ctx)), <-ended)
	}
	return d, who, nil
}

// whoami asks the API server who the kubeconfig says that somebody is. A server that does not tell is no reason to refuse.
func whoami(ctx context.Context, mgr ctrl.Manager) (string, error) {
	review := &authenticationv1.SelfSubjectReview{}
	if err := mgr.GetClient().Create(ctx, review); err != nil {
		return "", ctx.Err()
	}
	return review.Status.UserInfo.Username, nil
}

// inProcess calls the services of a door as somebody.
type inProcess struct {
	door *door
	who  auth.Caller
}

// service finds the implementation of a method, and the context of a call.
func (p *inProcess) service(ctx context.Context, m *rpc.Method) (context.Context, any, error) {
	for _, mounted := range p.door.services {
		if slices.Contains(mounted.Methods, m) {
			return auth.With(ctx, p.who), mounted.Service, nil
		}
	}
	return ctx, nil, &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Op: "ask for", Thing: m.FullName(), Err: errNeedsServer,
		Fix: "log in to a server with `bowline login SERVER`"}
}

var errNeedsServer = errors.New("only a server has it")

// Call implements rpc.Caller.
func (p *inProcess) Call(ctx context.Context, m *rpc.Method, request, response any) error {
	ctx, service, err := p.service(ctx, m)
	if err != nil {
		return err
	}
	answer, err := m.Call(ctx, service, request)
	return take(answer, err, response)
}

// Stream implements rpc.Caller.
func (p *inProcess) Stream(ctx context.Context, m *rpc.Method, request any, each func(any) error) error {
	ctx, service, err := p.service(ctx, m)
	if err != nil {
		return err
	}
	return m.Serve(ctx, service, request, each)
}

// Send implements rpc.Caller.
func (p *inProcess) Send(ctx context.Context, m *rpc.Method, next func() (any, error), response any) error {
	ctx, service, err := p.service(ctx, m)
	if err != nil {
		return err
	}
	answer, err := m.Take(ctx, service, next)
	return take(answer, err, response)
}

// take puts an answer where the caller wants it; both are pointers to the message that the method answers.
func take(answer any, err error, into any) error {
	if err == nil {
		reflect.ValueOf(into).Elem().Set(reflect.ValueOf(answer).Elem())
	}
	return err
}
