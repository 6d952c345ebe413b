// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/object"
)

// chartVersion is what of an entry of an index is used.
type chartVersion struct {
	Version string   `json:"version"`
	URLs    []string `json:"urls"`
	Digest  string   `json:"digest"` // sha256 of the archive, in hexadecimal digits
}

// errIndex says that a file is no index of a chart repository.
var errIndex = errors.New("this is not the index of a chart repository")

const (
	maxIndexLine = 64 << 10 // of a line, what is looked at
	maxIndexItem = 64 << 10 // of one version, what is kept
)

// scanIndex reads an index (index.yaml, also one that is JSON) without holding it, and returns the versions of the charts
// that are wanted. Indexes of public repositories have 50 MB and more; what a YAML parser makes of them is twenty times that.
//
// The file is split by its indentation: entries, below it the names, below each the list of its versions; of a version only
// the lines of its version, urls and digest are given to a YAML parser. This is what every tool writes that makes
// an index. An index that is written as one line of YAML in braces, or that repeats by anchors what is looked for, is refused.
func scanIndex(r io.Reader, wanted map[string]bool) (map[string][]chartVersion, error) {
	in := bufio.NewReaderSize(r, maxIndexLine)
	for {
		first, err := in.Peek(1)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errIndex
			}
			return nil, err
		}
		switch first[0] {
		case ' ', '\t', '\r', '\n':
			_, _ = in.ReadByte()
			continue
		case '{':
			return scanJSONIndex(in, wanted)
		}
		break
	}
	s := &yamlScan{in: in, wanted: wanted, found: map[string][]chartVersion{}}
	for {
		line, err := s.line()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.take(line)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := s.endItem(); err != nil {
		return nil, err
	}
	if !s.marked {
		return nil, errIndex
	}
	return s.found, nil
}

// yamlScan is where the scan of an index in YAML is.
type yamlScan struct {
	in     *bufio.Reader
	wanted map[string]bool
	found  map[string][]chartVersion

	number  int  // of the line
	cut     bool // the line is longer than what is looked at
	marked  bool // a key of an index was seen
	inside  bool // below entries
	names   int  // indentation of the names; 0 until known
	chart   string
	items   int // indentation of the dashes of the current chart; -1 until known
	fields  int // indentation of the keys of the current version; -1 until known
	keep    bool
	item    bytes.Buffer
	started int // line of the current version
}

// line returns the next line without its end.
func (s *yamlScan) line() ([]byte, error) {
	s.number++
	line, err := s.in.ReadSlice('\n')
	s.cut = errors.Is(err, bufio.ErrBufferFull)
	if s.cut {
		line = bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = s.in.ReadSlice('\n')
		}
	}
	if len(line) == 0 && err != nil || err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func (s *yamlScan) fail(cause string) error {
	return fmt.Errorf("%w that can be read here: line %d: %s", errIndex, s.number, cause)
}

func (s *yamlScan) take(line []byte) error {
	text := bytes.TrimLeft(line, " ")
	indent := len(line) - len(text)
	blank := len(text) == 0 || text[0] == '#'
	switch {
	case blank && s.item.Len() == 0:
		return nil
	case indent == 0 && !blank:
		return s.top(text)
	case !s.inside:
		return nil
	case s.names == 0:
		s.names = indent
	}
	dash := len(text) > 0 && text[0] == '-' && (len(text) == 1 || text[1] == ' ')
	switch {
	case blank:
		return s.field(line, indent, false)
	case indent < s.names:
		return s.fail("it is indented less than the names of the charts")
	case indent == s.names && !dash:
		return s.name(text)
	case s.chart == "":
		return nil
	}
	return s.below(line, text, indent, dash)
}

// top takes a key of the file itself.
func (s *yamlScan) top(text []byte) error {
	if err := s.endItem(); err != nil {
		return err
	}
	s.inside, s.names, s.chart = false, 0, ""
	key, value := splitKey(text)
	switch key {
	case "apiVersion", "generated":
		s.marked = true
	case "entries":
		s.marked = true
		switch value {
		case "":
			s.inside = true
		case "{}", "null", "~":
		default:
			return s.fail("entries is not written with one name to a line")
		}
	}
	return nil
}

// name takes the name of a chart, below which are its versions.
func (s *yamlScan) name(text []byte) error {
	if err := s.endItem(); err != nil {
		return err
	}
	key, value := splitKey(text)
	if key == "" {
		return s.fail("this is not the name of a chart")
	}
	s.chart, s.items, s.fields = "", -1, -1
	if !isWanted(s.wanted, key) || value == "[]" || value == "null" || value == "~" {
		return nil
	}
	if value != "" {
		return s.fail("the versions of chart " + key + " are not written with one to a line")
	}
	s.chart = key
	return nil
}

// below takes a line of the versions of a wanted chart.
func (s *yamlScan) below(line, text []byte, indent int, dash bool) error {
	if dash && (s.items < 0 || indent == s.items) {
		if err := s.endItem(); err != nil {
			return err
		}
		s.items, s.started = indent, s.number
		rest := bytes.TrimLeft(text[1:], " ")
		s.fields = indent + len(text) - len(rest)
		if len(rest) == 0 || rest[0] == '#' {
			s.fields = -1
			return nil
		}
		line, text, indent, dash = append(bytes.Repeat([]byte(" "), s.fields), rest...), rest, s.fields, false
	}
	if s.items < 0 {
		return s.fail("the versions of chart " + s.chart + " are not a list")
	}
	if s.fields < 0 {
		s.fields = indent
	}
	if indent < s.fields {
		return s.fail("it is indented less than the version it belongs to")
	}
	if indent > s.fields || dash {
		return s.field(line, indent, false)
	}
	key, _ := splitKey(text)
	s.keep = key == "version" || key == "urls" || key == "digest"
	if key == "" || strings.HasPrefix(key, "<<") || text[0] == '{' || text[0] == '*' || text[0] == '&' {
		return s.fail("this is not a field of a version")
	}
	return s.field(line, indent, true)
}

// field keeps a line of a field that is used.
func (s *yamlScan) field(line []byte, indent int, first bool) error {
	if !s.keep || s.chart == "" || s.fields < 0 {
		return nil
	}
	if s.cut || s.item.Len()+len(line) > maxIndexItem {
		return s.fail("a version of chart " + s.chart + " is too long")
	}
	if first || indent >= s.fields {
		line = line[s.fields:]
	}
	s.item.Write(line)
	s.item.WriteByte('\n')
	return nil
}

// endItem reads the version that was gathered.
func (s *yamlScan) endItem() error {
	if s.item.Len() == 0 {
		s.keep = false
		return nil
	}
	var v chartVersion
	err := object.CheckExpansion("", s.item.Bytes())
	if err == nil {
		err = yaml.Unmarshal(s.item.Bytes(), &v)
	}
	s.item.Reset()
	s.keep = false
	if err != nil {
		s.number = s.started
		return s.fail("a version of chart " + s.chart + " cannot be read")
	}
	if v.Version != "" {
		s.found[s.chart] = append(s.found[s.chart], v)
	}
	return nil
}

// splitKey returns the key of a line "key: value" and the value without comment; "" if it has no key.
func splitKey(text []byte) (key, value string) {
	line := string(text)
	if len(line) > 0 && (line[0] == '"' || line[0] == '\'') {
		end := strings.IndexByte(line[1:], line[0])
		if end < 0 {
			return "", ""
		}
		key, line = line[1:end+1], strings.TrimLeft(line[end+2:], " ")
		if !strings.HasPrefix(line, ":") {
			return "", ""
		}
		line = line[1:]
	} else {
		at := strings.Index(line+" ", ": ")
		if at < 0 {
			return "", ""
		}
		key, line = strings.TrimRight(line[:at], " "), line[at+1:]
	}
	value = strings.TrimSpace(line)
	if strings.HasPrefix(value, "#") {
		return key, ""
	}
	if at := strings.Index(value, " #"); at >= 0 {
		value = strings.TrimSpace(value[:at])
	}
	return key, value
}
