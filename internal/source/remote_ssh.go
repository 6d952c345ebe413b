// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"os"
	"strings"
)

// openWay checks the address of the host of an ssh that is to run, or opens the tunnel that leads to it; behind a proxy the
// proxy decides.
func (r *remote) openWay(ctx context.Context, files *scratch) (err error) {
	if r.proxy == nil {
		_, err = r.lookUp(ctx)
		return err
	}
	files.tunnel, err = r.openTunnel(ctx)
	return err
}

// sshCommand returns the ssh that git is to run, as a line of a shell.
func (r *remote) sshCommand(files *scratch) (string, error) {
	options, err := r.sshOptions(files)
	if err != nil {
		return "", err
	}
	words := append([]string{"ssh"}, options...)
	for i, word := range words {
		words[i] = shellQuoted(word)
	}
	return strings.Join(words, " "), nil
}

func shellQuoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// sshOptions are those of every ssh: no configuration, no agent, this key only, known hosts only.
func (r *remote) sshOptions(files *scratch) ([]string, error) {
	options := []string{
		"-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "GlobalKnownHostsFile=" + os.DevNull,
		"-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=2", "-o", "UpdateHostKeys=no", "-o", "LogLevel=ERROR",
		"-o", "PasswordAuthentication=no", "-o", "KbdInteractiveAuthentication=no", "-o", "ClearAllForwardings=yes", "-o", "ProxyCommand=none",
	}
	if files.tunnel != nil {
		options = append(options, files.tunnel.options()...) // before the port that git adds: the first one counts
	}
	if r.repo.insecureHostKey() {
		options = append(options, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile="+os.DevNull)
	} else {
		path, err := files.add(r.repo.KnownHosts)
		if err != nil {
			return nil, err
		}
		options = append(options, "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile="+path)
	}
	if key := r.repo.SSHPrivateKey.Reveal(); key != "" {
		path, err := files.add(strings.TrimRight(strings.ReplaceAll(key, "\r\n", "\n"), "\n") + "\n")
		if err != nil {
			return nil, err
		}
		options = append(options, "-i", path)
	} else {
		options = append(options, "-o", "IdentityFile=none")
	}
	return options, nil
}
