// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Caller carries calls to a server over REST. It works with Argo CD's server too, but for the calls that are Bowline's own.
type Caller struct {
	server *Server
	http   *http.Client
	// token returns the token to show; "" shows none. It is asked for each call.
	token func(context.Context) (string, error)
}

var _ rpc.Caller = (*Caller)(nil)

// NewCaller returns a Caller to a server. token returns the token to show, for each call anew, and may be nil.
func NewCaller(server *Server, token func(context.Context) (string, error)) (*Caller, error) {
	transport, err := server.transport()
	if err != nil {
		return nil, err
	}
	if token == nil {
		token = func(context.Context) (string, error) { return "", nil }
	}
	return &Caller{server: server, token: token, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a POST would become a GET
	}}, nil
}

// HTTP returns the HTTP client that reaches the server, as it is to be trusted; it shows no token.
func (c *Caller) HTTP() *http.Client { return &http.Client{Transport: c.http.Transport} }

// Call implements rpc.Caller.
func (c *Caller) Call(ctx context.Context, m *rpc.Method, request, response any) error {
	target, err := routeOf(m, request)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, target, "application/json")
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	return c.decode(ctx, answer.Body, response)
}

// Stream implements rpc.Caller.
func (c *Caller) Stream(ctx context.Context, m *rpc.Method, request any, each func(any) error) error {
	target, err := routeOf(m, request)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, target, "application/json")
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	elements := json.NewDecoder(answer.Body)
	for {
		element := struct {
			Result json.RawMessage `json:"result"`
			Error  *refused        `json:"error"`
		}{}
		switch err := elements.Decode(&element); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return c.broken(ctx, err)
		case element.Error != nil:
			return element.Error.fault(0)
		case element.Result == nil:
			continue // a sign of life
		}
		message := m.NewResponse()
		if err := json.Unmarshal(element.Result, message); err != nil {
			return c.foreign(err)
		}
		if err := each(message); err != nil {
			return err
		}
	}
}

// Send implements rpc.Caller.
func (c *Caller) Send(ctx context.Context, m *rpc.Method, next func() (any, error), response any) error {
	if len(m.Bindings) == 0 {
		return unreachable(m)
	}
	reader, writer := io.Pipe()
	defer func() { _ = reader.Close() }()
	go func() {
		encoder := json.NewEncoder(writer)
		for {
			element, err := next()
			if err == nil {
				err = encoder.Encode(element)
			}
			if err != nil {
				if errors.Is(err, io.EOF) {
					err = nil
				}
				writer.CloseWithError(err)
				return
			}
		}
	}()
	answer, err := c.send(ctx, &route{verb: m.Bindings[0].Verb, path: m.Bindings[0].Path, body: reader}, "application/json")
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	return c.decode(ctx, answer.Body, response)
}

// send sends a request and returns an answer that is no refusal.
func (c *Caller) send(ctx context.Context, target *route, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, target.verb, c.server.base()+target.path+target.query(), target.body)
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "reach", "server "+c.server.Address, err, "name it as HOST[:PORT], with --server")
	}
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	c.server.dress(request.Header)
	request.Header.Set("Accept", accept)
	if target.body != nil || target.verb != http.MethodGet {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := c.try(request, target)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		defer func() { _ = answer.Body.Close() }()
		return nil, c.refusal(answer)
	}
	return answer, nil
}

// retryPause is the first pause between tries; each is twice the one before.
const retryPause = 200 * time.Millisecond

// try sends a request again, as often as the server is to be retried, while it cannot be reached and nothing of it was read.
func (c *Caller) try(request *http.Request, target *route) (*http.Response, error) {
	pause := retryPause
	for left := c.server.Retries; ; left-- {
		answer, err := c.http.Do(request)
		again, ok := target.again()
		if err == nil || left <= 0 || !ok || request.Context().Err() != nil || !refusedToConnect(err) {
			return answer, err
		}
		request.Body = again
		select {
		case <-request.Context().Done():
			return nil, err
		case <-time.After(pause):
			pause *= 2
		}
	}
}

func (c *Caller) decode(ctx context.Context, body io.Reader, into any) error {
	var text bytes.Buffer
	if _, err := text.ReadFrom(body); err != nil {
		return c.broken(ctx, err)
	}
	if err := json.Unmarshal(text.Bytes(), into); err != nil {
		return c.foreign(err)
	}
	return nil
}

// broken says that the server was not reached, or went away amid an answer.
func (c *Caller) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.Wrap(fault.Wait, "ask", "server "+c.server.Address, context.Cause(ctx), "")
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // its text repeats the whole address
	}
	return fault.Wrap(fault.Retry, "reach", "server "+c.server.Address, err, c.server.advice(err))
}

// foreign says that the answer is none of this API.
func (c *Caller) foreign(err error) error {
	return fault.Wrap(fault.Stalled, "understand", "the answer of server "+c.server.Address, err,
		"check that the address is that of Bowline or Argo CD, and not of a proxy before it")
}
