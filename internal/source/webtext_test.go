// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"testing"
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
