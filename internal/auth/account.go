// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Admin is the account that every installation has.
const Admin = "admin"

// maxName is how long the name of an account may be.
const maxName = 32

// Capability is a way an account may be used.
type Capability string

// The capabilities.
const (
	// CanLogin: a person may sign in with the account's password.
	CanLogin Capability = "login"
	// CanHaveKeys: tokens for programs may be issued for the account.
	CanHaveKeys Capability = "apiKey"
)

// Account is a local account: accounts.<name> of argocd-cm, and what argocd-secret holds of it.
type Account struct {
	Name         string
	Enabled      bool
	Capabilities []Capability
	// Hash is the bcrypt hash of the password; empty if it has none.
	Hash fault.Secret
	// Changed is when the password was changed: what was issued before does not count. Zero is never.
	Changed time.Time
	Tokens  []Token
}

// Token is what is kept of a token that was issued for an account; never the token itself.
type Token struct {
	ID        string `json:"id"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp,omitempty"`
}

// Can reports whether the account has the capability.
func (a *Account) Can(c Capability) bool { return slices.Contains(a.Capabilities, c) }

// token returns the index of the token with the id; -1 if there is none.
func (a *Account) token(id string) int {
	return slices.IndexFunc(a.Tokens, func(t Token) bool { return t.ID == id })
}

// The keys of accounts: in argocd-cm accounts.<name> and accounts.<name>.enabled, in argocd-secret accounts.<name>.password,
// .passwordMtime and .tokens. Those of admin have no "accounts." before them.
const accountsPrefix = "accounts."

// key is a key of an account.
func key(name, suffix string) string {
	if name == Admin {
		return Admin + "." + suffix
	}
	return accountsPrefix + name + "." + suffix
}

// ParseAccounts reads the accounts of argocd-cm and argocd-secret. An account of which something cannot be read is disabled, and
// what it is that cannot be read is a fault.Mistake.
func ParseAccounts(cm map[string]string, secret map[string][]byte) (map[string]*Account, []error) {
	out := map[string]*Account{Admin: {Name: Admin, Enabled: true, Capabilities: []Capability{CanLogin}}}
	var problems []error
	broken := func(where, key string, err error) {
		problems = append(problems, fault.New(fault.Mistake, "use the account", key, where, err.Error(), "correct it; until then the account is disabled"))
	}
	for _, k := range slices.Sorted(maps.Keys(cm)) {
		name, ok := strings.CutPrefix(k, accountsPrefix)
		if !ok || strings.HasSuffix(name, ".enabled") {
			continue
		}
		a := out[name]
		if a == nil {
			a = &Account{Name: name, Enabled: true}
			out[name] = a
		}
		if err := a.declare(cm[k]); err != nil {
			broken("ConfigMap "+v1alpha1.ConfigMapName, k, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(out)) {
		a := out[name]
		if k, err := a.enable(cm); err != nil {
			a.Enabled = false
			broken("ConfigMap "+v1alpha1.ConfigMapName, k, err)
		}
		if k, err := a.fill(secret); err != nil {
			a.Enabled = false
			broken("Secret "+v1alpha1.SecretName, k, err)
		}
	}
	return out, problems
}

// declare reads accounts.<name>.
func (a *Account) declare(capabilities string) error {
	if err := checkName(a.Name); err != nil {
		a.Enabled = false
		return err
	}
	for c := range strings.SplitSeq(capabilities, ",") {
		switch c := Capability(strings.TrimSpace(c)); c {
		case "":
		case CanLogin, CanHaveKeys:
			if !a.Can(c) {
				a.Capabilities = append(a.Capabilities, c)
			}
		default:
			a.Enabled = false
			return fmt.Errorf("%q is neither login nor apiKey", c)
		}
	}
	return nil
}

// checkName refuses names that could be taken for something else: a colon is in the subjects of tokens and of projects' roles.
func checkName(name string) error {
	if name == "" || len(name) > maxName || strings.ContainsAny(name, ".:/ ") {
		return fmt.Errorf("the name of an account has 1 to %d letters, none of them a dot, a colon, a slash or a blank", maxName)
	}
	return nil
}

// enable reads the key that says whether the account is enabled. It does not enable what was found broken before.
func (a *Account) enable(cm map[string]string) (k string, err error) {
	k = key(a.Name, "enabled")
	raw := strings.TrimSpace(cm[k])
	if raw == "" {
		return k, nil
	}
	on, err := strconv.ParseBool(raw)
	if err != nil {
		return k, fmt.Errorf("%q is neither true nor false", raw)
	}
	a.Enabled = a.Enabled && on
	return k, nil
}

// fill reads what argocd-secret holds of the account.
func (a *Account) fill(secret map[string][]byte) (k string, err error) {
	a.Hash = fault.NewSecret(strings.TrimSpace(string(secret[key(a.Name, "password")])))
	k = key(a.Name, "passwordMtime")
	if raw := strings.TrimSpace(string(secret[k])); raw != "" {
		if a.Changed, err = time.Parse(time.RFC3339, raw); err != nil {
			return k, errors.New("it is not a time as in RFC 3339")
		}
	}
	k = key(a.Name, "tokens")
	if raw := secret[k]; len(raw) > 0 {
		if json.Unmarshal(raw, &a.Tokens) != nil {
			return k, errors.New("it is not a list of tokens in JSON")
		}
	}
	return k, nil
}
