// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"net/http"
	"strings"

	"k8s.io/client-go/transport"
)

type identityKey struct{}

// As returns a context whose direct calls (reads, writes, deletions, dry runs) are made as another user, such as
// system:serviceaccount:<namespace>:<name>. What is watched, swept or kept for all applications is read as ourselves whatever
// the context says.
func As(ctx context.Context, user string) context.Context {
	return context.WithValue(ctx, identityKey{}, user)
}

// asOurselves returns a context for requests whose answers are kept for everybody: what one application may see must not
// decide what is known.
func asOurselves(ctx context.Context) context.Context {
	if identityOf(ctx) == "" {
		return ctx
	}
	return As(ctx, "")
}

// identityOf returns the user that ctx names; "" is ourselves.
func identityOf(ctx context.Context) string {
	user, _ := ctx.Value(identityKey{}).(string)
	return user
}

// identified sends each request as the user of its context. It is the one place that all requests pass, so that none can
// forget. The groups of a service account come with its name
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation).
type identified struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper. A user of the connection's own configuration gives way.
func (t identified) RoundTrip(req *http.Request) (*http.Response, error) {
	user := identityOf(req.Context())
	if user == "" {
		return t.inner.RoundTrip(req)
	}
	req = req.Clone(req.Context())
	req.Header.Set(transport.ImpersonateUserHeader, user)
	return t.inner.RoundTrip(req)
}

// WrappedRoundTripper lets others find the transport.
func (t identified) WrappedRoundTripper() http.RoundTripper { return t.inner }

// fixForbidden says who is to get a right: the account that a request was made as, or we if it is the right to act as that.
func (t target) fixForbidden(cause string) string {
	switch {
	case t.as == "":
		return rules[Forbidden].fix
	case strings.Contains(cause, "cannot impersonate"):
		return "let the account Bowline uses on the cluster impersonate " + t.as
	default:
		return "grant this right to " + t.as + ", as which the application's project has its objects applied"
	}
}
