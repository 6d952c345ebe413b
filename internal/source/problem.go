// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Problem is why a repository could not be asked.
type Problem string

// The problems.
const (
	ProblemNetwork     Problem = "network"      // no connection
	ProblemTimeout     Problem = "timeout"      // no or too slow an answer
	ProblemBrokenOff   Problem = "broken off"   // the answer ended in the middle
	ProblemServer      Problem = "server"       // the server says it is out of order or overloaded
	ProblemAuth        Problem = "credentials"  // none, or refused ones
	ProblemNotFound    Problem = "not found"    // no such repository, or not for these credentials
	ProblemTLS         Problem = "certificate"  // the TLS certificate is not trusted
	ProblemHostKey     Problem = "host key"     // the SSH host key is not known
	ProblemRedirect    Problem = "redirect"     // the server sends elsewhere
	ProblemAddress     Problem = "address"      // the host's address is refused
	ProblemInvalidData Problem = "invalid data" // what was sent is no Git, or fails Git's own checks
	ProblemStore       Problem = "store"        // the mirror on the local disk
)

// UnreachableError says that a repository gave no usable answer: nothing is known about its refs. Whoever resolved
// them before keeps what it had.
type UnreachableError struct {
	Problem Problem
	Detail  string
}

func (e *UnreachableError) Error() string { return e.Detail }

// UnknownRevisionError says that the repository was asked and has no such revision.
type UnknownRevisionError struct {
	Revision string
	Detail   string
}

func (e *UnknownRevisionError) Error() string { return e.Detail }

// MissingError says that a commit's tree names an object that is not in the mirror: outside of the plan, or lost.
// It is not absence. Callers that meet it ask Store.Tree again with Want{Path} added.
type MissingError struct {
	Path string // path in the tree
	ID   string // object id
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("the content of %s (object %s) was not fetched", e.Path, e.ID)
}

// MissingPath returns the path to want.
func (e *MissingError) MissingPath() string { return e.Path }

// Unreachable reports whether err says that a repository could not be asked.
func Unreachable(err error) bool {
	var u *UnreachableError
	return errors.As(err, &u)
}

// consequence says what happens next for each problem and what a person can do.
var consequence = map[Problem]struct {
	kind fault.Kind
	fix  string
}{
	ProblemNetwork:     {fault.Retry, "check that the host is right and can be reached from here"},
	ProblemTimeout:     {fault.Retry, "check that the host can be reached from here and is not overloaded"},
	ProblemBrokenOff:   {fault.Retry, "it is tried again; if it stays, look at the server's log"},
	ProblemServer:      {fault.Retry, "it is tried again; if it stays, look at the server's log"},
	ProblemAuth:        {fault.Stalled, "set valid credentials in the Secret labelled argocd.argoproj.io/secret-type: repository (or repo-creds) for this address"},
	ProblemNotFound:    {fault.Stalled, "check the address, and that the credentials of its repository Secret may read it"},
	ProblemTLS:         {fault.Stalled, "add the certificate of the authority under the host's name to the ConfigMap argocd-tls-certs-cm"},
	ProblemHostKey:     {fault.Stalled, "check the host's key and add it to ssh_known_hosts in the ConfigMap argocd-ssh-known-hosts-cm"},
	ProblemRedirect:    {fault.Stalled, "use that address in the Application, or check who answers for the host"},
	ProblemAddress:     {fault.Stalled, "use an address of a Git server"},
	ProblemInvalidData: {fault.Stalled, "check that the address is that of a Git repository and that `git fsck` finds it well"},
	ProblemStore:       {fault.Retry, "check the free space and the rights of the data folder"},
}

// unreachable builds the error for a repository that could not be asked.
func unreachable(op string, r Repository, problem Problem, detail string) error {
	c := consequence[problem]
	return &fault.Error{Kind: c.kind, Op: op, Thing: "repository " + r.String(), Fix: c.fix,
		Err: &UnreachableError{Problem: problem, Detail: redact(detail, r.secrets())}}
}

// unknownRevision builds the error for a revision that a repository does not have.
func unknownRevision(r Repository, revision, detail, fix string) error {
	return &fault.Error{Kind: fault.Mistake, Op: "resolve", Thing: "revision " + revision, Where: "repository " + r.String(),
		Fix: fix, Err: &UnknownRevisionError{Revision: revision, Detail: detail}}
}

// signs are what git, curl and ssh write, in the order in which they decide: git is run in the C locale.
var signs = []struct {
	text    string
	problem Problem
}{
	{"No space left on device", ProblemStore},
	{"Read-only file system", ProblemStore},
	{"HOST IDENTIFICATION HAS CHANGED", ProblemHostKey},
	{"Host key verification failed", ProblemHostKey},
	{"host key is known", ProblemHostKey},
	{"SSL certificate", ProblemTLS},
	{"certificate verif", ProblemTLS},
	{"certificate subject name", ProblemTLS},
	{"alert certificate required", ProblemTLS},
	{"SSL: no alternative", ProblemTLS},
	{"SSL peer certificate", ProblemTLS},
	{"Could not resolve host", ProblemNetwork},
	{"Connection refused", ProblemNetwork},
	{"Failed to connect", ProblemNetwork},
	{"Couldn't connect", ProblemNetwork},
	{"Network is unreachable", ProblemNetwork},
	{"No route to host", ProblemNetwork},
	{"Operation too slow", ProblemTimeout},
	{"timed out", ProblemTimeout},
	{"Timeout", ProblemTimeout},
	{"Authentication failed", ProblemAuth},
	{"could not read Username", ProblemAuth},
	{"could not read Password", ProblemAuth},
	{"Permission denied (", ProblemAuth},
	{"Too many authentication failures", ProblemAuth},
	{"HTTP code 407", ProblemAuth}, // of a proxy
	{"returned error: 407", ProblemAuth},
	{"returned error: 401", ProblemAuth},
	{"returned error: 403", ProblemAuth},
	{"returned error: 404", ProblemNotFound},
	{"not found", ProblemNotFound},
	{"does not appear to be a git repository", ProblemNotFound},
	{"does not exist", ProblemNotFound},
	{"returned error: 301", ProblemRedirect},
	{"returned error: 302", ProblemRedirect},
	{"returned error: 307", ProblemRedirect},
	{"returned error: 308", ProblemRedirect},
	{"update url base from redirection", ProblemRedirect},
	{"returned error: 5", ProblemServer},
	{"returned error: 429", ProblemServer},
	{"mismatched algorithms", ProblemInvalidData}, // a repository with SHA-256 ids
	{"fsck error", ProblemInvalidData},
	{"error in object", ProblemInvalidData},
	{"early EOF", ProblemBrokenOff},
	{"unexpected disconnect", ProblemBrokenOff},
	{"hung up unexpectedly", ProblemBrokenOff},
	{"RPC failed", ProblemBrokenOff},
	{"transfer closed", ProblemBrokenOff},
	{"pack signature mismatch", ProblemBrokenOff},
	{"bad line length", ProblemBrokenOff},
	{"Connection reset", ProblemBrokenOff},
	{"did not send all necessary objects", ProblemBrokenOff},
	{"Connection closed", ProblemNetwork},
}

// diagnose reads what git wrote on its standard error.
func diagnose(stderr string) Problem {
	for _, sign := range signs {
		if strings.Contains(stderr, sign.text) {
			return sign.problem
		}
	}
	return ProblemServer
}

// noSuchObject reports whether git says that the remote has not what was asked for.
func noSuchObject(stderr string) bool {
	for _, sign := range []string{"not our ref", "unadvertised object", "couldn't find remote ref", "no such remote ref"} {
		if strings.Contains(stderr, sign) {
			return true
		}
	}
	return false
}

// damaged reports whether git says that the mirror itself is broken, which a new one heals.
func damaged(stderr string) bool {
	for _, sign := range []string{"is corrupt", "corrupted", "bad object", "unable to read tree", "inflate:", "index file",
		"does not match index", "missing blob", "missing tree", "missing commit", "unable to find", "not a git repository (or",
		"invalid gitfile", "bad config", "bad signature 0x", "is not a valid packfile", "cannot read existing object"} {
		if strings.Contains(stderr, sign) {
			return true
		}
	}
	return false
}

// brief keeps the lines of git's standard error that say something, in one line.
func brief(stderr string) string {
	var out []string
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "warning:") || strings.HasPrefix(line, "@@@") {
			continue
		}
		line = strings.TrimPrefix(strings.TrimPrefix(line, "fatal: "), "error: ")
		if strings.HasPrefix(line, "could not read Username") || strings.HasPrefix(line, "could not read Password") {
			line = "the server asks for credentials: none are set, or it refuses them" // and nobody is there to be asked
		}
		out = append(out, strings.TrimPrefix(line, "remote: "))
		if len(out) == 4 {
			break
		}
	}
	return strings.Join(out, "; ")
}
