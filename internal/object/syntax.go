// SPDX-License-Identifier: Apache-2.0

package object

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v2"
)

var (
	yamlLine    = regexp.MustCompile(`^line (\d+): `)
	repeatedKey = regexp.MustCompile(`^line (\d+): key (.*) already set in map$`)
)

// repeatedKeys reads the strict decoder's complaints; only is true if there are no others. A document with merge keys
// is not told about: overriding what was merged is what they are for.
func (p part) repeatedKeys(err error) (keys []RepeatedKey, only bool) {
	var typeError *yaml.TypeError
	if !errors.As(err, &typeError) {
		return nil, false
	}
	for _, complaint := range typeError.Errors {
		m := repeatedKey.FindStringSubmatch(complaint)
		if m == nil {
			return nil, false
		}
		n, _ := strconv.Atoi(m[1])
		key, err := strconv.Unquote(m[2])
		if err != nil {
			key = m[2]
		}
		keys = append(keys, RepeatedKey{Line: p.base + n - 1, Key: key})
	}
	if bytes.Contains(p.text, []byte("<<")) {
		keys = nil
	}
	return keys, true
}

// syntaxError turns the YAML library's error into one that names the line in the file and quotes nothing of it.
func (p part) syntaxError(err error) *ParseError {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := p.line
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = strings.TrimPrefix(text, m[0])
		n, _ := strconv.Atoi(m[1])
		line = p.base + n - 1
		if strings.HasPrefix(text, "did not find expected ") {
			line++ // the library's parser, unlike its scanner, counts from 0
		}
	}
	last := p.base + bytes.Count(bytes.TrimRight(p.text, " \t\r\n"), []byte("\n"))
	return &ParseError{Line: min(line, last), Err: fmt.Errorf("not valid YAML: %s", p.explain(text))}
}

// explain puts a message into words that say what to do, and drops what it quotes from the document.
func (p part) explain(text string) string {
	switch {
	case strings.Contains(text, "cannot start any token") && bytes.ContainsRune(p.text, '\t'):
		return text + " (YAML is indented with spaces, not with tabs)"
	case strings.HasPrefix(text, "unknown anchor"):
		return "an alias (*name) refers to an anchor (&name) that is not there: put a value that begins with * in quotes"
	case strings.HasPrefix(text, "anchor "):
		return "an anchor (&name) contains itself"
	case strings.HasPrefix(text, "cannot decode "):
		return "a value does not fit its tag (!!type)"
	case strings.HasPrefix(text, "invalid map key"):
		return "a key of a mapping is itself a mapping or a list: put a value that begins with { in quotes"
	default:
		return text
	}
}
