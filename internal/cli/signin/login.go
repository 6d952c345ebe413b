// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Options say how the browser comes back.
type Options struct {
	// Port is that of this machine which the browser comes back to. The provider has to know it: Argo CD's is 8085.
	Port int
	// Callback is how the browser names this machine, as scheme, host and port; "" is http://localhost with the port.
	Callback string
	// Browse opens an address in a browser; nil only prints it.
	Browse func(url string) error
	// Out is where the address is printed.
	Out io.Writer
}

// Login signs somebody in. It waits for the browser until ctx ends. h reaches the server, and the provider.
func Login(ctx context.Context, settings cluster.SettingsService, server *client.Server, h *http.Client, opts Options) (Tokens, error) {
	ctx = oidc.ClientContext(ctx, h)
	p, err := discover(ctx, settings, server)
	if err != nil {
		return Tokens{}, err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(opts.Port)))
	if err != nil {
		return Tokens{}, fault.Wrap(fault.Stalled, "wait for", "the browser", err, "free the port, or choose one that the provider knows with --sso-port")
	}
	base := opts.Callback
	if base == "" {
		base = fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	}
	p.config.RedirectURL = base + callbackPath
	c := &callback{state: rand.Text(), done: make(chan returned, 1)}
	verifier, nonce := oauth2.GenerateVerifier(), rand.Text()
	stop := c.serve(listener)
	defer stop()
	show(p.address(c.state, verifier, nonce), opts)
	code, err := c.wait(ctx)
	if err != nil {
		return Tokens{}, err
	}
	token, err := p.config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return Tokens{}, refusal(err, "try again, and check the settings of the provider's client "+p.config.ClientID)
	}
	return p.check(ctx, token, nonce)
}

// address is where the browser goes.
func (p *provider) address(state, verifier, nonce string) string {
	options := []oauth2.AuthCodeOption{oauth2.AccessTypeOffline, oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce)}
	if len(p.claims) > 0 {
		if wanted, err := json.Marshal(map[string]any{"id_token": p.claims}); err == nil {
			options = append(options, oauth2.SetAuthURLParam("claims", string(wanted)))
		}
	}
	return p.config.AuthCodeURL(state, options...)
}

// check is tokens, for a sign-in with a nonce.
func (p *provider) check(ctx context.Context, token *oauth2.Token, nonce string) (Tokens, error) {
	out, err := p.tokens(ctx, token, "")
	if err != nil {
		return Tokens{}, err
	}
	id, err := p.verifier.Verify(ctx, out.ID)
	if err != nil || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return Tokens{}, fault.New(fault.Stalled, "sign in", "", "", "the ID token is not for this sign-in", "try again")
	}
	return out, nil
}

func show(address string, opts Options) {
	if opts.Browse == nil {
		fmt.Fprintf(opts.Out, "Open this address in a browser to sign in:\n%s\n", address)
		return
	}
	fmt.Fprintf(opts.Out, "Opening the browser to sign in. If it does not open, go to:\n%s\n", address)
	if err := opts.Browse(address); err != nil {
		fmt.Fprintf(opts.Out, "The browser did not open: %v\n", err)
	}
}

// refusal says why a provider gave no tokens. Its answer may hold the code or the refresh token, so only the words of the
// standard for it are told (RFC 6749, section 5.2).
func refusal(err error, fix string) error {
	said := &oauth2.RetrieveError{}
	switch {
	case !errors.As(err, &said):
		return fault.Wrap(fault.Retry, "sign in at", "the provider", err, "check that it runs")
	case said.ErrorCode == "":
		err = errors.New("it answered " + said.Response.Status)
	default:
		err = errors.New("it says " + said.ErrorCode)
	}
	return fault.Wrap(fault.Stalled, "sign in at", "the provider", err, fix)
}

// shutdown is how long the page that ends a sign-in has to be delivered.
const shutdown = 2 * time.Second
