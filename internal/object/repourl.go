// SPDX-License-Identifier: Apache-2.0

package object

import (
	"regexp"
	"strings"
)

// scpForm is Git's short form of an SSH address: user@host:path.
var scpForm = regexp.MustCompile(`^[^/:@]+@[^/:]+:`)

// NormaliseRepoURL returns the form in which repository URLs and patterns of them are compared: lower case, without
// ".git" at the end, and for SSH in the form user@host/path, whether written as ssh://user@host/path or
// user@host:path. It is Argo CD's normal form, so that credentials and project rules match what they match there.
func NormaliseRepoURL(url string) string {
	url = strings.ToLower(strings.TrimSpace(url))
	if scpForm.MatchString(url) {
		url = strings.Replace(url, ":", "/", 1)
	}
	url = strings.TrimSuffix(url, ".git")
	return strings.TrimPrefix(url, "ssh://")
}

// addressParts splits an address of any form into host and path: scheme, user and port left out.
var addressParts = regexp.MustCompile(`^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?([^/:]+)(?::[0-9]+)?[:/]+(.*)$`)

// SameRepo reports whether two addresses, of whatever forms (https, ssh, user@host:path), name the same host and
// path. It is for hints, such as webhooks, which name a repository in their own form; never for who may do what.
func SameRepo(a, b string) bool {
	a, b = hostAndPath(a), hostAndPath(b)
	return a != "" && a == b
}

func hostAndPath(url string) string {
	parts := addressParts.FindStringSubmatch(strings.ToLower(strings.TrimSpace(url)))
	if parts == nil {
		return ""
	}
	return parts[1] + "/" + strings.TrimSuffix(strings.Trim(parts[2], "/"), ".git")
}
