// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// webhook tells Bowline of a push, as a provider does.
// webhook [@name] [repo=NAME] [branch=main] [provider=github|gitlab] [secret=SECRET] [status=200]
func webhook(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	p, args := s.addressed(ts, args)
	opts, rest := options(args, "repo", "branch", "provider", "secret", "status")
	if len(rest) > 0 {
		ts.Fatalf("webhook: what is %v?", rest)
	}
	r := s.repo(ts, opts["repo"])
	ref := "refs/heads/" + cmp.Or(opts["branch"], "main")
	header := http.Header{"Content-Type": {"application/json"}}
	event := map[string]any{"ref": ref, "before": strings.Repeat("0", 40), "after": cmp.Or(ts.Getenv("HEAD"), strings.Repeat("0", 40))}
	if opts["provider"] == "gitlab" {
		header.Set("X-Gitlab-Event", "Push Hook")
		if opts["secret"] != "" {
			header.Set("X-Gitlab-Token", opts["secret"])
		}
		event["object_kind"] = "push"
		event["project"] = map[string]any{"git_http_url": r.URL, "web_url": strings.TrimSuffix(r.URL, ".git"), "default_branch": "main"}
	} else {
		header.Set("X-Github-Event", "push")
		event["repository"] = map[string]any{"clone_url": r.URL, "html_url": strings.TrimSuffix(r.URL, ".git"), "default_branch": "main"}
	}
	body, err := json.Marshal(event)
	ts.Check(err)
	if opts["provider"] != "gitlab" && opts["secret"] != "" {
		mac := hmac.New(sha256.New, []byte(opts["secret"]))
		mac.Write(body)
		header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	s.request(ts, http.MethodPost, "http://"+p.address+"/api/webhook", header, body, cmp.Or(opts["status"], "200"))
}

// http [@name] METHOD PATH [status=200]; a path that begins with /metrics is asked at the metrics address.
func request(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	p, args := s.addressed(ts, args)
	opts, args := options(args, "status")
	if len(args) != 2 {
		ts.Fatalf("usage: http [@name] METHOD PATH [status=200]")
	}
	address := p.address
	if strings.HasPrefix(args[1], "/metrics") {
		address = p.metrics
	}
	s.request(ts, args[0], "http://"+address+args[1], nil, nil, cmp.Or(opts["status"], "200"))
}

// addressed takes "@name" from the arguments and returns that process.
func (s *story) addressed(ts *testscript.TestScript, args []string) (*process, []string) {
	name := "main"
	if len(args) > 0 && strings.HasPrefix(args[0], "@") {
		name, args = args[0][1:], args[1:]
	}
	p := s.processes[name]
	if p == nil || p.address == "" {
		ts.Fatalf("bowline @%s does not run", name)
	}
	return p, args
}

func (s *story) request(ts *testscript.TestScript, method, url string, header http.Header, body []byte, status string) {
	answer, text, err := s.ask(method, url, header, body)
	ts.Check(err)
	_, err = ts.Stdout().Write(text)
	ts.Check(err)
	if strconv.Itoa(answer.StatusCode) != status {
		ts.Fatalf("%s %s: %s, want %s: %s", method, url, answer.Status, status, text)
	}
}

func (s *story) ask(method, url string, header http.Header, body []byte) (*http.Response, []byte, error) {
	ctx, cancel := bounded()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if header != nil {
		r.Header = header
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, text, err
}
