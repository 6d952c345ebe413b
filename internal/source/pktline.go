// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Git's pkt-line framing (gitprotocol-common(5)): four hexadecimal digits of length, themselves included, then the
// data; lengths 0 to 2 are marks without data.

const (
	flushPkt     = "0000"
	delimiterPkt = "0001"
	maxPkt       = 65520
)

var errPkt = errors.New("this is not Git's protocol")

func pktLine(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }

// readPkt returns the data of the next line without its newline; flush is true for any mark.
// The data is valid until the next read.
func readPkt(r *bufio.Reader) (data string, flush bool, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", false, err
	}
	n, err := strconv.ParseUint(string(head[:]), 16, 16)
	switch {
	case err != nil:
		return "", false, errPkt
	case n <= 2:
		return "", true, nil
	case n < 4 || n > maxPkt:
		return "", false, errPkt
	}
	buffer := make([]byte, n-4)
	if _, err := io.ReadFull(r, buffer); err != nil {
		return "", false, io.ErrUnexpectedEOF
	}
	if len(buffer) > 0 && buffer[len(buffer)-1] == '\n' {
		buffer = buffer[:len(buffer)-1]
	}
	return string(buffer), false, nil
}
