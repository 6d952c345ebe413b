// SPDX-License-Identifier: Apache-2.0

// Package rpc describes Argo CD's API: its services, their methods, and the messages they take and give. The packages below it
// hold the messages and, for each service, a Go interface; they are generated from the table of the wire
// (test/testdata/compat/argocd-wire.json). Servers and clients are made of these descriptions: a transport never knows a
// method by name.
//
// The words of this room:
//
//   - Service: a Go interface with a method for each call. The server's service layer implements it, and so does a client.
//   - Method: the description of one call: its name on gRPC, its paths on REST, and how to call it on an implementation.
//   - Binding: one way to call a method on REST: a verb and a path with variables, such as {name} or {id.value}.
//   - Body: what of the request is the JSON body: "*" all of it, a name the field of that name, "" nothing. What is neither
//     in the path nor in the body comes from the query.
package rpc

import (
	"context"
	"fmt"
)

// Kind says which side of a call is a stream.
type Kind int

// The kinds.
const (
	Unary Kind = iota
	ServerStream
	ClientStream
)

// Binding is a verb and a path, such as GET /api/v1/applications/{name}. A variable is a path of JSON names in the request;
// "=**" after it lets it have slashes.
type Binding struct {
	Verb, Path string
}

// Method describes one call. Messages are handed over as pointers to the types of the packages below.
type Method struct {
	// Service is the full name of the service, such as application.ApplicationService; Name is that of the method.
	Service, Name string
	Kind          Kind
	Bindings      []Binding
	Body          string
	// RequestMessage and ResponseMessage are the names of the messages in the table of the wire; "" for a method that only
	// REST has.
	RequestMessage, ResponseMessage string
	// Reads says that a method changes nothing, whatever its verbs are.
	Reads bool
	// NewRequest and NewResponse return new, empty messages. Those of a stream are its elements.
	NewRequest, NewResponse func() any

	// Call calls a unary method of an implementation of the service.
	Call func(ctx context.Context, service, request any) (any, error)
	// Serve calls a method whose answer is a stream; send must not be called after Serve returned.
	Serve func(ctx context.Context, service, request any, send func(any) error) error
	// Take calls a method whose request is a stream; next returns io.EOF after the last element.
	Take func(ctx context.Context, service any, next func() (any, error)) (any, error)
}

// FullName is the path of the method on gRPC without the first slash, such as application.ApplicationService/Get.
func (m *Method) FullName() string { return m.Service + "/" + m.Name }

// Empty is the message without fields.
type Empty struct{}

// On adds the bindings of REST and the names of the messages to a method.
func (m Method) On(request, response, body string, bindings ...Binding) *Method {
	m.RequestMessage, m.ResponseMessage, m.Body, m.Bindings = request, response, body, bindings
	return &m
}

// NewUnary describes a call with one request and one answer. S is the interface of the service.
func NewUnary[S, Q, R any](service, name string, call func(S, context.Context, *Q) (*R, error)) Method {
	return Method{
		Service: service, Name: name, Kind: Unary, NewRequest: empty[Q], NewResponse: empty[R],
		Call: func(ctx context.Context, impl, request any) (any, error) {
			answer, err := call(impl.(S), ctx, request.(*Q))
			if err == nil && answer == nil {
				return nil, fmt.Errorf("%s/%s answered nothing", service, name)
			}
			return answer, err
		},
	}
}

// NewServerStream describes a call with one request whose answer is a stream.
func NewServerStream[S, Q, R any](service, name string, call func(S, context.Context, *Q, func(*R) error) error) Method {
	return Method{
		Service: service, Name: name, Kind: ServerStream, NewRequest: empty[Q], NewResponse: empty[R],
		Serve: func(ctx context.Context, impl, request any, send func(any) error) error {
			return call(impl.(S), ctx, request.(*Q), func(r *R) error { return send(r) })
		},
	}
}

// NewClientStream describes a call whose request is a stream.
func NewClientStream[S, Q, R any](service, name string, call func(S, context.Context, func() (*Q, error)) (*R, error)) Method {
	return Method{
		Service: service, Name: name, Kind: ClientStream, NewRequest: empty[Q], NewResponse: empty[R],
		Take: func(ctx context.Context, impl any, next func() (any, error)) (any, error) {
			return call(impl.(S), ctx, func() (*Q, error) {
				element, err := next()
				if err != nil {
					return nil, err
				}
				return element.(*Q), nil
			})
		},
	}
}

func empty[T any]() any { return new(T) }

// Caller carries calls to a server. It is what a client of a service is made of.
type Caller interface {
	// Call fills response, a pointer to the message that the method answers.
	Call(ctx context.Context, m *Method, request, response any) error
	// Stream calls each with every element of the answer, until the stream ends or each fails.
	Stream(ctx context.Context, m *Method, request any, each func(any) error) error
	// Send sends a stream of requests and fills response; next returns io.EOF after the last.
	Send(ctx context.Context, m *Method, next func() (any, error), response any) error
}
