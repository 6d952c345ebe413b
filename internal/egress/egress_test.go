// SPDX-License-Identifier: Apache-2.0

package egress_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/bowline-cd/bowline/internal/egress"
	"github.com/bowline-cd/bowline/internal/fault"
)

func TestRefused(t *testing.T) {
	for address, want := range map[string]bool{
		"169.254.169.254": true, "169.254.170.2": true, "fe80::1": true, "fe80::1%eth0": true, "::ffff:169.254.169.254": true,
		"64:ff9b::a9fe:a9fe": true, "fd00:ec2::254": true, "168.63.129.16": true, "100.100.100.200": true, "0.0.0.0": true, "::": true,
		"224.0.0.1": true, "127.0.0.1": false, "10.0.0.1": false, "192.168.1.1": false, "::1": false, "203.0.113.7": false, "fd00::1": false,
	} {
		if got := egress.Refused(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: refused %v, want %v", address, got, want)
		}
	}
}

func TestDial(t *testing.T) {
	if _, err := egress.Dial(t.Context(), "tcp", "169.254.169.254:80"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("the address of a cloud's metadata: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := egress.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}
