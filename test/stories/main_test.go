// SPDX-License-Identifier: Apache-2.0

// Package stories runs the real program against a real API server with real controllers, and real Git over HTTP. Each
// story is a script in testdata; README.md lists the commands that scripts have.
//
// The words of this room:
//
//   - Story: one script, with a control namespace, a destination namespace, repositories and Bowline processes of its
//     own. All stories share one devcluster.
//   - Program: the test binary itself, started again under the name bowline: it is built with the race detector when
//     the test is, and can be killed.
//   - Condition: something about one object that a story waits for or checks, such as synced or .spec.replicas=2.
package stories

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bowline-cd/bowline/internal/app"
	"github.com/bowline-cd/bowline/internal/worker"
	"github.com/bowline-cd/bowline/test/devcluster"
)

// programName is the name under which the test binary is the program.
const programName = "bowline"

// together is how many stories run at once. They mostly wait, so that it may be more than there are cores.
const together = "4"

func TestMain(m *testing.M) {
	worker.MainIfAsked()
	if filepath.Base(os.Args[0]) == programName {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := app.Main(ctx, os.Args[1:])
		stop()
		os.Exit(code)
	}
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", together); err != nil {
			panic(err)
		}
	}
	devcluster.Main(m)
}

func TestStories(t *testing.T) {
	world := newWorld(t)
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		Setup:              world.setup,
		RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"admission":      admission,
			"api":            api,
			"argocd":         argocd,
			"argocd-admin":   argocdAdmin,
			"bowline":        bowline,
			"browse":         browse,
			"canaries":       canaries,
			"cli":            cli,
			"nobody":         nobody,
			"repo":           repo,
			"same":           same,
			"crowd":          crowd,
			"directory":      directory,
			"deploy":         deploy,
			"far":            far,
			"fill":           fill,
			"keep":           keep,
			"ordeal":         ordeal,
			"git":            git,
			"three-way":      threeWay,
			"webhook":        webhook,
			"http":           request,
			"sign-in":        signIn,
			"first-password": firstPassword,
			"call":           call,
			"stream":         streams,
			"apply":          apply,
			"create":         create,
			"replace":        replace,
			"patch":          patch,
			"annotate":       annotate,
			"delete":         remove,
			"await":          await,
			"check":          check,
			"show":           show,
			"audit":          audit,
			"ever":           ever,
			"window":         window,
		},
	})
}
