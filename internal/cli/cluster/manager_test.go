// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/bowline-cd/bowline/internal/fault"
)

// newCluster is a cluster that fills in the tokens of service accounts.
func newCluster() *fake.Clientset {
	clients := fake.NewClientset()
	clients.PrependReactor("create", "secrets", func(action kubetesting.Action) (bool, runtime.Object, error) {
		secret := action.(kubetesting.CreateAction).GetObject().(*corev1.Secret)
		secret.Data = map[string][]byte{corev1.ServiceAccountTokenKey: []byte("token of " + secret.Annotations[corev1.ServiceAccountNameKey])}
		return false, nil, nil
	})
	return clients
}

func TestInstallTwiceAndUninstall(t *testing.T) {
	clients := newCluster()
	m := &manager{clients, systemNamespace}
	for range 2 { // what is there is taken over
		token, err := m.install(t.Context(), nil)
		if err != nil || token != "token of argocd-manager" {
			t.Fatalf("got %q, %v", token, err)
		}
	}
	binding, err := clients.RbacV1().ClusterRoleBindings().Get(t.Context(), managerBinding, metav1.GetOptions{})
	if err != nil || binding.Subjects[0].Name != managerAccount || binding.RoleRef.Name != managerRole {
		t.Errorf("got %v, %v", binding, err)
	}
	if err := m.uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := clients.RbacV1().ClusterRoles().Get(t.Context(), managerRole, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the rights are left: %v", err)
	}
	if err := m.uninstall(t.Context()); err != nil {
		t.Errorf("what is gone cannot be removed: %v", err)
	}
}

func TestInstallInNamespacesGivesNoRightsElsewhere(t *testing.T) {
	clients := newCluster()
	if _, err := (&manager{clients, systemNamespace}).install(t.Context(), []string{"shop", "tools"}); err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{"shop", "tools"} {
		if _, err := clients.RbacV1().RoleBindings(namespace).Get(t.Context(), managerBinding, metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
	}
	if everywhere, err := clients.RbacV1().ClusterRoleBindings().List(t.Context(), metav1.ListOptions{}); err != nil || len(everywhere.Items) > 0 {
		t.Errorf("got %v, %v", everywhere, err)
	}
}

func TestMissingRightsAreSaid(t *testing.T) {
	clients := fake.NewClientset()
	clients.PrependReactor("create", "serviceaccounts", func(kubetesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(corev1.Resource("serviceaccounts"), managerAccount, nil)
	})
	if _, err := (&manager{clients, systemNamespace}).install(t.Context(), nil); !fault.Is(err, fault.Forbidden) {
		t.Errorf("got %v", err)
	}
}

func TestQueryTellsServersFromNames(t *testing.T) {
	if q := query("https://east.example.com"); q.Server == "" || q.Name != "" || q.ID.Type != "server" {
		t.Errorf("got %+v", q)
	}
	if q := query("east"); q.Server != "" || q.Name == "" || q.ID.Type != "name" {
		t.Errorf("got %+v", q)
	}
}

func TestSetNamesWhatChanges(t *testing.T) {
	cmd := newSetCmd(nil)
	if err := cmd.ParseFlags([]string{"--name", "x", "--label", "a=b"}); err != nil {
		t.Fatal(err)
	}
	if got := changed(cmd); !slices.Equal(got, []string{"name", "labels"}) {
		t.Errorf("got %v", got)
	}
}
