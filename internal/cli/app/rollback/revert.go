// SPDX-License-Identifier: Apache-2.0

package rollback

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// Reverter takes back in Git what changed an application since an entry of its history.
type Reverter interface {
	// Revert makes one commit that gives back the files which the application read then, and pushes it.
	Revert(ctx context.Context, request Revert) (Reverted, error)
}

// ReverterFunc is a function that is a Reverter.
type ReverterFunc func(ctx context.Context, request Revert) (Reverted, error)

// Revert implements Reverter.
func (f ReverterFunc) Revert(ctx context.Context, request Revert) (Reverted, error) {
	return f(ctx, request)
}

// Revert is what to take back.
type Revert struct {
	// Session leads to the cluster that holds the application.
	Session *session.Session
	// Name is namespace/name of the application, ID that of the entry of its history; nil chooses as a rollback does.
	Name string
	ID   *int64
	// Branch is pushed to; "" is the one that the application follows.
	Branch string
	Reason string
	// DryRun pushes nothing.
	DryRun bool
}

// Reverted is the commit that was made.
type Reverted struct {
	Repo   string   `json:"repo"`
	Branch string   `json:"branch"`
	Onto   string   `json:"onto"` // the branch that it is built upon
	Commit string   `json:"commit"`
	Paths  []string `json:"paths"`
	Entry  int64    `json:"entry"`
	Pushed bool     `json:"pushed"`
}

func runRevert(ctx context.Context, reverter Reverter, opts Options, request Revert, w io.Writer) error {
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	done, err := reverter.Revert(ctx, request)
	if err != nil {
		return err
	}
	if ok, err := output.Encode(w, opts.Output, done); ok {
		return err
	}
	verb := "pushed to"
	if !done.Pushed {
		verb = "would be pushed to"
	}
	fmt.Fprintf(w, "commit %s %s branch %s of %s\nIt gives back, as of entry %d of the history:\n", done.Commit, verb, done.Branch, output.Clean(done.Repo), done.Entry)
	for _, path := range done.Paths {
		fmt.Fprintf(w, "  %s\n", output.Clean(path))
	}
	if done.Branch != done.Onto {
		fmt.Fprintf(w, "The application follows once %s is merged into %s.\n", output.Clean(done.Branch), output.Clean(done.Onto))
	}
	return nil
}
