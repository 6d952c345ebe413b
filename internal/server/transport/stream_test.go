// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// three sends an application three times, and ends with err.
func three(err error) func(context.Context, string, any, func(any) error) error {
	return func(_ context.Context, _ string, _ any, send func(any) error) error {
		for _, kind := range []string{"ADDED", "MODIFIED", "DELETED"} {
			if err := send(&v1alpha1.ApplicationWatchEvent{Type: kind, Application: app("web")}); err != nil {
				return err
			}
		}
		return err
	}
}

func TestStreamsOfLines(t *testing.T) {
	e := &everything{stream: three(nil)}
	s := open(t, e, nil)
	got := do(t, s, "GET", "/api/v1/stream/applications?fields=result.type,type,application.metadata.name", "")
	want := `{"result":{"type":"ADDED","application":{"metadata":{"name":"web"}}}}
{"result":{"type":"MODIFIED","application":{"metadata":{"name":"web"}}}}
{"result":{"type":"DELETED","application":{"metadata":{"name":"web"}}}}
`
	if got.body != want || got.header.Get("Content-Type") != "application/json" || got.header.Get("Content-Encoding") != "" {
		t.Errorf("got %v\n%s", got.header, got.body)
	}
	e.stream = three(gate.Refusal(refusal))
	if got := do(t, s, "GET", "/api/v1/stream/applications", ""); !strings.HasSuffix(got.body, "\n") || !strings.Contains(got.body, `{"error":{"details":[{"kind":"forbidden"`) ||
		!strings.Contains(got.body, `"grpc_code":7,"http_code":403,"http_status":"Forbidden","message":"permission denied`) {
		t.Errorf("an end that is refused is not told: %s", got.body)
	}
	e.stream = func(context.Context, string, any, func(any) error) error { return gate.Hidden() }
	if got := do(t, s, "GET", "/api/v1/stream/applications", ""); got.status != http.StatusForbidden {
		t.Errorf("a stream that never began: %d %s", got.status, got.body)
	}
}

// A live view may be quiet for long and has no version to resume from: a reader who comes back is told all of it.
func TestStreamsOfViews(t *testing.T) {
	e := &everything{stream: func(_ context.Context, _ string, _ any, send func(any) error) error {
		return errors.Join(send(&bowline.ApplicationsView{Rows: []bowline.Row{{Name: "web"}}, Order: []string{"argocd/web"}, All: 1}),
			send(&bowline.ApplicationsView{Rows: []bowline.Row{}, Order: []string{}}))
	}}
	s := open(t, e, nil)
	got := do(t, s, "GET", "/api/bowline/v1/stream/applications?fields=rows.name,order,all", "", "Accept", "text/event-stream", "Last-Event-ID", "42")
	want := "data: {\"result\":{\"rows\":[{\"name\":\"web\"}],\"order\":[\"argocd/web\"],\"all\":1}}\n\ndata: {\"result\":{\"rows\":[],\"order\":[],\"all\":0}}\n\n"
	if got.body != want || got.status != http.StatusOK {
		t.Errorf("%d\n%q\nwant\n%q", got.status, got.body, want)
	}
}

func TestStreamsOfEvents(t *testing.T) {
	e := &everything{stream: three(nil)}
	s := open(t, e, nil)
	got := do(t, s, "GET", "/api/v1/stream/applications?fields=type", "", "Accept", "text/event-stream", "Last-Event-ID", "42", "Accept-Encoding", "gzip")
	want := "id: 7\ndata: {\"result\":{\"type\":\"ADDED\"}}\n\nid: 7\ndata: {\"result\":{\"type\":\"MODIFIED\"}}\n\nid: 7\ndata: {\"result\":{\"type\":\"DELETED\"}}\n\n"
	if got.body != want || got.header.Get("Content-Type") != "text/event-stream" || got.header.Get("Content-Encoding") != "" {
		t.Errorf("got %v\n%q\nwant\n%q", got.header, got.body, want)
	}
	if q := e.request().(*application.ApplicationQuery); q.ResourceVersion != "42" {
		t.Errorf("it is resumed from %q, want 42", q.ResourceVersion)
	}
	do(t, s, "GET", "/api/v1/stream/applications?resourceVersion=50", "", "Accept", "text/event-stream", "Last-Event-ID", "42")
	if q := e.request().(*application.ApplicationQuery); q.ResourceVersion != "50" {
		t.Errorf("it is resumed from %q, want what was asked for", q.ResourceVersion)
	}
}

// quiet waits until the caller goes away, and says so.
func quiet(ended chan<- error) func(context.Context, string, any, func(any) error) error {
	return func(ctx context.Context, _ string, _ any, _ func(any) error) error {
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}
}

// listen opens a stream and returns it with what ends it.
func listen(t *testing.T, s *httptest.Server, path string) (*http.Response, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer good")
	request.Header.Set("Accept", "text/event-stream")
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = response.Body.Close() })
	return response, cancel
}

func TestAQuietStreamIsOpenedAndStaysAlive(t *testing.T) {
	ended := make(chan error, 1)
	clock := clocktesting.NewFakeClock(time.Now())
	s := open(t, &everything{stream: quiet(ended)}, func(o *transport.Options) { o.Clock = clock; o.Limits.Write = time.Hour })
	ticking := make(chan struct{})
	defer close(ticking)
	go func() { // a stream's own goroutine waits for this clock, which goes on whenever somebody does
		for {
			select {
			case <-ticking:
				return
			default:
			}
			if clock.HasWaiters() {
				clock.Step(20 * time.Second)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	response, cancel := listen(t, s, "/api/v1/stream/applications")
	lines := bufio.NewScanner(response.Body)
	for range 3 {
		if !lines.Scan() || lines.Text() != ":" || !lines.Scan() || lines.Text() != "" {
			t.Fatalf("got %q, %v, want a comment", lines.Text(), lines.Err())
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("the stream did not end when its caller went away")
	}
}

func TestStreamsEndWithTheProcess(t *testing.T) {
	ended := make(chan error, 1)
	process, stop := context.WithCancel(t.Context())
	e := &everything{stream: quiet(ended)}
	handler := transport.New(process, transport.Options{Services: []transport.Mounted{e.mounted()}, Authenticate: only})
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	response, _ := listen(t, s, "/api/v1/stream/applications")
	stop()
	<-ended
	lines := bufio.NewScanner(response.Body)
	last := ""
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if !strings.Contains(last, "the server is ending") || lines.Err() != nil {
		t.Errorf("the last element is %q, %v", last, lines.Err())
	}
}

func TestStreamsAreBounded(t *testing.T) {
	ended := make(chan error, 10)
	s := open(t, &everything{stream: quiet(ended)}, func(o *transport.Options) { o.Limits.Streams, o.Limits.StreamsPerCaller = 3, 2 })
	_, first := listen(t, s, "/api/v1/stream/applications")
	listen(t, s, "/api/v1/stream/applications")
	got := do(t, s, "GET", "/api/v1/stream/applications", "")
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("the third stream of one caller: %d %s", got.status, got.body)
	}
	wantShape(t, "the third stream", got)
	first()
	<-ended
	// The place is free once the handler returned, which is soon after the stream ended.
	for {
		response, _ := listen(t, s, "/api/v1/stream/applications")
		if response.StatusCode == http.StatusOK {
			return
		}
	}
}

// A subscriber who reads nothing is cut, and holds up nobody.
func TestASlowReaderIsCut(t *testing.T) {
	cut := make(chan error, 1)
	big := app(strings.Repeat("x", 1<<20))
	s := open(t, &everything{stream: func(_ context.Context, _ string, _ any, send func(any) error) error {
		for {
			if err := send(&v1alpha1.ApplicationWatchEvent{Type: "ADDED", Application: big}); err != nil {
				cut <- err
				return err
			}
		}
	}}, func(o *transport.Options) { o.Limits.Write = 200 * time.Millisecond })
	listen(t, s, "/api/v1/stream/applications")
	select {
	case err := <-cut:
		if !strings.Contains(err.Error(), "timeout") {
			t.Errorf("it was cut by %v", err)
		}
	case <-t.Context().Done():
	}
}
