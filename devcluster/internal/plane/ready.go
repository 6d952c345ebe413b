// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// pollInterval is how often a condition of the start is looked at.
const pollInterval = 50 * time.Millisecond

// waitForAPI waits until the API server has finished its own start.
func waitForAPI(ctx context.Context, client *kubernetes.Clientset) error {
	return poll(ctx, "the API server to be ready", func(ctx context.Context) error {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
}

// releaseNodes deletes the leases of an earlier kwok on the same data. Its successor has another
// identity, and would leave the nodes alone until those leases are over.
func releaseNodes(ctx context.Context, client *kubernetes.Clientset) error {
	leases := client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	if err := leases.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("deleting the node leases of an earlier start: %w", err)
	}
	return nil
}

// waitUntilUsable waits until a user may start: the controllers have given the default
// namespace what pods need, and the nodes take pods.
func waitUntilUsable(ctx context.Context, client *kubernetes.Clientset, kubeletPort, nodes int) error {
	if err := ensureNodes(ctx, client, kubeletPort, nodes); err != nil {
		return err
	}
	err := poll(ctx, "the default service account", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
	if err != nil {
		return err
	}
	err = poll(ctx, "the ConfigMap kube-root-ca.crt", func(ctx context.Context) error {
		_, err := client.CoreV1().ConfigMaps("default").Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return err
	})
	if err != nil {
		return err
	}
	return poll(ctx, "the nodes to be ready", func(ctx context.Context) error {
		return nodesReady(ctx, client)
	})
}

// ensureNodes makes the nodes that are absent, and tells those of an earlier start where the
// kubelet is now.
func ensureNodes(ctx context.Context, client *kubernetes.Clientset, kubeletPort, count int) error {
	for i := range count {
		name := fmt.Sprintf("node-%d", i+1)
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname:   name,
				corev1.LabelOSStable:   "linux",
				corev1.LabelArchStable: "amd64",
			},
		}}
		_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("making node %s: %w", name, err)
		}
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing nodes: %w", err)
	}
	patch := fmt.Appendf(nil, `{"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":%d}}}}`, kubeletPort)
	for _, node := range nodes.Items {
		if node.Status.DaemonEndpoints.KubeletEndpoint.Port == int32(kubeletPort) {
			continue
		}
		_, err := client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
		if err != nil {
			return fmt.Errorf("telling node %s its kubelet's port: %w", node.Name, err)
		}
	}
	return nil
}

func nodesReady(ctx context.Context, client *kubernetes.Clientset) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, node := range nodes.Items {
		if !isReady(node) {
			return fmt.Errorf("node %s is not ready", node.Name)
		}
		if len(node.Spec.Taints) > 0 {
			return fmt.Errorf("node %s has the taint %s", node.Name, node.Spec.Taints[0].Key)
		}
	}
	return nil
}

func isReady(node corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// poll calls done until it returns nil. When ctx ends first, the error says
// what was waited for and why it was not so.
func poll(ctx context.Context, what string, done func(context.Context) error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := done(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("waited %s for %s: %w", readyTimeout, what, err)
			}
			return ctx.Err()
		}
	}
}
