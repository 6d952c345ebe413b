// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strconv"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Repository is an address and all that is needed to read it. It is comparable.
type Repository struct {
	URL     string
	Type    string // "git" or ""
	Project string // project that the credentials are scoped to; "" for all
	Name    string // as shown to people

	Username      string
	Password      fault.Secret
	BearerToken   fault.Secret
	SSHPrivateKey fault.Secret // PEM
	TLSClientCert string       // PEM
	TLSClientKey  fault.Secret // PEM

	CA         string // certificates in PEM that replace the system's for this host; "" for the system's
	KnownHosts string // lines of a known_hosts file

	Insecure              bool // do not verify the TLS certificate
	InsecureIgnoreHostKey bool // do not verify the SSH host key
	// ForceHTTPBasicAuth is accepted for compatibility: credentials are always sent without being asked for first.
	ForceHTTPBasicAuth bool

	Proxy, NoProxy string
	// Depth is accepted for compatibility: commits are always fetched without their history.
	Depth int

	unsupported string // kind of credentials that this version cannot use; see Credentials.For
}

// processKey makes Key useless outside of this process, so that a key in a log cannot be used to guess a password.
var processKey = func() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return key
}()

// Key names the mirror of the repository: equal for equal address, credentials, trust settings and project.
// It differs from process to process.
func (r Repository) Key() string { return r.digest(processKey) }

// digest hashes all that decides who may see a mirror. Another password is another mirror: whoever writes a wrong
// one must not read what somebody else fetched with the right one.
func (r Repository) digest(key []byte) string {
	h := hmac.New(sha256.New, key)
	for _, part := range []string{
		canonicalURL(r.URL), r.Project, r.Username, r.Password.Reveal(), r.BearerToken.Reveal(),
		r.SSHPrivateKey.Reveal(), r.TLSClientCert, r.TLSClientKey.Reveal(), r.CA, r.KnownHosts,
		strconv.FormatBool(r.Insecure), strconv.FormatBool(r.InsecureIgnoreHostKey),
	} {
		_, _ = io.WriteString(h, strconv.Itoa(len(part))+":"+part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// String returns the address without credentials.
func (r Repository) String() string { return fault.RedactURL(r.URL) }

// hasCredentials reports whether the repository says who is asking.
func (r Repository) hasCredentials() bool {
	return r.Username != "" || !r.Password.Empty() || !r.BearerToken.Empty() || !r.SSHPrivateKey.Empty() ||
		r.TLSClientCert != "" || r.unsupported != ""
}

// secrets returns the values that must not appear in any text.
func (r Repository) secrets() []string {
	values := []string{r.Password.Reveal(), r.BearerToken.Reveal()}
	if u, err := url.Parse(r.URL); err == nil && u.User != nil {
		password, _ := u.User.Password()
		values = append(values, password)
	}
	return slices.DeleteFunc(values, func(v string) bool { return len(v) < 3 })
}

// LogValue implements slog.LogValuer: the address without credentials.
func (r Repository) LogValue() slog.Value { return slog.StringValue(r.String()) }
