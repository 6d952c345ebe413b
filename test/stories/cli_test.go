// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cli runs `bowline ARGS`; its output is for stdout, stderr and cmp. Commands about applications go straight to the story's
// control namespace. With "server" all commands go through the server, by contexts that are kept in the folder of the story,
// with "core" they work on the cluster with the services of the command itself.
// [!] cli ARGUMENT... | [!] cli server [@name] [secure] ARGUMENT... | [!] cli core ARGUMENT...
func cli(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	kubeconfig, err := s.kubeconfig(s.user("cli"), "system:masters", "system:authenticated")
	ts.Check(err)
	var words, env []string
	switch {
	case len(args) > 0 && args[0] == "server":
		words, env = s.throughServer(ts, args[1:])
	case len(args) > 0 && args[0] == "core":
		words = expanded(ts, args[1:])
		words = append(words, "--core")
		if words[0] != "login" && words[0] != "version" {
			words = append(words, "--namespace", ts.Getenv("CD"))
		}
		env = []string{"KUBECONFIG=" + kubeconfig}
	case len(args) > 0 && args[0] == "app":
		words = append(slices.Clone(args), "--kubeconfig", kubeconfig, "--namespace", ts.Getenv("CD"))
	default:
		words, env = expanded(ts, args), []string{"KUBECONFIG=" + kubeconfig}
	}
	s.command(ts, neg, words, env)
}

// throughServer is a command line that goes through the server, and its environment: no kubeconfig. SERVER stands for the
// address of the server where login and logout want it.
func (s *story) throughServer(ts *testscript.TestScript, args []string) (words, env []string) {
	p, args := s.addressed(ts, args)
	transport := "--plaintext"
	if len(args) > 0 && args[0] == "secure" {
		transport, args = "", args[1:]
	}
	words = expanded(ts, args)
	if i := slices.Index(words, "SERVER"); i >= 0 {
		words[i] = p.address
	} else {
		words = append(words, "--server", p.address)
	}
	if transport != "" {
		words = append(words, transport)
	}
	return words, []string{"KUBECONFIG=" + filepath.Join(s.dir, "no-kubeconfig")}
}

func expanded(ts *testscript.TestScript, args []string) []string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = expand(ts, arg)
	}
	return words
}

// command runs the program once, with contexts of the story's own.
func (s *story) command(ts *testscript.TestScript, neg bool, words, env []string) {
	cmd, err := program(words...)
	ts.Check(err)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "BOWLINE_CONFIG="+filepath.Join(s.dir, "bowline-config"))
	cmd.Env = append(cmd.Env, env...)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	ts.Check(<-started)
	line := strings.Join(words, " ")
	select {
	case <-p.done:
	case <-time.After(*patience):
		ts.Check(p.kill())
		ts.Fatalf("bowline %s did not end within %s\n%s%s", line, *patience, out.String(), problem.String())
	}
	_, _ = ts.Stdout().Write(out.Bytes())
	_, _ = ts.Stderr().Write(problem.Bytes())
	ts.Logf("[bowline %s]\n%s%s", line, out.String(), problem.String())
	if (p.status != nil) != neg {
		ts.Fatalf("bowline %s: %v", line, p.status)
	}
}
