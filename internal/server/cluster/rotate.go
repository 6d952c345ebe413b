// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// RotateAuth replaces the token that a cluster is reached with by a new one of the same service account. The old one ends when the
// new one is proved and stored, not before.
func (s *Service) RotateAuth(ctx context.Context, query *rpccluster.ClusterQuery) (*rpccluster.ClusterResponse, error) {
	all, err := s.pick(ctx, access.Update, query)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if err := s.rotate(ctx, c); err != nil {
			return nil, err
		}
	}
	return &rpccluster.ClusterResponse{}, nil
}

func (s *Service) rotate(ctx context.Context, c found) error {
	if c.broken != nil {
		return c.broken
	}
	if c.Config.BearerToken == "" {
		return cannotRotate(c.Cluster, "it is not reached with a bearer token")
	}
	old, err := accountOf(c.Config.BearerToken)
	if err != nil {
		return cannotRotate(c.Cluster, err.Error())
	}
	config, err := cluster.ParseSecret(c.secret, s.Settings().ExecAllowed)
	if err != nil {
		return err
	}
	target, err := kubernetes.NewForConfig(config.REST)
	if err != nil {
		return cannotRotate(c.Cluster, "its connection cannot be used")
	}
	name, token, err := s.newToken(ctx, target, old)
	if err != nil {
		return fault.Wrap(fault.Stalled, "make a new token for", thing(c.Cluster), err, "let the account that the cluster is reached with write Secrets of its own namespace")
	}
	now := *c.Cluster
	now.Config.BearerToken, now.Config.TLSClientConfig.CertData, now.Config.TLSClientConfig.KeyData = token, nil, nil
	if err := s.write(ctx, c, &now, true); err != nil {
		return err
	}
	trial, err := declared.NewCluster(&now)
	if err != nil {
		return err
	}
	if config, err = cluster.ParseSecret(trial, s.Settings().ExecAllowed); err != nil {
		return err
	}
	if target, err = kubernetes.NewForConfig(config.REST); err != nil {
		return err
	}
	err = retire(ctx, target, old, name)
	return fault.Wrap(fault.Stalled, "end the old token of", thing(c.Cluster), err, "delete Secret "+old.Namespace+"/"+old.Secret+" there")
}

func cannotRotate(c *v1alpha1.Cluster, cause string) error {
	return fault.New(fault.Mistake, "rotate the token of", thing(c), "config", cause, "add the cluster again")
}

// account is whose a token is, as it says itself.
type account struct {
	Namespace string `json:"kubernetes.io/serviceaccount/namespace"`
	Secret    string `json:"kubernetes.io/serviceaccount/secret.name"`
	Name      string `json:"kubernetes.io/serviceaccount/service-account.name"`
}

// accountOf reads a token of a service account that a Secret holds. It is not verified: the API server will.
func accountOf(token string) (account, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return account{}, errors.New("its token is none of a service account")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	out := account{}
	if err != nil || json.Unmarshal(text, &out) != nil {
		return account{}, errors.New("its token cannot be read")
	}
	if out.Namespace == "" || out.Secret == "" || out.Name == "" {
		return account{}, errors.New("its token does not come from a Secret of a service account")
	}
	return out, nil
}

const (
	tokenFor  = 30 * time.Second
	tokenLook = 100 * time.Millisecond
)

// newToken makes a Secret like the old one, which Kubernetes fills with a token.
func (s *Service) newToken(ctx context.Context, target kubernetes.Interface, old account) (name, token string, err error) {
	secrets := target.CoreV1().Secrets(old.Namespace)
	before, err := secrets.Get(ctx, old.Secret, metav1.GetOptions{})
	if err != nil {
		return "", "", err
	}
	prefix := old.Secret
	if at := strings.LastIndex(prefix, "-"); at > 0 {
		prefix = prefix[:at]
	}
	made, err := secrets.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-", Annotations: map[string]string{corev1.ServiceAccountNameKey: before.Annotations[corev1.ServiceAccountNameKey]}},
		Type:       corev1.SecretTypeServiceAccountToken,
	}, metav1.CreateOptions{FieldManager: v1alpha1.FieldManagerHub})
	if err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithTimeout(ctx, tokenFor)
	defer cancel()
	look := s.Hub.Clock.NewTicker(tokenLook)
	defer look.Stop()
	for len(made.Data[corev1.ServiceAccountTokenKey]) == 0 {
		select {
		case <-look.C():
		case <-ctx.Done():
			return "", "", errors.New("no token came into Secret " + old.Namespace + "/" + made.Name)
		}
		if made, err = secrets.Get(ctx, made.Name, metav1.GetOptions{}); err != nil {
			return "", "", err
		}
	}
	return made.Name, string(made.Data[corev1.ServiceAccountTokenKey]), nil
}

// retire makes the service account name the new Secret and deletes the old one, which ends its token.
func retire(ctx context.Context, target kubernetes.Interface, old account, name string) error {
	accounts := target.CoreV1().ServiceAccounts(old.Namespace)
	sa, err := accounts.Get(ctx, old.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	sa.Secrets = slices.DeleteFunc(sa.Secrets, func(r corev1.ObjectReference) bool { return r.Name == old.Secret || r.Name == name })
	sa.Secrets = append(sa.Secrets, corev1.ObjectReference{Name: name})
	if _, err := accounts.Update(ctx, sa, metav1.UpdateOptions{FieldManager: v1alpha1.FieldManagerHub}); err != nil {
		return err
	}
	err = target.CoreV1().Secrets(old.Namespace).Delete(ctx, old.Secret, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
