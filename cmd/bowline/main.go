// SPDX-License-Identifier: Apache-2.0

// Command bowline keeps Kubernetes clusters equal to Git.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/bowline-cd/bowline/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := app.Main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
