// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonScan goes through JSON without holding it: what is not wanted is passed over byte by byte, whatever its size and depth.
type jsonScan struct {
	in *bufio.Reader
}

var errJSON = fmt.Errorf("%w: it is not JSON", errIndex)

// scanJSONIndex reads an index in JSON; see scanIndex.
func scanJSONIndex(in *bufio.Reader, wanted map[string]bool) (map[string][]chartVersion, error) {
	s, found, marked := &jsonScan{in}, map[string][]chartVersion{}, false
	err := s.members(func(key string) error {
		if key != "entries" {
			marked = marked || key == "apiVersion"
			return s.skip(nil)
		}
		marked = true
		if first, err := s.peek(); err != nil || first != '{' {
			return errors.Join(err, s.skip(nil)) // null
		}
		return s.members(func(chart string) error {
			if first, err := s.peek(); err != nil || first != '[' || !isWanted(wanted, chart) {
				return errors.Join(err, s.skip(nil))
			}
			return s.items(func() error {
				var v chartVersion
				raw := bytes.Buffer{}
				if err := s.skip(&raw); err != nil {
					return err
				}
				if err := json.Unmarshal(raw.Bytes(), &v); err != nil {
					return fmt.Errorf("%w: a version of chart %s cannot be read", errIndex, chart)
				}
				if v.Version != "" {
					found[chart] = append(found[chart], v)
				}
				return nil
			})
		})
	})
	if err == nil && !marked {
		err = errIndex
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: it ends in the middle", errIndex)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// peek returns the next byte that is not white.
func (s *jsonScan) peek() (byte, error) {
	for {
		b, err := s.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, s.in.UnreadByte()
		}
	}
}

// expect takes a byte that is one of several.
func (s *jsonScan) expect(one string) (byte, error) {
	b, err := s.peek()
	if err != nil {
		return 0, err
	}
	if bytes.IndexByte([]byte(one), b) < 0 {
		return 0, errJSON
	}
	return s.in.ReadByte()
}

// members calls each for the keys of an object; each takes the value.
func (s *jsonScan) members(each func(key string) error) error {
	if _, err := s.expect("{"); err != nil {
		return err
	}
	if b, err := s.peek(); err != nil || b == '}' {
		_, _ = s.in.ReadByte()
		return err
	}
	for {
		if b, err := s.peek(); err != nil || b != '"' {
			return errors.Join(err, errJSON)
		}
		raw, key := bytes.Buffer{}, ""
		if err := s.skip(&raw); err != nil {
			return err
		}
		if json.Unmarshal(raw.Bytes(), &key) != nil {
			return errJSON
		}
		if _, err := s.expect(":"); err != nil {
			return err
		}
		if err := each(key); err != nil {
			return err
		}
		if b, err := s.expect(",}"); err != nil || b == '}' {
			return err
		}
	}
}

// items calls each for the values of a list; each takes the value.
func (s *jsonScan) items(each func() error) error {
	if _, err := s.expect("["); err != nil {
		return err
	}
	if b, err := s.peek(); err != nil || b == ']' {
		_, _ = s.in.ReadByte()
		return err
	}
	for {
		if err := each(); err != nil {
			return err
		}
		if b, err := s.expect(",]"); err != nil || b == ']' {
			return err
		}
	}
}

// skip takes one value, and writes it to out if that is not nil; that has a limit.
func (s *jsonScan) skip(out *bytes.Buffer) error {
	if _, err := s.peek(); err != nil {
		return err
	}
	depth, quoted, escaped := 0, false, false
	for {
		b, err := s.in.ReadByte()
		if err != nil {
			return err
		}
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = b == '\\', b != '"'
		case b == '"':
			quoted = true
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']' || b == ',':
			if depth == 0 { // the end of a number or word
				return s.in.UnreadByte()
			}
			if b != ',' {
				depth--
			}
		}
		if out != nil {
			if out.Len() >= 16*maxIndexItem {
				return fmt.Errorf("%w that can be read here: a version is too long", errIndex)
			}
			out.WriteByte(b)
		}
		if depth == 0 && !quoted && !escaped && (b == '"' || b == '}' || b == ']') {
			return nil
		}
	}
}
