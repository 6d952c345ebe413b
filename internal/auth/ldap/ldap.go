// SPDX-License-Identifier: Apache-2.0

package ldap

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Connector asks one directory.
type Connector struct {
	block   block
	address string
	tls     *tls.Config
	pool    pool
}

var (
	_ connector.Password  = (*Connector)(nil)
	_ connector.Refresher = (*Connector)(nil)
)

// Prompt implements connector.Password.
func (c *Connector) Prompt() string { return or(c.block.UsernamePrompt, "Username") }

// known is what is remembered of a person between refreshes.
type known struct {
	Username string `json:"username"`
	DN       string `json:"dn"`
}

// Login implements connector.Password: it finds the entry with the Service's rights, and binds as it with the password. A blank
// password is never sent: to a directory that is a bind as nobody, which succeeds (RFC 4513, section 5.1.2).
func (c *Connector) Login(ctx context.Context, username, password string) (connector.Identity, error) {
	if username == "" || password == "" {
		return connector.Identity{}, connector.ErrWrong
	}
	var who connector.Identity
	err := c.search(ctx, func(conn *goldap.Conn) error {
		entry, err := c.person(conn, username)
		if errors.Is(err, connector.ErrWrong) {
			// One who is not there takes as long as one whose password is wrong.
			_ = c.bind(ctx, c.block.UserSearch.Username+"="+goldap.EscapeDN(username)+","+c.block.UserSearch.BaseDN, password)
		}
		if err != nil {
			return err
		}
		if err := c.bind(ctx, entry.DN, password); err != nil {
			return err
		}
		who, err = c.identity(conn, entry, username)
		return err
	})
	return who, err
}

// Refresh implements connector.Refresher: the same entry has to be found under the same name.
func (c *Connector) Refresh(ctx context.Context, before connector.Identity) (connector.Identity, error) {
	var k known
	if err := json.Unmarshal(before.Memory, &k); err != nil {
		return connector.Identity{}, errors.New("what was remembered of the person cannot be read")
	}
	var who connector.Identity
	err := c.search(ctx, func(conn *goldap.Conn) error {
		entry, err := c.person(conn, k.Username)
		if err != nil {
			return err
		}
		if entry.DN != k.DN {
			return errors.New("the directory has another person of that name now")
		}
		who, err = c.identity(conn, entry, k.Username)
		return err
	})
	return who, err
}

// person finds the entry of a name.
func (c *Connector) person(conn *goldap.Conn, username string) (*goldap.Entry, error) {
	u := c.block.UserSearch
	attributes := []string{u.IDAttr, u.EmailAttr, u.NameAttr, u.PreferredUsernameAttr}
	for _, m := range c.block.GroupSearch.UserMatchers {
		attributes = append(attributes, m.UserAttr)
	}
	found, err := find(conn, u.BaseDN, u.Scope, both(u.Filter, u.Username, username), attributes, 2)
	switch {
	case err != nil:
		return nil, c.broken("find a person in", err)
	case len(found) == 0:
		return nil, connector.ErrWrong
	case len(found) > 1:
		return nil, c.broken("find a person in", fmt.Errorf("several entries have the same %s: make userSearch narrower", u.Username))
	}
	return found[0], nil
}

// identity reads an entry.
func (c *Connector) identity(conn *goldap.Conn, entry *goldap.Entry, username string) (connector.Identity, error) {
	u := c.block.UserSearch
	who := connector.Identity{
		UserID: value(entry, u.IDAttr), Email: value(entry, u.EmailAttr), EmailVerified: true,
		Name: value(entry, u.NameAttr), PreferredUsername: value(entry, u.PreferredUsernameAttr),
	}
	if u.EmailSuffix != "" {
		who.Email = who.UserID + "@" + u.EmailSuffix
	}
	for attribute, value := range map[string]string{u.IDAttr: who.UserID, u.EmailAttr: who.Email} {
		if value == "" {
			return who, c.broken("read "+entry.DN+" of", fmt.Errorf("the entry has no %s", attribute))
		}
	}
	var err error
	if who.Groups, err = c.groups(conn, entry); err != nil {
		return who, err
	}
	who.Memory, err = json.Marshal(known{Username: username, DN: entry.DN})
	return who, err
}

// groups finds the names of the groups of a person, and with recursion of the groups of those.
func (c *Connector) groups(conn *goldap.Conn, person *goldap.Entry) ([]string, error) {
	g := c.block.GroupSearch
	if g.BaseDN == "" {
		return nil, nil
	}
	var names []string
	for _, m := range g.UserMatchers {
		seen := map[string]bool{} // by DN: groups may be members of each other
		level := []*goldap.Entry{person}
		attribute := m.UserAttr
		for len(level) > 0 {
			var next []*goldap.Entry
			for _, member := range level {
				found, err := c.groupsOf(conn, m, values(member, attribute))
				if err != nil {
					return nil, err
				}
				for _, group := range found {
					if !seen[group.DN] {
						seen[group.DN] = true
						next = append(next, group)
					}
				}
			}
			for _, group := range next {
				if name := value(group, g.NameAttr); name != "" {
					names = append(names, name)
				}
			}
			if attribute = m.RecursionGroupAttr; attribute == "" {
				break
			}
			level = next
		}
	}
	return unique(names), nil
}

func (c *Connector) groupsOf(conn *goldap.Conn, m matcher, members []string) ([]*goldap.Entry, error) {
	g := c.block.GroupSearch
	var out []*goldap.Entry
	for _, member := range members {
		found, err := find(conn, g.BaseDN, g.Scope, both(g.Filter, m.GroupAttr, member), []string{g.NameAttr, m.RecursionGroupAttr}, 0)
		if err != nil {
			return nil, c.broken("find groups in", err)
		}
		out = append(out, found...)
	}
	return out, nil
}

// find searches. With limit 0 results come in pages, so that a directory's limit for one answer cuts nothing off.
func find(conn *goldap.Conn, base, scope, filter string, attributes []string, limit int) ([]*goldap.Entry, error) {
	depth := goldap.ScopeWholeSubtree
	if scope == "one" {
		depth = goldap.ScopeSingleLevel
	}
	request := goldap.NewSearchRequest(base, depth, goldap.NeverDerefAliases, limit, int(operationTimeout.Seconds()), false, filter, named(attributes), nil)
	var answer *goldap.SearchResult
	var err error
	if limit > 0 {
		answer, err = conn.Search(request)
	} else {
		answer, err = conn.SearchWithPaging(request, pageSize)
	}
	if err != nil && (answer == nil || !goldap.IsErrorWithCode(err, goldap.LDAPResultSizeLimitExceeded) || limit == 0) {
		return nil, err
	}
	return answer.Entries, nil
}

// both is the filter of the settings and that an attribute has a value, which a person may have typed.
func both(filter, attribute, typed string) string {
	out := "(" + attribute + "=" + goldap.EscapeFilter(typed) + ")"
	if filter != "" {
		out = "(&" + filter + out + ")"
	}
	return out
}

func value(e *goldap.Entry, attribute string) string {
	if all := values(e, attribute); len(all) > 0 {
		return all[0]
	}
	return ""
}

func values(e *goldap.Entry, attribute string) []string {
	if attribute == "" {
		return nil
	}
	if found := e.GetEqualFoldAttributeValues(attribute); len(found) > 0 {
		return found
	}
	if attribute == dn {
		return []string{e.DN}
	}
	return nil
}

// named drops what is no attribute. 1.1 asks for none (RFC 4511, section 4.5.1.8): an empty list would ask for all.
func named(attributes []string) []string {
	var out []string
	for _, a := range unique(attributes) {
		if a != "" && a != dn {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		return []string{"1.1"}
	}
	return out
}

func unique(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func (c *Connector) broken(op string, err error) error {
	return fault.Wrap(fault.Stalled, op, "the LDAP directory "+c.address, err, "check the connector in dex.config (argocd-cm)")
}
