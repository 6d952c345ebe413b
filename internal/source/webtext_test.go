// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/test/registry"
)

// The text of an error is written into a status: it must be the same each time.
func TestAnErrorNamesNoPortOfOurs(t *testing.T) {
	at := func(port int) net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }
	text := func(port int) string {
		op := &net.OpError{Op: "write", Net: "tcp", Source: at(port), Addr: at(443), Err: errors.New("broken pipe")}
		_, detail := webProblem(&url.Error{Op: "Get", URL: "https://example.com", Err: fmt.Errorf("send: %w", op)})
		return detail
	}
	if text(40001) != text(40002) || text(1) != "write tcp 127.0.0.1:443: broken pipe" {
		t.Errorf("%s, %s", text(40001), text(40002))
	}
}

// An index may name archives that are anywhere, or nowhere: the error says which chart it is about.
func TestAnErrorNamesTheChart(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.AddRelease("c", "web", "1.10.12-rc.1", "/elsewhere/web.tgz", "")
	s, r := openStore(t, nil), Repository{URL: server.URL + "/c"}
	_, err := s.ResolveArtifact(t.Context(), r, chartOf("web", "1.10.12-rc.1"))
	wantProblem(t, err, ProblemNotFound)
	if err == nil || !strings.HasPrefix(err.Error(), "cannot fetch web 1.10.12-rc.1 from repository "+r.URL) {
		t.Error(err)
	}
}
