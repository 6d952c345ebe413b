// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"errors"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// address is an entry that names a folder of a Git repository elsewhere.
type address struct {
	repo string // what Git is given: https://host/org/repo, git@host:org/repo
	path string // the folder in it, "" for its root
	ref  string // branch, tag or commit; "" means HEAD
}

var (
	errFileAddress = errors.New("file:// addresses name files of the machine that renders")
	errSecret      = errors.New("the address holds a password")
	errOption      = errors.New("a part of the address begins with - and would be an option of a program")
	errCharacters  = errors.New("the address holds spaces, control characters or backslashes")
	errNoHost      = errors.New("the address has no host")
	errClimbs      = errors.New("its path leads out of the repository")
)

// parseAddress reads an entry as the address of a repository, by the rules of Kustomize
// (https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md). ok is false if it is none, and so a
// path or the address of a file. An error says why an address must not be used; its text does not quote the address.
func parseAddress(entry string) (a address, ok bool, err error) {
	if path.IsAbs(entry) {
		return a, false, nil
	}
	rest, query, _ := strings.Cut(entry, "?")
	rest, _ = cutPrefixFold(rest, "git::")
	host, rest, err := cutHost(rest)
	if host == "" || err != nil {
		return a, false, err
	}
	repo, folder := cutRepository(rest)
	if repo == "" {
		return a, false, nil
	}
	a = address{repo: host + repo, path: strings.TrimPrefix(folder, "/"), ref: revision(query)}
	if climbs(a.path) {
		return a, true, errClimbs
	}
	a.path = strings.TrimPrefix(path.Clean("/"+a.path), "/")
	return a, true, a.check(host, repo)
}

func climbs(p string) bool {
	cleaned := path.Clean(p)
	return cleaned == ".." || strings.HasPrefix(cleaned, "../")
}

var user = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*@`)

// cutHost cuts scheme, user and host off an address. GitHub may be written without a scheme; elsewhere a user stands for
// SSH in scp form. host is "" if the entry is a path.
func cutHost(entry string) (host, rest string, err error) {
	scheme, rest := cutScheme(entry)
	if scheme == "file://" {
		return "", "", errFileAddress
	}
	if strings.HasPrefix(scheme, "http") && strings.Contains(strings.SplitN(rest, "/", 2)[0], "@") {
		var secret bool
		if rest, secret = cutUser(rest); secret {
			return "", "", errSecret
		}
	}
	name := user.FindString(rest)
	rest = rest[len(name):]
	github := isGitHub(rest)
	scp := scheme == "" && (name != "" || github)
	if scheme == "" && !scp {
		return "", "", nil
	}
	end := strings.Index(rest, "/")
	if colon := strings.Index(rest, ":"); scp && (end < 0 || colon > 0 && colon < end) {
		end = colon
	}
	switch {
	case end < 0:
		return "", "", nil
	case end == 0:
		return "", "", errNoHost
	}
	host, rest = rest[:end+1], rest[end+1:]
	switch {
	case github && (scheme == "ssh://" || name != ""):
		return name + "github.com:", rest, nil
	case github:
		return "https://github.com/", rest, nil
	}
	return scheme + name + host, rest, nil
}

// cutUser drops the user of an http address: what Bowline logs in with comes from its own credentials.
func cutUser(rest string) (without string, secret bool) {
	authority, tail, _ := strings.Cut(rest, "/")
	i := strings.LastIndex(authority, "@")
	return authority[i+1:] + "/" + tail, strings.Contains(authority[:i], ":")
}

func cutScheme(entry string) (scheme, rest string) {
	for _, scheme := range []string{"ssh://", "https://", "http://", "file://"} {
		if rest, ok := cutPrefixFold(entry, scheme); ok {
			return scheme, rest
		}
	}
	return "", entry
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

func isGitHub(rest string) bool {
	lower := strings.ToLower(rest)
	return strings.HasPrefix(lower, "github.com/") || strings.HasPrefix(lower, "github.com:")
}

// cutRepository splits what follows the host into the repository's path and the folder in it: by a mark (the folder after
// "_git/", "//", or the end of ".git"), else after two names, which is where they end on GitHub.
func cutRepository(rest string) (repo, folder string) {
	if before, after, ok := strings.Cut(rest, "_git/"); ok {
		name, folder, _ := strings.Cut(after, "/")
		return before + "_git/" + name, folder
	}
	if before, after, ok := strings.Cut(rest, "//"); ok {
		return before, after
	}
	if before, after, ok := strings.Cut(rest, ".git"); ok {
		return before + ".git", after
	}
	names := strings.SplitN(rest, "/", 3)
	switch len(names) {
	case 1:
		return "", ""
	case 2:
		return rest, ""
	}
	return names[0] + "/" + names[1], names[2]
}

// revision reads the query of a repository's address. How long fetching may take and whether submodules are wanted
// (timeout, submodules) are settings of the installation.
func revision(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	if ref := values.Get("ref"); ref != "" {
		return ref
	}
	return values.Get("version")
}

// check refuses what a program that gets the address on its command line could take for something else.
func (a address) check(host, repo string) error {
	_, authority := cutScheme(host)
	for _, part := range []string{host, authority, authority[strings.LastIndex(authority, "@")+1:], repo, a.ref} {
		if strings.HasPrefix(part, "-") {
			return errOption
		}
	}
	if strings.ContainsFunc(a.repo+a.ref, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return errCharacters
	}
	return nil
}

// looksWeb reports whether an entry is an http or https address, which Kustomize fetches wherever it reads a file.
func looksWeb(entry string) bool {
	scheme, _, ok := strings.Cut(strings.TrimSpace(entry), ":")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// isRepository decides what the web address of a resource is, if it can be read as a repository's. Kustomize fetches it
// as a file first and clones it if that fails; here it is one or the other, by how it is written.
func isRepository(entry string) bool {
	_, at := cutScheme(entry)
	at, _, _ = strings.Cut(strings.ToLower(at), "?")
	if strings.Contains(at, "//") || strings.Contains(at, "_git/") || strings.Contains(at, ".git/") || strings.HasSuffix(at, ".git") {
		return true
	}
	switch path.Ext(at) {
	case ".yaml", ".yml", ".json":
		return false
	}
	return !strings.Contains(at+"/", "/raw/") && !strings.Contains(at, "/releases/download/") &&
		!strings.HasPrefix(at, "raw.githubusercontent.com/") && !strings.HasPrefix(at, "gist.githubusercontent.com/")
}

// checkWeb refuses the web address of a file that must not be fetched.
func checkWeb(entry string) error {
	u, err := url.Parse(entry)
	switch {
	case err != nil || u.Host == "":
		return errors.New("it is no valid address")
	case u.User != nil:
		return errSecret
	}
	return nil
}
