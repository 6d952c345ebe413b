// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Methods describes the calls.
var Methods = slices.Concat(ApplicationMethods, AccessMethods, StateMethods)

// ApplicationMethods describes the calls of Applications.
var ApplicationMethods = []*rpc.Method{
	method(rpc.NewUnary("bowline", "ListApplications", Applications.ListApplications), "", "GET", "/applications"),
	method(rpc.NewServerStream("bowline", "WatchApplications", Applications.WatchApplications), "", "GET", "/stream/applications"),
	method(rpc.NewServerStream("bowline", "WatchApplication", Applications.WatchApplication), "", "GET", "/stream/applications/{name}"),
	method(rpc.NewUnary("bowline", "ViewObject", Applications.ViewObject), "", "GET", "/applications/{name}/object"),
	reading(method(rpc.NewUnary("bowline", "TryPatch", Applications.TryPatch), "*", "POST", "/applications/{name}/object/try")),
	method(rpc.NewUnary("bowline", "Compare", Applications.Compare), "", "GET", "/applications/{name}/compare"),
	reading(method(rpc.NewUnary("bowline", "Preview", Applications.Preview), "*", "POST", "/preview")),
	method(rpc.NewUnary("bowline", "Plan", Applications.Plan), "", "GET", "/applications/{name}/plan"),
	method(rpc.NewUnary("bowline", "Approve", Applications.Approve), "*", "POST", "/applications/{name}/approve"),
	method(rpc.NewUnary("bowline", "Hold", Applications.Hold), "*", "PUT", "/applications/{name}/hold"),
	method(rpc.NewUnary("bowline", "Release", Applications.Release), "", "DELETE", "/applications/{name}/hold"),
}

// AccessMethods describes the calls of Access.
var AccessMethods = []*rpc.Method{
	method(rpc.NewUnary("bowline", "Explain", Access.Explain), "", "GET", "/explain"),
	method(rpc.NewUnary("bowline", "May", Access.May), "", "GET", "/may"),
	method(rpc.NewUnary("bowline", "SignOutEverywhere", Access.SignOutEverywhere), "", "DELETE", "/sessions"),
}

// StateMethods describes the calls of States.
var StateMethods = []*rpc.Method{
	method(rpc.NewUnary("bowline", "State", States.State), "", "GET", "/state"),
	method(rpc.NewUnary("bowline", "ClusterState", States.ClusterState), "", "GET", "/clusters/{cluster=**}/state"),
}

// byName are the methods by their names.
var byName = func() map[string]*rpc.Method {
	out := make(map[string]*rpc.Method, len(Methods))
	for _, m := range Methods {
		out[m.Name] = m
	}
	return out
}()

func method(m rpc.Method, body, verb, path string) *rpc.Method {
	return m.On("", "", body, rpc.Binding{Verb: verb, Path: Prefix + path})
}

// reading says that a method changes nothing.
func reading(m *rpc.Method) *rpc.Method {
	m.Reads = true
	return m
}

// NewClient returns a Service that calls through c.
func NewClient(c rpc.Caller) Service { return caller{c} }

type caller struct{ rpc.Caller }

func call[R any](ctx context.Context, c caller, name string, request any) (*R, error) {
	answer := new(R)
	if err := c.Call(ctx, byName[name], request, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

func (c caller) ListApplications(ctx context.Context, request *ApplicationsQuery) (*ApplicationsPage, error) {
	return call[ApplicationsPage](ctx, c, "ListApplications", request)
}

func (c caller) Plan(ctx context.Context, request *PlanQuery) (*Plan, error) {
	return call[Plan](ctx, c, "Plan", request)
}

func (c caller) Approve(ctx context.Context, request *ApproveRequest) (*v1alpha1.Application, error) {
	return call[v1alpha1.Application](ctx, c, "Approve", request)
}

func (c caller) Hold(ctx context.Context, request *HoldRequest) (*v1alpha1.Application, error) {
	return call[v1alpha1.Application](ctx, c, "Hold", request)
}

func (c caller) Release(ctx context.Context, request *ApplicationName) (*v1alpha1.Application, error) {
	return call[v1alpha1.Application](ctx, c, "Release", request)
}

func (c caller) WatchApplications(ctx context.Context, request *ApplicationsQuery, send func(*ApplicationsView) error) error {
	return c.Stream(ctx, byName["WatchApplications"], request, func(element any) error { return send(element.(*ApplicationsView)) })
}

func (c caller) WatchApplication(ctx context.Context, request *ApplicationName, send func(*ApplicationView) error) error {
	return c.Stream(ctx, byName["WatchApplication"], request, func(element any) error { return send(element.(*ApplicationView)) })
}

func (c caller) ViewObject(ctx context.Context, request *ObjectQuery) (*ObjectView, error) {
	return call[ObjectView](ctx, c, "ViewObject", request)
}

func (c caller) TryPatch(ctx context.Context, request *ObjectPatch) (*ObjectTrial, error) {
	return call[ObjectTrial](ctx, c, "TryPatch", request)
}

func (c caller) Compare(ctx context.Context, request *CompareQuery) (*Comparison, error) {
	return call[Comparison](ctx, c, "Compare", request)
}

func (c caller) Preview(ctx context.Context, request *PreviewRequest) (*PreviewAnswer, error) {
	return call[PreviewAnswer](ctx, c, "Preview", request)
}

func (c caller) May(ctx context.Context, request *MayQuery) (*MayAnswer, error) {
	return call[MayAnswer](ctx, c, "May", request)
}

func (c caller) SignOutEverywhere(ctx context.Context, request *SignOutRequest) (*SignOutAnswer, error) {
	return call[SignOutAnswer](ctx, c, "SignOutEverywhere", request)
}

func (c caller) State(ctx context.Context, request *StateQuery) (*State, error) {
	return call[State](ctx, c, "State", request)
}

func (c caller) Explain(ctx context.Context, request *ExplainQuery) (*Explanation, error) {
	return call[Explanation](ctx, c, "Explain", request)
}

func (c caller) ClusterState(ctx context.Context, request *ClusterStateQuery) (*ClusterState, error) {
	return call[ClusterState](ctx, c, "ClusterState", request)
}
