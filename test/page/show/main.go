// SPDX-License-Identifier: Apache-2.0

// Command show fills a control plane with the scene, and serves its repositories until it is ended: for who works on the page.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bowline-cd/bowline/test/page/scene"
)

func main() {
	kubeconfig := flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "path of the kubeconfig of the control plane")
	namespace := flag.String("namespace", "argocd", "control namespace")
	root := flag.String("repositories", "", "folder of the repositories: a temporary one if empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := show(ctx, *kubeconfig, *namespace, *root); err != nil {
		fmt.Fprintln(os.Stderr, "show:", err)
		os.Exit(1)
	}
}

func show(ctx context.Context, kubeconfig, namespace, root string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	hosting, err := scene.Host(root)
	if err != nil {
		return err
	}
	defer hosting.Close()
	s, err := scene.New(config, namespace, hosting)
	if err != nil {
		return err
	}
	if err := s.Settle(ctx); err != nil {
		return err
	}
	fmt.Println("settled")
	if err := s.Play(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Balance(ctx) })
	group.Go(func() error {
		if err := s.Later(ctx); err != nil {
			return err
		}
		fmt.Println("complete")
		return nil
	})
	return group.Wait()
}
