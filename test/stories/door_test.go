// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// signIn signs in by name and password, and keeps the token; with "!" it has to be refused.
// [!] sign-in [@name] USER PASSWORD [VARIABLE]; the password "first" is the one that was generated.
func signIn(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	p, args := s.addressed(ts, args)
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: [!] sign-in [@name] USER PASSWORD [VARIABLE]")
	}
	password := args[1]
	if password == "first" {
		password = s.firstPassword(ts)
	}
	body, err := json.Marshal(map[string]string{"username": args[0], "password": password})
	ts.Check(err)
	answer, text, err := s.ask(http.MethodPost, "http://"+p.address+"/api/v1/session", http.Header{"Content-Type": {"application/json"}}, body)
	ts.Check(err)
	if neg {
		if answer.StatusCode != http.StatusUnauthorized {
			ts.Fatalf("sign-in %s: %s, want it refused: %s", args[0], answer.Status, text)
		}
		return
	}
	var session struct{ Token string }
	if answer.StatusCode != http.StatusOK || json.Unmarshal(text, &session) != nil || session.Token == "" {
		ts.Fatalf("sign-in %s: %s: %s", args[0], answer.Status, text)
	}
	if len(args) == 3 {
		ts.Setenv(args[2], session.Token)
	}
}

// firstPassword keeps the password that was generated for admin.
// first-password VARIABLE
func firstPassword(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: first-password VARIABLE")
	}
	ts.Setenv(args[0], of(ts).firstPassword(ts))
}

func (s *story) firstPassword(ts *testscript.TestScript) string {
	u, err := s.get(s.target(ts, "secret", ts.Getenv("CD")+"/argocd-initial-admin-secret"))
	ts.Check(err)
	raw, _, err := unstructured.NestedString(u.Object, "data", "password")
	ts.Check(err)
	password, err := base64.StdEncoding.DecodeString(raw)
	ts.Check(err)
	return string(password)
}

// call asks the API with a token and prints the answer. With until= it asks until the answer has the status and matches.
// call [@name] [token=VARIABLE] [status=200] [until=REGEXP] METHOD PATH [JSON]
func call(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	p, args := s.addressed(ts, args)
	opts, args := options(args, "token", "status", "until")
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: call [@name] [token=VARIABLE] [status=200] [until=REGEXP] METHOD PATH [JSON]")
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if opts["token"] != "" {
		header.Set("Authorization", "Bearer "+ts.Getenv(opts["token"]))
	}
	var body []byte
	if len(args) == 3 {
		body = []byte(expand(ts, args[2]))
	}
	method, url, status := args[0], "http://"+p.address+expand(ts, args[1]), cmp.Or(opts["status"], "200")
	if opts["until"] == "" {
		s.request(ts, method, url, header, body, status)
		return
	}
	want, err := regexp.Compile(expand(ts, opts["until"]))
	ts.Check(err)
	ctx, cancel := bounded()
	defer cancel()
	last := ""
	for {
		answer, text, err := s.ask(method, url, header.Clone(), body)
		if err == nil && strconv.Itoa(answer.StatusCode) == status && want.Match(text) {
			_, err := ts.Stdout().Write(text)
			ts.Check(err)
			return
		}
		if last = fmt.Sprint(err); err == nil {
			last = answer.Status + ": " + string(text)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			ts.Fatalf("%s %s: the last answer was %s", method, url, last)
		}
	}
}

// stream is an answer that goes on.
type stream struct {
	ended chan struct{}
	mu    sync.Mutex
	lines []string
}

// streams opens an answer that goes on, and looks at it later.
// stream NAME open [@name] [token=VARIABLE] PATH
// stream NAME has REGEXP
// stream NAME ended
func streams(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	if len(args) < 2 {
		ts.Fatalf("usage: stream NAME open|has|ended ...")
	}
	known, _ := openStreams.LoadOrStore(s, &sync.Map{})
	name, rest := args[0], args[2:]
	if args[1] == "open" {
		known.(*sync.Map).Store(name, s.openStream(ts, rest))
		return
	}
	opened, ok := known.(*sync.Map).Load(name)
	if !ok {
		ts.Fatalf("no stream %s was opened", name)
	}
	switch o := opened.(*stream); args[1] {
	case "has":
		want, err := regexp.Compile(expand(ts, rest[0]))
		ts.Check(err)
		o.await(ts, "has nothing that matches "+rest[0], func() bool { return want.MatchString(o.text()) })
	case "ended":
		o.await(ts, "goes on", func() bool {
			select {
			case <-o.ended:
				return true
			default:
				return false
			}
		})
	default:
		ts.Fatalf("stream: what is %s?", args[1])
	}
}

var openStreams sync.Map // of *sync.Map of *stream by name, by story

func (s *story) openStream(ts *testscript.TestScript, args []string) *stream {
	p, args := s.addressed(ts, args)
	opts, args := options(args, "token")
	if len(args) != 1 {
		ts.Fatalf("usage: stream NAME open [@name] [token=VARIABLE] PATH")
	}
	ctx, cancel := context.WithCancel(context.Background())
	ts.Defer(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+expand(ts, args[0]), nil)
	ts.Check(err)
	r.Header.Set("Authorization", "Bearer "+ts.Getenv(opts["token"]))
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("stream %s: %s", args[0], answer.Status)
	}
	o := &stream{ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		defer answer.Body.Close()
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			o.mu.Lock()
			o.lines = append(o.lines, lines.Text())
			o.mu.Unlock()
		}
	}()
	return o
}

func (o *stream) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}

func (o *stream) await(ts *testscript.TestScript, otherwise string, done func() bool) {
	ctx, cancel := bounded()
	defer cancel()
	for !done() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			ts.Fatalf("the stream %s: %s", otherwise, o.text())
		}
	}
}
