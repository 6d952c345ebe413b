// SPDX-License-Identifier: Apache-2.0

package session

import (
	"strings"

	"github.com/spf13/cobra"
)

// Split returns the namespace and the name of an application as services take them. A namespace of "" is the control
// namespace of who answers: a client of a server need not know it.
func (s *Session) Split(name string) (namespace, bare string) {
	if namespace, bare, ok := strings.Cut(name, "/"); ok {
		return namespace, bare
	}
	return s.AppNamespace, name
}

// ObjectNamespace returns the namespace of an object of an application: own, the value of --resource-namespace; or, when a
// server is asked, that of --namespace, which is how argocd calls it. A server knows its control namespace by itself, so
// that flag has no other use then.
func (s *Session) ObjectNamespace(cmd *cobra.Command, own string) string {
	flag := cmd.Flags().Lookup("namespace")
	if own != "" || flag == nil || !flag.Changed {
		return own
	}
	if remote, err := s.Remote(); err != nil || !remote {
		return own // what is wrong is said by who opens the services
	}
	return flag.Value.String()
}
