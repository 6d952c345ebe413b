// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

// SignatureFailure is one commit or tag whose signature does not count.
type SignatureFailure struct {
	Object string // "commit 1234567890ab" or "tag v1.2"
	Author string // "Name <address>"; "" if unknown
	State  SignatureState
	Key    string // id or fingerprint of the key that signed; "" if unknown
	Detail string // what exactly is wrong; may be empty
}

func (f SignatureFailure) String() string {
	text := f.Object
	if f.Author != "" {
		text += " by " + f.Author
	}
	text += " is " + string(f.State)
	if f.Key != "" {
		text += " (key " + f.Key + ")"
	}
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	return text
}

// SignatureError says that a commit has not the signatures that its project demands. It is a fact about the commit and
// the keys, not a failure to look.
type SignatureError struct {
	Failures []SignatureFailure // some of them, the newest first
	More     int                // how many there are besides
}

func (e *SignatureError) Error() string {
	texts := make([]string, len(e.Failures))
	for i, f := range e.Failures {
		texts[i] = f.String()
	}
	if e.More > 0 {
		texts = append(texts, fmt.Sprintf("%d more like these", e.More))
	}
	return strings.Join(texts, "; ")
}

// maxFailures bounds what one SignatureError tells.
const maxFailures = 10

// verdict is what came of a check. It holds until a key that it rests on expires.
type verdict struct {
	wrong *SignatureError // nil if all is well
	until time.Time       // zero for ever
}

// Verify checks the signatures that a policy demands of a commit, read at a revision: of the commit, or if the
// revision is an annotated tag of the tag, which has to point to the commit; in strict mode of both and of every commit
// before, back to those that are sealed. A commit is sealed by a good signature and a line "Argocd-gpg-seal: <reason>" among its
// trailers, and vouches for all that came before it.
//
// Errors: around a *SignatureError if signatures are not as they have to be; *UnreachableError if what has to be looked
// at is not here and cannot be fetched; a fault.Retry if the tag points elsewhere by now.
func (s *Store) Verify(ctx context.Context, r Repository, commit string, revision Revision, policy Policy, keys Keyring) error {
	if !policy.demands() {
		return nil
	}
	if policy.Mode != PolicyHead && policy.Mode != PolicyStrict {
		return policyMistake("gpg.mode", fmt.Sprintf("%q is no mode", policy.Mode), "write none, head or strict")
	}
	m, err := s.mirror(r)
	if err != nil {
		return err
	}
	if err := m.checkCommit(commit); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.options.FetchTimeout,
		unreachable("check the signatures of", r, ProblemTimeout, "it took longer than "+s.options.FetchTimeout.String()))
	defer cancel()
	tag, err := m.tagFor(ctx, commit, revision)
	if err != nil {
		return err
	}
	c := check{mirror: m, policy: policy, keys: keys, now: s.clock.Now(), id: policy.digest(keys)}
	found, err := c.all(ctx, commit, tag)
	if err != nil {
		return err
	}
	if found.wrong == nil {
		return nil
	}
	return &fault.Error{Kind: fault.Stalled, Op: "use", Thing: "commit " + commit[:12], Where: "repository " + r.String(), Err: found.wrong,
		Fix: "sign with a key that the project lists and that the ConfigMap " + GPGKeysConfigMap + " holds"}
}

// digest names a policy together with a keyring.
func (p Policy) digest(keys Keyring) string {
	sum := sha256.New()
	for _, part := range append([]string{string(p.Mode), keys.digest}, slices.Sorted(slices.Values(p.Keys))...) {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// check checks signatures for one call of Verify.
type check struct {
	mirror *mirror
	policy Policy
	keys   Keyring
	now    time.Time
	id     string // of policy and keys
}

// all checks what the policy asks for.
func (c check) all(ctx context.Context, commit string, tag tagRef) (verdict, error) {
	out := verdict{}
	if tag.id != "" {
		found, err := c.remembered("tag "+tag.id+" "+tag.ref+" "+tag.commit, func() (verdict, error) { return c.tag(ctx, tag) })
		if err != nil {
			return verdict{}, err
		}
		out = found
		if c.policy.Mode == PolicyHead {
			return out, nil
		}
	}
	found, err := c.remembered("commit "+commit, func() (verdict, error) {
		if c.policy.Mode == PolicyStrict {
			return c.history(ctx, commit)
		}
		return c.commit(ctx, commit)
	})
	return join(out, found), err
}

func join(a, b verdict) verdict {
	out := verdict{wrong: b.wrong, until: earliest(a.until, b.until)}
	if a.wrong != nil {
		joined := *a.wrong
		if b.wrong != nil {
			joined.Failures, joined.More = append(slices.Clone(joined.Failures), b.wrong.Failures...), joined.More+b.wrong.More
		}
		out.wrong = &joined
	}
	return out
}

// remembered answers from the cache what was found before.
func (c check) remembered(what string, find func() (verdict, error)) (verdict, error) {
	if v, ok := c.recall(what); ok {
		return v, nil
	}
	v, err := find()
	if err == nil {
		c.mirror.store.cache.put(c.key(what), v, 512)
	}
	return v, err
}

func (c check) recall(what string) (verdict, bool) {
	known, ok := c.mirror.store.cache.get(c.key(what))
	if !ok {
		return verdict{}, false
	}
	v, ok := known.(verdict)
	return v, ok && (v.until.IsZero() || c.now.Before(v.until))
}

func (c check) key(what string) cacheKey {
	return cacheKey{c.mirror.key, "signed " + c.id + " " + what}
}

// commit checks one commit of the mirror.
func (c check) commit(ctx context.Context, commit string) (verdict, error) {
	m := c.mirror
	if err := m.ensure(ctx, commit, nil); err != nil {
		return verdict{}, err
	}
	data, err := m.object(ctx, commit, "commit", "", maxCommit)
	if err != nil {
		return verdict{}, (&commitTree{mirror: m, commit: commit}).where(err)
	}
	failure, until := c.object(signedCommit(commit, data))
	return verdictOf(failure, until), nil
}

func verdictOf(failure *SignatureFailure, until time.Time) verdict {
	if failure == nil {
		return verdict{until: until}
	}
	return verdict{wrong: &SignatureError{Failures: []SignatureFailure{*failure}}}
}

// object checks one signature, and whether the project lists who made it.
func (c check) object(o signedObject) (failure *SignatureFailure, until time.Time) {
	by, wrong := c.keys.check(o, c.now)
	if wrong == nil && !slices.ContainsFunc(c.policy.Keys, by.named) {
		wrong = &flaw{state: SignatureNotAllowed, key: by.key}
	}
	if wrong == nil {
		return nil, by.until
	}
	return &SignatureFailure{Object: o.name, Author: plainText(o.author), State: wrong.state, Key: wrong.key, Detail: wrong.detail}, time.Time{}
}

// plainText makes the text of a stranger fit for a message: one line, and not endless.
func plainText(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return text[:min(len(text), 200)]
}

// errHistory says that the history could not be read although it was fetched.
var errHistory = errors.New("the history that was fetched is not whole")
