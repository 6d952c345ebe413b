// SPDX-License-Identifier: Apache-2.0

// Package contexts reads and writes the file that says which servers somebody is logged in to.
//
// The words of this package:
//
//   - Context: a server, a user of it, and a name for both. The current one is where commands go that name no other.
//   - File: where contexts are kept, in the form of Argo CD's command line. Ours is ~/.config/bowline/config; as long as it does
//     not exist the contexts of Argo CD's are used, and the first change writes ours with all of them in it.
package contexts

import (
	"fmt"
	"slices"

	"github.com/bowline-cd/bowline/internal/fault"
)

// File is the contexts that there are. Its zero value has none.
type File struct {
	Current        string   `json:"current-context"`
	Contexts       []Ref    `json:"contexts"`
	Servers        []Server `json:"servers"`
	Users          []User   `json:"users"`
	PromptsEnabled bool     `json:"prompts-enabled"`

	path string // where it is written to
	from string // where it was read from; "" if there was none
}

// Ref is a context as it is written.
type Ref struct {
	Name   string `json:"name"`
	Server string `json:"server"`
	User   string `json:"user"`
}

// Server is how a server is reached.
type Server struct {
	Server   string `json:"server"`
	Insecure bool   `json:"insecure,omitempty"`
	// GRPCWeb and GRPCWebRootPath are for Argo CD's command line; of them ours uses the path.
	GRPCWeb         bool   `json:"grpc-web,omitempty"`
	GRPCWebRootPath string `json:"grpc-web-root-path"`
	// The certificates are PEM in base64.
	CACertificateAuthorityData string `json:"certificate-authority-data,omitempty"`
	ClientCertificateData      string `json:"client-certificate-data,omitempty"`
	ClientCertificateKeyData   string `json:"client-certificate-key-data,omitempty"`
	PlainText                  bool   `json:"plain-text,omitempty"`
	// Core says that there is no server: commands work straight on the cluster.
	Core bool `json:"core,omitempty"`
}

// User is who somebody is to a server.
type User struct {
	Name         string `json:"name"`
	AuthToken    string `json:"auth-token,omitempty"`
	RefreshToken string `json:"refresh-token,omitempty"`
}

// Context is a context with what it refers to.
type Context struct {
	Name   string
	Server Server
	User   User
}

// Find returns the context of that name; "" is the current one. ok is false if there is no current one.
func (f *File) Find(name string) (c Context, ok bool, err error) {
	if name == "" {
		if f.Current == "" {
			return Context{}, false, nil
		}
		name = f.Current
	}
	i := slices.IndexFunc(f.Contexts, func(r Ref) bool { return r.Name == name })
	if i < 0 {
		return Context{}, false, f.mistake(fmt.Sprintf("there is no context %q", name), "choose one of `bowline context`")
	}
	ref := f.Contexts[i]
	s := slices.IndexFunc(f.Servers, func(s Server) bool { return s.Server == ref.Server })
	if s < 0 {
		return Context{}, false, f.mistake(fmt.Sprintf("context %q refers to the server %q, which is not there", name, ref.Server), "log in again")
	}
	out := Context{Name: name, Server: f.Servers[s]}
	if u := slices.IndexFunc(f.Users, func(u User) bool { return u.Name == ref.User }); u >= 0 {
		out.User = f.Users[u]
	}
	return out, true, nil
}

func (f *File) mistake(cause, fix string) error {
	return fault.New(fault.Mistake, "use", "the contexts", f.Path(), cause, fix)
}

// Put adds a context, or replaces that of its name, and makes it the current one.
func (f *File) Put(c Context) {
	c.User.Name = c.Name
	f.Servers = put(f.Servers, c.Server, func(s Server) string { return s.Server })
	f.Users = put(f.Users, c.User, func(u User) string { return u.Name })
	f.Contexts = put(f.Contexts, Ref{Name: c.Name, Server: c.Server.Server, User: c.Name}, func(r Ref) string { return r.Name })
	f.Current = c.Name
}

// SetTokens replaces the tokens of a context's user.
func (f *File) SetTokens(name, token, refresh string) {
	user := name
	for _, ref := range f.Contexts {
		if ref.Name == name {
			user = ref.User
		}
	}
	f.Users = put(f.Users, User{Name: user, AuthToken: token, RefreshToken: refresh}, func(u User) string { return u.Name })
}

// Remove takes out a context, and its server and user if no other refers to them.
func (f *File) Remove(name string) error {
	i := slices.IndexFunc(f.Contexts, func(r Ref) bool { return r.Name == name })
	if i < 0 {
		return f.mistake(fmt.Sprintf("there is no context %q", name), "choose one of `bowline context`")
	}
	gone := f.Contexts[i]
	f.Contexts = slices.Delete(f.Contexts, i, i+1)
	if !slices.ContainsFunc(f.Contexts, func(r Ref) bool { return r.Server == gone.Server }) {
		f.Servers = slices.DeleteFunc(f.Servers, func(s Server) bool { return s.Server == gone.Server })
	}
	if !slices.ContainsFunc(f.Contexts, func(r Ref) bool { return r.User == gone.User }) {
		f.Users = slices.DeleteFunc(f.Users, func(u User) bool { return u.Name == gone.User })
	}
	if f.Current == name {
		f.Current = ""
	}
	return nil
}

// Names are the names of the contexts.
func (f *File) Names() []string {
	names := make([]string, len(f.Contexts))
	for i, ref := range f.Contexts {
		names[i] = ref.Name
	}
	return names
}

func put[T any](list []T, value T, key func(T) string) []T {
	if i := slices.IndexFunc(list, func(t T) bool { return key(t) == key(value) }); i >= 0 {
		list[i] = value
		return list
	}
	return append(list, value)
}
