// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/tls"
	"errors"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/internal/fault"
)

// parseSecret reads a Secret of a repository or a template. With an error that concerns another key than the url, the
// Repository still says which address and project the Secret is for.
func parseSecret(s *corev1.Secret) (Repository, error) {
	text := func(key string) string { return strings.TrimSpace(string(s.Data[key])) }
	value := func(key string) fault.Secret { return fault.NewSecret(strings.TrimRight(string(s.Data[key]), "\r\n")) }
	r := Repository{
		URL: text("url"), Type: text("type"), Project: text("project"), Name: text("name"),
		Username: text("username"), Password: value("password"), BearerToken: value("bearerToken"),
		SSHPrivateKey: fault.NewSecret(string(s.Data["sshPrivateKey"])),
		TLSClientCert: string(s.Data["tlsClientCertData"]), TLSClientKey: fault.NewSecret(string(s.Data["tlsClientCertKey"])),
		Proxy: text("proxy"), NoProxy: text("noProxy"),
	}
	switch {
	case r.URL == "":
		return Repository{}, unusable(s, "url", "it has no url", "set the address of the repository")
	case newline.MatchString(r.URL):
		return Repository{}, unusable(s, "url", "it holds a control character", "write one address in one line")
	}
	for _, parse := range []func(*corev1.Secret, *Repository) error{parseFlags, parsePlain, parseKeys, parseProxy, parseGitHubApp, parseGoogleAccount, parseAzureIdentity} {
		if err := parse(s, &r); err != nil {
			return Repository{URL: r.URL, Type: r.Type, Project: r.Project, Name: r.Name}, err
		}
	}
	return r, nil
}

func parseFlags(s *corev1.Secret, r *Repository) error {
	var ignored bool
	for _, flag := range []struct {
		key    string
		target *bool
	}{
		{"insecure", &r.Insecure}, {"insecureIgnoreHostKey", &r.InsecureIgnoreHostKey}, {"forceHttpBasicAuth", &r.ForceHTTPBasicAuth},
		{"enableLfs", &r.EnableLFS}, {"enableOCI", &r.EnableOCI}, {"insecureOCIForceHttp", &r.InsecureOCIForceHTTP},
		{"useAzureWorkloadIdentity", &r.Azure.Workload},
		{"webhookManifestCacheWarmDisabled", &ignored}, // there is no cache to warm: a webhook renders what it concerns
	} {
		text := strings.TrimSpace(string(s.Data[flag.key]))
		if text == "" {
			continue
		}
		value, err := strconv.ParseBool(text)
		if err != nil {
			return unusable(s, flag.key, "it is neither true nor false", `write "true" or "false"`)
		}
		*flag.target = value
	}
	return nil
}

// parsePlain checks what is text.
func parsePlain(s *corev1.Secret, r *Repository) error {
	if !slices.Contains([]string{"", KindGit, KindHelm, KindOCI}, r.Type) {
		r.Type = "" // nobody knows what it is for
		return unusable(s, "type", "there is no such type", "write git, helm or oci")
	}
	for _, field := range []struct{ key, value string }{
		{"username", r.Username}, {"password", r.Password.Reveal()}, {"bearerToken", r.BearerToken.Reveal()}, {"noProxy", r.NoProxy}, {"project", r.Project},
	} {
		if newline.MatchString(field.value) {
			return unusable(s, field.key, "it holds a control character, such as the end of a line", "write it in one line")
		}
	}
	if depth := strings.TrimSpace(string(s.Data["depth"])); depth != "" {
		n, err := strconv.Atoi(depth)
		if err != nil || n < 0 {
			return unusable(s, "depth", "it is not a number", "write a number of commits, or leave it out")
		}
		r.Depth = n
	}
	return nil
}

// parseProxy checks the address of a proxy, which is given to git too. What is wrong is said without quoting it.
func parseProxy(s *corev1.Secret, r *Repository) error {
	var bad *fault.Error
	if r.Proxy != "" && errors.As(checkProxy(*r), &bad) {
		return unusable(s, "proxy", bad.Err.Error(), bad.Fix)
	}
	return nil
}

func parseKeys(s *corev1.Secret, r *Repository) error {
	if r.TLSClientCert != "" || !r.TLSClientKey.Empty() {
		if _, err := tls.X509KeyPair([]byte(r.TLSClientCert), []byte(r.TLSClientKey.Reveal())); err != nil {
			return unusable(s, "tlsClientCertData", "the certificate and the key tlsClientCertKey do not fit together or are not PEM", "set both, in PEM")
		}
	}
	var locked *ssh.PassphraseMissingError
	if key := r.SSHPrivateKey.Reveal(); key != "" {
		// ssh knows more kinds of keys than this package: it judges all else.
		if _, err := ssh.ParseRawPrivateKey([]byte(key)); errors.As(err, &locked) {
			return unusable(s, "sshPrivateKey", "the key is locked with a passphrase", "set a key without one: nobody is there to type it")
		}
	}
	return nil
}
