// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/bowline-cd/bowline/internal/auth/connector"
)

// githubBlock is the config of a connector of the type github: https://dexidp.io/docs/connectors/github/
type githubBlock struct {
	ClientID             string      `json:"clientID"`
	ClientSecret         string      `json:"clientSecret"`
	Org                  string      `json:"org"`
	Orgs                 []githubOrg `json:"orgs"`
	HostName             string      `json:"hostName"`
	RootCA               string      `json:"rootCA"`
	TeamNameField        string      `json:"teamNameField"`
	LoadAllGroups        bool        `json:"loadAllGroups"`
	UseLoginAsID         bool        `json:"useLoginAsID"`
	PreferredEmailDomain string      `json:"preferredEmailDomain"`
}

type githubOrg struct {
	Name  string   `json:"name"`
	Teams []string `json:"teams"`
}

type github struct {
	block githubBlock
	api   string
}

// OpenGitHub reads the config of a block. redirect is where GitHub sends browsers back: <url>/api/dex/callback.
func OpenGitHub(b connector.Block, redirect string) (connector.Redirect, error) {
	g := &github{api: "https://api.github.com"}
	if err := b.Decode(&g.block); err != nil {
		return nil, err
	}
	if err := b.Need("clientID", g.block.ClientID, "clientSecret", g.block.ClientSecret); err != nil {
		return nil, err
	}
	switch {
	case g.block.Org != "" && len(g.block.Orgs) > 0:
		return nil, b.Broken("org", "org and orgs are both set", "use orgs alone")
	case strings.Contains(g.block.HostName, "/"):
		return nil, b.Broken("hostName", "it is no host name", "write the name alone, without https://")
	case !slices.Contains([]string{"", "name", "slug", "both"}, g.block.TeamNameField):
		return nil, b.Broken("teamNameField", "it is none of name, slug, both", "write one of them")
	}
	host := "github.com"
	if g.block.HostName != "" {
		host = g.block.HostName
		g.api = "https://" + host + "/api/v3"
	}
	var roots []byte
	if g.block.RootCA != "" {
		var err error
		if roots, err = os.ReadFile(g.block.RootCA); err != nil {
			return nil, b.Broken("rootCA", err.Error(), "name a file that is there")
		}
	}
	client, err := connector.HTTPClient(roots, false)
	if err != nil {
		return nil, b.Broken("rootCA", err.Error(), "give certificates in PEM")
	}
	scopes := []string{"user:email"}
	if g.wantsGroups() {
		scopes = append(scopes, "read:org")
	}
	return &flow{name: host, client: client, ask: g.identity, config: oauth2.Config{
		ClientID: g.block.ClientID, ClientSecret: g.block.ClientSecret, Scopes: scopes, RedirectURL: redirect,
		Endpoint: oauth2.Endpoint{AuthURL: "https://" + host + "/login/oauth/authorize", TokenURL: "https://" + host + "/login/oauth/access_token"},
	}}, nil
}

func (g *github) wantsGroups() bool {
	return g.block.Org != "" || len(g.block.Orgs) > 0 || g.block.LoadAllGroups
}

func (g *github) identity(ctx context.Context, c *http.Client) (connector.Identity, error) {
	var user struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
		Name  string `json:"name"`
		Email string `json:"email"`
	}
	if _, err := get(ctx, c, g.api+"/user", &user); err != nil {
		return connector.Identity{}, err
	}
	if user.ID == 0 || user.Login == "" {
		return connector.Identity{}, errors.New("GitHub does not say who it is")
	}
	who := connector.Identity{
		UserID: strconv.FormatInt(user.ID, 10), Name: user.Name, PreferredUsername: user.Login, Email: user.Email, EmailVerified: true,
	}
	if who.Name == "" {
		who.Name = user.Login
	}
	if g.block.UseLoginAsID {
		who.UserID = user.Login
	}
	var err error
	if who.Email == "" || g.block.PreferredEmailDomain != "" {
		if who.Email, err = g.email(ctx, c); err != nil {
			return who, err
		}
	}
	who.Groups, err = g.groups(ctx, c, user.Login)
	return who, err
}

// email chooses among the verified addresses: the first of the preferred domain, or the primary one.
func (g *github) email(ctx context.Context, c *http.Client) (string, error) {
	type address struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	list, err := all[address](ctx, c, g.api+"/user/emails")
	if err != nil {
		return "", err
	}
	primary := ""
	for _, a := range list {
		if !a.Verified && g.block.HostName == "" { // GitHub Enterprise verifies none
			continue
		}
		if domain := g.block.PreferredEmailDomain; domain != "" && strings.HasSuffix(strings.ToLower(a.Email), "@"+strings.ToLower(domain)) {
			return a.Email, nil
		}
		if a.Primary {
			primary = a.Email
		}
	}
	if primary == "" {
		return "", errors.New("the person has no verified primary e-mail address at GitHub")
	}
	return primary, nil
}

type githubTeam struct {
	Name string `json:"name"`
	Slug string `json:"slug"`
	Org  struct {
		Login string `json:"login"`
	} `json:"organization"`
}

// names are what a team is called in tokens.
func (g *github) names(t githubTeam) []string {
	switch g.block.TeamNameField {
	case "slug":
		return []string{t.Slug}
	case "both":
		return []string{t.Name, t.Slug}
	}
	return []string{t.Name}
}

// groups are the teams of a person, written org:team. With orgs, one who is in none of them may not sign in.
func (g *github) groups(ctx context.Context, c *http.Client, login string) ([]string, error) {
	if !g.wantsGroups() {
		return nil, nil
	}
	teams, err := all[githubTeam](ctx, c, g.api+"/user/teams")
	if err != nil {
		return nil, err
	}
	switch {
	case len(g.block.Orgs) > 0:
		return g.required(ctx, c, login, teams)
	case g.block.Org != "":
		return g.of(teams, g.block.Org, ""), nil // the older form names teams without their organisation
	}
	type org struct {
		Login string `json:"login"`
	}
	orgs, err := all[org](ctx, c, g.api+"/user/orgs")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, o := range orgs {
		out = append(append(out, o.Login), g.of(teams, o.Login, o.Login+":")...)
	}
	return out, nil
}

// required collects the teams in the organisations of the settings; a person has to be in one of them, and in one of its teams if
// it names any.
func (g *github) required(ctx context.Context, c *http.Client, login string, teams []githubTeam) ([]string, error) {
	var out []string
	in := false
	for _, org := range g.block.Orgs {
		member, err := g.member(ctx, c, org.Name, login)
		if err != nil {
			return nil, err
		}
		if !member {
			continue
		}
		names := g.of(teams, org.Name, "")
		if len(org.Teams) > 0 {
			names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(org.Teams, n) })
		}
		in = in || len(org.Teams) == 0 || len(names) > 0
		for _, name := range names {
			out = append(out, org.Name+":"+name)
		}
	}
	if !in {
		return nil, fmt.Errorf("%s is in none of the organisations and teams that may sign in", login)
	}
	return out, nil
}

func (g *github) of(teams []githubTeam, org, prefix string) []string {
	var out []string
	for _, t := range teams {
		if t.Org.Login != org {
			continue
		}
		for _, name := range g.names(t) {
			out = append(out, prefix+name)
		}
	}
	return out
}

// member asks whether a person is in an organisation: 204 yes, 302 and 404 no.
func (g *github) member(ctx context.Context, c *http.Client, org, login string) (bool, error) {
	address := g.api + "/orgs/" + url.PathEscape(org) + "/members/" + url.PathEscape(login)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, err
	}
	once := *c
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := once.Do(request)
	if err != nil {
		return false, err
	}
	_ = answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusNoContent:
		return true, nil
	case http.StatusFound, http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("GitHub, asked for the members of %s, answers %s", org, answer.Status)
}
