// SPDX-License-Identifier: Apache-2.0

// Package egress says which addresses nobody may have the program connect to, whoever asks for it.
//
// The words of this room:
//
//   - Refused: an address behind which clouds answer with credentials of the machine, or that is no host at all. Private and
//     loopback addresses are none of these: repositories and clusters are often there.
package egress

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

// machineServices are addresses outside of the link-local networks behind which clouds answer with credentials of the machine.
var machineServices = map[netip.Addr]bool{
	netip.MustParseAddr("fd00:ec2::254"):   true, // AWS
	netip.MustParseAddr("fd00:ec2::23"):    true, // AWS, for pods
	netip.MustParseAddr("fd20:ce::254"):    true, // Google Cloud
	netip.MustParseAddr("168.63.129.16"):   true, // Azure
	netip.MustParseAddr("100.100.100.200"): true, // Alibaba Cloud
	netip.MustParseAddr("192.0.0.192"):     true, // Oracle Cloud
}

// translated is the network in which IPv6 hosts see IPv4 ones (RFC 6052).
var translated = netip.MustParsePrefix("64:ff9b::/96")

// Native returns an address without zone, and as one of IPv4 if it stands for one.
func Native(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if translated.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// Refused reports whether nobody may have the program connect to an address.
func Refused(a netip.Addr) bool {
	a = Native(a)
	return a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || machineServices[a]
}

// Times of connections, as the client library of Kubernetes has them.
const (
	connectTimeout = 30 * time.Second
	keepAlive      = 30 * time.Second
)

// Dial connects to an address that is not refused. It is asked after names were looked up, so that a name which leads elsewhere the
// second time changes nothing. The error of a refusal is fault.Forbidden.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive, Control: permit}).DialContext(ctx, network, address)
}

func permit(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err == nil && !Refused(to.Addr()) {
		return nil
	}
	return fault.New(fault.Forbidden, "connect to", address, "", "this address is not one that may be connected to", "correct the address")
}
