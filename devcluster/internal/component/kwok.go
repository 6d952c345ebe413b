// SPDX-License-Identifier: Apache-2.0

package component

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

// runKwok runs kwok, and the port of its nodes before it. The arguments of kwok itself
// follow "--".
func runKwok() int {
	var port kubelet
	flags := flag.NewFlagSet("kwok", flag.ExitOnError)
	flags.StringVar(&port.listen, "kubelet-listen", "", "address that the nodes' kubelet is served on")
	flags.StringVar(&port.cert, "kubelet-cert-file", "", "its serving certificate")
	flags.StringVar(&port.key, "kubelet-key-file", "", "the private key of that")
	flags.StringVar(&port.clientCA, "kubelet-client-ca-file", "", "certificates that sign its clients' certificates")
	flags.StringVar(&port.kwok, "kwok-server", "", "address of kwok's own server")
	_ = flags.Parse(os.Args[1:])                     // ExitOnError: it does not return one
	os.Args = append(os.Args[:1:1], flags.Args()...) // kwok reads its arguments from there

	ctx, cancel := context.WithCancelCause(signals.SetupSignalContext())
	go func() {
		if err := port.serve(ctx); err != nil {
			cancel(fmt.Errorf("serving the nodes' kubelet: %w", err))
		}
	}()
	if err := serveKwok(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kwok:", err)
		return 1
	}
	return 0
}

// serveKwok does what kwok's own main does: its configuration flags are parsed
// first, because the documents they name are what the command is built from.
func serveKwok(ctx context.Context) error {
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}

	logged, _ := log.InitFlags(ctx, flags)
	configured, err := config.InitFlags(logged, flags)
	if err != nil {
		return fmt.Errorf("reading its configuration: %w", err)
	}
	command := kwok.NewCommand(configured)
	// The Kubernetes components of this binary have registered a --version flag of
	// another type, which cobra would take for this command's.
	command.Version = ""
	command.PersistentFlags().AddFlagSet(flags)
	err = command.ExecuteContext(configured)
	if ctx.Err() == nil {
		return err
	}
	if cause := context.Cause(ctx); cause != context.Canceled {
		return cause
	}
	return nil
}
