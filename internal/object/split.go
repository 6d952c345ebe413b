// SPDX-License-Identifier: Apache-2.0

package object

import "bytes"

// part is the text of one document.
type part struct {
	base int // line that text begins on
	line int // line of its first content: neither blank, comment nor directive
	text []byte
}

// splitDocuments cuts a stream where YAML does, at lines that begin with "---" or "...", and keeps the lines. Parts
// without content are left out. Neither mark can stand at the start of a line within a document.
func splitDocuments(data []byte) []part {
	var parts []part
	start, startLine, line := 0, 1, 1
	flush := func(end int) {
		text := data[start:end]
		if skip, ok := firstContent(text); ok {
			parts = append(parts, part{base: startLine, line: startLine + skip, text: text})
		}
	}
	for i := 0; i < len(data); {
		end := len(data)
		if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
			end = i + n + 1
		}
		if isMark(data[i:end], "---") || isMark(data[i:end], "...") {
			flush(i)
			start, startLine = i+3, line
			if rest := bytes.TrimSpace(data[start:end]); len(rest) == 0 || rest[0] == '#' {
				start, startLine = end, line+1
			}
		}
		i, line = end, line+1
	}
	flush(len(data))
	return parts
}

func isMark(line []byte, mark string) bool {
	return bytes.HasPrefix(line, []byte(mark)) && (len(line) == 3 || bytes.IndexByte([]byte(" \t\r\n"), line[3]) >= 0)
}

// firstContent returns how many lines stand above the first content of a document; ok is false if it has none.
func firstContent(text []byte) (skip int, ok bool) {
	for rest := text; len(rest) > 0; skip++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && line[0] != '%' {
			return skip, true
		}
	}
	return 0, false
}
