// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// setupTimeout bounds what the helper itself does to a cluster, which takes milliseconds. It
// is for a cluster that hangs.
const setupTimeout = time.Minute

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// Client returns a client of a cluster administrator without a rate limit.
func (c *Cluster) Client() *kubernetes.Clientset { return c.client }

// Namespace makes a namespace named after the test, ready for pods, and deletes it when the test
// ends. It does not wait for the end of the deletion, which takes five seconds at least.
func (c *Cluster) Namespace(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()

	name := notInName.ReplaceAllString(strings.ToLower(t.Name()), "-")
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: fmt.Sprintf("%.40s-", strings.Trim(name, "-"))}}
	made, err := c.client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("making a namespace: %v", err)
	}
	t.Cleanup(func() { c.deleteNamespace(t, made.Name) })

	err = wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := c.client.CoreV1().ServiceAccounts(made.Name).Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		t.Fatalf("waiting for the default service account of namespace %s: %v", made.Name, err)
	}
	return made.Name
}

func (c *Cluster) deleteNamespace(t testing.TB, name string) {
	if c.process == nil {
		return // stopped by the test; its data end with the test's directory
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	err := c.client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Errorf("deleting namespace %s: %v", name, err)
	}
}
