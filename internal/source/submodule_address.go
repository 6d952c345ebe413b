// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"strings"
)

func isRelativeURL(url string) bool {
	return strings.HasPrefix(url, "./") || strings.HasPrefix(url, "../")
}

// resolveURL makes a relative address of a submodule whole, as git-submodule(1) has it: "../" takes the last part of the
// parent repository's address away. It never takes away the host: git would go on and make another address of it.
func resolveURL(parent, relative string) (string, error) {
	start, separators := 0, "/"
	if i := strings.Index(parent, "://"); i >= 0 {
		start = i + len("://")
		if host := strings.IndexByte(parent[start:], '/'); host >= 0 {
			start += host
		} else {
			start = len(parent)
		}
	} else if i := strings.IndexByte(parent, ':'); i >= 0 {
		start, separators = i, "/:"
	}
	host, path := parent[:start], strings.TrimRight(parent[start:], "/")
	for {
		if rest, ok := strings.CutPrefix(relative, "./"); ok {
			relative = rest
			continue
		}
		rest, ok := strings.CutPrefix(relative, "../")
		if !ok {
			break
		}
		i := strings.LastIndexAny(path, separators)
		if i < 0 {
			return "", errors.New("its url leads out of the host of the repository")
		}
		relative = rest
		if path[i] == ':' {
			path = ":" // of user@host:path, all of the path is gone
			if strings.HasPrefix(relative, "../") {
				return "", errors.New("its url leads out of the host of the repository")
			}
			break
		}
		path = path[:i]
	}
	relative = strings.TrimRight(relative, "/")
	if relative == "" || relative == "." || relative == ".." {
		return "", errors.New("its url names no repository")
	}
	if path == ":" {
		return host + ":" + relative, nil
	}
	return host + path + "/" + relative, nil
}
