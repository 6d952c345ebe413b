// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// job is one call: a private copy of the repository, the folder of the application in it, and the environment sent.
type job struct {
	root, folder string
	env          []string
}

func (j *job) remove() { _ = os.RemoveAll(j.root) }

// receive reads a stream: metadata, then the archive in pieces, whose checksum must be the one announced.
func (s *Server) receive(stream grpc.ServerStream) (*job, error) {
	first := newMessage("AppStreamRequest")
	if err := stream.RecvMsg(first); err != nil {
		return nil, err
	}
	if !has(first, "metadata") {
		return nil, errors.New("the stream does not begin with metadata")
	}
	meta := get(first, "metadata").Message()
	archive, err := receiveArchive(stream)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(archive)
	if hex.EncodeToString(sum[:]) != get(meta, "checksum").String() || int64(len(archive)) != get(meta, "size").Int() {
		return nil, errors.New("file checksum validation error")
	}
	root, err := os.MkdirTemp(s.options.Work, "copy-")
	if err != nil {
		return nil, err
	}
	j := &job{root: root, folder: filepath.Join(root, get(meta, "appRelPath").String()), env: environment(meta)}
	if j.folder != root && !strings.HasPrefix(j.folder, root+"/") {
		err = errors.New("illegal appPath: out of workDir bound")
	} else {
		err = unpack(root, archive, s.config.Spec.PreserveFileMode)
	}
	if err != nil {
		j.remove()
		return nil, err
	}
	return j, nil
}

func receiveArchive(stream grpc.ServerStream) ([]byte, error) {
	var archive bytes.Buffer
	for {
		m := newMessage("AppStreamRequest")
		err := stream.RecvMsg(m)
		if errors.Is(err, io.EOF) {
			return archive.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		if !has(m, "file") {
			return nil, errors.New("stream request file is nil")
		}
		archive.Write(get(get(m, "file").Message(), "chunk").Bytes())
	}
}

func environment(meta protoreflect.Message) []string {
	var env []string
	entries := get(meta, "env").List()
	for i := range entries.Len() {
		e := entries.Get(i).Message()
		env = append(env, get(e, "name").String()+"="+get(e, "value").String())
	}
	return env
}

func unpack(root string, archive []byte, keepModes bool) error {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	for files := tar.NewReader(unzipped); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !filepath.IsLocal(h.Name) {
			return fmt.Errorf("illegal filepath in archive: %s", h.Name)
		}
		if err := unpackEntry(filepath.Join(root, h.Name), h, files, keepModes); err != nil {
			return err
		}
	}
}

func unpackEntry(target string, h *tar.Header, content io.Reader, keepModes bool) error {
	mode := os.FileMode(0o644)
	if keepModes {
		mode = os.FileMode(h.Mode) //nolint:gosec // permission bits
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return os.MkdirAll(target, 0o755)
	case tar.TypeSymlink:
		return os.Symlink(h.Linkname, target)
	case tar.TypeReg:
		data, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, mode)
	}
	return fmt.Errorf("%s is of no type that plugins get", h.Name)
}

// run runs a command in the application's folder and returns its standard output. What it leaves running ends with it.
func (s *Server) run(ctx context.Context, c command, j *job) (string, error) {
	args := slices.Concat(c.Command[1:], c.Args)
	cmd := exec.CommandContext(ctx, c.Command[0], args...) //nolint:gosec // the command of the test's plugin.yaml
	cmd.Dir, cmd.Env = j.folder, s.environ(j.env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("`%s` failed %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}
