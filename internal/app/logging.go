// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/bowline-cd/bowline/internal/fault"
)

// newLogger returns the log of the process. Libraries that log through klog and logr say their part in the same form.
func newLogger(opts RunOptions) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(opts.LogLevel)); opts.LogLevel != "" && err != nil {
		return nil, fault.New(fault.Mistake, "run", "", "--log-level", fmt.Sprintf("there is no level %q", opts.LogLevel), "write debug, info, warn or error")
	}
	out := opts.Log
	if out == nil {
		out = os.Stderr
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler
	switch opts.LogFormat {
	case "", "text":
		handler = slog.NewTextHandler(out, options)
	case "json":
		handler = slog.NewJSONHandler(out, options)
	default:
		return nil, fault.New(fault.Mistake, "run", "", "--log-format", fmt.Sprintf("there is no format %q", opts.LogFormat), "write text or json")
	}
	klog.SetLogger(logr.FromSlogHandler(handler)) // who leads, and what clients meet
	ctrl.SetLogger(logr.FromSlogHandler(aside{handler}))
	return slog.New(handler), nil
}

// aside is a handler for the library that runs our controllers: how it starts and stops them is for who looks for a bug.
type aside struct{ slog.Handler }

// Enabled implements slog.Handler.
func (a aside) Enabled(ctx context.Context, level slog.Level) bool {
	return a.Handler.Enabled(ctx, lowered(level))
}

// Handle implements slog.Handler.
func (a aside) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lowered(r.Level)
	return a.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (a aside) WithAttrs(attrs []slog.Attr) slog.Handler { return aside{a.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (a aside) WithGroup(name string) slog.Handler { return aside{a.Handler.WithGroup(name)} }

func lowered(level slog.Level) slog.Level {
	if level == slog.LevelInfo {
		return slog.LevelDebug
	}
	return level
}
