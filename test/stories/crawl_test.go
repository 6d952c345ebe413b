// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repocreds"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	versions "github.com/bowline-cd/bowline/api/argoproj/rpc/version"
	"github.com/bowline-cd/bowline/internal/server/transport/wire"
)

// crawled is how long a crawl listens to an answer that goes on, and together how many it asks at once.
const (
	crawled       = time.Second
	crawlTogether = 16
)

// route is a verb on a path, as the document of the API describes it.
type route struct {
	verb, path string
	parameters []struct{ Name, In string }
	body       map[string]any // the schema of the body, its references resolved down to some depth
}

// crawler asks everything that an API offers.
type crawler struct {
	s             *story
	address       string
	token         string
	routes        []route
	things        []map[string]string // what to ask for: values of parameters that belong together
	mu            sync.Mutex
	asked, opened int
	see           func(what string, status int, text []byte) // with the headers behind the text
}

// ask asks one thing and hands the answer to see, headers included; of a stream what came within a moment.
func (c *crawler) ask(what, verb, path string, header http.Header, body []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), crawled)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, verb, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return // such an address cannot be sent
	}
	if r.Header = header.Clone(); r.Header == nil {
		r.Header = http.Header{"Content-Type": {"application/json"}}
	}
	if c.token != "" && r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := http.DefaultTransport.RoundTrip(r) // no redirect is followed: its address is part of the answer
	if err != nil {
		return // nothing was answered in time, and so nothing was shown
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body) // a stream ends with the moment
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if answer.StatusCode == http.StatusOK {
		c.opened++
	}
	c.see(what, answer.StatusCode, fmt.Appendf(nil, "%s\n%v", text, answer.Header))
}

// each does something for all, a few at once.
func each[T any](all []T, do func(T)) {
	var group sync.WaitGroup
	turns := make(chan struct{}, crawlTogether)
	for _, one := range all {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			do(one)
		})
	}
	group.Wait()
}

// document reads which routes there are.
func (c *crawler) document(ts *testscript.TestScript) {
	_, text, err := c.s.ask(http.MethodGet, "http://"+c.address+"/swagger.json", nil, nil)
	ts.Check(err)
	var document struct {
		Paths map[string]map[string]struct {
			Parameters  []struct{ Name, In string }
			RequestBody struct {
				Content map[string]struct{ Schema map[string]any }
			}
		}
		Components struct{ Schemas map[string]map[string]any }
	}
	ts.Check(json.Unmarshal(text, &document))
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, verb := range slices.Sorted(maps.Keys(document.Paths[path])) {
			o := document.Paths[path][verb]
			c.routes = append(c.routes, route{
				verb: strings.ToUpper(verb), path: path, parameters: o.Parameters,
				body: resolved(o.RequestBody.Content["application/json"].Schema, document.Components.Schemas, 6),
			})
		}
	}
	if len(c.routes) < 90 {
		ts.Fatalf("the document has %d routes only", len(c.routes))
	}
}

// resolved follows the references of a schema.
func resolved(schema map[string]any, all map[string]map[string]any, depth int) map[string]any {
	if name, ok := schema["$ref"].(string); ok {
		schema = all[name[strings.LastIndex(name, "/")+1:]]
	}
	properties, _ := schema["properties"].(map[string]any)
	if depth == 0 || properties == nil {
		return schema
	}
	out := map[string]any{}
	for name, of := range properties {
		if property, ok := of.(map[string]any); ok {
			out[name] = resolved(property, all, depth-1)
		}
	}
	return map[string]any{"type": "object", "properties": out}
}

// address fills the variables of a route and the parameters that are known; false without a value for each variable.
func (r route) address(thing map[string]string) (string, bool) {
	path, query := r.path, url.Values{}
	for _, p := range r.parameters {
		value, ok := thing[p.Name]
		switch {
		case p.In == "path" && !ok:
			return "", false
		case p.In == "path":
			path = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(value), 1)
		case p.In == "query" && ok:
			query.Set(p.Name, value)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, true
}

// reads asks for everything that can be read over REST, as JSON and as events.
func (c *crawler) reads() {
	type question struct{ path, accept string }
	seen := map[question]bool{}
	for _, r := range c.routes {
		for _, thing := range c.things {
			path, ok := r.address(thing)
			if ok && r.verb == http.MethodGet {
				seen[question{path, ""}] = true
				if strings.Contains(path, "stream") || strings.Contains(path, "logs") {
					seen[question{path, "text/event-stream"}] = true
				}
			}
		}
	}
	each(slices.Collect(maps.Keys(seen)), func(q question) {
		c.ask("GET "+q.path+" "+q.accept, http.MethodGet, q.path, http.Header{"Accept": {q.accept}}, nil)
	})
}

// services are all services that gRPC offers.
var services = slices.Concat(account.AccountServiceMethods, application.ApplicationServiceMethods, applicationset.ApplicationSetServiceMethods,
	certificate.CertificateServiceMethods, cluster.ClusterServiceMethods, cluster.SettingsServiceMethods, project.ProjectServiceMethods,
	repocreds.RepoCredsServiceMethods, repository.RepositoryServiceMethods, session.SessionServiceMethods, versions.VersionServiceMethods)

// changes reports whether a method changes something: it has a verb other than GET.
func changes(m *rpc.Method) bool {
	return !slices.ContainsFunc(m.Bindings, func(b rpc.Binding) bool { return b.Verb == http.MethodGet })
}

// grpc asks for everything that can be read over gRPC, in the form that HTTP/1.1 carries. all asks for what changes something, too.
func (c *crawler) grpc(all bool) error {
	type question struct{ name, message string }
	seen := map[question]bool{}
	for _, m := range services {
		if m.RequestMessage == "" || changes(m) && !all {
			continue
		}
		for _, thing := range c.things {
			request := m.NewRequest()
			fields, err := json.Marshal(thing)
			if err != nil {
				return err
			}
			_ = json.Unmarshal(fields, request) // what is no text stays empty
			message, err := wire.Marshal(m.RequestMessage, request)
			if err != nil {
				return fmt.Errorf("%s: %w", m.FullName(), err)
			}
			seen[question{m.FullName(), string(message)}] = true
		}
	}
	each(slices.Collect(maps.Keys(seen)), func(q question) {
		frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(q.message)))
		c.ask("gRPC "+q.name, http.MethodPost, "/"+q.name, http.Header{"Content-Type": {"application/grpc-web+proto"}}, append(frame, q.message...))
	})
	return nil
}

// newCrawler reads what there is to ask for: FILE has a line for each thing, of words NAME=VALUE.
func newCrawler(ts *testscript.TestScript, p *process, token, file string) *crawler {
	c := &crawler{s: of(ts), address: p.address, token: token}
	for line := range strings.Lines(expand(ts, ts.ReadFile(file))) {
		thing := map[string]string{}
		for word := range strings.FieldsSeq(line) {
			name, value, _ := strings.Cut(word, "=")
			thing[name] = value
		}
		c.things = append(c.things, thing)
	}
	c.document(ts)
	return c
}
