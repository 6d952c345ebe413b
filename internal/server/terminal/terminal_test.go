// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	utilexec "k8s.io/client-go/util/exec"

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings"
)

// inside runs what a test says in the place of commands.
type inside func(ctx context.Context, o cluster.ExecOptions) error

func (i inside) Enter(ctx context.Context, to Container) (context.Context, func(), func(context.Context, cluster.ExecOptions) error, error) {
	if to.Pod == "forbidden" {
		return nil, nil, nil, fault.New(fault.Forbidden, "", "", "", "permission denied", "")
	}
	return ctx, func() {}, i, nil
}

func serve(t *testing.T, run inside, change func(*settings.Settings, *Options)) string {
	t.Helper()
	s := settings.Defaults()
	s.Doing.Terminal = true
	opts := Options{
		Door: run, Settings: func() *settings.Settings { return &s }, Log: slog.New(slog.DiscardHandler),
		Authenticate: func(r *http.Request) (context.Context, error) {
			return auth.With(r.Context(), auth.Caller{Kind: auth.Login, Subject: "ann"}), nil
		},
	}
	if change != nil {
		change(&s, &opts)
	}
	server := httptest.NewServer(New(opts))
	t.Cleanup(server.Close)
	return server.URL
}

const query = "?appName=web&projectName=team&container=main&namespace=shop&pod="

func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url+"/terminal"+query+"web-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func stdin(t *testing.T, conn *websocket.Conn, text string) {
	t.Helper()
	data, _ := json.Marshal(message{Operation: "stdin", Data: text})
	if err := conn.Write(t.Context(), websocket.MessageText, data); err != nil {
		t.Fatal(err)
	}
}

// all reads until the terminal ends.
func all(t *testing.T, conn *websocket.Conn) (string, websocket.StatusCode) {
	t.Helper()
	text := ""
	for {
		_, data, err := conn.Read(t.Context())
		if err != nil {
			return text, websocket.CloseStatus(err)
		}
		var m message
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		text += m.Data
	}
}

func TestRefusals(t *testing.T) {
	never := inside(func(context.Context, cluster.ExecOptions) error { t.Error("a command ran"); return nil })
	for _, tt := range []struct {
		reason, query, origin string
		change                func(*settings.Settings, *Options)
		want                  int
	}{
		{"turned off", query + "web-1", "", func(s *settings.Settings, _ *Options) { s.Doing.Terminal = false }, http.StatusNotFound},
		{"nobody signed in", query + "web-1", "", func(_ *settings.Settings, o *Options) {
			o.Authenticate = func(*http.Request) (context.Context, error) { return nil, errors.New("token expired") }
		}, http.StatusUnauthorized},
		{"nobody is known", query + "web-1", "", func(_ *settings.Settings, o *Options) {
			o.Authenticate = func(r *http.Request) (context.Context, error) { return r.Context(), nil }
		}, http.StatusUnauthorized},
		{"nobody learns whether there are terminals", query + "web-1", "", func(s *settings.Settings, o *Options) {
			s.Doing.Terminal = false
			o.Authenticate = func(*http.Request) (context.Context, error) { return nil, errors.New("token expired") }
		}, http.StatusUnauthorized},
		{"a parameter is missing", query, "", nil, http.StatusBadRequest},
		{"a path in a name", query + "..%2Fnodes", "", nil, http.StatusBadRequest},
		{"a line break in a name", query + "a%0d%0ab", "", nil, http.StatusBadRequest},
		{"no right", query + "forbidden", "", nil, http.StatusForbidden},
		{"a page of another origin", query + "web-1", "https://evil.example", nil, http.StatusForbidden},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, serve(t, never, tt.change)+"/terminal"+tt.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": tt.origin} {
			if value != "" {
				request.Header.Set(name, value)
			}
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != tt.want {
			t.Errorf("%s: it answers %s %s", tt.reason, answer.Status, body)
		}
		if tt.origin == "" && !strings.Contains(string(body), `"error":`) {
			t.Errorf("%s: it answers %q, want JSON", tt.reason, body)
		}
	}
}

// Who opened a terminal, and who tried to, is written down.
func TestOpeningsAreAudited(t *testing.T) {
	told := make(chan string, 10)
	nobody := false
	url := serve(t, func(context.Context, cluster.ExecOptions) error { return nil }, func(_ *settings.Settings, o *Options) {
		in := o.Authenticate
		o.Authenticate = func(r *http.Request) (context.Context, error) {
			if nobody {
				return nil, errors.New("the token expired")
			}
			return in(r)
		}
		o.Audit = func(ctx context.Context, to Container, err error) {
			who, _ := auth.From(ctx)
			told <- fmt.Sprint(who.Subject, " ", to, " ", fault.Is(err, fault.Forbidden), " ", err == nil)
		}
	})
	get := func(query, origin string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/terminal"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", origin)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	all(t, dial(t, url))
	get(query+"forbidden", "")
	get(query+"web-1", "https://evil.example")
	nobody = true
	get(query+"web-1", "")
	for _, want := range []string{"ann web/shop/web-1/main false true", "ann web/shop/forbidden/main true false", "ann web/shop/web-1/main false false", "  true false"} {
		if got := <-told; got != want {
			t.Errorf("the audit is told %q, want %q", got, want)
		}
	}
}

// A shell that a container does not have does not swallow what was typed.
func TestTheNextShellIsTried(t *testing.T) {
	var tried []string
	run := inside(func(_ context.Context, o cluster.ExecOptions) error {
		tried = append(tried, o.Command[0])
		line, _ := bufio.NewReader(o.In).ReadString('\n')
		if o.Command[0] != "sh" {
			return errors.New("executable file not found in $PATH")
		}
		fmt.Fprintf(o.Out, "did %s", line)
		return utilexec.CodeExitError{Code: 3, Err: errors.New("exit 3")}
	})
	conn := dial(t, serve(t, run, nil))
	stdin(t, conn, "ls\n")
	if text, status := all(t, conn); text != "did ls\n" || status != websocket.StatusNormalClosure {
		t.Errorf("it shows %q and ends with %v after %v", text, status, tried)
	}
	if len(tried) != 2 {
		t.Errorf("tried were %v", tried)
	}
}

// A connection that breaks must not have everything typed anew into another shell.
func TestABrokenShellIsNotTriedAnew(t *testing.T) {
	tries := 0
	conn := dial(t, serve(t, func(_ context.Context, o cluster.ExecOptions) error {
		tries++
		fmt.Fprint(o.Out, "$ ")
		return errors.New("connection lost")
	}, nil))
	if text, status := all(t, conn); !strings.Contains(text, "connection lost") || status != websocket.StatusPolicyViolation || tries != 1 {
		t.Errorf("it shows %q and ends with %v after %d tries", text, status, tries)
	}
}

func TestLettersAreNotTornApart(t *testing.T) {
	conn := dial(t, serve(t, func(_ context.Context, o cluster.ExecOptions) error {
		for _, b := range []byte("grün 🚀\n") {
			if _, err := o.Out.Write([]byte{b}); err != nil {
				return err
			}
		}
		return nil
	}, nil))
	if text, _ := all(t, conn); text != "grün 🚀\n" {
		t.Errorf("it shows %q", text)
	}
}

func TestATerminalEnds(t *testing.T) {
	waits := inside(func(ctx context.Context, _ cluster.ExecOptions) error { <-ctx.Done(); return context.Cause(ctx) })
	conn := dial(t, serve(t, waits, func(s *settings.Settings, _ *Options) { s.Doing.TerminalTimeout = time.Millisecond }))
	if text, _ := all(t, conn); !strings.Contains(text, "the time for one terminal is over") {
		t.Errorf("after its time it says %q", text)
	}
	conn = dial(t, serve(t, waits, nil))
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"operation":"format"}`)); err != nil {
		t.Fatal(err)
	}
	if text, _ := all(t, conn); !strings.Contains(text, "no message of a terminal") {
		t.Errorf("after a foreign message it says %q", text)
	}
	ended := make(chan error, 1)
	conn = dial(t, serve(t, func(ctx context.Context, _ cluster.ExecOptions) error {
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return nil
	}, nil))
	_ = conn.CloseNow()
	if err := <-ended; !errors.Is(err, errGone) && !errors.Is(err, context.Canceled) {
		t.Errorf("when the page is gone the command ends with %v", err)
	}
}
