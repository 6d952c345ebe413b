// SPDX-License-Identifier: Apache-2.0

package session

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/contexts"
)

// Server is what the flags say about the server. The flags are Argo CD's.
type Server struct {
	// Config is the file of contexts, ContextName one of them.
	Config, ContextName string
	Address             string
	PlainText, Insecure bool
	// CAFile, CertFile and KeyFile are PEM files.
	CAFile, CertFile, KeyFile string
	Token                     string
	GRPCWeb                   bool
	RootPath                  string
	Headers                   []string
	Retries                   int
	Core                      bool
	Prompts                   bool
	// LogFormat and LogLevel are taken from those who have them in ARGOCD_OPTS, and mean nothing: a command writes no log.
	LogFormat, LogLevel string
}

// BindServer adds the flags that choose the server. BOWLINE_SERVER, BOWLINE_AUTH_TOKEN and BOWLINE_OPTS stand in for flags that
// are absent, and so do Argo CD's variables of these names.
func (s *Session) BindServer(flags *pflag.FlagSet) {
	s.flags = flags
	v := &s.Server
	flags.StringVar(&v.Config, "config", "", "file of contexts (default: ~/.config/bowline/config, or Argo CD's as long as there is none)")
	flags.StringVar(&v.ContextName, "argocd-context", "", "context of the file of contexts (default: its current one)")
	flags.StringVar(&v.Address, "server", "", "address of the server ($BOWLINE_SERVER, $ARGOCD_SERVER)")
	flags.StringVar(&v.Token, "auth-token", "", "token to show to the server ($BOWLINE_AUTH_TOKEN, $ARGOCD_AUTH_TOKEN)")
	flags.BoolVar(&v.PlainText, "plaintext", false, "the server speaks plain HTTP")
	flags.BoolVar(&v.Insecure, "insecure", false, "take any certificate of the server")
	flags.StringVar(&v.CAFile, "server-crt", "", "file with the certificate of the server, or of who signed it")
	flags.StringVar(&v.CertFile, "client-crt", "", "file with a certificate to show to the server")
	flags.StringVar(&v.KeyFile, "client-crt-key", "", "file with the key of that certificate")
	flags.StringSliceVarP(&v.Headers, "header", "H", nil, "header to send along, as 'Name: value'; may be repeated")
	flags.IntVar(&v.Retries, "http-retry-max", 0, "how often to try again when the server takes no connection")
	flags.BoolVar(&v.GRPCWeb, "grpc-web", false, "without meaning: all calls pass every proxy")
	flags.StringVar(&v.RootPath, "grpc-web-root-path", "", "path that the server's API is below")
	flags.BoolVar(&v.Core, "core", false, "work straight on the cluster of the kubeconfig, without a server")
	flags.StringVar(&s.Context, "kube-context", "", "context of the kubeconfig (default: its current one)")
	flags.BoolVar(&v.Prompts, "prompts-enabled", false, "ask before something is deleted (default: as `bowline configure` says)")
	flags.StringVar(&v.LogFormat, "logformat", "text", "without meaning: commands write no log")
	flags.StringVar(&v.LogLevel, "loglevel", "info", "without meaning: commands write no log")
	for _, name := range []string{"grpc-web", "logformat", "loglevel"} {
		_ = flags.MarkHidden(name) // it exists
	}
	s.environment = s.setFromEnvironment(flags)
}

// Contexts reads the file of contexts.
func (s *Session) Contexts() (*contexts.File, error) {
	path := s.Server.Config
	if path == "" {
		path = os.Getenv("BOWLINE_CONFIG")
	}
	return contexts.Read(path)
}

// Asks reports whether commands are to ask before they delete something.
func (s *Session) Asks() bool {
	if flag := s.flag("prompts-enabled"); flag != nil && flag.Changed {
		return s.Server.Prompts
	}
	file, err := s.Contexts()
	return err == nil && file.PromptsEnabled || s.Server.Prompts
}

func (s *Session) flag(name string) *pflag.Flag {
	if s.flags == nil {
		return nil
	}
	return s.flags.Lookup(name)
}

// Remote reports whether commands work through a server: if --server or its environment names one, or a context does. With
// --core, or with a kubeconfig or one of its contexts named by a flag, they work straight on the cluster.
func (s *Session) Remote() (bool, error) {
	v := s.Server
	switch {
	case s.Serve != nil:
		return s.Open == nil, nil
	case s.environment != nil:
		return false, s.environment
	case v.Core:
		return false, nil
	case v.Address != "", v.ContextName != "":
		target, err := s.target()
		return err == nil && !target.core, err
	case s.Kubeconfig != "" || s.Context != "" || s.Open != nil || s.flags == nil:
		return false, nil
	}
	target, err := s.target()
	return err == nil && target.server != nil, err
}

// target is where calls go and who makes them.
type target struct {
	server *client.Server // nil if no server is known
	core   bool
	file   *contexts.File
	// context is the name of the context that this is; "" if it is none.
	context        string
	token, refresh string
}

// target finds the server and the token of the flags and the context.
func (s *Session) target() (*target, error) {
	v := s.Server
	file, err := s.Contexts()
	if err != nil {
		return nil, err
	}
	t := &target{file: file, token: v.Token}
	name := v.ContextName
	if name == "" && v.Address != "" && v.Address != file.Current {
		name = contextOf(file, v.Address)
		if name == "" { // a server that nobody is logged in to
			t.server, err = s.Describe(contexts.Server{Server: v.Address})
			return t, err
		}
	}
	current, ok, err := file.Find(name)
	switch {
	case err != nil && v.Address == "":
		return nil, err
	case !ok:
		return t, nil
	case current.Server.Core:
		t.core, t.context = true, current.Name
		return t, nil
	}
	t.context = current.Name
	if t.token == "" {
		t.token, t.refresh = current.User.AuthToken, current.User.RefreshToken
	}
	if v.Address != "" {
		current.Server.Server = v.Address
	}
	t.server, err = s.Describe(current.Server)
	return t, err
}

// contextOf returns the context of a server; the current one if it is of it.
func contextOf(file *contexts.File, address string) string {
	if current, ok, err := file.Find(""); err == nil && ok && current.Server.Server == address {
		return current.Name
	}
	for _, ref := range file.Contexts {
		if ref.Server == address {
			return ref.Name
		}
	}
	return ""
}
