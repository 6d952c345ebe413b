// SPDX-License-Identifier: Apache-2.0

// Package connector holds what every way to an identity provider has in common, and reads the blocks of dex.config that describe
// them.
//
// The words of this room:
//
//   - Connector: a way to one identity provider: a Password connector asks for name and password on our own page, a Redirect
//     connector sends the browser to the provider and reads what it brings back.
//   - Identity: what a provider says about a person.
//   - Memo: what a connector has to remember between sending a browser away and its coming back.
//   - Block: one entry of the list connectors of dex.config.
package connector

import (
	"context"
	"errors"
	"net/http"
)

// ErrWrong is what Password.Login returns if there is no such person or the password is not theirs: the two look the same.
var ErrWrong = errors.New("wrong user name or password")

// Identity is what a provider says about a person.
type Identity struct {
	// UserID is what the provider calls the person, now and for ever. Roles are given to it.
	UserID            string   `json:"id"`
	Name              string   `json:"name,omitempty"`
	PreferredUsername string   `json:"preferred,omitempty"`
	Email             string   `json:"email,omitempty"`
	EmailVerified     bool     `json:"verified,omitempty"`
	Groups            []string `json:"groups,omitempty"`
	// Memory is what the connector wants back when it is asked for the person again. It may hold credentials and is kept sealed.
	Memory []byte `json:"memory,omitempty"`
}

// Password is a connector that takes a name and a password.
type Password interface {
	// Prompt is what the name is called on the page.
	Prompt() string
	// Login returns the person, or ErrWrong.
	Login(ctx context.Context, username, password string) (Identity, error)
}

// Redirect is a connector that sends the browser to the provider.
type Redirect interface {
	// Begin returns where to send the browser. The provider brings state back with it.
	Begin(ctx context.Context, state string) (Departure, error)
	// Finish reads what the browser brought back; memo is that of the Departure.
	Finish(r *http.Request, memo []byte) (Identity, error)
}

// Departure is where a browser is sent.
type Departure struct {
	// URL is the address.
	URL string
	// Fields are posted to it; without any the browser is redirected.
	Fields map[string]string
	// Memo is handed to Finish.
	Memo []byte
}

// Refresher is a connector that can be asked for a person again without them being there.
type Refresher interface {
	// Refresh returns what the provider says now; an error if the person is not known any more.
	Refresh(ctx context.Context, before Identity) (Identity, error)
}

// Connector is a block of dex.config that was opened: Way is a Password or a Redirect, and may be a Refresher.
type Connector struct {
	Block
	Way any
}
