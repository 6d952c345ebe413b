// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"strings"
)

// parseGitmodules reads the addresses of submodules by path from a file in the format of git-config(1). Of values
// that are set more than once the last counts, as for git. Everything else in the file (names, branches, commands to
// update with, includes) is not looked at.
func parseGitmodules(data []byte) (map[string]string, error) {
	settings, err := parseConfig(data)
	if err != nil {
		return nil, err
	}
	paths, urls := map[string]string{}, map[string]string{}
	var names []string
	for _, s := range settings {
		name, ok := strings.CutPrefix(s.section, "submodule.")
		if !ok {
			continue
		}
		switch s.key {
		case "path":
			if _, known := paths[name]; !known {
				names = append(names, name)
			}
			paths[name] = s.value
		case "url":
			urls[name] = s.value
		}
	}
	modules := map[string]string{}
	for _, name := range names {
		if url, ok := urls[name]; ok {
			modules[paths[name]] = url
		}
	}
	return modules, nil
}

// setting is one line of a configuration: section is "name" or "name.subsection"; names and keys are in lower case,
// subsections are as written.
type setting struct{ section, key, value string }

// configReader reads git's configuration format.
type configReader struct {
	rest string
	line int
}

func parseConfig(data []byte) ([]setting, error) {
	r := configReader{rest: strings.TrimPrefix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\ufeff"), line: 1}
	var out []setting
	section := ""
	for {
		r.space("\n \t")
		switch c := r.peek(); {
		case c == 0 && r.rest == "":
			return out, nil
		case c == '#' || c == ';':
			r.comment()
		case c == '[':
			name, err := r.section()
			if err != nil {
				return nil, r.wrong(err)
			}
			section = name
		case letter(c):
			s, err := r.setting()
			if err != nil {
				return nil, r.wrong(err)
			}
			s.section = section
			out = append(out, s)
		default:
			return nil, r.wrong(fmt.Errorf("%q is not expected here", c))
		}
	}
}

func (r *configReader) wrong(err error) error { return fmt.Errorf("line %d: %w", r.line, err) }

// peek returns the next byte, 0 at the end.
func (r *configReader) peek() byte {
	if r.rest == "" {
		return 0
	}
	return r.rest[0]
}

func (r *configReader) next() byte {
	c := r.peek()
	if r.rest != "" {
		r.rest = r.rest[1:]
	}
	if c == '\n' {
		r.line++
	}
	return c
}

func (r *configReader) space(set string) {
	for r.rest != "" && strings.IndexByte(set, r.peek()) >= 0 {
		r.next()
	}
}

func (r *configReader) comment() {
	for r.rest != "" && r.peek() != '\n' {
		r.next()
	}
}

// section reads `[name]`, `[name "subsection"]` or the old form `[name.subsection]`.
func (r *configReader) section() (string, error) {
	r.next()
	var b strings.Builder
	for letter(r.peek()) || digit(r.peek()) || r.peek() == '-' || r.peek() == '.' {
		b.WriteByte(lower(r.next()))
	}
	name := b.String()
	if name == "" {
		return "", errors.New("a section without a name")
	}
	blank := r.peek() == ' ' || r.peek() == '\t'
	r.space(" \t")
	if blank && r.peek() == '"' {
		below, err := r.subsection()
		if err != nil {
			return "", err
		}
		name += "." + below
	}
	if r.next() != ']' {
		return "", errors.New("the section's ] is missing")
	}
	return name, nil
}

func (r *configReader) subsection() (string, error) {
	r.next()
	var b strings.Builder
	for {
		switch c := r.next(); c {
		case 0, '\n':
			return "", errors.New("the closing quote of a section is missing")
		case '"':
			return b.String(), nil
		case '\\':
			if r.peek() == '\n' || r.rest == "" {
				return "", errors.New("the closing quote of a section is missing")
			}
			b.WriteByte(r.next())
		default:
			b.WriteByte(c)
		}
	}
}

// setting reads `key = value`, or `key` alone, which stands for true.
func (r *configReader) setting() (setting, error) {
	var b strings.Builder
	for letter(r.peek()) || digit(r.peek()) || r.peek() == '-' {
		b.WriteByte(lower(r.next()))
	}
	r.space(" \t")
	switch r.peek() {
	case '=':
		r.next()
		value, err := r.value()
		return setting{key: b.String(), value: value}, err
	case '\n', '#', ';':
	case 0:
		if r.rest != "" {
			return setting{}, errors.New("a key without a value")
		}
	default:
		return setting{}, errors.New("a key without =")
	}
	return setting{key: b.String(), value: "true"}, nil
}

// value reads to the end of the line: quotes keep spaces and marks of comments, a backslash before the end of the line
// goes on with the next one.
func (r *configReader) value() (string, error) {
	r.space(" \t")
	var b strings.Builder
	quoted, keep := false, 0 // keep is the length without the spaces at the end
	for {
		if r.rest == "" || r.peek() == '\n' {
			if quoted {
				return "", errors.New("a closing quote is missing")
			}
			return b.String()[:keep], nil
		}
		c := r.next()
		switch {
		case c == '"':
			quoted = !quoted
			keep = b.Len()
			continue
		case !quoted && (c == '#' || c == ';'):
			r.comment()
			continue
		case !quoted && (c == ' ' || c == '\t'):
			b.WriteByte(c)
			continue
		case c == 0:
			return "", errors.New("a NUL in a value")
		case c == '\\':
			escaped, err := r.escape()
			if err != nil {
				return "", err
			}
			b.WriteString(escaped)
		default:
			b.WriteByte(c)
		}
		keep = b.Len()
	}
}

func (r *configReader) escape() (string, error) {
	switch c := r.next(); c {
	case '\n':
		return "", nil
	case 'n':
		return "\n", nil
	case 't':
		return "\t", nil
	case 'b':
		return "\b", nil
	case '"', '\\':
		return string(c), nil
	default:
		return "", errors.New("an unknown escape")
	}
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
