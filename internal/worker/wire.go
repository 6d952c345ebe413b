// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/bowline-cd/bowline/internal/tree"
)

// kind says what a frame is.
type kind byte

const (
	helloFrame   kind = 'h' // from a process, once: it is ready and this is how it is confined
	jobFrame     kind = 'j' // to a process
	begunFrame   kind = 'b' // from a process: it has read the job
	callFrame    kind = 'c' // from a process; it waits for the answer
	answerFrame  kind = 'a' // to a process
	objectsFrame kind = 'o' // from a process: some of the objects
	resultFrame  kind = 'r' // from a process: the end of the job
	queryFrame   kind = 'q' // to a process: an expression and what it is about
	pathsFrame   kind = 'p' // from a process: the answer to a query
)

// The largest contents of frames that a process sends, but for objects, which the job limits.
const (
	maxHello  = 4 << 10
	maxCall   = 16 << 10
	maxResult = 4 << 20
)

// maxToProcess bounds the frames that a process reads: an answer holds at most one folder or file.
const maxToProcess = 1 << 30

// batch is how many bytes of objects are sent in one frame, unless a single one is larger.
const batch = 256 << 10

var errFrame = errors.New("the message is not of the protocol")

// writeFrame writes a frame at once. head is what was reserved by newFrame in front of the content.
func writeFrame(w io.Writer, k kind, frame []byte) error {
	frame[0] = byte(k)
	binary.BigEndian.PutUint32(frame[1:], uint32(len(frame)-headSize)) //nolint:gosec // frames are smaller than maxToProcess
	_, err := w.Write(frame)
	return err
}

const headSize = 5

// newFrame returns a frame to append content to.
func newFrame() []byte { return make([]byte, headSize, 512) }

// readFrame reads a frame whose content is not larger than limit says for its kind; a negative limit refuses the kind.
func readFrame(r io.Reader, limit func(kind) int64) (kind, []byte, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	k, n := kind(head[0]), int64(binary.BigEndian.Uint32(head[1:]))
	switch most := limit(k); {
	case most < 0:
		return 0, nil, fmt.Errorf("%w: kind %q is not expected", errFrame, byte(k))
	case n > most:
		return k, nil, tooLongError{k, n, most}
	}
	body, err := readBody(r, n)
	return k, body, err
}

// tooLongError says that a frame is longer than is allowed.
type tooLongError struct {
	kind     kind
	is, most int64
}

func (e tooLongError) Error() string {
	return fmt.Sprintf("a message of kind %q has %d bytes, which is more than %d", byte(e.kind), e.is, e.most)
}

// readBody takes memory for a large content as it comes, not as it is announced.
func readBody(r io.Reader, n int64) ([]byte, error) {
	const trusted = 64 << 10
	if n <= trusted {
		body := make([]byte, n)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	var buffer bytes.Buffer
	buffer.Grow(trusted)
	if got, err := io.CopyN(&buffer, r, n); err != nil {
		return nil, fmt.Errorf("after %d of %d bytes: %w", got, n, err)
	}
	return buffer.Bytes(), nil
}

// appendText appends a length and the text.
func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendEntry(b []byte, e tree.Entry) []byte {
	b = append(appendText(b, e.Name), byte(e.Mode))
	return binary.AppendVarint(appendText(b, e.ID), e.Size)
}

// reader takes a content apart. After the first thing that is not there all others are zero, and err is set.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail() {
	r.rest, r.err = nil, errFrame
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// number reads a number that is at most most.
func (r *reader) number(most uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > most {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// bytes returns a part of the content, which it shares.
func (r *reader) bytes() []byte {
	n := r.number(uint64(len(r.rest)))
	if n > uint64(len(r.rest)) { // the number itself took some
		r.fail()
	}
	if r.err != nil {
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) entry() tree.Entry {
	e := tree.Entry{Name: r.text(), Mode: tree.Mode(r.byte())}
	e.ID, e.Size = r.text(), r.signed()
	return e
}

// end returns the error, or that there is more than there should be.
func (r *reader) end() error {
	if r.err == nil && len(r.rest) > 0 {
		return errFrame
	}
	return r.err
}
