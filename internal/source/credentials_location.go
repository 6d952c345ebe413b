// SPDX-License-Identifier: Apache-2.0

package source

import (
	"net"
	"net/url"
	"strings"

	"github.com/bowline-cd/bowline/internal/object"
)

// location is an address in the form in which addresses are compared.
type location struct {
	normal    string // object.NormaliseRepoURL; of a registry without "oci://"
	authority string // host, with its port if the address has one
	registry  bool   // host/path without a scheme, or with "oci://"
}

func locate(address string) location {
	name, oci := strings.CutPrefix(strings.ToLower(strings.TrimSpace(address)), "oci://")
	if oci || !strings.Contains(name, "://") && !strings.Contains(name, "@") {
		authority, _, _ := strings.Cut(name, "/")
		return location{normal: strings.TrimRight(name, "/"), authority: authority, registry: true}
	}
	return location{normal: object.NormaliseRepoURL(address), authority: authorityOf(address)}
}

// under reports whether p begins with prefix and has the same host.
func (p location) under(prefix location) bool {
	return p.registry == prefix.registry && p.authority == prefix.authority && strings.HasPrefix(p.normal, prefix.normal)
}

// hostOf returns the host without port in lower case; "" if the address has none.
func hostOf(address string) string {
	authority := locate(address).authority
	if host, _, err := net.SplitHostPort(authority); err == nil {
		return host
	}
	return strings.Trim(authority, "[]")
}

// authorityOf returns the host, with its port if the address has one, in lower case.
func authorityOf(address string) string {
	address = strings.TrimSpace(address)
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return strings.ToLower(u.Host)
	}
	if parts := scpForm.FindStringSubmatch(address); parts != nil {
		return strings.ToLower(parts[2])
	}
	return ""
}

// knownHostsOf returns the lines of a known_hosts file that can concern a host: those that name it, and those of
// which only ssh can say whom they mean (hashed names, patterns, marks). So a key that is added for another host changes
// nothing for this one.
func knownHostsOf(file, host string) string {
	var kept strings.Builder
	for line := range strings.Lines(file) {
		names, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if names != "" && names[0] != '#' && namesHost(names, host) {
			kept.WriteString(strings.TrimRight(line, "\r\n") + "\n")
		}
	}
	return kept.String()
}

func namesHost(names, host string) bool {
	if strings.HasPrefix(names, "@") || strings.ContainsAny(names, "|*?!\t") {
		return true
	}
	for name := range strings.SplitSeq(names, ",") {
		if inner, ok := strings.CutPrefix(name, "["); ok {
			name, _, _ = strings.Cut(inner, "]")
		}
		if strings.EqualFold(name, host) {
			return true
		}
	}
	return false
}
