// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SignatureState is what is wrong with a signature.
type SignatureState string

// The states.
const (
	SignatureAbsent     SignatureState = "not signed"
	SignatureUnknown    SignatureState = "signed with a key that is not in the keyring"
	SignatureNotAllowed SignatureState = "signed with a key that the project does not list"
	SignatureExpired    SignatureState = "signed with a key or a signature that has expired"
	SignatureRevoked    SignatureState = "signed with a key that was revoked"
	SignatureBad        SignatureState = "wrongly signed"
)

// flaw is why a signature does not count. A nil *flaw means that it is good.
type flaw struct {
	state  SignatureState
	key    string // id or fingerprint of the key that signed; "" if unknown
	detail string
}

func bad(key, format string, args ...any) *flaw {
	return &flaw{SignatureBad, key, fmt.Sprintf(format, args...)}
}

// signer is who made a good signature.
type signer struct {
	key   string                  // as shown
	named func(entry string) bool // whether an entry of a project's list of keys names this signer
	until time.Time               // when key or signature expire; zero if never
}

// signedObject is a commit or a tag, taken apart as git does before it checks a signature.
type signedObject struct {
	name      string // "commit 1234", for people
	author    string
	made      time.Time // by the clock of who made it
	message   string
	parents   []string
	payload   []byte // what is signed
	signature []byte
	several   bool // there is more than one signature
}

// signedCommit takes a commit object apart. The signature is the header gpgsig, whose further lines begin with a space;
// what is signed is the object without any header that begins with gpgsig (git's commit.c, gitformat-signature(5)).
func signedCommit(id string, data []byte) signedObject {
	o := signedObject{name: "commit " + id[:min(12, len(id))]}
	own, other := false, false
	rest := data
	for len(rest) > 0 {
		line, after := cutLine(rest)
		switch {
		case own && line[0] == ' ':
			o.signature = append(o.signature, line[1:]...)
		case bytes.HasPrefix(line, []byte("gpgsig ")):
			o.several = o.several || len(o.signature) > 0
			o.signature = append(o.signature, line[len("gpgsig "):]...)
			own, other = true, false
		case bytes.HasPrefix(line, []byte("gpgsig")):
			own, other = false, true
		case other && line[0] == ' ':
		case line[0] == '\n': // the message follows
			o.payload = append(o.payload, rest...)
			after = nil
			own, other = false, false
		default:
			o.payload = append(o.payload, line...)
			own, other = false, false
		}
		rest = after
	}
	o.readHeader("committer")
	return o
}

// cutLine returns the first line with its end, and what follows.
func cutLine(data []byte) (line, rest []byte) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return data[:i+1], data[i+1:]
	}
	return data, nil
}

// signatureStarts are the first lines of signatures in a tag.
var signatureStarts = []string{"-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----", "-----BEGIN SIGNED MESSAGE-----", "-----BEGIN SSH SIGNATURE-----"}

// signedTag takes a tag object apart. The signature is everything from the last line on that begins one; what is
// signed is what stands before, without headers that begin with gpgsig.
func signedTag(name string, data []byte) signedObject {
	o := signedObject{name: "tag " + name}
	start := len(data)
	for rest := data; len(rest) > 0; {
		line, after := cutLine(rest)
		if slices.ContainsFunc(signatureStarts, func(s string) bool { return bytes.HasPrefix(line, []byte(s)) }) {
			start = len(data) - len(rest)
		}
		rest = after
	}
	o.payload = data[:start]
	if start < len(data) {
		o.signature = data[start:]
		o.payload = signedCommit("", o.payload).payload
	}
	o.readHeader("tagger")
	return o
}

// readHeader reads what of the signed part is told to people or decides how the history goes on.
func (o *signedObject) readHeader(maker string) {
	header, message, _ := strings.Cut(string(o.payload), "\n\n")
	o.message = message
	for line := range strings.SplitSeq(header, "\n") {
		switch key, value, _ := strings.Cut(line, " "); key {
		case "parent":
			o.parents = append(o.parents, value)
		case "author":
			o.author, _ = parseSignature(value)
		case maker:
			by, at := parseSignature(value)
			if o.made = at; o.author == "" {
				o.author = by
			}
		}
	}
}

// field returns the first value of a header of the signed part.
func (o *signedObject) field(key string) string {
	header, _, _ := strings.Cut(string(o.payload), "\n\n")
	for line := range strings.SplitSeq(header, "\n") {
		if value, ok := strings.CutPrefix(line, key+" "); ok {
			return value
		}
	}
	return ""
}

// sealTrailer marks a commit whose author vouches for all that came before it.
const sealTrailer = "argocd-gpg-seal:"

// seal reports whether the last paragraph of the message has the trailer.
func (o *signedObject) seal() bool {
	message := strings.TrimRight(o.message, "\n \t")
	if i := strings.LastIndex(message, "\n\n"); i >= 0 {
		message = message[i+2:]
	}
	for line := range strings.SplitSeq(message, "\n") {
		if len(line) > len(sealTrailer) && strings.EqualFold(line[:len(sealTrailer)], sealTrailer) && strings.TrimSpace(line[len(sealTrailer):]) != "" {
			return true
		}
	}
	return false
}
