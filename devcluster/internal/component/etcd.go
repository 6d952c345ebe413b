// SPDX-License-Identifier: Apache-2.0

package component

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd runs a single member with few of etcd's own flags. It never waits for the
// disk (unsafe-no-fsync): data survive the end of a process, not of the machine.
func runEtcd() int {
	flags := flag.NewFlagSet("etcd", flag.ExitOnError)
	dataDir := flags.String("data-dir", "", "directory of the data")
	listen := flags.String("listen-client-url", "", "https URL to serve clients on")
	peer := flags.String("peer-url", "", "https URL to serve peers on; a single member has none, but etcd wants the address")
	ca := flags.String("trusted-ca-file", "", "certificates that sign the clients' certificates")
	cert := flags.String("cert-file", "", "serving certificate")
	key := flags.String("key-file", "", "its private key")
	_ = flags.Parse(os.Args[1:]) // ExitOnError: it does not return one

	tls := transport.TLSInfo{CertFile: *cert, KeyFile: *key, TrustedCAFile: *ca, ClientCertAuth: true}
	cfg, err := etcdConfig(*dataDir, *listen, *peer, tls)
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 2
	}
	if err := serveEtcd(cfg); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	return 0
}

func etcdConfig(dataDir, listen, peer string, tls transport.TLSInfo) (*embed.Config, error) {
	client, err := url.Parse(listen)
	if err != nil {
		return nil, fmt.Errorf("--listen-client-url: %w", err)
	}
	peerURL, err := url.Parse(peer)
	if err != nil {
		return nil, fmt.Errorf("--peer-url: %w", err)
	}
	cfg := embed.NewConfig()
	cfg.Dir = dataDir
	cfg.UnsafeNoFsync = true
	cfg.LogLevel = "warn"
	cfg.ListenClientUrls = []url.URL{*client}
	cfg.AdvertiseClientUrls = []url.URL{*client}
	cfg.ListenPeerUrls = nil
	cfg.AdvertisePeerUrls = []url.URL{*peerURL}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.ClientTLSInfo = tls
	// Fewer entries of the log in memory than the default, which is for members
	// that have to catch up.
	cfg.SnapshotCount, cfg.SnapshotCatchUpEntries = 5000, 100
	// NewConfig leaves this at zero, which logs every request.
	cfg.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	cfg.QuotaBackendBytes = 4 << 30
	return cfg, nil
}

func serveEtcd(cfg *embed.Config) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)

	server, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	defer server.Close()
	select {
	case <-stop:
		return nil
	case <-server.Server.StopNotify():
		return fmt.Errorf("the server stopped by itself")
	case err := <-server.Err():
		return err
	}
}
