// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"slices"
	"strings"

	rpc "github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

// CanI says whether the caller has a right: yes or no.
func (s *Service) CanI(ctx context.Context, request *rpc.CanIRequest) (*rpc.CanIResponse, error) {
	right, err := s.rightOf(request.Resource, request.Action, request.Subresource)
	if err != nil {
		return nil, err
	}
	if s.Gate.Allows(ctx, right) {
		return &rpc.CanIResponse{Value: "yes"}, nil
	}
	return &rpc.CanIResponse{Value: "no"}, nil
}

// Explain says which rule grants or refuses a right: to the caller, or, if the caller may see that account, to somebody else.
func (s *Service) Explain(ctx context.Context, request *bowline.ExplainQuery) (*bowline.Explanation, error) {
	right, err := s.rightOf(request.Resource, request.Action, request.Object)
	if err != nil {
		return nil, err
	}
	if request.Subject == "" && len(request.Groups) == 0 {
		return explanation(s.Gate.Rule(ctx, right)), nil
	}
	if err := s.Gate.Enforce(ctx, access.Right{Resource: access.Accounts, Action: access.Get, Object: request.Subject}); err != nil {
		return nil, err
	}
	return explanation(s.Gate.Roles.Rule(s.somebody(request.Subject, request.Groups), right)), nil
}

// somebody is a caller of that name: a token of a project's role, a local account, or else a person of an identity provider.
func (s *Service) somebody(subject string, groups []string) auth.Caller {
	who := auth.Caller{Kind: auth.SSO, Subject: subject, Groups: groups}
	if _, _, ok := access.ParseRoleSubject(subject); ok {
		who.Kind = auth.ProjectToken
	} else if s.Accounts()[subject] != nil {
		who.Kind = auth.Login
	}
	return who
}

func explanation(r access.Ruling) *bowline.Explanation {
	return &bowline.Explanation{Allowed: r.Allowed, Rule: r.Rule, Where: r.Where, Through: r.Through, Reason: r.Reason}
}

// rightOf checks that there is such a right, and writes the object as policies do: an application of the control namespace
// without the namespace, and any of any project as */*, for which people write * too.
func (s *Service) rightOf(resource, action, object string) (access.Right, error) {
	if !slices.Contains(access.Resources, resource) {
		return access.Right{}, fault.New(fault.Mistake, "say", "what is allowed", "resource", "there is no resource "+resource, "name one of "+strings.Join(access.Resources, ", "))
	}
	verb, _, _ := strings.Cut(action, "/")
	if !slices.Contains(access.Actions, verb) {
		return access.Right{}, fault.New(fault.Mistake, "say", "what is allowed", "action", "there is no action "+action, "name one of "+strings.Join(access.Actions, ", "))
	}
	if access.InProjects(resource) {
		object = s.qualified(object)
	}
	return access.Right{Resource: resource, Action: action, Object: object}, nil
}

func (s *Service) qualified(object string) string {
	parts := strings.Split(object, "/")
	switch {
	case object == "*":
		return "*/*"
	case len(parts) == 3 && parts[1] == s.Home:
		return parts[0] + "/" + parts[2]
	}
	return object
}
