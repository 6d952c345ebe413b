// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/transport/wire"
)

// isGRPC reports whether a request is one of gRPC or gRPC-Web.
func isGRPC(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// errorWriter answers calls of gRPC that are refused before they are read.
var errorWriter = connect.NewErrorWriter(connect.WithCodec(codec{}))

// serveGRPC answers a call of gRPC or gRPC-Web.
func (h *Handler) serveGRPC(w http.ResponseWriter, r *http.Request) {
	c := h.grpc[strings.TrimPrefix(r.URL.Path, "/")]
	if c == nil {
		refuseGRPC(w, r, &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Err: errors.New("there is no such call")})
		return
	}
	r, release, err := h.admit(c, r)
	if err != nil {
		refuseGRPC(w, r, err)
		return
	}
	defer release()
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc-web") {
		// Argo CD's client with --grpc-web passes on what its gRPC library can read, but does not look itself whether a message is
		// compressed.
		r.Header.Del("Grpc-Accept-Encoding")
	}
	p := h.patient(w)
	if c.Kind == rpc.ServerStream {
		_ = p.control.SetReadDeadline(time.Time{})
	}
	c.procedure.ServeHTTP(p, r)
}

func refuseGRPC(w http.ResponseWriter, r *http.Request, err error) {
	_ = errorWriter.Write(w, r, coded(err)) // the caller is gone
}

// coded gives an error its code of gRPC.
func coded(err error) error {
	if err == nil {
		return nil
	}
	if known := (*connect.Error)(nil); errors.As(err, &known) {
		return err
	}
	return connect.NewError(codeOf(err), err)
}

// message is a message of any kind on its way through connect.
type message struct {
	name  string
	value any
}

// newProcedure returns what answers a call of gRPC.
func (h *Handler) newProcedure(c *call) http.Handler {
	limit := h.opts.Limits.Body
	if c.open() {
		limit = h.opts.Limits.OpenBody
	}
	options := []connect.HandlerOption{
		connect.WithCodec(codec{}), connect.WithReadMaxBytes(int(limit)), connect.WithCompressMinBytes(worthGzip),
		connect.WithRequestInitializer(func(_ connect.Spec, m any) error {
			*m.(*message) = message{c.RequestMessage, c.NewRequest()}
			return nil
		}),
		connect.WithRecover(func(ctx context.Context, spec connect.Spec, _ http.Header, what any) error {
			h.opts.Log.ErrorContext(ctx, "a call made the server panic: this is a bug", "call", spec.Procedure, "panic", what)
			return connect.NewError(connect.CodeInternal, errors.New("this is a bug of the server; its log says more"))
		}),
	}
	path := "/" + c.FullName()
	switch c.Kind {
	case rpc.ServerStream:
		return connect.NewServerStreamHandler(path, h.streamGRPC(c), options...)
	case rpc.ClientStream:
		return connect.NewClientStreamHandler(path, h.takeGRPC(c), options...)
	}
	return connect.NewUnaryHandler(path, func(ctx context.Context, r *connect.Request[message]) (*connect.Response[message], error) {
		answer, err := h.call(ctx, c, r.Msg.value)
		if err != nil {
			return nil, coded(err)
		}
		return connect.NewResponse(&message{c.ResponseMessage, answer}), nil
	}, options...)
}

func (h *Handler) streamGRPC(c *call) func(context.Context, *connect.Request[message], *connect.ServerStream[message]) error {
	share := strings.HasPrefix(c.Name, "Watch")
	return func(ctx context.Context, r *connect.Request[message], stream *connect.ServerStream[message]) error {
		return coded(h.serve(ctx, c, r.Msg.value, func(element any) error {
			m := &message{c.ResponseMessage, element}
			if share {
				text, err := h.shared.get(element, "wire", func() ([]byte, error) { return wire.Marshal(c.ResponseMessage, element) })
				if err != nil {
					return err
				}
				m.value = encoded(text)
			}
			return stream.Send(m)
		}))
	}
}

func (h *Handler) takeGRPC(c *call) func(context.Context, *connect.ClientStream[message]) (*connect.Response[message], error) {
	return func(ctx context.Context, stream *connect.ClientStream[message]) (*connect.Response[message], error) {
		answer, err := h.take(ctx, c, func() (any, error) {
			if stream.Receive() {
				return stream.Msg().value, nil
			}
			if err := stream.Err(); err != nil {
				return nil, err
			}
			return nil, io.EOF
		})
		if err != nil {
			return nil, coded(err)
		}
		return connect.NewResponse(&message{c.ResponseMessage, answer}), nil
	}
}

// encoded is a message that is in its wire form already.
type encoded []byte

// codec is the protobuf of gRPC, for messages by the table of the wire, and for those that gRPC's own errors are made of.
type codec struct{}

// Name implements connect.Codec.
func (codec) Name() string { return "proto" }

// Marshal implements connect.Codec.
func (codec) Marshal(m any) ([]byte, error) {
	switch m := m.(type) {
	case *message:
		if text, ok := m.value.(encoded); ok {
			return text, nil
		}
		return wire.Marshal(m.name, m.value)
	case proto.Message:
		return proto.Marshal(m)
	}
	return nil, fmt.Errorf("%T is no message", m)
}

// Unmarshal implements connect.Codec.
func (codec) Unmarshal(data []byte, m any) error {
	switch m := m.(type) {
	case *message:
		return wire.Unmarshal(m.name, data, m.value)
	case proto.Message:
		return proto.Unmarshal(data, m)
	}
	return fmt.Errorf("%T is no message", m)
}
