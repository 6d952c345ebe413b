// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
)

// argocd runs the command line of Argo CD, as it is, against Bowline; with "!" it has to fail. It keeps its contexts in the
// folder of the story.
// [!] argocd [@name] [secure] ARGUMENT...
func argocd(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	p, args := s.addressed(ts, args)
	program, err := filepath.Abs(filepath.Join("..", "..", "bin", "argocd"))
	ts.Check(err)
	if _, err := os.Stat(program); err != nil {
		ts.Fatalf("there is no bin/argocd: `make bin/argocd` builds it (some minutes the first time)")
	}
	transport := "--plaintext"
	if len(args) > 0 && args[0] == "secure" {
		transport, args = "--insecure", args[1:]
	}
	ctx, cancel := context.WithTimeout(context.Background(), *patience)
	defer cancel()
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = expand(ts, arg)
	}
	if i := slices.Index(words, "SERVER"); i >= 0 { // login names the server as an argument
		words[i] = p.address
	} else {
		words = append(words, "--server", p.address)
	}
	cmd := exec.CommandContext(ctx, program, append(words, transport, "--config", filepath.Join(s.dir, "argocd-config"))...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), "HOME="+s.dir, "ARGOCD_AUTH_TOKEN="+ts.Getenv("ARGOCD_AUTH_TOKEN"), "KUBECONFIG="+ts.Getenv("KUBECONFIG"))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	_, _ = ts.Stdout().Write(out.Bytes())
	_, _ = ts.Stderr().Write(errs.Bytes())
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		ts.Fatalf("argocd %q: %v", words, err)
	}
	if (err != nil) != neg {
		ts.Fatalf("argocd %q: %v\n%s\n%s", words, err, out.Bytes(), errs.Bytes())
	}
}
