// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/bowline-cd/bowline/internal/fault"
)

// errNotThere says that a server was asked and has nothing at an address.
var errNotThere = errors.New("the server has nothing at this address")

// checkStatus judges the status of an answer.
func checkStatus(answer *http.Response, anonymous bool) error {
	switch code := answer.StatusCode; {
	case code == http.StatusOK, code == http.StatusNotModified:
		return nil
	case code == http.StatusNotFound, code == http.StatusGone:
		return errNotThere
	case anonymous && (code == http.StatusUnauthorized || code == http.StatusForbidden):
		return &UnreachableError{Problem: ProblemAuth, Detail: "the server asks for credentials and none are set: it answers " + statusText(code)}
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		return &UnreachableError{Problem: ProblemAuth, Detail: "the server refuses the credentials: it answers " + statusText(code)}
	case code >= 300 && code < 400:
		return &UnreachableError{Problem: ProblemRedirect, Detail: "the server redirects to nowhere: it answers " + statusText(code)}
	default:
		return &UnreachableError{Problem: ProblemServer, Detail: "the server answers " + statusText(code)}
	}
}

// statusText is the standard's text: a server's own may hold anything.
func statusText(code int) string {
	return strings.TrimSpace(fmt.Sprint(code, " ", http.StatusText(code)))
}

// failed gives an error of the exchange its problem and says what could not be done. Faults, *UnknownRevisionError and the end
// of ctx pass as they are; errNotThere is the problem that the thing is not found.
func (w *web) failed(ctx context.Context, op string, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, context.Canceled) || Unreachable(cause) {
		return cause
	}
	var judged *fault.Error
	if errors.As(err, &judged) {
		return err
	}
	problem, detail := webProblem(err)
	return webFix(unreachable(op, w.repo, problem, detail), problem)
}

// webFix says what to do where Git's advice does not fit.
func webFix(err error, problem Problem) error {
	var e *fault.Error
	if errors.As(err, &e) {
		switch problem {
		case ProblemAddress:
			e.Fix = "use an address that may be asked from here, or name it in a repository Secret"
		case ProblemInvalidData:
			e.Fix = "check what the server sends at this address"
		}
	}
	return err
}

// webProblem finds out what kind of failure an error of net/http is.
func webProblem(err error) (Problem, string) {
	var known *UnreachableError
	var unknownAuthority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var dns *net.DNSError
	var timeout net.Error
	detail := plain(err)
	switch {
	case errors.As(err, &known):
		return known.Problem, known.Detail
	case errors.Is(err, errNotThere):
		return ProblemNotFound, "there is nothing at this address, or it is not shown to these credentials"
	case errors.As(err, &unknownAuthority), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &verification),
		strings.Contains(detail, "tls: "): // an alert of the server has no type of its own
		return ProblemTLS, detail
	case errors.As(err, &dns) && !dns.IsTimeout:
		return ProblemNetwork, "the name of the host " + dns.Name + " is not known here"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return ProblemTimeout, "no answer in time"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return ProblemBrokenOff, "the answer ended in the middle"
	}
	return ProblemNetwork, detail
}

// tooLarge is the fault of a thing that is larger than a limit. setting is the key that raises it.
func tooLarge(op, thing, what, limit, setting string) error {
	fix := "make it smaller"
	if setting != "" {
		fix += ", or raise " + setting
	}
	return fault.New(fault.Mistake, op, thing, "", what+" is more than the limit of "+limit, fix)
}
