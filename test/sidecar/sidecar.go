// SPDX-License-Identifier: Apache-2.0

// Package sidecar is a config management plugin server for tests: it does what Argo CD's argocd-cmp-server does with a
// plugin.yaml, over a Unix socket. The words are those of internal/worker/plugin.
package sidecar

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
)

// Options say where a Server lives.
type Options struct {
	// Sockets is the folder of the sockets.
	Sockets string
	// Work is the folder for private copies of repositories. It is empty between calls.
	Work string
	// Plugin is the plugin.yaml.
	Plugin []byte
	// Env is the sidecar's own environment.
	Env []string
}

// Server is a running sidecar.
type Server struct {
	// Name is what applications write into plugin.name.
	Name    string
	options Options
	config  config
	grpc    *grpc.Server
	done    chan struct{}
}

// Start runs a sidecar until Close.
func Start(options Options) (*Server, error) {
	c, err := parseConfig(options.Plugin)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", filepath.Join(options.Sockets, c.name()+".sock"))
	if err != nil {
		return nil, fmt.Errorf("listen for plugin %s: %w", c.name(), err)
	}
	s := &Server{Name: c.name(), options: options, config: c, grpc: grpc.NewServer(), done: make(chan struct{})}
	s.grpc.RegisterService(&description, s)
	go func() {
		defer close(s.done)
		_ = s.grpc.Serve(listener) // ends with Close
	}()
	return s, nil
}

// Close ends the sidecar and what it runs; its socket goes.
func (s *Server) Close() {
	s.grpc.Stop()
	<-s.done
}

// environ is what commands see.
func (s *Server) environ(given []string) []string {
	return append(append([]string{"PATH=" + os.Getenv("PATH")}, s.options.Env...), given...)
}
