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
