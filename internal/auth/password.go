// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/crypto/bcrypt"

	"github.com/bowline-cd/bowline/internal/fault"
)

// maxPassword is how much of a password bcrypt looks at. Longer ones are refused rather than cut.
const maxPassword = 72

// Hash returns the hash under which a password is kept. It fails for one that is too long.
func (s *Store) Hash(password string) (fault.Secret, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cmp.Or(s.Cost, bcrypt.DefaultCost))
	if err != nil {
		return fault.Secret{}, fault.New(fault.Mistake, "use", "the password", "", "it is longer than 72 bytes", "choose a shorter one")
	}
	return fault.NewSecret(string(hash)), nil
}

// NewPassword returns a password that cannot be guessed.
func NewPassword() string { return rand.Text()[:20] }

// Passwords checks the passwords of local accounts.
type Passwords struct {
	Accounts func() map[string]*Account
	Throttle *Throttle

	mu    sync.Mutex
	decoy []byte
}

// Check returns the account if the password is its own and the account may be signed in to. Whatever is wrong, the answer is
// the same and takes the same work: whether there is such an account is nobody's business.
func (p *Passwords) Check(ctx context.Context, name, password string) (*Account, error) {
	var found *Account
	err := p.Throttle.Attempt(ctx, name, func() bool {
		found = p.check(name, password)
		return found != nil
	})
	return found, err
}

func (p *Passwords) check(name, password string) *Account {
	accounts := p.Accounts()
	a := accounts[name]
	hash := p.decoyFor(accounts)
	usable := a != nil && !a.Hash.Empty() && a.Enabled && a.Can(CanLogin) && password != "" && len(password) <= maxPassword
	if usable {
		hash = []byte(a.Hash.Reveal())
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil || !usable {
		return nil
	}
	return a
}

// decoyFor returns a hash to check the passwords of accounts against that do not exist. It costs as much as that of admin.
func (p *Passwords) decoyFor(accounts map[string]*Account) []byte {
	cost := bcrypt.DefaultCost
	if admin := accounts[Admin]; admin != nil {
		if c, err := bcrypt.Cost([]byte(admin.Hash.Reveal())); err == nil {
			cost = c
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, err := bcrypt.Cost(p.decoy); err != nil || c != cost {
		p.decoy, _ = bcrypt.GenerateFromPassword([]byte(rand.Text()), cost)
	}
	return p.decoy
}

// errLogin is the answer for whatever is wrong with a name and a password. The text is Argo CD's.
func errLogin(cause error) error {
	return &fault.Error{Kind: fault.Forbidden, Code: fault.Unauthenticated, Err: loginError{cause}}
}

type loginError struct{ cause error }

func (loginError) Error() string   { return "Invalid username or password" }
func (e loginError) Unwrap() error { return e.cause }

// ErrThrottled is in the tree of the error for an attempt that was not looked at, because too many before it failed.
var ErrThrottled = errors.New("too many attempts failed")

// errWrong is in the tree of the error for a name and a password that do not go together.
// errFull is about a name that there is no place for any more among those that failed.
var errFull = fmt.Errorf("%w, of too many names", ErrThrottled)

var errWrong = errors.New("the name or the password is wrong, or the account may not sign in")
