// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/gitserver"
)

func TestCredentialsOverHTTP(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{Username: "robot", Password: "pass word:&%", Token: "token-1234"})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"a": "1"})
	var log bytes.Buffer
	dir := t.TempDir()
	s := openStoreIn(t, dir, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for name, r := range map[string]Repository{
		"basic":      {URL: repo.URL, Username: "robot", Password: fault.NewSecret("pass word:&%")},
		"bearer":     {URL: repo.URL, BearerToken: fault.NewSecret("token-1234")},
		"in the URL": {URL: strings.Replace(repo.URL, "http://", "http://robot:pass%20word%3A&%25@", 1)},
	} {
		commit, err := s.Resolve(t.Context(), r, Revision{})
		if err != nil || commit != sha {
			t.Errorf("%s: %s, %v", name, commit, err)
			continue
		}
		read(t, mustTree(t, s, r, sha), "a")
		refs, err := s.Refs(t.Context(), r)
		if err != nil || refs.Repository.Key() != r.Key() {
			t.Errorf("%s: refs of another repository, %v", name, err)
		}
		slog.New(slog.NewJSONHandler(&log, nil)).Info("moved", "repository", r, "refs", fmt.Sprintf("%+v", refs.Repository))
	}
	var texts []string
	for name, r := range map[string]Repository{
		"none":           {URL: repo.URL},
		"wrong password": {URL: repo.URL, Username: "robot", Password: fault.NewSecret("wrong-secret")},
		"wrong token":    {URL: repo.URL, BearerToken: fault.NewSecret("wrong-secret")},
		"wrong in URL":   {URL: strings.Replace(repo.URL, "http://", "http://robot:wrong-secret@", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Refs(t.Context(), r)
			checkUnreachable(t, err, ProblemAuth, fault.Stalled)
			texts = append(texts, err.Error())
			_, err = s.Tree(t.Context(), r, sha, nil)
			checkUnreachable(t, err, ProblemAuth, fault.Stalled)
			texts = append(texts, err.Error())
		})
	}
	for _, text := range append(texts, log.String()) {
		if strings.Contains(text, "wrong-secret") || strings.Contains(text, "pass word") || strings.Contains(text, "pass%20word") || strings.Contains(text, "token-1234") {
			t.Errorf("a password is told: %s", text)
		}
	}
	checkNoFileHolds(t, dir, "pass word", "token-1234", "wrong-secret")
}

func checkNoFileHolds(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds a secret", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTLS(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{TLS: true, ClientCertificates: true})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"a": "1"})
	certificate, key, err := server.ClientCertificate()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := openStoreIn(t, dir, nil)
	good := Repository{URL: repo.URL, CA: server.CA(), TLSClientCert: certificate, TLSClientKey: fault.NewSecret(key)}
	if commit, err := s.Resolve(t.Context(), good, Revision{}); err != nil || commit != sha {
		t.Fatalf("%s, %v", commit, err)
	}
	read(t, mustTree(t, s, good, sha), "a")
	insecure := good
	insecure.CA, insecure.Insecure = "", true
	read(t, mustTree(t, s, insecure, sha), "a")

	unknown, anonymous := good, good
	unknown.CA = ""
	anonymous.TLSClientCert, anonymous.TLSClientKey = "", fault.Secret{}
	for name, r := range map[string]Repository{"unknown authority": unknown, "no client certificate": anonymous} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Refs(t.Context(), r)
			checkUnreachable(t, err, ProblemTLS, fault.Stalled)
			if _, err := s.Tree(t.Context(), r, sha, nil); !Unreachable(err) {
				t.Errorf("fetch: %v", err)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "scratch", "*")); len(left) > 0 {
		t.Errorf("key files left: %v", left)
	}
}

func TestSSH(t *testing.T) {
	root := t.TempDir()
	repo, err := gitserver.Init(filepath.Join(root, "team", "config.git"))
	if err != nil {
		t.Fatal(err)
	}
	sha := repo.Write(t, map[string]string{"a": "1"})
	server := gitserver.NewSSH(t, root)
	dir := t.TempDir()
	s := openStoreIn(t, dir, nil)
	good := Repository{URL: server.URL + "/team/config.git", SSHPrivateKey: fault.NewSecret(server.ClientKey), KnownHosts: server.KnownHosts}
	if commit, err := s.Resolve(t.Context(), good, Revision{Name: "main"}); err != nil || commit != sha {
		t.Fatalf("%s, %v", commit, err)
	}
	read(t, mustTree(t, s, good, sha), "a")

	stranger, err := gitserver.NewClientKey()
	if err != nil {
		t.Fatal(err)
	}
	other := gitserver.NewSSH(t, root)
	wrongKey, noHost, wrongHost, gone, trusting := good, good, good, good, good
	wrongKey.SSHPrivateKey = fault.NewSecret(stranger)
	noHost.KnownHosts = ""
	wrongHost.KnownHosts = strings.Replace(other.KnownHosts, strings.TrimPrefix(other.URL, "ssh://git@127.0.0.1:"), strings.TrimPrefix(server.URL, "ssh://git@127.0.0.1:"), 1)
	gone.URL = server.URL + "/team/gone.git"
	trusting.KnownHosts, trusting.InsecureIgnoreHostKey = "", true
	for name, test := range map[string]struct {
		repo    Repository
		problem Problem
	}{"key": {wrongKey, ProblemAuth}, "no host key": {noHost, ProblemHostKey}, "wrong host key": {wrongHost, ProblemHostKey}, "gone": {gone, ProblemNotFound}} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Refs(t.Context(), test.repo)
			checkUnreachable(t, err, test.problem, fault.Stalled)
		})
	}
	if _, err := s.Refs(t.Context(), trusting); err != nil {
		t.Errorf("host key not checked on request: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "scratch", "*")); len(left) > 0 {
		t.Errorf("key files left: %v", left)
	}
	checkNoFileHolds(t, dir, "PRIVATE KEY")
}

func TestMirrorsAreApart(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{Username: "u", Password: "right"})
	repo := server.Repo(t, "config")
	sha := repo.Write(t, map[string]string{"a": "1"})
	s := openStore(t, nil)
	right := Repository{URL: repo.URL, Username: "u", Password: fault.NewSecret("right")}
	files := mustTree(t, s, right, sha)
	wrong, other, same := right, right, right
	wrong.Password, other.Project, same.URL = fault.NewSecret("guessed"), "other", right.URL+"/"
	if _, err := s.Tree(t.Context(), wrong, sha, nil); !Unreachable(err) {
		t.Errorf("a wrong password reads what the right one fetched: %v", err)
	}
	if right.Key() == other.Key() || right.Key() == wrong.Key() || right.Key() != same.Key() {
		t.Error("keys do not tell credentials and projects apart")
	}
	if err := s.Forget(right); err != nil {
		t.Fatal(err)
	}
	if data, err := files.Read(t.Context(), "a", -1); !fault.Is(err, fault.Stalled) {
		t.Errorf("forgotten credentials still read %q, %v", data, err)
	}
	if _, err := files.Lookup(t.Context(), ""); err == nil {
		t.Error("forgotten credentials still look up")
	}
}

func TestRetainRemovesWhatNobodyWants(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	dir := t.TempDir()
	s := openStoreIn(t, dir, nil)
	var repos []Repository
	for i := range 3 {
		repo := server.Repo(t, fmt.Sprint("r", i))
		sha := repo.Write(t, map[string]string{"a": "1"})
		repos = append(repos, Repository{URL: repo.URL})
		mustTree(t, s, repos[i], sha)
	}
	if err := s.Retain(repos[:2]); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStoreIn(t, dir, nil)
	if err := s.Retain(repos[:1]); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(dir, "mirrors"))
	if err != nil || len(left) != 1 || left[0].Name() != repos[0].digest(s.key) {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestOneStorePerFolder(t *testing.T) {
	dir := t.TempDir()
	s := openStoreIn(t, dir, nil)
	if _, err := NewStore(dir, Options{}); !fault.Is(err, fault.Stalled) {
		t.Errorf("a second store: %v", err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Refs(t.Context(), Repository{URL: "https://example.com/x"}); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a closed store: %v", err)
	}
	openStoreIn(t, dir, nil)
}
