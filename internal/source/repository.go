// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Kinds of repositories, as the key type of a Secret names them.
const (
	KindGit  = "git"
	KindHelm = "helm"
	KindFile = "file" // of what is asked for, never of a Secret
	KindOCI  = "oci"
)

// Repository is an address and all that is needed to read it. It is comparable.
type Repository struct {
	URL     string
	Type    string // KindGit, KindHelm, KindOCI, or "" for what its Secret leaves open
	Project string // project that the credentials are scoped to; "" for all
	// Declared says that a `repository` Secret names this address, whatever else it holds.
	Declared bool
	Name     string // as shown to people, and as chart dependencies name it (see Credentials.ByName)

	Username      string
	Password      fault.Secret
	BearerToken   fault.Secret
	SSHPrivateKey fault.Secret // PEM
	TLSClientCert string       // PEM
	TLSClientKey  fault.Secret // PEM

	// Who asks where access is given by tokens that end. At most one of them is set; a password or a bearer token
	// goes before them.
	GitHubApp GitHubApp
	Google    GoogleAccount
	Azure     AzureIdentity

	CA         string // certificates in PEM that replace the system's for this host; "" for the system's
	TokenCA    string // the same for the host that gives out tokens
	KnownHosts string // lines of a known_hosts file, those that can concern this host

	Insecure              bool // verify neither the TLS certificate nor the SSH host key
	InsecureIgnoreHostKey bool // do not verify the SSH host key
	InsecureOCIForceHTTP  bool // talk to the registry without TLS
	// ForceHTTPBasicAuth is accepted for compatibility: credentials are always sent without being asked for first.
	ForceHTTPBasicAuth bool

	EnableLFS bool // replace pointers of Git LFS by the files they stand for
	EnableOCI bool // a chart repository is an OCI registry

	Proxy, NoProxy string // see proxyFor
	// Depth is accepted for compatibility: commits are always fetched without their history.
	Depth int
}

// exposes reports whether whoever runs the proxy that the repository of a project names would see what it is read with: nobody
// checks that it is the host that answers.
func (r Repository) exposes() bool {
	plain := r.InsecureOCIForceHTTP || strings.HasPrefix(strings.ToLower(strings.TrimSpace(r.URL)), "http://")
	return r.Project != "" && r.Proxy != "" && (plain || r.Insecure)
}

// processKey makes Key useless outside of this process, so that a key in a log cannot be used to guess a password.
var processKey = func() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return key
}()

// Key names the mirror of the repository: equal for equal address, credentials, way there, trust settings and project.
// It differs from process to process.
func (r Repository) Key() string { return r.digest(processKey) }

// digest hashes all that decides who may see a mirror and how it is reached. Another password is another mirror:
// whoever writes a wrong one must not read what somebody else fetched with the right one. Of identities whose tokens end it
// holds the identity and never a token, so a new token is no new mirror.
func (r Repository) digest(key []byte) string {
	return digestOf(key, slices.Concat([]string{
		canonicalURL(r.URL), r.Project, r.Username, r.Password.Reveal(), r.BearerToken.Reveal(),
		r.SSHPrivateKey.Reveal(), r.TLSClientCert, r.TLSClientKey.Reveal(), r.CA, r.TokenCA, r.KnownHosts, r.Proxy, r.NoProxy,
		strconv.FormatBool(r.Insecure), strconv.FormatBool(r.InsecureIgnoreHostKey), strconv.FormatBool(r.InsecureOCIForceHTTP),
		strconv.FormatBool(r.EnableLFS),
	}, r.GitHubApp.parts(), r.Google.parts(), r.Azure.parts())...)
}

// digestOf hashes parts so that no two lists of parts give the same.
func digestOf(key []byte, parts ...string) string {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		_, _ = io.WriteString(h, strconv.Itoa(len(part))+":"+part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// String returns the address without credentials.
func (r Repository) String() string { return fault.RedactURL(r.URL) }

// LogValue implements slog.LogValuer: the address without credentials.
func (r Repository) LogValue() slog.Value { return slog.StringValue(r.String()) }

// GoString and MarshalText give no more away than String: the address of a repository or of its proxy may hold a password.
func (r Repository) GoString() string { return strconv.Quote(r.String()) }

// MarshalText implements encoding.TextMarshaler.
func (r Repository) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// hasCredentials reports whether the repository says who is asking.
func (r Repository) hasCredentials() bool {
	return r.Username != "" || !r.Password.Empty() || !r.BearerToken.Empty() || !r.SSHPrivateKey.Empty() ||
		r.TLSClientCert != "" || r.GitHubApp != GitHubApp{} || r.Google != GoogleAccount{} || r.Azure != AzureIdentity{}
}

// insecureHostKey reports whether the SSH host key is taken as it comes. As in Argo CD, `insecure` says so too.
func (r Repository) insecureHostKey() bool { return r.InsecureIgnoreHostKey || r.Insecure }

// Warnings says what of a repository's settings lets somebody on the way read or change what is deployed, a sentence for
// each; none for a repository whose server is verified.
func (r Repository) Warnings() []string {
	var out []string
	scheme, host := "", hostOf(r.URL)
	if e, err := parseEndpoint(r.URL, true); err == nil {
		scheme, host = e.scheme, e.host
	}
	address, err := netip.ParseAddr(host)
	local := err == nil && address.IsLoopback() || host == "localhost"
	switch {
	case (scheme == "http" || r.InsecureOCIForceHTTP) && !local:
		out = append(out, "it is read without encryption: anyone on the way can read its credentials and change what is deployed; use https")
	case scheme == "ssh" && r.insecureHostKey():
		out = append(out, "the SSH host key is not checked: anyone on the way can answer for the host; add the host's key to argocd-ssh-known-hosts-cm and remove insecureIgnoreHostKey and insecure")
	case scheme != "ssh" && r.Insecure:
		out = append(out, "the TLS certificate is not checked: anyone on the way can answer for the host; add its authority to argocd-tls-certs-cm and remove insecure")
	}
	return out
}

// secrets returns the values that must not appear in any text.
func (r Repository) secrets() []string {
	values := login{username: r.Username, password: r.Password}.secrets()
	for _, secret := range []fault.Secret{r.BearerToken, r.SSHPrivateKey, r.TLSClientKey, r.GitHubApp.PrivateKey, r.Google.PrivateKey, r.Azure.ClientSecret} {
		values = append(values, secret.Reveal())
	}
	for _, address := range []string{r.URL, r.Proxy} {
		if u, err := url.Parse(address); err == nil && u.User != nil {
			password, _ := u.User.Password()
			values = append(values, password, u.User.String())
			_, escaped, _ := strings.Cut(u.User.String(), ":")
			values = append(values, escaped)
		}
	}
	return values
}

// login is what a server is told about who asks.
type login struct {
	username string
	password fault.Secret
	bearer   fault.Secret // instead of the two above
	issued   bool         // the password or bearer is a token of an issuer: see tokens
}

// header returns the value of the Authorization header; "" if nothing is to be told.
func (l login) header() string {
	switch {
	case !l.bearer.Empty():
		return "Bearer " + l.bearer.Reveal()
	case l.username != "" || !l.password.Empty():
		return "Basic " + l.basic()
	}
	return ""
}

func (l login) basic() string {
	return base64.StdEncoding.EncodeToString([]byte(l.username + ":" + l.password.Reveal()))
}

// secrets returns what must not appear in any text, in the forms in which a server may send it back.
func (l login) secrets() []string {
	values := []string{l.bearer.Reveal()}
	if password := l.password.Reveal(); password != "" {
		values = append(values, l.basic(), password, url.QueryEscape(password), url.PathEscape(password))
	}
	return values
}

// redact removes values from a text, the longest first: one may hold another. What is shorter than three bytes is no secret,
// and would be found everywhere.
func redact(text string, values []string) string {
	longest := slices.SortedFunc(slices.Values(values), func(a, b string) int { return len(b) - len(a) })
	for _, value := range longest {
		if len(value) >= 3 {
			text = strings.ReplaceAll(text, value, "[redacted]")
		}
	}
	return text
}
