// SPDX-License-Identifier: Apache-2.0

// Package configuration reads everything in the control namespace that is a setting (ConfigMaps, and Secrets with a
// secret-type label) into one Snapshot, and tells when it changed.
//
// The words of this room:
//
//   - Snapshot: all settings at one moment. A setting that cannot be read keeps the value it had and is named in
//     Problems; it takes no other down.
//   - Version: a digest of what a part of a Snapshot was read from.
package configuration

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/source"
)

// Snapshot is all settings at one moment. It is immutable.
type Snapshot struct {
	Settings settings.Settings
	// Version changes with the ConfigMaps argocd-cm, argocd-cmd-params-cm and argocd-gpg-keys-cm.
	Version     string
	Credentials *source.Credentials
	// Keyring holds the keys of argocd-gpg-keys-cm.
	Keyring source.Keyring
	// Repositories changes with any repository Secret, certificate or known host.
	Repositories string
	Clusters     []cluster.Config
	// BrokenClusters are Secrets that say which cluster they are for and cannot be used, by server and by name.
	BrokenClusters map[string]error
	// WebhookSecrets are the keys webhook.* of argocd-secret.
	WebhookSecrets map[string]string
	// Key is server.secretkey of argocd-secret; what is kept on disk and must not be read there is encrypted with it.
	Key fault.Secret
	// Certificate is what the server shows: that of Secret argocd-server-tls, or of argocd-secret; nil if neither has one.
	Certificate *tls.Certificate
	// Identity is who may come in and what they may do.
	Identity Identity
	// Unused are keys of argocd-cmd-params-cm that have no meaning here.
	Unused   []string
	Problems []error

	secret map[string][]byte // the data of argocd-secret
}

// Reader reads Snapshots and keeps the last one.
type Reader struct {
	reader    client.Reader
	namespace string
	log       *slog.Logger
	onChange  func(*Snapshot)

	mu         sync.Mutex
	onIdentity []func()
	last       atomic.Pointer[Snapshot]
}

// NewReader returns a Reader. onChange is called with each Snapshot that differs from the one before it.
func NewReader(reader client.Reader, namespace string, log *slog.Logger, onChange func(*Snapshot)) *Reader {
	return &Reader{reader: reader, namespace: namespace, log: log, onChange: onChange}
}

// Current returns the last Snapshot; nil before the first Load.
func (r *Reader) Current() *Snapshot { return r.last.Load() }

// SetupWithManager reloads whenever a ConfigMap or Secret of the control namespace changes.
func (r *Reader) SetupWithManager(mgr ctrl.Manager) error {
	no := false
	all := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{}} // one key: many changes make one reload
	})
	return ctrl.NewControllerManagedBy(mgr).Named("configuration").
		WithOptions(controller.Options{NeedLeaderElection: &no}). // a standby keeps its settings current
		Watches(&corev1.ConfigMap{}, all).Watches(&corev1.Secret{}, all).
		Complete(reconcile.Func(func(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
			return reconcile.Result{}, r.Load(ctx)
		}))
}

// Load reads everything. An error means that it could not be read at all; the last Snapshot stands.
func (r *Reader) Load(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, err := r.read(ctx)
	if err != nil {
		return fmt.Errorf("read the settings in namespace %s: %w", r.namespace, err)
	}
	before := r.last.Swap(next)
	defer r.tellIdentity(before, next)
	if before != nil && before.digest() == next.digest() {
		return nil
	}
	next.logProblems(r.log)
	r.onChange(next)
	return nil
}

func (s *Snapshot) logProblems(log *slog.Logger) {
	for _, problem := range s.Problems {
		log.Warn("a setting is broken and keeps its former value", "error", problem)
	}
}

// digest covers everything a Snapshot holds.
func (s *Snapshot) digest() object.Digest {
	clusters := make([]string, 0, len(s.Clusters)+len(s.BrokenClusters))
	for _, c := range s.Clusters {
		clusters = append(clusters, c.Server+string(c.Digest))
	}
	for name, err := range s.BrokenClusters {
		clusters = append(clusters, name+err.Error())
	}
	slices.Sort(clusters)
	var certificate [][]byte
	if s.Certificate != nil {
		certificate = s.Certificate.Certificate
	}
	return object.DigestOf([]any{s.Version, s.Repositories, clusters, s.WebhookSecrets, certificate})
}

func (r *Reader) read(ctx context.Context) (*Snapshot, error) {
	cm, err := r.configMap(ctx, v1alpha1.ConfigMapName)
	if err != nil {
		return nil, err
	}
	params, err := r.configMap(ctx, v1alpha1.CommandParamsConfigMapName)
	if err != nil {
		return nil, err
	}
	keys, err := r.configMap(ctx, v1alpha1.GPGKeysConfigMapName)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Version: string(object.DigestOf([]any{cm, params, keys})), Unused: settings.Unused(params)}
	former := settings.Defaults()
	if before := r.last.Load(); before != nil {
		former, s.Certificate = before.Settings, before.Certificate
	}
	s.Settings, s.Problems = former.Checking(diff.CheckRule).With(cm, params)
	keyring, problems := source.ParseKeyring(keys)
	s.Keyring, s.Problems = keyring, append(s.Problems, problems...)
	if err := r.readSecrets(ctx, s); err != nil {
		return nil, err
	}
	return s, r.readIdentity(ctx, s, cm)
}

func (r *Reader) configMap(ctx context.Context, name string) (map[string]string, error) {
	var cm corev1.ConfigMap
	err := r.reader.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: name}, &cm)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return cm.Data, err
}

// readSecrets reads repositories, clusters and webhook secrets.
func (r *Reader) readSecrets(ctx context.Context, s *Snapshot) error {
	var list corev1.SecretList
	if err := r.reader.List(ctx, &list, client.InNamespace(r.namespace)); err != nil {
		return err
	}
	certificates, err := r.configMap(ctx, v1alpha1.TLSCertsConfigMapName)
	if err != nil {
		return err
	}
	hosts, err := r.configMap(ctx, v1alpha1.KnownHostsConfigMapName)
	if err != nil {
		return err
	}
	slices.SortFunc(list.Items, func(a, b corev1.Secret) int { return strings.Compare(a.Name, b.Name) })
	var repositories, writing []corev1.Secret
	for _, secret := range list.Items {
		switch secret.Labels[v1alpha1.LabelKeySecretType] {
		case v1alpha1.LabelValueSecretTypeRepository, v1alpha1.LabelValueSecretTypeRepoCreds:
			repositories = append(repositories, secret)
		case v1alpha1.LabelValueSecretTypeRepoWrite, v1alpha1.LabelValueSecretTypeRepoWriteCred:
			writing = append(writing, secret)
		case v1alpha1.LabelValueSecretTypeCluster:
			s.addCluster(&secret, s.Settings.ExecAllowed)
		}
		if secret.Name == v1alpha1.SecretName {
			s.secret = secret.Data
			s.WebhookSecrets = webhookSecrets(secret.Data)
			s.Key = fault.NewSecret(string(secret.Data[secretKey]))
		}
	}
	s.readCertificate(list.Items)
	var problems []error
	s.Credentials, problems = source.ParseSecrets(slices.Concat(repositories, writing), certificates, hosts)
	s.Problems = append(s.Problems, problems...)
	s.Repositories = string(object.DigestOf([]any{dataOf(repositories), certificates, hosts}))
	return nil
}

// readCertificate takes the certificate of the server from the Secret of its own, or from argocd-secret. One that cannot be read
// is a problem, and the former one stays.
func (s *Snapshot) readCertificate(secrets []corev1.Secret) {
	for _, name := range []string{v1alpha1.ServerTLSSecretName, v1alpha1.SecretName} {
		i := slices.IndexFunc(secrets, func(secret corev1.Secret) bool { return secret.Name == name && len(secret.Data[corev1.TLSCertKey]) > 0 })
		if i < 0 {
			continue
		}
		pair, err := tls.X509KeyPair(secrets[i].Data[corev1.TLSCertKey], secrets[i].Data[corev1.TLSPrivateKeyKey])
		if err != nil {
			s.Problems = append(s.Problems, &fault.Error{
				Kind: fault.Mistake, Op: "use", Thing: "the certificate of the server", Where: "Secret " + name, Err: err,
				Fix: "put a certificate and its key in PEM under tls.crt and tls.key; until then the former one is shown",
			})
			return
		}
		s.Certificate = &pair
		return
	}
	s.Certificate = nil
}

func (s *Snapshot) addCluster(secret *corev1.Secret, allowExec []string) {
	cfg, err := cluster.ParseSecret(secret, allowExec)
	if err == nil {
		s.Clusters = append(s.Clusters, cfg)
		return
	}
	s.Problems = append(s.Problems, err)
	if s.BrokenClusters == nil {
		s.BrokenClusters = map[string]error{}
	}
	for _, key := range []string{"server", "name"} {
		if v := string(secret.Data[key]); v != "" {
			s.BrokenClusters[v] = err
		}
	}
}

// dataOf returns what a change of credentials is seen by.
func dataOf(secrets []corev1.Secret) []any {
	out := make([]any, 0, len(secrets))
	for _, s := range secrets {
		out = append(out, []any{s.Name, s.Labels[v1alpha1.LabelKeySecretType], s.Data})
	}
	return out
}

// secretKey is the key of argocd-secret that sessions are signed with in Argo CD.
const secretKey = "server.secretkey"

func webhookSecrets(data map[string][]byte) map[string]string {
	out := map[string]string{}
	for key, value := range data {
		if strings.HasPrefix(key, "webhook.") {
			out[key] = strings.TrimSpace(string(value))
		}
	}
	return out
}
