// SPDX-License-Identifier: Apache-2.0

package object

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// scpForm is Git's short form of an SSH address: user@host:path.
var scpForm = regexp.MustCompile(`^[^/:@]+@[^/:]+:`)

// NormaliseRepoURL returns the form in which repository URLs and patterns of them are compared: lower case, without
// ".git" at the end, and for SSH in the form user@host/path, whether written as ssh://user@host/path or
// user@host:path. It is Argo CD's normal form, so that credentials and project rules match what they match there.
func NormaliseRepoURL(address string) string {
	address = strings.ToLower(strings.TrimSpace(address))
	if scpForm.MatchString(address) {
		address = strings.Replace(address, ":", "/", 1)
	}
	address = strings.TrimSuffix(address, ".git")
	return strings.TrimPrefix(address, "ssh://")
}

// defaultPorts are those that may be left out.
var defaultPorts = map[string]string{"https": "443", "http": "80", "ssh": "22"}

// PlainRepoURL is NormaliseRepoURL of the simplest spelling of an address: without escapes, repeated slashes, a dot after the
// host, the port that the scheme has anyway and, for http and https, a user. It is for rules that refuse something or
// demand something: these have to hold for every spelling. What is no address is returned in its normal form.
func PlainRepoURL(address string) string {
	address = strings.TrimSpace(address)
	if scpForm.MatchString(address) {
		address = "ssh://" + strings.Replace(address, ":", "/", 1)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return NormaliseRepoURL(address)
	}
	scheme, host := strings.ToLower(u.Scheme), strings.TrimSuffix(u.Hostname(), ".")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && port != defaultPorts[scheme] {
		host += ":" + port
	}
	if u.User != nil && scheme != "https" && scheme != "http" {
		host = u.User.Username() + "@" + host
	}
	return NormaliseRepoURL(strings.TrimRight(scheme+"://"+host+path.Clean("/"+u.Path), "/"))
}

// addressParts splits an address of any form into host and path: scheme, user and port left out.
var addressParts = regexp.MustCompile(`^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?([^/:]+)(?::[0-9]+)?[:/]+(.*)$`)

// SameRepo reports whether two addresses, of whatever forms (https, ssh, user@host:path), name the same host and
// path. It is for hints, such as webhooks, which name a repository in their own form; never for who may do what.
func SameRepo(a, b string) bool {
	a, b = hostAndPath(a), hostAndPath(b)
	return a != "" && a == b
}

func hostAndPath(address string) string {
	parts := addressParts.FindStringSubmatch(strings.ToLower(strings.TrimSpace(address)))
	if parts == nil {
		return ""
	}
	return parts[1] + "/" + strings.TrimSuffix(strings.Trim(parts[2], "/"), ".git")
}
