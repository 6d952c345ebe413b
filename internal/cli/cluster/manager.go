// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/fault"
)

// The names are those that Argo CD's command line uses, so that it finds what was made here, and the other way round.
const (
	managerAccount  = "argocd-manager"
	managerRole     = "argocd-manager-role"
	managerBinding  = "argocd-manager-role-binding"
	tokenSuffix     = "-long-lived-token"
	systemNamespace = "kube-system"
)

// tokenWait is how long the cluster may take to make a token.
const tokenWait = 30 * time.Second

var everything = []string{"*"}

// manager makes and removes the manager of a cluster.
type manager struct {
	clients   kubernetes.Interface
	namespace string
}

func newManager(config *rest.Config, namespace string) (*manager, error) {
	clients, err := kubernetes.NewForConfig(config)
	return &manager{clients, namespace}, fault.Wrap(fault.Stalled, "use", "the kubeconfig", err, "mend the kubeconfig")
}

// failed says that something could not be made or removed.
func failed(verb, thing string, err error) error {
	kind, fix := fault.Retry, "check that the cluster answers"
	if apierrors.IsForbidden(err) {
		kind, fix = fault.Forbidden, "use a context with the rights to do so, or give an account that exists with --service-account"
	}
	return fault.Wrap(kind, verb, thing, err, fix)
}

// install makes the manager and its rights, in namespaces or everywhere, and returns its token.
func (m *manager) install(ctx context.Context, namespaces []string) (string, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: managerAccount, Namespace: m.namespace}}
	_, err := m.clients.CoreV1().ServiceAccounts(m.namespace).Create(ctx, account, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return "", failed("make", "service account "+m.namespace+"/"+managerAccount, err)
	}
	if len(namespaces) == 0 {
		err = m.allow(ctx)
	} else {
		err = m.allowIn(ctx, namespaces)
	}
	if err != nil {
		return "", err
	}
	return m.token(ctx, managerAccount)
}

func (m *manager) subject() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: managerAccount, Namespace: m.namespace}}
}

// allow gives the manager all rights in the cluster.
func (m *manager) allow(ctx context.Context) error {
	rbac := m.clients.RbacV1()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: managerRole}, Rules: []rbacv1.PolicyRule{
		{APIGroups: everything, Resources: everything, Verbs: everything}, {NonResourceURLs: everything, Verbs: everything},
	}}
	if err := put(ctx, role, rbac.ClusterRoles().Create, rbac.ClusterRoles().Update); err != nil {
		return failed("make", "cluster role "+managerRole, err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: managerBinding}, Subjects: m.subject(),
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: managerRole},
	}
	return failed("make", "cluster role binding "+managerBinding, put(ctx, binding, rbac.ClusterRoleBindings().Create, rbac.ClusterRoleBindings().Update))
}

// allowIn gives the manager all rights in namespaces.
func (m *manager) allowIn(ctx context.Context, namespaces []string) error {
	for _, namespace := range namespaces {
		rbac := m.clients.RbacV1()
		role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: managerRole, Namespace: namespace}, Rules: []rbacv1.PolicyRule{
			{APIGroups: everything, Resources: everything, Verbs: everything},
		}}
		if err := put(ctx, role, rbac.Roles(namespace).Create, rbac.Roles(namespace).Update); err != nil {
			return failed("make", "role "+namespace+"/"+managerRole, err)
		}
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: managerBinding, Namespace: namespace}, Subjects: m.subject(),
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: managerRole},
		}
		if err := put(ctx, binding, rbac.RoleBindings(namespace).Create, rbac.RoleBindings(namespace).Update); err != nil {
			return failed("make", "role binding "+namespace+"/"+managerBinding, err)
		}
	}
	return nil
}

// put creates an object, or updates the one that is there.
func put[T any](ctx context.Context, object T, create func(context.Context, T, metav1.CreateOptions) (T, error),
	update func(context.Context, T, metav1.UpdateOptions) (T, error)) error {
	_, err := create(ctx, object, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = update(ctx, object, metav1.UpdateOptions{})
	}
	return err
}

// token returns the token of a service account. The cluster puts it into a Secret that names the account.
func (m *manager) token(ctx context.Context, account string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, tokenWait, errors.New("the cluster makes no token"))
	defer cancel()
	secrets := m.clients.CoreV1().Secrets(m.namespace)
	thing := "the token of service account " + m.namespace + "/" + account
	wanted := &corev1.Secret{Type: corev1.SecretTypeServiceAccountToken, ObjectMeta: metav1.ObjectMeta{
		Name: account + tokenSuffix, Namespace: m.namespace, Annotations: map[string]string{corev1.ServiceAccountNameKey: account},
	}}
	if _, err := secrets.Create(ctx, wanted, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return "", failed("ask for", thing, err)
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		secret, err := secrets.Get(ctx, wanted.Name, metav1.GetOptions{})
		if err != nil {
			return "", failed("read", thing, err)
		}
		if token := secret.Data[corev1.ServiceAccountTokenKey]; len(token) > 0 {
			return string(token), nil
		}
		select {
		case <-ctx.Done():
			return "", fault.Wrap(fault.Stalled, "read", thing, context.Cause(ctx), "check that the cluster has its service account and its token controller, or use --exec-command")
		case <-tick.C:
		}
	}
}

// uninstall removes the manager and the rights that it has in the whole cluster.
func (m *manager) uninstall(ctx context.Context) error {
	rbac, now := m.clients.RbacV1(), metav1.DeleteOptions{}
	for _, step := range []struct {
		thing string
		gone  error
	}{
		{"cluster role binding " + managerBinding, rbac.ClusterRoleBindings().Delete(ctx, managerBinding, now)},
		{"cluster role " + managerRole, rbac.ClusterRoles().Delete(ctx, managerRole, now)},
		{"service account " + managerAccount, m.clients.CoreV1().ServiceAccounts(m.namespace).Delete(ctx, managerAccount, now)},
	} {
		if step.gone != nil && !apierrors.IsNotFound(step.gone) {
			return failed("remove", step.thing, step.gone)
		}
	}
	return nil
}
