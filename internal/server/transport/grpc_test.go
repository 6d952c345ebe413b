// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/transport"
	"github.com/bowline-cd/bowline/internal/server/transport/wire"
)

// raw is a message as bytes: the test speaks gRPC without knowing how the server makes its messages.
type raw struct{ data []byte }

type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(m any) ([]byte, error) { return m.(*raw).data, nil }

func (rawCodec) Unmarshal(data []byte, m any) error {
	m.(*raw).data = bytes.Clone(data)
	return nil
}

func marshal(t *testing.T, message string, v any) *raw {
	t.Helper()
	data, err := wire.Marshal(message, v)
	if err != nil {
		t.Fatal(err)
	}
	return &raw{data}
}

// plainHTTP2 speaks HTTP/2 without TLS, as gRPC clients do with --plaintext.
func plainHTTP2() *http.Client {
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: protocols}}
}

func dial(s *httptest.Server, call string, options ...connect.ClientOption) *connect.Client[raw, raw] {
	return connect.NewClient[raw, raw](plainHTTP2(), s.URL+"/"+call, append(options, connect.WithCodec(rawCodec{}))...)
}

func asking(data *raw, token string) *connect.Request[raw] {
	r := connect.NewRequest(data)
	r.Header().Set("token", token)
	return r
}

func TestGRPC(t *testing.T) {
	web := app("web")
	e := &everything{answer: func(_ string, request any) (any, error) {
		if request.(*application.ApplicationQuery).Name != "web" {
			return nil, gate.Hidden()
		}
		return &web, nil
	}}
	s := open(t, e, nil)
	for name, option := range map[string]connect.ClientOption{"gRPC": connect.WithGRPC(), "gRPC-Web": connect.WithGRPCWeb()} {
		t.Run(name, func(t *testing.T) {
			client := dial(s, "application.ApplicationService/Get", option)
			answer, err := client.CallUnary(t.Context(), asking(marshal(t, "application.ApplicationQuery", &application.ApplicationQuery{Name: "web"}), "good"))
			if err != nil {
				t.Fatal(err)
			}
			got := &v1alpha1.Application{}
			if err := wire.Unmarshal("github.com.argoproj.argo_cd.v3.pkg.apis.application.v1alpha1.Application", answer.Msg.data, got); err != nil || asJSON(got) != asJSON(&web) {
				t.Errorf("got %s, %v", asJSON(got), err)
			}
			for _, c := range []struct {
				data  *raw
				token string
				code  connect.Code
				says  string
			}{
				{&raw{}, "good", connect.CodePermissionDenied, "permission denied"},
				{&raw{}, "bad", connect.CodeUnauthenticated, "no valid session"},
				{&raw{}, "late", connect.CodeUnavailable, "does not answer"},
				{&raw{[]byte{1, 2, 3}}, "good", connect.CodeInvalidArgument, ""},
			} {
				_, err := client.CallUnary(t.Context(), asking(c.data, c.token))
				if connect.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%q %v: got %v, want %v that says %q", c.token, c.data, err, c.code, c.says)
				}
			}
			_, err = dial(s, "application.ApplicationService/Nothing", option).CallUnary(t.Context(), asking(&raw{}, "good"))
			if connect.CodeOf(err) != connect.CodeUnimplemented {
				t.Errorf("a call that is not there: %v", err)
			}
		})
	}
}

func TestStreamsOfGRPC(t *testing.T) {
	e := &everything{stream: three(gate.Refusal(refusal))}
	s := open(t, e, nil)
	for name, option := range map[string]connect.ClientOption{"gRPC": connect.WithGRPC(), "gRPC-Web": connect.WithGRPCWeb()} {
		t.Run(name, func(t *testing.T) {
			stream, err := dial(s, "application.ApplicationService/Watch", option).CallServerStream(t.Context(), asking(&raw{}, "good"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close() }()
			var kinds []string
			for stream.Receive() {
				event := &v1alpha1.ApplicationWatchEvent{}
				if err := wire.Unmarshal("github.com.argoproj.argo_cd.v3.pkg.apis.application.v1alpha1.ApplicationWatchEvent", stream.Msg().data, event); err != nil {
					t.Fatal(err)
				}
				kinds = append(kinds, event.Type+" "+event.Application.Name)
			}
			if strings.Join(kinds, ",") != "ADDED web,MODIFIED web,DELETED web" || connect.CodeOf(stream.Err()) != connect.CodePermissionDenied {
				t.Errorf("got %v, %v", kinds, stream.Err())
			}
		})
	}
}

func TestAStreamOfRequests(t *testing.T) {
	e := &everything{}
	s := open(t, e, nil)
	stream := dial(s, "application.ApplicationService/GetManifestsWithFiles", connect.WithGRPC()).CallClientStream(t.Context())
	stream.RequestHeader().Set("token", "good")
	for _, chunk := range []string{"a", "b"} {
		if err := stream.Send(marshal(t, "application.ApplicationManifestQueryWithFilesWrapper",
			&application.ApplicationManifestQueryWithFilesWrapper{Chunk: &application.FileChunk{Chunk: []byte(chunk)}})); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := stream.CloseAndReceive()
	if err != nil {
		t.Fatal(err)
	}
	got := &repository.ManifestResponse{}
	if err := wire.Unmarshal("repository.ManifestResponse", answer.Msg.data, got); err != nil || len(got.Manifests) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	chunks := e.request().([]any)
	if len(chunks) != 2 || string(chunks[1].(*application.ApplicationManifestQueryWithFilesWrapper).Chunk.Chunk) != "b" {
		t.Errorf("the service got %s", asJSON(chunks))
	}
}

// Argo CD's client with --grpc-web reads the status of a call that fails from the headers, and knows no trailers in the body then.
func TestGRPCWebSaysErrorsInHeaders(t *testing.T) {
	s := open(t, &everything{answer: func(string, any) (any, error) { return nil, gate.Refusal(refusal) }}, nil)
	for token, want := range map[string]string{"good": "7", "bad": "16"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/application.ApplicationService/Get", bytes.NewReader(make([]byte, 5)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/grpc-web+proto")
		request.Header.Set("token", token)
		response, err := s.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK || response.Header.Get("Grpc-Status") != want || response.Header.Get("Grpc-Message") == "" {
			t.Errorf("%s: %d %v, want status %s in the headers", token, response.StatusCode, response.Header, want)
		}
	}
}

// Argo CD's client with --grpc-web says that it reads gzip, and does not.
func TestGRPCWebIsNotCompressed(t *testing.T) {
	list := &v1alpha1.ApplicationList{}
	for range 100 {
		list.Items = append(list.Items, app("web"))
	}
	s := open(t, &everything{answer: func(string, any) (any, error) { return list, nil }}, nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/application.ApplicationService/List", bytes.NewReader(make([]byte, 5)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/grpc-web+proto")
	request.Header.Set("Grpc-Accept-Encoding", "gzip")
	request.Header.Set("token", "good")
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	first := make([]byte, 5)
	if _, err := io.ReadFull(response.Body, first); err != nil || first[0] != 0 || response.Header.Get("Grpc-Encoding") == "gzip" {
		t.Errorf("got flags %d, %v, %v, want a message that is not compressed", first[0], response.Header, err)
	}
}

func TestALargeMessageIsRefused(t *testing.T) {
	s := open(t, &everything{}, func(o *transport.Options) { o.Limits.Body = 1 << 10 })
	_, err := dial(s, "application.ApplicationService/Get", connect.WithGRPC()).CallUnary(t.Context(), asking(&raw{make([]byte, 4<<10)}, "good"))
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("got %v", err)
	}
}

func TestAPanicOfACallIsAnError(t *testing.T) {
	s := open(t, &everything{answer: func(string, any) (any, error) { panic("secret") }}, nil)
	_, err := dial(s, "application.ApplicationService/Get", connect.WithGRPC()).CallUnary(t.Context(), asking(&raw{}, "good"))
	if connect.CodeOf(err) != connect.CodeInternal || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// Whatever comes as gRPC is answered as gRPC.
func FuzzGRPC(f *testing.F) {
	s := open(f, &everything{}, nil)
	calls := []string{"application.ApplicationService/Create", "project.ProjectService/Update", "cluster.ClusterService/Create", "session.SessionService/Create"}
	f.Add(0, []byte{0, 0, 0, 0, 0})
	f.Add(3, []byte("0"))
	f.Add(0, []byte("0\x00\x00\x00\x0000000"))
	f.Add(1, binary.BigEndian.AppendUint32([]byte{0}, 1<<31))
	f.Fuzz(func(t *testing.T, which int, body []byte) {
		if which < 0 || which >= len(calls) {
			return
		}
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.URL+"/"+calls[which], bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/grpc-web+proto")
		request.Header.Set("token", "good")
		response, err := s.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		// What is no frame of gRPC is answered with 13 as well, by connect; a panic is answered as a bug.
		status, said := response.Header.Get("Grpc-Status"), response.Header.Get("Grpc-Message")
		if bytes.Contains(text, []byte("bug")) || strings.Contains(said, "bug") || status == "" && !bytes.Contains(text, []byte("grpc-status:")) {
			t.Fatalf("answered %d, status %q %q, %q", response.StatusCode, status, said, text)
		}
	})
}
