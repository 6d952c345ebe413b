// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"

	"github.com/bowline-cd/bowline/internal/cluster"
)

// message is one message between the page and a terminal.
type message struct {
	Operation string `json:"operation"` // stdin, resize; stdout
	Data      string `json:"data"`
	Rows      uint16 `json:"rows"`
	Cols      uint16 `json:"cols"`
}

// pingEvery keeps a silent terminal open through proxies.
const pingEvery = 5 * time.Second

// largestMessage is what the page may send at once.
const largestMessage = 64 << 10

// session is one terminal.
type session struct {
	conn  *websocket.Conn
	input chan []byte
	sizes chan remotecommand.TerminalSize

	mu   sync.Mutex // of what is written
	rest []byte     // the beginning of a letter whose end has not come yet
}

func newSession(conn *websocket.Conn) *session {
	conn.SetReadLimit(largestMessage)
	return &session{conn: conn, input: make(chan []byte), sizes: make(chan remotecommand.TerminalSize, 1)}
}

// serve runs the first of the shells that the container has, until it ends or ctx does. The error says why it ended; nil is
// that the shell did.
func (s *session) serve(ctx context.Context, shells []string, run func(context.Context, cluster.ExecOptions) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(s.listen(ctx)) }()
	go func() { cancel(s.ping(ctx)) }()
	err := errors.New("exec.shells of argocd-cm names no shell")
	var typed []byte
	for _, shell := range shells {
		a := s.attempt(ctx, typed)
		err = run(a.ctx, cluster.ExecOptions{Command: []string{shell}, In: a, Out: a, Sizes: a})
		a.end()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
			break
		}
		var next bool
		if typed, next = a.failed(err); !next {
			break
		}
	}
	s.goodbye(err)
	return err
}

// listen reads what the page sends. Anything but its messages ends the terminal.
func (s *session) listen(ctx context.Context) error {
	for {
		kind, data, err := s.conn.Read(context.WithoutCancel(ctx)) // one that ends would take the connection with it
		if err != nil {
			return errGone
		}
		var m message
		if kind != websocket.MessageText || json.Unmarshal(data, &m) != nil {
			return errForeign
		}
		switch m.Operation {
		case "stdin":
			select {
			case s.input <- []byte(m.Data):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		case "resize":
			select { // only the newest counts
			case <-s.sizes:
			default:
			}
			s.sizes <- remotecommand.TerminalSize{Width: m.Cols, Height: m.Rows}
		default:
			return errForeign
		}
	}
}

var (
	errGone    = errors.New("the page is gone")
	errForeign = errors.New("the page sent what is no message of a terminal")
)

func (s *session) ping(ctx context.Context) error {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
		answered, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
		err := s.conn.Ping(answered)
		cancel()
		if err != nil {
			return errGone
		}
	}
}

// Write sends output to the page. It implements io.Writer. Output comes in pieces that may end within a letter.
func (s *session) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := slices.Concat(s.rest, p)
	whole := wholeLetters(text)
	s.rest = append([]byte(nil), text[whole:]...)
	if whole == 0 {
		return len(p), nil
	}
	if err := s.send(message{Operation: "stdout", Data: string(text[:whole])}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// wholeLetters is how much of text is not the beginning of a letter of UTF-8.
func wholeLetters(text []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		tail := text[len(text)-back:]
		if utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return len(text)
			}
			return len(text) - back
		}
	}
	return len(text)
}

// send is called with the lock held.
func (s *session) send(m message) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, data)
}

// goodbye tells the page why the terminal ended.
func (s *session) goodbye(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var exit utilexec.CodeExitError
	if err == nil || errors.As(err, &exit) {
		_ = s.conn.Close(websocket.StatusNormalClosure, "the shell ended")
		return
	}
	_ = s.send(message{Operation: "stdout", Data: "\r\n" + err.Error() + "\r\n"})
	_ = s.conn.Close(websocket.StatusPolicyViolation, "the terminal was ended")
}

// reasonOf says for the record why a terminal ended.
func reasonOf(err error) string {
	if err == nil {
		return "the shell ended"
	}
	return err.Error()
}

// attempt is one try of a shell: what the page sends is for the try that runs, and not for one that did not begin.
type attempt struct {
	*session
	ctx context.Context
	end context.CancelFunc

	mu    sync.Mutex
	left  []byte // typed, and not taken yet
	taken []byte // typed and taken, while nothing was shown
	shows bool
	typed bool
}

func (s *session) attempt(ctx context.Context, typed []byte) *attempt {
	ctx, cancel := context.WithCancel(ctx)
	return &attempt{session: s, ctx: ctx, end: cancel, left: typed}
}

// Read implements io.Reader.
func (a *attempt) Read(p []byte) (int, error) {
	a.mu.Lock()
	empty := len(a.left) == 0
	a.mu.Unlock()
	var more []byte
	if empty {
		select {
		case more = <-a.input:
		case <-a.ctx.Done():
			return 0, io.EOF
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.typed = true
	a.left = append(a.left, more...)
	n := copy(p, a.left)
	if !a.shows && len(a.taken)+n <= largestMessage {
		a.taken = append(a.taken, a.left[:n]...)
	}
	a.left = a.left[n:]
	return n, nil
}

// Write implements io.Writer.
func (a *attempt) Write(p []byte) (int, error) {
	a.mu.Lock()
	a.shows, a.taken = true, nil
	a.mu.Unlock()
	return a.session.Write(p)
}

// failed reports whether the shell did not begin, so that the next is to be tried, and what was typed for it. Runtimes say that
// a container does not have a command with an error, or by the codes of a shell (126, 127) with an error text; whoever
// typed something may have ended a shell that ran with such a code.
func (a *attempt) failed(err error) (typed []byte, next bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var exit utilexec.CodeExitError
	if errors.As(err, &exit) {
		return nil, (exit.Code == 126 || exit.Code == 127) && !a.typed
	}
	return append(a.taken, a.left...), err != nil && !a.shows
}

// Next implements remotecommand.TerminalSizeQueue.
func (a *attempt) Next() *remotecommand.TerminalSize {
	select {
	case size := <-a.sizes:
		return &size
	case <-a.ctx.Done():
		return nil
	}
}

// refuse answers before there is a WebSocket, in the form of all errors of the API.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": message, "code": codes[status], "message": message})
}

// codes are those of gRPC that go with a status.
var codes = map[int]int{
	http.StatusBadRequest: 3, http.StatusNotFound: 5, http.StatusForbidden: 7, http.StatusTooManyRequests: 8,
	http.StatusServiceUnavailable: 14, http.StatusUnauthorized: 16,
}
