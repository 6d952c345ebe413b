// SPDX-License-Identifier: Apache-2.0

// Package saml signs people in at a SAML 2.0 identity provider, as Dex's connector of the type saml does: the browser posts our
// request there and posts the provider's answer here. An answer counts if it is signed with a certificate of the settings, is for us,
// and answers the very request that this browser was sent away with.
package saml

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"

	"github.com/bowline-cd/bowline/internal/auth/connector"
)

// block is the config of the connector: https://dexidp.io/docs/connectors/saml/
type block struct {
	SSOURL                          string   `json:"ssoURL"`
	SSOIssuer                       string   `json:"ssoIssuer"`
	EntityIssuer                    string   `json:"entityIssuer"`
	CA                              string   `json:"ca"`
	CAData                          []byte   `json:"caData"`
	InsecureSkipSignatureValidation bool     `json:"insecureSkipSignatureValidation"`
	UsernameAttr                    string   `json:"usernameAttr"`
	EmailAttr                       string   `json:"emailAttr"`
	GroupsAttr                      string   `json:"groupsAttr"`
	GroupsDelim                     string   `json:"groupsDelim"`
	AllowedGroups                   []string `json:"allowedGroups"`
	FilterGroups                    bool     `json:"filterGroups"`
	NameIDPolicyFormat              string   `json:"nameIDPolicyFormat"`
}

// maxAnswer is the largest answer that is read.
const maxAnswer = 1 << 20

// formats are the forms of a NameID that may be asked for; settings may name them by their last word.
var formats = []string{
	"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
	"urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName", "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName",
	"urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity",
	"urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
	"urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
}

// Connector asks one provider. It cannot be asked for a person again: SAML has no way to do so without their browser.
type Connector struct {
	block    block
	certs    []*x509.Certificate
	redirect url.URL
	format   string
}

var _ connector.Redirect = (*Connector)(nil)

// Open reads the config of a block. redirect is where the provider posts its answer: <url>/api/dex/callback.
func Open(b connector.Block, redirect string) (*Connector, error) {
	c := &Connector{}
	if err := b.Decode(&c.block); err != nil {
		return nil, err
	}
	if err := b.Need("ssoURL", c.block.SSOURL, "usernameAttr", c.block.UsernameAttr, "emailAttr", c.block.EmailAttr); err != nil {
		return nil, err
	}
	if c.block.InsecureSkipSignatureValidation {
		return nil, b.Broken("insecureSkipSignatureValidation", "unsigned answers are never accepted: anybody could write them", "give the provider's certificate as ca or caData")
	}
	at, err := url.Parse(redirect)
	if err != nil {
		return nil, fmt.Errorf("the address of the callback: %w", err)
	}
	c.redirect = *at
	i := slices.IndexFunc(formats, func(f string) bool {
		want := c.block.NameIDPolicyFormat
		return f == want || want == "" && strings.HasSuffix(f, ":persistent") || want != "" && strings.HasSuffix(f, ":"+want)
	})
	if i < 0 {
		return nil, b.Broken("nameIDPolicyFormat", "there is no such format", "name one such as persistent or emailAddress")
	}
	c.format = formats[i]
	if c.certs, err = c.certificates(); err != nil {
		return nil, b.Broken("ca or caData", err.Error(), "give the certificate that the provider signs with, in PEM")
	}
	return c, nil
}

func (c *Connector) certificates() ([]*x509.Certificate, error) {
	data := c.block.CAData
	if c.block.CA != "" {
		var err error
		if data, err = os.ReadFile(c.block.CA); err != nil {
			return nil, err
		}
	}
	var out []*x509.Certificate
	for len(data) > 0 {
		var p *pem.Block
		if p, data = pem.Decode(data); p == nil {
			break
		}
		cert, err := x509.ParseCertificate(p.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, cert)
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no certificate")
	}
	return out, nil
}

// provider describes both sides to the library. issuer is what the provider calls itself.
func (c *Connector) provider(issuer string) *crewjam.ServiceProvider {
	var keys []crewjam.KeyDescriptor
	for _, cert := range c.certs {
		keys = append(keys, crewjam.KeyDescriptor{Use: "signing", KeyInfo: crewjam.KeyInfo{X509Data: crewjam.X509Data{
			X509Certificates: []crewjam.X509Certificate{{Data: base64.StdEncoding.EncodeToString(cert.Raw)}},
		}}})
	}
	entity := c.block.EntityIssuer
	if entity == "" {
		entity = c.redirect.String()
	}
	return &crewjam.ServiceProvider{
		EntityID: entity, AcsURL: c.redirect, MetadataURL: c.redirect, AuthnNameIDFormat: crewjam.NameIDFormat(c.format),
		IDPMetadata: &crewjam.EntityDescriptor{
			EntityID: issuer, IDPSSODescriptors: []crewjam.IDPSSODescriptor{{SSODescriptor: crewjam.SSODescriptor{RoleDescriptor: crewjam.RoleDescriptor{KeyDescriptors: keys}}}},
		},
	}
}

// Begin implements connector.Redirect.
func (c *Connector) Begin(_ context.Context, state string) (connector.Departure, error) {
	request, err := c.provider(c.block.SSOIssuer).MakeAuthenticationRequest(c.block.SSOURL, crewjam.HTTPPostBinding, crewjam.HTTPPostBinding)
	if err != nil {
		return connector.Departure{}, err
	}
	doc := etree.NewDocument()
	doc.SetRoot(request.Element())
	data, err := doc.WriteToBytes()
	if err != nil {
		return connector.Departure{}, err
	}
	return connector.Departure{
		URL:    c.block.SSOURL,
		Fields: map[string]string{"SAMLRequest": base64.StdEncoding.EncodeToString(data), "RelayState": state},
		Memo:   []byte(request.ID),
	}, nil
}

// Finish implements connector.Redirect: the memo is the id of the request that has to be answered.
func (c *Connector) Finish(r *http.Request, memo []byte) (connector.Identity, error) {
	if r.Method != http.MethodPost {
		return connector.Identity{}, errors.New("the provider has to send its answer by the HTTP-POST binding")
	}
	return c.read(r.PostFormValue("SAMLResponse"), string(memo))
}

// read verifies an answer in base64 to the request of that id.
func (c *Connector) read(encoded, requestID string) (connector.Identity, error) {
	if len(encoded) > maxAnswer {
		return connector.Identity{}, errors.New("the provider's answer is too large")
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return connector.Identity{}, errors.New("the provider's answer is not in base64")
	}
	if bytes.Contains(data, []byte("<!DOCTYPE")) {
		return connector.Identity{}, errors.New("the provider's answer declares a document type, which SAML has no use for")
	}
	issuer := c.block.SSOIssuer
	if issuer == "" {
		// Without ssoIssuer whoever holds the certificate's key is the provider, whatever it calls itself.
		issuer = claimedIssuer(data)
	}
	assertion, err := c.provider(issuer).ParseXMLResponse(data, []string{requestID}, c.redirect)
	if err != nil {
		var invalid *crewjam.InvalidResponseError
		if errors.As(err, &invalid) {
			err = invalid.PrivateErr
		}
		return connector.Identity{}, fmt.Errorf("the provider's answer is refused: %w", err)
	}
	return c.identity(assertion)
}

// claimedIssuer is what an answer says of who made it, before anything is verified.
func claimedIssuer(data []byte) string {
	doc := etree.NewDocument()
	if doc.ReadFromBytes(data) != nil || doc.Root() == nil {
		return ""
	}
	for _, path := range []string{"./Assertion/Issuer", "./Issuer"} {
		if e := doc.Root().FindElement(path); e != nil {
			return e.Text()
		}
	}
	return ""
}

// identity reads a verified assertion.
func (c *Connector) identity(a *crewjam.Assertion) (connector.Identity, error) {
	if a.Subject == nil || a.Subject.NameID == nil || a.Subject.NameID.Value == "" {
		return connector.Identity{}, errors.New("the provider's answer has no NameID")
	}
	who := connector.Identity{UserID: a.Subject.NameID.Value, EmailVerified: true}
	for _, need := range []struct {
		attribute string
		into      *string
	}{{c.block.EmailAttr, &who.Email}, {c.block.UsernameAttr, &who.Name}} {
		found := attribute(a, need.attribute)
		if len(found) == 0 || found[0] == "" {
			return who, fmt.Errorf("the provider's answer has no attribute %q; it has %s", need.attribute, strings.Join(attributes(a), ", "))
		}
		*need.into = found[0]
	}
	if c.block.GroupsAttr == "" {
		return who, nil
	}
	who.Groups = attribute(a, c.block.GroupsAttr)
	if c.block.GroupsDelim != "" && len(who.Groups) > 0 {
		who.Groups = strings.Split(who.Groups[0], c.block.GroupsDelim)
	}
	if len(c.block.AllowedGroups) == 0 {
		return who, nil
	}
	allowed := slices.DeleteFunc(slices.Clone(who.Groups), func(g string) bool { return !slices.Contains(c.block.AllowedGroups, g) })
	if len(allowed) == 0 {
		return who, errors.New("the person is in no group of allowedGroups")
	}
	if c.block.FilterGroups {
		who.Groups = allowed
	}
	return who, nil
}

// attribute returns the values of an attribute by its name, or else by its friendly name.
func attribute(a *crewjam.Assertion, name string) []string {
	for _, friendly := range []bool{false, true} {
		var out []string
		found := false
		for _, statement := range a.AttributeStatements {
			for _, attr := range statement.Attributes {
				if attr.Name == name && !friendly || friendly && attr.FriendlyName == name {
					found = true
					for _, v := range attr.Values {
						out = append(out, v.Value)
					}
				}
			}
		}
		if found {
			return out
		}
	}
	return nil
}

func attributes(a *crewjam.Assertion) []string {
	var out []string
	for _, statement := range a.AttributeStatements {
		for _, attr := range statement.Attributes {
			out = append(out, attr.Name)
		}
	}
	return out
}
