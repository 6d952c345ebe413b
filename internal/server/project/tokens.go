// SPDX-License-Identifier: Apache-2.0

package project

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	rpcproject "github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

// showTokens gives spec and status the same tokens, the newest first, as clients of Argo CD look for them in either.
func showTokens(p *v1alpha1.AppProject) {
	shown := map[string]v1alpha1.JWTTokens{}
	for i := range p.Spec.Roles {
		role := &p.Spec.Roles[i]
		role.JWTTokens = merged(p.Status.JWTTokensByRole[role.Name].Items, role.JWTTokens)
		if len(role.JWTTokens) > 0 {
			shown[role.Name] = v1alpha1.JWTTokens{Items: slices.Clone(role.JWTTokens)}
		}
	}
	p.Status.JWTTokensByRole = shown
	if len(shown) == 0 {
		p.Status.JWTTokensByRole = nil
	}
}

// merged are the tokens of two lists, each once, the newest first. One without an id has the time at which it was issued for one.
func merged(lists ...[]v1alpha1.JWTToken) []v1alpha1.JWTToken {
	var out []v1alpha1.JWTToken
	for _, t := range slices.Concat(lists...) {
		t.ID = cmp.Or(t.ID, strconv.FormatInt(t.IssuedAt, 10))
		if !hasToken(out, t) {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b v1alpha1.JWTToken) int { return cmp.Compare(b.IssuedAt, a.IssuedAt) })
	return out
}

func hasToken(all []v1alpha1.JWTToken, token v1alpha1.JWTToken) bool {
	return slices.ContainsFunc(all, func(t v1alpha1.JWTToken) bool {
		return cmp.Or(t.ID, strconv.FormatInt(t.IssuedAt, 10)) == cmp.Or(token.ID, strconv.FormatInt(token.IssuedAt, 10))
	})
}

// keepTokens makes the status name those tokens of the spec that it is to name: the ones that stood there before, which outlive
// that a project from Git is applied again, and, where made is set, the ones that are new. A token that only the spec named stays
// there alone: it ends when it is taken out, as whoever keeps the project in Git expects.
func keepTokens(p, before *v1alpha1.AppProject, made bool) {
	p.Status.JWTTokensByRole = nil
	for _, role := range p.Spec.Roles {
		kept := slices.DeleteFunc(slices.Clone(role.JWTTokens), func(t v1alpha1.JWTToken) bool {
			stood := hasToken(before.Status.JWTTokensByRole[role.Name].Items, t)
			return !stood && (!made || hasToken(specTokens(before, role.Name), t))
		})
		if len(kept) == 0 {
			continue
		}
		if p.Status.JWTTokensByRole == nil {
			p.Status.JWTTokensByRole = map[string]v1alpha1.JWTTokens{}
		}
		p.Status.JWTTokensByRole[role.Name] = v1alpha1.JWTTokens{Items: kept}
	}
}

func specTokens(p *v1alpha1.AppProject, name string) []v1alpha1.JWTToken {
	for _, role := range p.Spec.Roles {
		if role.Name == name {
			return role.JWTTokens
		}
	}
	return nil
}

// maxLifetime is the longest that a token may be issued for, other than forever; more seconds than a time.Duration can hold would
// make one without end. maxTokenID bounds the ids that people choose: all of them are in the project.
const (
	maxLifetime = 100 * 365 * 24 * time.Hour
	maxTokenID  = 128
)

// CreateToken makes a token of a role. Whoever may update the project may, and whoever is in a group of the role.
func (s *Service) CreateToken(ctx context.Context, request *rpcproject.ProjectTokenCreateRequest) (*rpcproject.ProjectTokenResponse, error) {
	if request.ExpiresIn < 0 || request.ExpiresIn > int64(maxLifetime/time.Second) {
		return nil, fault.New(fault.Mistake, "create a token of", thing(request.Project), "expiresIn", "it is not a length of time in seconds", "write seconds, or 0 for a token without end")
	}
	if len(request.ID) > maxTokenID {
		return nil, fault.New(fault.Mistake, "create a token of", thing(request.Project), "id", fmt.Sprintf("it is longer than %d bytes", maxTokenID), "choose a shorter one")
	}
	var token string
	p, err := s.changeTokens(ctx, request.Project, request.Role, func(role *v1alpha1.ProjectRole) error {
		if slices.ContainsFunc(role.JWTTokens, func(t v1alpha1.JWTToken) bool { return request.ID != "" && t.ID == request.ID }) {
			return fault.New(fault.Mistake, "create a token of", thing(request.Project), "id", fmt.Sprintf("role %s has a token %q already", role.Name, request.ID), "choose another id")
		}
		signed, record, err := s.Signer.Role(request.Project, role.Name, request.ID, time.Duration(request.ExpiresIn)*time.Second)
		if err != nil {
			return err
		}
		token = signed
		role.JWTTokens = append(role.JWTTokens, record)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.record(ctx, p, "ResourceCreated", "created a token of role "+request.Role)
	return &rpcproject.ProjectTokenResponse{Token: token}, nil
}

// DeleteToken revokes a token of a role: the one with the id, or without one that was issued at iat.
func (s *Service) DeleteToken(ctx context.Context, request *rpcproject.ProjectTokenDeleteRequest) (*rpcproject.EmptyResponse, error) {
	p, err := s.changeTokens(ctx, request.Project, request.Role, func(role *v1alpha1.ProjectRole) error {
		before := len(role.JWTTokens)
		role.JWTTokens = slices.DeleteFunc(role.JWTTokens, func(t v1alpha1.JWTToken) bool {
			return request.ID != "" && t.ID == request.ID || request.ID == "" && t.IssuedAt == request.IAT
		})
		if len(role.JWTTokens) == before {
			return &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "delete a token of", Thing: thing(request.Project), Where: "role " + role.Name,
				Err: errors.New("there is no such token"), Fix: "see `bowline proj role list-tokens`"}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.record(ctx, p, "ResourceDeleted", "deleted a token of role "+request.Role)
	return &rpcproject.EmptyResponse{}, nil
}

// changeTokens lets change work on the tokens of a role, all of which are in its spec meanwhile.
func (s *Service) changeTokens(ctx context.Context, project, name string, change func(*v1alpha1.ProjectRole) error) (*v1alpha1.AppProject, error) {
	if !s.isMember(ctx, project, name) {
		if err := s.Gate.Enforce(ctx, right(access.Update, project)); err != nil {
			return nil, err
		}
	}
	p := &v1alpha1.AppProject{}
	p.Name = project
	err := s.Hub.Change(ctx, thing(project), p, func() error {
		before := p.DeepCopy()
		showTokens(p)
		at := slices.IndexFunc(p.Spec.Roles, func(r v1alpha1.ProjectRole) bool { return r.Name == name })
		if at < 0 {
			return &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: "role " + name + " of " + thing(project),
				Err: errors.New("the project has no such role"), Fix: "see `bowline proj role list " + project + "`"}
		}
		if err := change(&p.Spec.Roles[at]); err != nil {
			return err
		}
		p.Spec.Roles[at].JWTTokens = merged(p.Spec.Roles[at].JWTTokens)
		keepTokens(p, before, true)
		return nil
	})
	if err == nil {
		s.learned(p)
	}
	return p, err
}

// isMember reports whether the caller is in a group of the role: such callers hand out its tokens themselves.
func (s *Service) isMember(ctx context.Context, project, name string) bool {
	who, ok := auth.From(ctx)
	if !ok || len(who.Groups) == 0 {
		return false
	}
	p, err := s.read(ctx, project)
	return err == nil && slices.ContainsFunc(p.Spec.Roles, func(role v1alpha1.ProjectRole) bool {
		return role.Name == name && slices.ContainsFunc(role.Groups, func(group string) bool { return slices.Contains(who.Groups, group) })
	})
}
