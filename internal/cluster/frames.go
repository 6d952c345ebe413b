// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// frames cuts a stream of JSON into values without building anything: a list of ten thousand objects passes through
// a buffer that is as large as the largest of them. It finds where values end and trusts that each is valid; whoever
// decodes one finds out.
//
// json.Decoder would read each byte three times and could not pass over a value.
type frames struct {
	from       io.Reader
	buf        []byte
	start, end int // of what was read and not yet taken
}

const (
	firstBuffer = 4 << 10
	keptBuffer  = 64 << 10  // a larger buffer is given back before waiting for more
	mostValue   = 128 << 20 // a hundred times what etcd stores
)

var errNotJSON = errors.New("this is not JSON as an API server writes it")

func newFrames(from io.Reader) *frames { return &frames{from: from} }

// fill reads more. What was not taken stays, moved to the front of the buffer.
func (f *frames) fill() error {
	switch {
	case f.start == f.end && (f.buf == nil || len(f.buf) > keptBuffer):
		f.buf, f.start, f.end = make([]byte, firstBuffer), 0, 0
	case f.start > 0:
		f.end = copy(f.buf, f.buf[f.start:f.end])
		f.start = 0
	}
	if f.end == len(f.buf) {
		if len(f.buf) >= mostValue {
			return fmt.Errorf("a value is larger than %d MiB", mostValue>>20)
		}
		f.buf = append(f.buf, make([]byte, len(f.buf))...)
	}
	n, err := f.from.Read(f.buf[f.end:])
	f.end += n
	if n > 0 {
		return nil // an error comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// peek returns the next byte that is not white space, without taking it; io.EOF if there is none.
func (f *frames) peek() (byte, error) {
	for {
		for f.start < f.end {
			switch c := f.buf[f.start]; c {
			case ' ', '\n', '\r', '\t':
				f.start++
			default:
				return c, nil
			}
		}
		if err := f.fill(); err != nil {
			return 0, err
		}
	}
}

// take takes one byte of punctuation and reports whether it was there.
func (f *frames) take(want byte) (bool, error) {
	c, err := f.peek()
	if err != nil {
		return false, cutOff(err)
	}
	if c == want {
		f.start++
	}
	return c == want, nil
}

func (f *frames) expect(want byte) error {
	ok, err := f.take(want)
	if err == nil && !ok {
		err = errNotJSON
	}
	return err
}

// value takes the next value. It is valid until the next call of any method. io.EOF means that the stream ended where a
// value might have begun.
func (f *frames) value() ([]byte, error) {
	c, err := f.peek()
	if err != nil {
		return nil, err
	}
	s := scan{}
	switch c {
	case '{', '[', '"':
	default:
		s.bare = true
	}
	for at := 0; ; {
		n, done := s.feed(f.buf[f.start+at : f.end])
		at += n
		if done {
			if at == 0 {
				return nil, errNotJSON
			}
			value := f.buf[f.start : f.start+at]
			f.start += at
			return value, nil
		}
		if err := f.fill(); err != nil {
			return nil, cutOff(err)
		}
	}
}

// cutOff makes an end within a value an error.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// scan finds the end of one value, in pieces.
type scan struct {
	depth   int
	text    bool // within a string
	escaped bool // after a backslash
	bare    bool // a number, true, false or null: ends before the next punctuation
}

// feed returns how many bytes of p belong to the value and whether it ends with them.
func (s *scan) feed(p []byte) (n int, done bool) {
	for i := 0; i < len(p); i++ {
		if s.text {
			i = s.inText(p, i)
			if i == len(p) {
				return i, false
			}
			if s.depth == 0 {
				return i + 1, true
			}
			continue
		}
		switch c := p[i]; c {
		case '"':
			s.text = true
		case '{', '[':
			s.depth++
		case '}', ']':
			if s.bare && s.depth == 0 {
				return i, true
			}
			if s.depth--; s.depth == 0 {
				return i + 1, true
			}
		case ',', ':', ' ', '\n', '\r', '\t':
			if s.bare && s.depth == 0 {
				return i, true
			}
		}
	}
	return len(p), false
}

// inText returns where the string that p[i:] continues is closed, or len(p).
func (s *scan) inText(p []byte, i int) int {
	for i < len(p) {
		if s.escaped {
			s.escaped = false
			i++
			continue
		}
		quote := bytes.IndexByte(p[i:], '"')
		rest := p[i:]
		if quote >= 0 {
			rest = p[i : i+quote]
		}
		if slash := bytes.IndexByte(rest, '\\'); slash >= 0 {
			s.escaped = true
			i += slash + 1
			continue
		}
		if quote < 0 {
			return len(p)
		}
		s.text = false
		return i + quote
	}
	return i
}

// object takes an object and calls each for every field, whose value each has to take.
func (f *frames) object(each func(key string) error) error {
	if err := f.expect('{'); err != nil {
		return err
	}
	if empty, err := f.take('}'); empty || err != nil {
		return err
	}
	for {
		raw, err := f.value()
		if err != nil {
			return cutOff(err)
		}
		name, err := unquoted(raw)
		if err != nil {
			return err
		}
		key := string(name)
		if err := f.expect(':'); err != nil {
			return err
		}
		if err := each(key); err != nil {
			return err
		}
		more, err := f.take(',')
		if err != nil {
			return err
		}
		if !more {
			return f.expect('}')
		}
	}
}

// array takes an array, or null, and calls each for every element, whose value each has to take.
func (f *frames) array(each func() error) error {
	open, err := f.take('[')
	if err != nil {
		return err
	}
	if !open {
		raw, err := f.value()
		if err == nil && string(raw) != "null" {
			err = errNotJSON
		}
		return cutOff(err)
	}
	if empty, err := f.take(']'); empty || err != nil {
		return err
	}
	for {
		if err := each(); err != nil {
			return err
		}
		more, err := f.take(',')
		if err != nil {
			return err
		}
		if !more {
			return f.expect(']')
		}
	}
}

// into decodes the next value.
func (f *frames) into(v any) error {
	raw, err := f.value()
	if err != nil {
		return cutOff(err)
	}
	return unmarshal(raw, v)
}
