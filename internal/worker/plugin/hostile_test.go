// SPDX-License-Identifier: Apache-2.0

package plugin_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/worker/plugin"
)

// raw is a codec of bytes as they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (raw) Name() string                       { return "proto" }

// hostile starts a sidecar that answers as answer does.
func (b *bench) hostile(name string, answer func(method string, stream grpc.ServerStream) error) {
	b.t.Helper()
	listener, err := net.Listen("unix", filepath.Join(b.sockets, name+".sock"))
	if err != nil {
		b.t.Fatal(err)
	}
	server := grpc.NewServer(grpc.ForceServerCodec(raw{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		return answer(filepath.Base(method), stream)
	}))
	go func() { _ = server.Serve(listener) }()
	b.t.Cleanup(server.Stop)
}

// drain reads what the client sends.
func drain(stream grpc.ServerStream) error {
	for {
		var message []byte
		if err := stream.RecvMsg(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func manifests(texts ...string) []byte {
	var out []byte
	for _, text := range texts {
		out = protowire.AppendString(protowire.AppendTag(out, 1, protowire.BytesType), text)
	}
	return out
}

// TestHostileSidecar: whatever a sidecar answers is an error in words and bounded time, or nothing it must not be.
func TestHostileSidecar(t *testing.T) {
	for name, test := range map[string]struct {
		generate func(stream grpc.ServerStream) error
		kind     fault.Kind
		part     string
	}{
		"not protobuf":     {send([]byte("\xff\xff\xff\xff")), fault.Stalled, "not of the plugin protocol"},
		"a cut field":      {send(manifests("x")[:2]), fault.Stalled, "not of the plugin protocol"},
		"manifests as int": {send(protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)), fault.Stalled, "field 1 is no text"},
		"not UTF-8":        {send(manifests("a: \xff")), fault.Stalled, "not UTF-8"},
		"more than may be": {send(manifests(strings.Repeat("x", 2<<20))), fault.Mistake, "bowline.render.maxOutput"},
		"many nothings":    {send(manifests(make([]string, 200_000)...)), fault.Mistake, "bowline.render.maxObjects"},
		"an alias bomb": {send(manifests("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n" +
			"e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n")), fault.Mistake, "plugin evil"},
		"two answers": {func(s grpc.ServerStream) error {
			return errors.Join(drain(s), s.SendMsg(manifests("a: 1")), s.SendMsg(manifests("b: 2")))
		}, fault.Retry, ""},
		"answers without end": {func(s grpc.ServerStream) error {
			for s.Context().Err() == nil {
				if err := s.SendMsg(manifests("")); err != nil {
					return err
				}
			}
			return nil
		}, fault.Retry, ""},
		"no answer":       {func(s grpc.ServerStream) error { <-s.Context().Done(); return nil }, fault.Mistake, "within 1s"},
		"an empty ending": {func(grpc.ServerStream) error { return nil }, fault.Retry, ""},
		"a long complaint": {func(grpc.ServerStream) error {
			return status.Error(codes.Unknown, strings.Repeat("long ", 500)+"\x00\x1b]0;x\a")
		}, fault.Retry, "long"},
		"unimplemented": {func(grpc.ServerStream) error { return status.Error(codes.Unimplemented, "what?") }, fault.Stalled, "protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.hostile("evil", func(method string, stream grpc.ServerStream) error {
				if method == "CheckPluginConfiguration" {
					return send(nil)(stream)
				}
				return test.generate(stream)
			})
			in := input(nil, named("evil"))
			in.Limits.OutputBytes = 1 << 20
			if name == "no answer" {
				in.Limits.Time = time.Second
			}
			out, err := b.client.Render(t.Context(), in)
			expectFault(t, err, test.kind, test.part, "plugin evil")
			if len(out.Manifests) > 0 || strings.ContainsAny(err.Error(), "\x00\x1b\a") {
				t.Errorf("%v %q", out.Manifests, err)
			}
		})
	}
}

// send reads the request and gives one answer.
func send(answer []byte) func(grpc.ServerStream) error {
	return func(s grpc.ServerStream) error { return errors.Join(drain(s), s.SendMsg(answer)) }
}

// A socket with something else behind it than gRPC is no answer, in bounded time.
func TestHostileSocket(t *testing.T) {
	for name, answer := range map[string]func(net.Conn){
		"silent":  func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"closes":  func(net.Conn) {},
		"babbles": func(c net.Conn) { _, _ = c.Write(bytes.Repeat([]byte("HTTP/1.1 200 OK\r\n\r\n"), 1000)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *plugin.Options) { o.Timeout = time.Second })
			listener, err := net.Listen("unix", filepath.Join(b.sockets, "odd.sock"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go func() { answer(conn); _ = conn.Close() }()
				}
			}()
			_, ok, err := b.client.Discover(t.Context(), input(nil, nil))
			if ok {
				t.Error("discovered")
			}
			expectFault(t, err, fault.Retry, "plugin odd", "sidecar")
		})
	}
}
