// SPDX-License-Identifier: Apache-2.0

// Package ldap signs people in with name and password at an LDAP directory, as Dex's connector of the type ldap does.
//
// The words of this room:
//
//   - Service: the account that the connector itself searches with (bindDN), or nobody.
//   - Matcher: how a group names its members: an attribute of the person that is a value of an attribute of the group.
package ldap

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/bowline-cd/bowline/internal/auth/connector"
)

// block is the config of the connector: https://dexidp.io/docs/connectors/ldap/
type block struct {
	Host               string `json:"host"`
	InsecureNoSSL      bool   `json:"insecureNoSSL"`
	InsecureSkipVerify bool   `json:"insecureSkipVerify"`
	StartTLS           bool   `json:"startTLS"`
	RootCA             string `json:"rootCA"`
	RootCAData         []byte `json:"rootCAData"`
	ClientCert         string `json:"clientCert"`
	ClientKey          string `json:"clientKey"`
	BindDN             string `json:"bindDN"`
	BindPW             string `json:"bindPW"`
	UsernamePrompt     string `json:"usernamePrompt"`

	UserSearch struct {
		BaseDN                string `json:"baseDN"`
		Filter                string `json:"filter"`
		Username              string `json:"username"`
		Scope                 string `json:"scope"`
		IDAttr                string `json:"idAttr"`
		EmailAttr             string `json:"emailAttr"`
		NameAttr              string `json:"nameAttr"`
		PreferredUsernameAttr string `json:"preferredUsernameAttr"`
		EmailSuffix           string `json:"emailSuffix"`
	} `json:"userSearch"`

	GroupSearch struct {
		BaseDN       string    `json:"baseDN"`
		Filter       string    `json:"filter"`
		Scope        string    `json:"scope"`
		UserMatchers []matcher `json:"userMatchers"`
		NameAttr     string    `json:"nameAttr"`
		// The older form of one matcher.
		UserAttr  string `json:"userAttr"`
		GroupAttr string `json:"groupAttr"`
	} `json:"groupSearch"`
}

// matcher says that a person is in a group if a value of UserAttr of the person is one of GroupAttr of the group. With
// RecursionGroupAttr groups are members of groups in the same way, by that attribute of theirs.
type matcher struct {
	UserAttr           string `json:"userAttr"`
	GroupAttr          string `json:"groupAttr"`
	RecursionGroupAttr string `json:"recursionGroupAttr"`
}

// dn is what a config calls the name of an entry where it names attributes.
const dn = "DN"

// Open reads the config of a block. The directory is not asked before somebody signs in.
func Open(b connector.Block) (*Connector, error) {
	c := &Connector{}
	if err := b.Decode(&c.block); err != nil {
		return nil, err
	}
	u, g := &c.block.UserSearch, &c.block.GroupSearch
	if err := b.Need("host", c.block.Host, "userSearch.baseDN", u.BaseDN, "userSearch.username", u.Username); err != nil {
		return nil, err
	}
	for field, scope := range map[string]string{"userSearch.scope": u.Scope, "groupSearch.scope": g.Scope} {
		if scope != "" && scope != "sub" && scope != "one" {
			return nil, b.Broken(field, "it is neither sub nor one", "write one of them")
		}
	}
	for field, filter := range map[string]string{"userSearch.filter": u.Filter, "groupSearch.filter": g.Filter} {
		if _, err := goldap.CompileFilter(filter); filter != "" && err != nil {
			return nil, b.Broken(field, "it is no LDAP filter: "+err.Error(), "write it like (objectClass=person)")
		}
	}
	c.defaults()
	if g.BaseDN != "" {
		for _, m := range g.UserMatchers {
			if err := b.Need("groupSearch.userMatchers.userAttr", m.UserAttr, "groupSearch.userMatchers.groupAttr", m.GroupAttr, "groupSearch.nameAttr", g.NameAttr); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if c.tls, err = c.tlsConfig(); err != nil {
		return nil, b.Broken("rootCA, clientCert or clientKey", err.Error(), "name files that are there, with certificates in PEM")
	}
	return c, nil
}

func (c *Connector) defaults() {
	u, g := &c.block.UserSearch, &c.block.GroupSearch
	u.IDAttr, u.EmailAttr = or(u.IDAttr, "uid"), or(u.EmailAttr, "mail")
	if len(g.UserMatchers) == 0 && (g.UserAttr != "" || g.GroupAttr != "") {
		g.UserMatchers = []matcher{{UserAttr: g.UserAttr, GroupAttr: g.GroupAttr}}
	}
	if _, _, err := net.SplitHostPort(c.block.Host); err == nil {
		c.address = c.block.Host
		return
	}
	port := "636"
	if c.block.InsecureNoSSL || c.block.StartTLS {
		port = "389"
	}
	c.address = net.JoinHostPort(strings.Trim(c.block.Host, "[]"), port)
}

func (c *Connector) tlsConfig() (*tls.Config, error) {
	host, _, _ := net.SplitHostPort(c.address)
	config := &tls.Config{ServerName: host, InsecureSkipVerify: c.block.InsecureSkipVerify, MinVersion: tls.VersionTLS12} //nolint:gosec // a documented setting
	roots := c.block.RootCAData
	if c.block.RootCA != "" {
		var err error
		if roots, err = os.ReadFile(c.block.RootCA); err != nil {
			return nil, err
		}
	}
	if len(roots) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(roots) {
			return nil, errors.New("it holds no certificate in PEM")
		}
	}
	if c.block.ClientCert != "" {
		pair, err := tls.LoadX509KeyPair(c.block.ClientCert, c.block.ClientKey)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
