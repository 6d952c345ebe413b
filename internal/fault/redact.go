// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"net/url"
	"regexp"
	"strings"
)

// RedactURL returns a repository's URL without user info, query and fragment, which may hold credentials. The user of an
// SSH URL in scp form (git@host:path) is kept when it is git.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || hidesUserInfo(raw) {
		return cutUserInfo(raw)
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}

// hidesUserInfo reports whether a URL probably has user info that a parser does not see as such, because somebody wrote a
// password with "/", "?" or "#" in it: "https://user:pa/ss@host".
func hidesUserInfo(raw string) bool {
	_, rest, _ := strings.Cut(raw, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 || strings.Contains(rest[:end], "@") || !strings.Contains(rest[end:], "@") {
		return false
	}
	return strings.Contains(rest[:end], ":") || rest[end] != '/'
}

// cutUserInfo removes everything between the scheme and the last "@".
func cutUserInfo(raw string) string {
	i := strings.LastIndex(raw, "@")
	if i < 0 || strings.HasPrefix(raw, "git@") {
		return raw
	}
	scheme, _, ok := strings.Cut(raw[:i], "://")
	if !ok {
		return raw[i+1:]
	}
	return scheme + "://" + raw[i+1:]
}

// Where an API server quotes a value of a rejected object.
var (
	// Field errors read `spec.x: Invalid value: "...": detail`. Of the second kind only those with a text quote one.
	valueMark = regexp.MustCompile(`(?:Invalid|Unsupported|Duplicate) value: |(?:Not found|Too long): "`)
	quoted    = regexp.MustCompile(`^"(?:[^"\\]|\\.)*"`)
	token     = regexp.MustCompile(`^[-+.\w]+`)
	// Server-side apply reads `.data.x: expected string, got &value.valueUnstructured{...}`, some decoders
	// `error found in #10 byte of ...|...|...`.
	quotedTail = regexp.MustCompile(`(?s)(, got |error found in #\d+ byte of ).*`)
)

// RedactValues removes the values that an API server's message about a Secret quotes. It rather removes too much: of a
// value that is neither text nor number the end cannot be told, so all that follows goes.
func RedactValues(message string) string {
	var out strings.Builder
	for rest := message; ; {
		at := valueMark.FindStringIndex(rest)
		if at == nil {
			out.WriteString(rest)
			break
		}
		begin := at[1]
		if rest[begin-1] == '"' {
			begin--
		}
		out.WriteString(rest[:begin] + redacted)
		rest = rest[begin+quotedLength(rest[begin:]):]
	}
	return quotedTail.ReplaceAllString(out.String(), `${1}`+redacted)
}

func quotedLength(text string) int {
	if at := quoted.FindStringIndex(text); at != nil {
		return at[1]
	}
	if at := token.FindStringIndex(text); at != nil && (at[1] == len(text) || strings.ContainsRune(":,;)]", rune(text[at[1]]))) {
		return at[1]
	}
	return len(text)
}
