// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// ErrNoServiceAccount says that no entry of destinationServiceAccounts is about a destination.
var ErrNoServiceAccount = errors.New("no entry matches it")

// accountPrefix stands before the user name of every service account
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens).
const accountPrefix = "system:serviceaccount:"

// accountEntry is one entry of spec.destinationServiceAccounts.
type accountEntry struct {
	server, namespace pattern
	account           string
	unknown           error // why it cannot be told what it is about
	err               error // why it cannot be used
}

func compileAccount(a v1alpha1.ApplicationDestinationServiceAccount) accountEntry {
	e := accountEntry{server: compileGlob(a.Server), namespace: compileGlob(a.Namespace), account: strings.TrimSpace(a.DefaultServiceAccount)}
	e.unknown, e.err = e.misread(), e.misnamed()
	if e.unknown != nil {
		e.err = e.unknown
	}
	return e
}

// misread says why it cannot be told what an entry is about. Denials mean nothing here: the entry after one would be taken
// for what it leaves out.
func (e *accountEntry) misread() error {
	for _, p := range []pattern{e.server, e.namespace} {
		switch {
		case strings.Contains(p.text, "!"):
			return fmt.Errorf(`%q: "!" has no meaning here`, p.text)
		case p.err != nil:
			return fmt.Errorf("%q is not a valid pattern: %w", p.text, p.err)
		}
	}
	return nil
}

// misnamed says what is wrong with the account of an entry.
func (e *accountEntry) misnamed() error {
	namespace, name, both := strings.Cut(e.account, ":")
	if !both {
		namespace, name = "default", e.account
	}
	switch {
	case e.account == "":
		return errors.New("defaultServiceAccount is empty")
	case len(validation.IsDNS1123Subdomain(name)) > 0, len(validation.IsDNS1123Label(namespace)) > 0:
		return fmt.Errorf("defaultServiceAccount %q is neither the name of a service account nor namespace:name", e.account)
	}
	return nil
}

func (e *accountEntry) String() string {
	return fmt.Sprintf("{server: %s, namespace: %q, defaultServiceAccount: %q}", e.server.text, e.namespace.text, e.account)
}

func (e *accountEntry) matches(d Destination) bool {
	return e.server.matches(d.Server) && e.namespace.matches(d.Namespace)
}

// user returns the user name of the entry's account, which lives in the namespace if the entry names none.
func (e *accountEntry) user(namespace string) string {
	if strings.Contains(e.account, ":") {
		return accountPrefix + e.account
	}
	return accountPrefix + namespace + ":" + e.account
}

// ServiceAccount returns the user as which objects are sent to a destination, system:serviceaccount:<namespace>:<name>,
// by the first entry of destinationServiceAccounts that matches both the cluster's URL and the namespace of the Application's
// destination. An account without a namespace is one of the destination's, or of the Application's own (home) if the
// destination names none. The error is ErrNoServiceAccount if no entry matches. What an entry is about whose account cannot be
// used is refused; if its patterns cannot be read, so is all that no entry before it is about.
func (p *Project) ServiceAccount(d Destination, home string) (string, error) {
	for i := range p.accounts {
		e := &p.accounts[i]
		switch {
		case e.unknown != nil, e.err != nil && e.matches(d):
			return "", p.refuse("choose the service account for", d.String(), fmt.Sprintf("destinationServiceAccounts[%d]", i), e.err.Error(), "correct the entry")
		case !e.matches(d):
		case d.Namespace != "":
			return e.user(d.Namespace), nil
		default:
			return e.user(home), nil
		}
	}
	return "", &fault.Error{
		Kind: fault.Forbidden, Op: "choose the service account for", Thing: d.String(),
		Where: fmt.Sprintf("spec.destinationServiceAccounts of AppProject %s", p.name), Err: ErrNoServiceAccount,
		Fix: fmt.Sprintf("add {server: %q, namespace: %q, defaultServiceAccount: NAME}", d.Server, d.Namespace),
	}
}

// AccountOf returns the user as which direct calls are made where settings ask for impersonation: that of the project, or,
// unless one is enforced, ourselves ("") where the project names none.
func AccountOf(project *Project, d Destination, home string, enforced bool) (string, error) {
	user, err := project.ServiceAccount(d, home)
	if errors.Is(err, ErrNoServiceAccount) && !enforced {
		return "", nil
	}
	return user, err
}
