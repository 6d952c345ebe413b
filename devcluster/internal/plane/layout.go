// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// The files and directories of a plane, relative to its directory.
const (
	kubeconfigFile = "kubeconfig" // of a cluster administrator, for the user
	portFile       = "port"       // the API server's port, to keep it over a restart
	podLogFile     = "pods.log"   // what every container of every pod "logs"
	etcdDir        = "etcd"
	logsDir        = "logs" // one file per component
	pkiDir         = "pki"
	configDir      = "config" // what the components read
	homeDir        = "home"   // HOME of the components: they see no file of the user's
	lockFile       = "lock"
)

// layout is the locked directory of one plane.
type layout struct {
	dir  string
	lock *os.File
}

// openLayout makes and locks the directory. The lock ends with the process,
// however that ends.
func openLayout(dir string) (*layout, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	for _, sub := range []string{"", etcdDir, logsDir, pkiDir, configDir, homeDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("--dir: %w", err)
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another devcluster runs in %s: end it first, or give another --dir", dir)
		}
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	return &layout{dir: dir, lock: lock}, nil
}

func (l *layout) close() { l.lock.Close() }

// path returns the absolute path of a file of the plane.
func (l *layout) path(elem ...string) string {
	return filepath.Join(append([]string{l.dir}, elem...)...)
}

// pki returns the path of a certificate or key.
func (l *layout) pki(name string) string { return l.path(pkiDir, name) }

// config returns the path of a file that components read.
func (l *layout) config(name string) string { return l.path(configDir, name) }
