// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"crypto/tls"
	"fmt"
	"strings"
)

// Serving are the settings of what people and programs are served. Those of argocd-cmd-params-cm count when the process
// starts, as in Argo CD.
type Serving struct {
	// Insecure serves plain HTTP (server.insecure): something in front ends TLS.
	Insecure bool
	// TLSMin and TLSMax are the versions of TLS that are spoken (server.tls.minversion, server.tls.maxversion), TLSCiphers
	// the suites of versions before 1.3 (server.tls.ciphers); none is Go's choice.
	TLSMin, TLSMax uint16
	TLSCiphers     []uint16
	// FrameOptions is the header X-Frame-Options (server.x.frame.options), ContentSecurityPolicy the header of that name
	// (server.content.security.policy); "" is Bowline's own.
	FrameOptions, ContentSecurityPolicy string
	// Gzip is whether large answers are compressed (server.enable.gzip).
	Gzip bool
	// ContentTypes are what a call that changes something may be sent as (server.api.content.types); none is anything.
	ContentTypes []string
	// RootPath is the path below which everything is served (server.rootpath), without a slash at its end.
	RootPath string
}

var defaultServing = Serving{TLSMin: tls.VersionTLS12, TLSMax: tls.VersionTLS13, Gzip: true, ContentTypes: []string{"application/json"}}

// servingKeys are the settings of what is served.
var servingKeys = []reader{
	inParams("server.api.content.types", func(s *Settings) *[]string { return &s.Serving.ContentTypes }, semicolons),
	inParams("server.content.security.policy", func(s *Settings) *string { return &s.Serving.ContentSecurityPolicy }, header),
	inParams("server.enable.gzip", func(s *Settings) *bool { return &s.Serving.Gzip }, boolean),
	inParams("server.insecure", func(s *Settings) *bool { return &s.Serving.Insecure }, boolean),
	inParams("server.rootpath", func(s *Settings) *string { return &s.Serving.RootPath }, rootPath),
	inParams("server.tls.ciphers", func(s *Settings) *[]uint16 { return &s.Serving.TLSCiphers }, ciphers),
	inParams("server.tls.maxversion", func(s *Settings) *uint16 { return &s.Serving.TLSMax }, tlsVersion),
	inParams("server.tls.minversion", func(s *Settings) *uint16 { return &s.Serving.TLSMin }, tlsVersion),
	inParams("server.x.frame.options", func(s *Settings) *string { return &s.Serving.FrameOptions }, header),
}

// header reads the value of an HTTP header.
func header(raw string) (string, error) {
	for _, r := range raw {
		if r < ' ' || r > '~' {
			return "", hint{quoted(raw) + " cannot stand in a header", "write it on one line, in plain letters"}
		}
	}
	return raw, nil
}

func rootPath(raw string) (string, error) {
	path := "/" + strings.Trim(raw, "/")
	if path == "/" {
		return "", nil
	}
	if strings.ContainsAny(path, "?#%\\ {}") || strings.Contains(path, "//") || strings.Contains(path+"/", "/../") || strings.Contains(path+"/", "/./") {
		return "", hint{quoted(raw) + " is not a path", "write one such as /bowline"}
	}
	return path, nil
}

var tlsVersions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

func tlsVersion(raw string) (uint16, error) {
	version, ok := tlsVersions[raw]
	if !ok {
		return 0, hint{quoted(raw) + " is not a version of TLS", "write 1.2 or 1.3"}
	}
	return version, nil
}

// ciphers reads the names of cipher suites with colons between them, as Go and IANA call them.
func ciphers(raw string) ([]uint16, error) {
	var out []uint16
	for name := range strings.SplitSeq(raw, ":") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		id, ok := suite(name)
		if !ok {
			return nil, hint{fmt.Sprintf("%q is not a cipher suite that is safe", name), "write names such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, with colons between them"}
		}
		out = append(out, id)
	}
	return out, nil
}

func suite(name string) (uint16, bool) {
	for _, s := range tls.CipherSuites() {
		if s.Name == name {
			return s.ID, true
		}
	}
	return 0, false
}
