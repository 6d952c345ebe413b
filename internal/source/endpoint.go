// SPDX-License-Identifier: Apache-2.0

package source

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// endpoint is a checked address: what of it may go to git, and where it leads.
type endpoint struct {
	scheme string // https, http, ssh, file
	host   string // host name without port
	port   string
	// remote is the address without user info for https and http, as given for ssh, file://… for file.
	remote             string
	path               string // of a file address, as git will read it
	username, password string // of the address, for https and http
}

func (e endpoint) overHTTP() bool { return e.scheme == "https" || e.scheme == "http" }

var (
	scpForm = regexp.MustCompile(`^([^/:@\s]+@)?([^/:@\s]+):([^:].*)$`)
	// hostName is narrower than any standard: nothing that could be an option, a path or a second address.
	hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?$|^[0-9A-Fa-f:.]+$`)
	userName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+@\\-]*$`)
	// control are characters that change the meaning of a protocol line.
	control = regexp.MustCompile(`[\x00-\x20\x7f]`)
	newline = regexp.MustCompile(`[\x00-\x1f\x7f]`)
)

// parseEndpoint checks an address before any program sees it. Remote helpers (ext::…), options in the place of an
// address, relative paths and unknown schemes are a fault.Mistake, and so is file:// unless allowed.
func parseEndpoint(raw string, allowFile bool) (endpoint, error) {
	refuse := func(cause, fix string) (endpoint, error) {
		return endpoint{}, fault.New(fault.Mistake, "use", "repository "+fault.RedactURL(raw), "", cause, fix)
	}
	const forms = "write it as https://host/path, ssh://user@host/path or user@host:path"
	switch {
	case raw == "":
		return refuse("the address is empty", forms)
	case strings.HasPrefix(raw, "-"), control.MatchString(raw), newline.MatchString(unescaped(raw)):
		return refuse("the address holds an option or a control character", forms)
	case strings.Contains(raw, "::") && !strings.Contains(raw, "["):
		return refuse("remote helpers are not allowed", forms)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || !strings.Contains(raw, "://") {
		if e, ok := parseSCP(raw); ok {
			return e, nil
		}
		return refuse("this is not the address of a repository", forms)
	}
	e := endpoint{scheme: strings.ToLower(u.Scheme), host: u.Hostname(), port: u.Port()}
	if e.scheme == "file" {
		if !allowFile {
			return refuse("repositories on the local disk are not allowed", "serve it over https or ssh, or start with --allow-file-repos on a machine of your own")
		}
		if u.Host != "" || !filepath.IsAbs(u.Path) {
			return refuse("a file address needs an absolute path", "write it as file:///path")
		}
		e.path = filepath.Clean(u.Path)
		e.remote = (&url.URL{Scheme: "file", Path: e.path}).String() // escaped again: git unescapes once more
		return e, nil
	}
	if e.scheme != "https" && e.scheme != "http" && e.scheme != "ssh" {
		return refuse("the scheme "+e.scheme+" is not allowed", forms)
	}
	if !validHost(e.host) || strings.HasPrefix(strings.TrimLeft(u.Path, "/"), "-") {
		return refuse("the host or the path is not valid", forms)
	}
	if winds(u.Path) {
		return refuse("its path holds . or .. as a name", "write the path that is meant")
	}
	if e.scheme == "ssh" {
		if u.User != nil && !userName.MatchString(u.User.Username()) {
			return refuse("the user name is not valid", forms)
		}
		u.RawQuery, u.Fragment = "", ""
		e.remote = u.String()
		return e, nil
	}
	if u.User != nil {
		e.username = u.User.Username()
		e.password, _ = u.User.Password()
	}
	u.User, u.Fragment = nil, ""
	e.remote = strings.TrimRight(u.String(), "/")
	return e, nil
}

func parseSCP(raw string) (endpoint, bool) {
	parts := scpForm.FindStringSubmatch(raw)
	if parts == nil || !validHost(parts[2]) || strings.HasPrefix(parts[3], "-") || winds(parts[3]) {
		return endpoint{}, false
	}
	if user := strings.TrimSuffix(parts[1], "@"); user == "" || !userName.MatchString(user) {
		return endpoint{}, false
	}
	return endpoint{scheme: "ssh", host: parts[2], remote: raw}, true
}

// numeric are last parts of a name by which programs take the whole for an address of IPv4, in whatever form: 2852039166,
// 0xa9fea9fe, 0251.0376.0251.0376 (https://url.spec.whatwg.org/#ends-in-a-number-checker).
var numeric = regexp.MustCompile(`(?i)(^|\.)([0-9]+|0x[0-9a-f]*)\.?$`)

// validHost reports whether a host is a name, or an address in the form in which it is checked.
func validHost(host string) bool {
	if !hostName.MatchString(host) {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err == nil || !numeric.MatchString(host)
}

// winds reports whether a path holds . or .. as a name, escaped or not. Who permits an address by how it begins, or has
// credentials for it, looks at the text; programs and servers go where it leads.
func winds(path string) bool {
	for name := range strings.FieldsFuncSeq(unescaped(path), func(r rune) bool { return r == '/' || r == '\\' }) {
		if name == "." || name == ".." {
			return true
		}
	}
	return false
}

func unescaped(raw string) string {
	if out, err := url.PathUnescape(raw); err == nil {
		return out
	}
	return raw
}

// canonicalURL is the form in which addresses name mirrors: scheme and host in lower case, no slash at the end.
// Paths keep their case: on many hosts it matters.
func canonicalURL(raw string) string {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return strings.TrimRight(raw, "/")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	return strings.TrimRight(u.String(), "/")
}
