// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// SSH serves the repositories of a folder over SSH to one client key.
type SSH struct {
	// URL is "ssh://git@127.0.0.1:port".
	URL string
	// KnownHosts is the line of a known_hosts file for this server.
	KnownHosts string
	// Authority is the line of a known_hosts file for the authority that signed the server's host certificate.
	Authority string
	// ClientKey is the private key that is let in, in PEM.
	ClientKey string

	// LFS, if set, answers "git-lfs-authenticate path download". Set it before the first client comes.
	LFS func(path string) string

	root     string
	config   *ssh.ServerConfig
	listener net.Listener
	wg       sync.WaitGroup
}

// NewSSH starts an SSH server for a test and ends it with the test.
func NewSSH(t testing.TB, root string) *SSH {
	t.Helper()
	s, err := StartSSH(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// StartSSH starts an SSH server for the repositories below root.
func StartSSH(root string) (*SSH, error) {
	host, _, err := newKey()
	if err != nil {
		return nil, err
	}
	client, private, err := newKey()
	if err != nil {
		return nil, err
	}
	allowed := string(client.PublicKey().Marshal())
	s := &SSH{root: root, ClientKey: private}
	s.config = &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) == allowed {
			return nil, nil
		}
		return nil, errors.New("unknown key")
	}}
	s.config.AddHostKey(host)
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	address := s.listener.Addr().(*net.TCPAddr)
	s.URL = fmt.Sprintf("ssh://git@127.0.0.1:%d", address.Port)
	s.KnownHosts = fmt.Sprintf("[127.0.0.1]:%d %s", address.Port, ssh.MarshalAuthorizedKey(host.PublicKey()))
	authority, err := s.addCertificate(host)
	if err != nil {
		return nil, err
	}
	s.Authority = fmt.Sprintf("@cert-authority [127.0.0.1]:%d %s", address.Port, ssh.MarshalAuthorizedKey(authority))
	s.wg.Go(s.accept)
	return s, nil
}

// addCertificate makes the server offer a certificate of an own authority for its key too, and returns the authority's key.
func (s *SSH) addCertificate(host ssh.Signer) (ssh.PublicKey, error) {
	authority, _, err := newKey()
	if err != nil {
		return nil, err
	}
	certificate := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: ssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, authority); err != nil {
		return nil, err
	}
	signer, err := ssh.NewCertSigner(certificate, host)
	if err != nil {
		return nil, err
	}
	s.config.AddHostKey(signer)
	return authority.PublicKey(), nil
}

func newKey() (ssh.Signer, string, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, "", err
	}
	signer, err := ssh.NewSignerFromKey(key)
	return signer, string(pem.EncodeToMemory(block)), err
}

// NewClientKey returns a private key that no server knows.
func NewClientKey() (string, error) {
	_, private, err := newKey()
	return private, err
}

// Close ends the server and its connections.
func (s *SSH) Close() {
	_ = s.listener.Close()
	s.wg.Wait()
}

func (s *SSH) accept() {
	for {
		connection, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() { s.serve(connection) })
	}
}

func (s *SSH) serve(raw net.Conn) {
	defer func() { _ = raw.Close() }()
	_, channels, requests, err := ssh.NewServerConn(raw, s.config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		s.session(channel, requests)
	}
}

func (s *SSH) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer func() { _ = channel.Close() }()
	protocol := ""
	for request := range requests {
		switch request.Type {
		case "env":
			var pair struct{ Name, Value string }
			if ssh.Unmarshal(request.Payload, &pair) == nil && pair.Name == "GIT_PROTOCOL" {
				protocol = pair.Value
			}
			_ = request.Reply(true, nil)
		case "exec":
			var line struct{ Command string }
			_ = request.Reply(ssh.Unmarshal(request.Payload, &line) == nil, nil)
			status := s.uploadPack(channel, line.Command, protocol)
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			return
		default:
			_ = request.Reply(false, nil)
		}
	}
}

// uploadPack runs "git-upload-pack '/path'", and nothing else but git-lfs-authenticate if that is set.
func (s *SSH) uploadPack(channel ssh.Channel, command, protocol string) uint32 {
	if question, ok := strings.CutPrefix(command, "git-lfs-authenticate "); ok && s.LFS != nil {
		_, _ = io.WriteString(channel, s.LFS(strings.TrimSuffix(question, " download")))
		return 0
	}
	quoted, ok := strings.CutPrefix(command, "git-upload-pack ")
	dir := filepath.Join(s.root, filepath.FromSlash("/"+strings.Trim(quoted, "'")))
	if _, err := os.Stat(dir); !ok || err != nil {
		_, _ = io.WriteString(channel.Stderr(), "fatal: repository not found\n")
		return 128
	}
	cmd := exec.Command("git", "upload-pack", dir)
	cmd.Env = append(os.Environ(), "GIT_PROTOCOL="+protocol, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return 1
	}
	go func() {
		_, _ = io.Copy(stdin, channel)
		_ = stdin.Close()
	}()
	if err := cmd.Run(); err != nil {
		return 1
	}
	return 0
}
