// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// maxNesting is how deep the JSON of a body may be nested.
const maxNesting = 128

// read fills a request from body, query and path, in this order: what stands in the path wins, for it is what rights and proxies
// look at.
func (to *route) read(r *http.Request, variables []variable, limit int64) (any, error) {
	request := to.NewRequest()
	if to.Body != "" {
		if err := to.readBody(r, request, limit); err != nil {
			return nil, err
		}
	}
	if to.Body != "*" {
		if err := to.readQuery(r, request); err != nil {
			return nil, err
		}
	}
	for _, v := range variables {
		if err := plainText(v.value); err != nil {
			return nil, mistake("the path, "+v.name, err.Error(), "")
		}
		if err := set(request, v.name, []string{v.value}); err != nil {
			return nil, mistake("the path, "+v.name, err.Error(), "")
		}
	}
	return request, nil
}

// plainText refuses characters that end lines or are seen by nobody: no name of anything has them.
func plainText(value string) error {
	if i := strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }); i >= 0 {
		return errors.New("there is a character in it that cannot be in a name")
	}
	return nil
}

func (to *route) readQuery(r *http.Request, request any) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return mistake("the query", "it is not well formed", "escape what is in it")
	}
	for name, values := range query {
		err := set(request, name, values)
		if errors.Is(err, errNoField) {
			if !to.ours {
				continue // Argo CD's clients send parameters that only some servers know
			}
			return mistake("the query", fmt.Sprintf("there is no parameter %.60q", name), "")
		}
		if err != nil {
			return mistake("the query, "+name, err.Error(), "")
		}
	}
	return nil
}

// secretive are the calls whose query holds what gives access. Addresses end in logs of proxies, so these take the whole request as
// an object in the body too.
var secretive = map[string]bool{"ValidateAccess": true, "ValidateWriteAccess": true}

func (to *route) readBody(r *http.Request, request any, limit int64) error {
	body, err := slurp(r, limit)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if depth(body) > maxNesting {
		return mistake("the body", fmt.Sprintf("it is nested deeper than %d", maxNesting), "")
	}
	target := request
	whole := to.Body == "*" || secretive[to.Name] && bytes.TrimSpace(body)[0] == '{'
	if !whole {
		field, err := fieldOf(request, to.Body)
		if err != nil {
			return fault.Wrap(fault.Bug, "find", "the field "+to.Body, err, "")
		}
		target = field.Addr().Interface()
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if to.ours {
		decoder.DisallowUnknownFields()
	}
	if err := decoder.Decode(target); err != nil {
		return unread(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return mistake("the body", "there is something behind the JSON document", "send one document")
	}
	return nil
}

// slurp reads a body of bounded size.
func slurp(r *http.Request, limit int64) ([]byte, error) {
	tooLarge := &fault.Error{Kind: fault.Mistake, Code: fault.TooLarge, Op: "read", Thing: "the request", Where: "the body",
		Err: fmt.Errorf("it is larger than %d KiB", limit>>10)}
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, mistake("the body", "it ended early", "")
	case int64(len(body)) > limit:
		return nil, tooLarge
	}
	return body, nil
}

// unread says what is wrong with a body, without what is in it: it may be a password.
func unread(err error) error {
	if typed := (*json.UnmarshalTypeError)(nil); errors.As(err, &typed) {
		where := "the body"
		if typed.Field != "" {
			where += ", " + typed.Field
		}
		return mistake(where, "it cannot be of the type "+strings.Fields(typed.Value + " ?")[0], "")
	}
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return mistake("the body", fmt.Sprintf("it is no JSON from byte %d on", syntax.Offset), "")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return mistake("the body", fmt.Sprintf("there is no field %.60s", name), "")
	}
	return mistake("the body", "it is no JSON of what is asked for", "")
}

// depth is how deep a JSON text is nested.
func depth(text []byte) int {
	deepest, now, inText := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{', c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}', c == ']':
			now--
		}
	}
	return deepest
}

// checkType refuses a call that changes something and is not sent as JSON: a page of another site can make a browser send forms
// and texts with the cookies of this one, but not JSON.
func (h *Handler) checkType(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || len(h.opts.ContentTypes) == 0 {
		return nil
	}
	sent, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if slices.ContainsFunc(h.opts.ContentTypes, func(t string) bool { return strings.EqualFold(strings.TrimSpace(sent), t) }) {
		return nil
	}
	return &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the request", Where: "the header Content-Type", Err: errContentType,
		Fix: "send " + strings.Join(h.opts.ContentTypes, " or ")}
}

var errContentType = errors.New("what changes something is not taken in this form")
