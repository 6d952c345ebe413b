// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bowline-cd/bowline/internal/fault"
)

// allowedSigner is a line of the allowed signers (ssh-keygen(1), ALLOWED SIGNERS).
type allowedSigner struct {
	principals string // pattern list
	namespaces string // pattern list; "" for all
	authority  bool   // key signs certificates of signers
	after      time.Time
	before     time.Time
	key        ssh.PublicKey
}

// parseAllowedSigners reads the lines. One that cannot be read is left out and named in the errors.
func parseAllowedSigners(text string) (signers []allowedSigner, problems []error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := parseAllowedSigner(line)
		if err != nil {
			problems = append(problems, fault.New(fault.Mistake, "read", fmt.Sprintf("line %d of %s", number, AllowedSignersKey), "ConfigMap "+GPGKeysConfigMap, err.Error(),
				`write "principals [options] keytype key", as ssh-keygen(1) has it under ALLOWED SIGNERS`))
			continue
		}
		signers = append(signers, s)
	}
	return signers, problems
}

func parseAllowedSigner(line string) (allowedSigner, error) {
	var s allowedSigner
	rest := ""
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		if s.principals, rest, ok = strings.Cut(quoted, `"`); !ok {
			return s, errors.New("the closing quote of the principals is missing")
		}
	} else if i := strings.IndexAny(line, " \t"); i >= 0 {
		s.principals, rest = line[:i], line[i:]
	}
	if s.principals == "" || strings.TrimSpace(rest) == "" {
		return s, errors.New("the principals or the key are missing")
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(rest)))
	if err != nil {
		return s, errors.New("its key cannot be read")
	}
	if _, known := sshFormats[key.Type()]; !known {
		return s, errors.New("keys of type " + key.Type() + " are not supported")
	}
	s.key = key
	for _, option := range options {
		if err := s.setOption(option); err != nil {
			return s, err
		}
	}
	if !s.after.IsZero() && !s.before.IsZero() && !s.after.Before(s.before) {
		return s, errors.New("valid-after is not before valid-before")
	}
	return s, nil
}

// setOption takes one option. One that is not known is an error: it may be a restriction.
func (s *allowedSigner) setOption(option string) (err error) {
	name, value, _ := strings.Cut(option, "=")
	value = strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`)
	switch strings.ToLower(name) {
	case "cert-authority":
		s.authority = true
	case "namespaces":
		if s.namespaces = value; value == "" {
			err = errors.New("namespaces is empty")
		}
	case "valid-after":
		s.after, err = parseSSHTime(value)
	case "valid-before":
		s.before, err = parseSSHTime(value)
	default:
		err = errors.New("the option " + name + " is not known")
	}
	return err
}

// parseSSHTime reads YYYYMMDD[HHMM[SS]][Z]. Without the Z, ssh-keygen takes local time; a container's is UTC.
func parseSSHTime(text string) (time.Time, error) {
	text = strings.TrimSuffix(text, "Z")
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if at, err := time.Parse(layout, text); err == nil && len(text) == len(layout) {
			return at, nil
		}
	}
	return time.Time{}, errors.New("a time is written YYYYMMDD[HHMM[SS]][Z]")
}

// admits says whether the line is about a key: "" if it allows it to sign for Git at a time, SignatureExpired with the
// reason if it did or will at another, SignatureUnknown if it is about something else.
func (s *allowedSigner) admits(key ssh.PublicKey, at time.Time) (SignatureState, string) {
	if s.namespaces != "" && !matchList(sshNamespace, s.namespaces) {
		return SignatureUnknown, ""
	}
	if certificate, ok := key.(*ssh.Certificate); ok {
		if !s.authority || certificate.CertType != ssh.UserCert || !bytes.Equal(certificate.SignatureKey.Marshal(), s.key.Marshal()) {
			return SignatureUnknown, ""
		}
		if !slices.ContainsFunc(certificate.ValidPrincipals, func(p string) bool { return matchList(p, s.principals) }) {
			return SignatureUnknown, ""
		}
		checker := ssh.CertChecker{Clock: func() time.Time { return at }}
		if err := checker.CheckCert(certificate.ValidPrincipals[0], certificate); err != nil {
			return SignatureExpired, "its certificate was not valid then: " + strings.TrimPrefix(err.Error(), "ssh: ")
		}
	} else if s.authority || !bytes.Equal(key.Marshal(), s.key.Marshal()) {
		return SignatureUnknown, ""
	}
	switch {
	case !s.after.IsZero() && at.Before(s.after):
		return SignatureExpired, "the key was not yet allowed then"
	case !s.before.IsZero() && at.After(s.before):
		return SignatureExpired, "the key was no longer allowed then"
	}
	return "", ""
}

// names reports whether an entry of a project's list is a principal that the line allows, and the certificate too if
// there is one.
func (s *allowedSigner) names(entry string, certificate *ssh.Certificate) bool {
	return entry != "" && matchList(entry, s.principals) && (certificate == nil || slices.Contains(certificate.ValidPrincipals, entry))
}

// matchList matches a value with a list of patterns, separated by commas: "*" is any text, "?" any character, and a
// pattern after "!" that matches decides against the whole list (ssh_config(5), PATTERNS).
func matchList(value, list string) bool {
	matched := false
	for pattern := range strings.SplitSeq(list, ",") {
		pattern, negated := strings.CutPrefix(strings.TrimSpace(pattern), "!")
		if !matchPattern(value, pattern) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

// matchPattern takes time in proportion to the product of both lengths, whatever the pattern.
func matchPattern(value, pattern string) bool {
	v, p, star, mark := 0, 0, -1, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			v++
			p++
		case star >= 0:
			mark++
			v, p = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
