// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/bowline-cd/bowline/internal/auth/connector"
)

// gitlabBlock is the config of a connector of the type gitlab: https://dexidp.io/docs/connectors/gitlab/
type gitlabBlock struct {
	BaseURL             string   `json:"baseURL"`
	ClientID            string   `json:"clientID"`
	ClientSecret        string   `json:"clientSecret"`
	Groups              []string `json:"groups"`
	UseLoginAsID        bool     `json:"useLoginAsID"`
	GetGroupsPermission bool     `json:"getGroupsPermission"`
	RootCAData          []byte   `json:"rootCAData"`
}

type gitlab struct {
	block gitlabBlock
	base  string
}

// OpenGitLab reads the config of a block. redirect is where GitLab sends browsers back: <url>/api/dex/callback.
func OpenGitLab(b connector.Block, redirect string) (connector.Redirect, error) {
	g := &gitlab{base: "https://gitlab.com"}
	if err := b.Decode(&g.block); err != nil {
		return nil, err
	}
	if err := b.Need("clientID", g.block.ClientID, "clientSecret", g.block.ClientSecret); err != nil {
		return nil, err
	}
	if g.block.BaseURL != "" {
		g.base = strings.TrimRight(g.block.BaseURL, "/")
	}
	client, err := connector.HTTPClient(g.block.RootCAData, false)
	if err != nil {
		return nil, b.Broken("rootCAData", err.Error(), "give certificates in PEM")
	}
	return &flow{name: g.base, client: client, ask: g.identity, config: oauth2.Config{
		ClientID: g.block.ClientID, ClientSecret: g.block.ClientSecret, Scopes: []string{"read_user", "openid"}, RedirectURL: redirect,
		Endpoint: oauth2.Endpoint{AuthURL: g.base + "/oauth/authorize", TokenURL: g.base + "/oauth/token"},
	}}, nil
}

func (g *gitlab) identity(ctx context.Context, c *http.Client) (connector.Identity, error) {
	var user struct {
		ID       int64  `json:"id"`
		Name     string `json:"name"`
		Username string `json:"username"`
		Email    string `json:"email"`
	}
	if _, err := get(ctx, c, g.base+"/api/v4/user", &user); err != nil {
		return connector.Identity{}, err
	}
	if user.ID == 0 || user.Username == "" {
		return connector.Identity{}, errors.New("GitLab does not say who it is")
	}
	who := connector.Identity{
		UserID: strconv.FormatInt(user.ID, 10), Name: user.Name, PreferredUsername: user.Username, Email: user.Email, EmailVerified: true,
	}
	if who.Name == "" {
		who.Name = user.Email
	}
	if g.block.UseLoginAsID {
		who.UserID = user.Username
	}
	var err error
	who.Groups, err = g.groups(ctx, c, user.Username)
	return who, err
}

// groups asks GitLab's userinfo endpoint. With groups in the settings, one who is in none of them may not sign in.
func (g *gitlab) groups(ctx context.Context, c *http.Client, login string) ([]string, error) {
	var info struct {
		Groups      []string `json:"groups"`
		Owners      []string `json:"https://gitlab.org/claims/groups/owner"`
		Maintainers []string `json:"https://gitlab.org/claims/groups/maintainer"`
		Developers  []string `json:"https://gitlab.org/claims/groups/developer"`
	}
	if _, err := get(ctx, c, g.base+"/oauth/userinfo", &info); err != nil {
		return nil, err
	}
	groups := slices.Clone(info.Groups)
	if len(g.block.Groups) > 0 {
		groups = slices.DeleteFunc(groups, func(name string) bool { return !slices.Contains(g.block.Groups, name) })
		if len(groups) == 0 {
			return nil, fmt.Errorf("%s is in none of the groups that may sign in", login)
		}
	}
	if !g.block.GetGroupsPermission {
		return groups, nil
	}
	out := slices.Clone(groups)
	for _, group := range groups {
		for _, level := range []struct {
			role string
			in   []string
		}{{"owner", info.Owners}, {"maintainer", info.Maintainers}, {"developer", info.Developers}} { // the highest counts
			if slices.ContainsFunc(level.in, func(over string) bool { return group == over || strings.HasPrefix(group, over+"/") }) {
				out = append(out, group+":"+level.role)
				break
			}
		}
	}
	return out, nil
}
