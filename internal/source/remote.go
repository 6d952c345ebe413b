// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// remote is how one repository is asked: its checked address, its credentials, and the environment of git.
type remote struct {
	repo     Repository
	endpoint endpoint
	settings remoteSettings
	proxy    *url.URL // nil for none
}

// remoteSettings are those of the Store.
type remoteSettings struct {
	allowFile bool
	home      string // empty folder, HOME of every git
	scratch   string // folder for files that live as long as one command
	refuse    func(netip.Addr) bool
	tokens    *tokens
}

func newRemote(r Repository, settings remoteSettings) (*remote, error) {
	e, err := parseEndpoint(r.URL, settings.allowFile)
	if err != nil {
		return nil, err
	}
	out := &remote{repo: r, endpoint: e, settings: settings}
	if e.scheme == "ssh" && r.KnownHosts == "" && !r.insecureHostKey() {
		return nil, unreachable("use", r, ProblemHostKey, "no SSH host key of "+e.host+" is known")
	}
	if e.scheme == "file" {
		return out, nil
	}
	if e.scheme == "ssh" && r.SSHPrivateKey.Empty() && r.issuer() != nil {
		return nil, fault.New(fault.Mistake, "use", "repository "+r.String(), "", "its Secret holds an identity that gives access over https, and this address is for SSH",
			"use the https address of the repository, or set sshPrivateKey")
	}
	if err := out.checkNumber(); err != nil {
		return nil, err
	}
	return out, out.chooseProxy()
}

// checkNumber refuses forbidden addresses that stand in the URL as numbers, before anybody, a proxy for instance, is
// asked for them. Names are checked when they are looked up.
func (r *remote) checkNumber() error {
	if a, err := netip.ParseAddr(r.endpoint.host); err == nil && r.settings.refuse(a) {
		return unreachable("use", r.repo, ProblemAddress, "the host's address "+a.String()+" is not one a repository may have")
	}
	return nil
}

// chooseProxy decides whether there is a proxy on the way: here for git and for us, whose own rules differ.
func (r *remote) chooseProxy() error {
	p, err := newProxies(r.repo)
	if err != nil {
		return err
	}
	target := &url.URL{Scheme: "https", Host: net.JoinHostPort(r.endpoint.host, r.endpoint.port)}
	if r.endpoint.port == "" {
		target.Host = bracketed(r.endpoint.host)
	}
	if r.endpoint.overHTTP() {
		target.Scheme = r.endpoint.scheme
	}
	if r.proxy, err = p.choose(target); err != nil {
		return fault.New(fault.Stalled, "use", "the proxy for repository "+r.repo.String(), "", "its address cannot be read", "write HTTP_PROXY and HTTPS_PROXY as http://host:port")
	}
	if r.endpoint.scheme != "ssh" {
		return nil
	}
	if r.repo.Proxy == "" {
		r.proxy = nil // the environment's proxies are for HTTP
	}
	if r.proxy != nil && !strings.HasPrefix(r.proxy.Scheme, "socks5") {
		return fault.New(fault.Mistake, "use", "repository "+r.repo.String(), "data.proxy of its Secret", "SSH goes through SOCKS5 proxies only",
			"use a socks5:// proxy or the https address of the repository, name the host in noProxy, or remove the proxy")
	}
	return nil
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// login returns what the server is to be told. Errors are those of tokens.login.
func (r *remote) login(ctx context.Context) (login, error) {
	if r.repo.issuer() != nil {
		return r.settings.tokens.login(ctx, r.repo)
	}
	l := login{username: r.repo.Username, password: r.repo.Password, bearer: r.repo.BearerToken}
	if l == (login{}) {
		l = login{username: r.endpoint.username, password: fault.NewSecret(r.endpoint.password)}
	}
	return l, nil
}

// localEnv is the environment of a git that needs no remote and must not reach one.
func localEnv(home string) []string {
	return append(commonEnv(home, os.DevNull), "GIT_ALLOW_PROTOCOL=none")
}

// commonEnv is what every git gets. config is the file of its settings.
func commonEnv(home, config string) []string {
	env := []string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + config,
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

// environment is what one git command that talks to a repository is run with.
type environment struct {
	vars  []string
	login login // what the server will be told
	files *scratch
}

// environment makes the environment for one git command that talks to the remote at base. Credentials are in files of
// mode 0600 that live as long as the command, never in arguments and never in the environment, which other
// processes of this user can read; the address is in the environment, so it can never be taken for an option.
func (r *remote) environment(ctx context.Context, base string) (e environment, err error) {
	e.files = &scratch{dir: r.settings.scratch}
	defer func() {
		if err != nil {
			e.files.remove()
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
	config, more := os.DevNull, []string{"GIT_ALLOW_PROTOCOL=" + r.endpoint.scheme}
	switch r.endpoint.scheme {
	case "https", "http":
		if e.login, err = r.login(ctx); err != nil {
			return e, loginError(r.repo, err)
		}
		secret, open, err := r.httpSettings(ctx, e.login, e.files)
		if err != nil {
			return e, err
		}
		settings = append(settings, open...)
		if config, err = e.files.add(settingsFile(secret)); err != nil {
			return e, err
		}
	case "ssh":
		if err := r.openWay(ctx, e.files); err != nil {
			return e, err
		}
		line, err := r.sshCommand(e.files)
		if err != nil {
			return e, err
		}
		more = append(more, "GIT_SSH_COMMAND="+line, "GIT_SSH_VARIANT=ssh")
	case "file":
		settings = append(settings, [2]string{"safe.directory", "*"})
	}
	e.vars = append(commonEnv(r.settings.home, config), more...)
	e.vars = append(e.vars, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings)))
	for i, s := range settings {
		e.vars = append(e.vars, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, s[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, s[1]))
	}
	return e, nil
}

// talkTo runs one git command that talks to a repository, when there is a place for it. If the server refuses a token
// that may have ended before its time, the command is run once more with a new one.
func (s *Store) talkTo(ctx context.Context, r *remote, base string, c command) (outcome, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return outcome{err: context.Cause(ctx)}, nil
	}
	own := c.env
	for attempt := 0; ; attempt++ {
		e, err := r.environment(ctx, base)
		if err != nil {
			return outcome{}, err
		}
		c.env = slices.Concat(e.vars, own)
		o := run(ctx, c)
		e.files.remove()
		if failure := e.files.tunnel.failure(); failure != nil && ctx.Err() == nil {
			return outcome{}, unreachable("reach", r.repo, ProblemNetwork, "through its proxy: "+failure.Error())
		}
		o.stderr = redact(o.stderr, e.login.secrets()) // a server may send back what it was told
		if o.err == nil || attempt > 0 || ctx.Err() != nil || diagnose(o.stderr) != ProblemAuth || !s.tokens.refused(r.repo, e.login) {
			return o, nil
		}
	}
}

// lookUp returns the addresses of the host; a forbidden one is an error.
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

// scratch is what lives as long as one command: files, and the way through a proxy if there is one.
type scratch struct {
	dir    string
	paths  []string
	tunnel *tunnel
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
	if s.tunnel != nil {
		s.tunnel.close()
	}
	for _, path := range s.paths {
		_ = os.Remove(path)
	}
}
