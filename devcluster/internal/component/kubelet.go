// SPDX-License-Identifier: Apache-2.0

package component

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// kubelet is the port of all simulated nodes: what the API server talks to for logs and exec.
// It lets in clients with a certificate only and serves exec itself: kwok's own server, which
// stands behind it, asks nobody who they are, and exec runs commands on this machine.
type kubelet struct {
	listen   string // address
	cert     string // serving certificate
	key      string // its private key
	clientCA string // signs the certificates of those that are let in
	kwok     string // address of kwok's server, for logs
}

// serve serves until ctx ends.
func (k kubelet) serve(ctx context.Context) error {
	authorities, err := os.ReadFile(k.clientCA)
	if err != nil {
		return err
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(authorities) {
		return fmt.Errorf("%s holds no certificate", k.clientCA)
	}
	server := &http.Server{
		Handler:           k.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		TLSConfig: &tls.Config{
			ClientAuth: tls.RequireAndVerifyClientCert,
			ClientCAs:  clients,
			NextProtos: []string{"http/1.1"}, // exec takes the connection over
		},
	}
	listener, err := net.Listen("tcp", k.listen)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.ServeTLS(listener, k.cert, k.key); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (k kubelet) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: k.kwok}))
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", serveExec)
	mux.HandleFunc("/exec/{namespace}/{pod}/{uid}/{container}", serveExec)
	return mux
}

// serveExec runs the command on this machine: there is no container to run it in.
func serveExec(w http.ResponseWriter, r *http.Request) {
	streams, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	command := r.URL.Query()["command"]
	slog.Info("exec", "namespace", r.PathValue("namespace"), "pod", r.PathValue("pod"), "command", command)
	remotecommand.ServeExec(w, r, executor{}, r.PathValue("pod"), r.PathValue("uid"), r.PathValue("container"), command,
		streams, time.Hour, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}
