// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// remote is how one repository is asked: its checked address, its credentials, and the environment of git.
type remote struct {
	repo     Repository
	endpoint endpoint
	settings remoteSettings
	username string // of the repository or, if it has none, of the address
	password fault.Secret
}

// remoteSettings are those of the Store.
type remoteSettings struct {
	allowFile bool
	home      string // empty folder, HOME of every git
	scratch   string // folder for files that live as long as one command
	refuse    func(netip.Addr) bool
}

func newRemote(r Repository, settings remoteSettings) (*remote, error) {
	e, err := parseEndpoint(r.URL, settings.allowFile)
	if err != nil {
		return nil, err
	}
	if r.unsupported != "" {
		return nil, fault.New(fault.Stalled, "use", "repository "+r.String(), "", "its Secret holds "+r.unsupported+" credentials, which are not supported yet",
			"use username and password, bearerToken, sshPrivateKey or a TLS client certificate")
	}
	if e.scheme == "ssh" && r.KnownHosts == "" && !r.InsecureIgnoreHostKey {
		return nil, unreachable("use", r, ProblemHostKey, "no SSH host key is known")
	}
	out := &remote{repo: r, endpoint: e, settings: settings, username: r.Username, password: r.Password}
	if r.Username == "" && r.Password.Empty() && r.BearerToken.Empty() {
		out.username, out.password = e.username, fault.NewSecret(e.password)
	}
	return out, nil
}

// authorization returns the value of the Authorization header, or "".
func (r *remote) authorization() string {
	switch {
	case !r.repo.BearerToken.Empty():
		return "Bearer " + r.repo.BearerToken.Reveal()
	case r.username != "" || !r.password.Empty():
		pair := r.username + ":" + r.password.Reveal()
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	}
	return ""
}

// localEnv is the environment of a git that needs no remote and must not reach one.
func localEnv(home string) []string {
	return append(commonEnv(home), "GIT_ALLOW_PROTOCOL=none")
}

func commonEnv(home string) []string {
	env := []string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0",
	}
	for _, name := range []string{"PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// fsckLeniency are defects of old tools in commits' headers that hosts accept and that concern no file.
var fsckLeniency = []string{"badTimezone", "missingSpaceBeforeDate", "missingEmail", "missingNameBeforeEmail", "zeroPaddedDate", "zeroPaddedFilemode", "gitmodulesParse", "gitmodulesUrl"}

// env returns the environment for one git command that talks to the remote at base, and a function that removes
// the files it needs. Credentials are in the environment and in files of mode 0600, never in arguments; the address is
// in the environment too, so it can never be taken for an option.
func (r *remote) env(ctx context.Context, base string) (env []string, cleanUp func(), err error) {
	files := &scratch{dir: r.settings.scratch}
	defer func() {
		if err != nil {
			files.remove()
		}
	}()
	settings := [][2]string{
		{"remote.origin.url", base}, {"protocol.version", "2"}, {"core.hooksPath", os.DevNull}, {"credential.helper", ""},
		{"transfer.fsckObjects", "true"}, {"fetch.unpackLimit", "1"}, {"fetch.writeCommitGraph", "false"},
		{"gc.auto", "0"}, {"maintenance.auto", "false"}, {"submodule.recurse", "false"},
	}
	for _, defect := range fsckLeniency {
		settings = append(settings, [2]string{"fetch.fsck." + defect, "warn"})
	}
	env = append(commonEnv(r.settings.home), "GIT_ALLOW_PROTOCOL="+r.endpoint.scheme)
	switch r.endpoint.scheme {
	case "https", "http":
		more, err := r.httpSettings(ctx, files)
		if err != nil {
			return nil, nil, err
		}
		settings = append(settings, more...)
		env = append(env, r.proxyEnv()...)
	case "ssh":
		if err := r.checkAddress(ctx); err != nil {
			return nil, nil, err
		}
		line, err := r.sshCommand(files)
		if err != nil {
			return nil, nil, err
		}
		env = append(env, "GIT_SSH_COMMAND="+line, "GIT_SSH_VARIANT=ssh")
	case "file":
		settings = append(settings, [2]string{"safe.directory", "*"})
	}
	env = append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings)))
	for i, s := range settings {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, s[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, s[1]))
	}
	return env, files.remove, nil
}

func (r *remote) httpSettings(ctx context.Context, files *scratch) ([][2]string, error) {
	settings := [][2]string{{"http.followRedirects", "false"}, {"http.lowSpeedLimit", "1000"}, {"http.lowSpeedTime", "30"}}
	if header := r.authorization(); header != "" {
		settings = append(settings, [2]string{"http.extraHeader", "Authorization: " + header})
	}
	if r.repo.Insecure {
		settings = append(settings, [2]string{"http.sslVerify", "false"})
	}
	for _, file := range []struct{ key, content string }{
		{"http.sslCAInfo", r.repo.CA}, {"http.sslCert", r.repo.TLSClientCert}, {"http.sslKey", r.repo.TLSClientKey.Reveal()},
	} {
		if file.content == "" {
			continue
		}
		path, err := files.add(file.content)
		if err != nil {
			return nil, err
		}
		settings = append(settings, [2]string{file.key, path})
	}
	if r.repo.Proxy != "" {
		return append(settings, [2]string{"http.proxy", r.repo.Proxy}), nil
	}
	pinned, err := r.pin(ctx)
	if err != nil || pinned == "" {
		return settings, err
	}
	return append(settings, [2]string{"http.curloptResolve", pinned}), nil
}

// proxyEnv hands proxy settings on: the repository's own, or those of the process.
func (r *remote) proxyEnv() []string {
	if r.repo.Proxy != "" {
		return []string{"NO_PROXY=" + r.repo.NoProxy, "no_proxy=" + r.repo.NoProxy}
	}
	var env []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// pin looks the host up, refuses forbidden addresses, and returns the setting that makes curl connect to what was
// checked: a name that changes its answer between check and use gains nothing.
func (r *remote) pin(ctx context.Context) (string, error) {
	if _, err := netip.ParseAddr(r.endpoint.host); err == nil || len(r.environmentProxies()) > 0 {
		return "", r.checkAddress(ctx)
	}
	addresses, err := r.lookUp(ctx)
	if err != nil {
		return "", err
	}
	port := r.endpoint.port
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[r.endpoint.scheme]
	}
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		if texts[i] = a.String(); a.Is6() {
			texts[i] = "[" + texts[i] + "]"
		}
	}
	return r.endpoint.host + ":" + port + ":" + strings.Join(texts, ","), nil
}

func (r *remote) environmentProxies() []string {
	var out []string
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		if value := os.Getenv(name); value != "" {
			out = append(out, value)
		}
	}
	return out
}

// checkAddress refuses hosts whose address is forbidden. Behind a proxy the proxy decides.
func (r *remote) checkAddress(ctx context.Context) error {
	if r.endpoint.scheme != "ssh" && len(r.environmentProxies()) > 0 {
		return nil
	}
	_, err := r.lookUp(ctx)
	return err
}

func (r *remote) lookUp(ctx context.Context) ([]netip.Addr, error) {
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", r.endpoint.host)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var dns *net.DNSError
		if errors.As(err, &dns) {
			return nil, unreachable("look up", r.repo, ProblemNetwork, "the name of the host "+r.endpoint.host+" is not known here: "+dns.Err)
		}
		return nil, unreachable("look up", r.repo, ProblemNetwork, err.Error())
	}
	for i, a := range addresses {
		addresses[i] = a.Unmap()
		if r.settings.refuse(addresses[i]) {
			return nil, unreachable("use", r.repo, ProblemAddress, "the host's address "+addresses[i].String()+" is not one a repository may have")
		}
	}
	return addresses, nil
}

// refuseLocal refuses the addresses behind which clouds answer with credentials of the machine (link-local), and
// those that are no host at all.
func refuseLocal(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || a == netip.MustParseAddr("fd00:ec2::254")
}

// sshCommand returns the ssh that git is to run: no configuration, no agent, this key only, known hosts only.
func (r *remote) sshCommand(files *scratch) (string, error) {
	options := []string{
		"ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "GlobalKnownHostsFile=" + os.DevNull,
		"-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=2", "-o", "UpdateHostKeys=no", "-o", "LogLevel=ERROR",
		"-o", "PasswordAuthentication=no", "-o", "KbdInteractiveAuthentication=no", "-o", "ClearAllForwardings=yes", "-o", "ProxyCommand=none",
	}
	if r.repo.InsecureIgnoreHostKey {
		options = append(options, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile="+os.DevNull)
	} else {
		path, err := files.add(r.repo.KnownHosts)
		if err != nil {
			return "", err
		}
		options = append(options, "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile="+path)
	}
	if key := r.repo.SSHPrivateKey.Reveal(); key != "" {
		path, err := files.add(strings.TrimRight(strings.ReplaceAll(key, "\r\n", "\n"), "\n") + "\n")
		if err != nil {
			return "", err
		}
		options = append(options, "-i", path)
	} else {
		options = append(options, "-o", "IdentityFile=none")
	}
	for i, o := range options {
		options[i] = "'" + strings.ReplaceAll(o, "'", `'\''`) + "'"
	}
	return strings.Join(options, " "), nil
}

// scratch are files that live as long as one command.
type scratch struct {
	dir   string
	paths []string
}

func (s *scratch) add(content string) (string, error) {
	f, err := os.CreateTemp(s.dir, "") // mode 0600
	if err != nil {
		return "", err
	}
	s.paths = append(s.paths, f.Name())
	_, err = f.WriteString(content)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(f.Name())
}

func (s *scratch) remove() {
	for _, path := range s.paths {
		_ = os.Remove(path)
	}
}
