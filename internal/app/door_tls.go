// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/tls"
	"errors"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/server"
)

// openTLS says how the listener speaks TLS; nil is not at all. The certificate is read anew for each connection, so that one which
// was renewed needs no restart.
func (r *roles) openTLS(ctx context.Context, opts RunOptions) (*server.TLS, error) {
	s := r.settings.Current()
	if unused := s.Unused; len(unused) > 0 {
		r.log.Warn("settings of argocd-cmd-params-cm that have no meaning for one program are left alone", "keys", unused)
	}
	if serving := s.Settings.Serving; opts.Insecure || serving.Insecure {
		return nil, nil //nolint:nilnil // no TLS is an answer
	}
	own, err := r.ownCertificate(ctx, opts)
	if err != nil {
		return nil, err
	}
	serving := s.Settings.Serving
	return &server.TLS{
		Min: serving.TLSMin, Max: serving.TLSMax, Ciphers: serving.TLSCiphers,
		Certificate: func() (*tls.Certificate, error) {
			if c := r.settings.Current().Certificate; c != nil {
				return c, nil
			}
			return own, nil
		},
	}, nil
}

// ownCertificate makes a certificate where none was given, and keeps it in argocd-secret as Argo CD does, so that every replica
// shows the same one after a restart too. Where nothing may be written it lives as long as the process.
func (r *roles) ownCertificate(ctx context.Context, opts RunOptions) (*tls.Certificate, error) {
	if given := r.settings.Current().Certificate; given != nil {
		return given, nil
	}
	certificate, key, err := server.NewCertificate(r.hostNames(ctx, opts.Namespace), realClock.Now())
	if err != nil {
		return nil, err
	}
	if !opts.Observe {
		if err := r.keepCertificate(ctx, opts.Namespace, certificate, key); err != nil {
			r.log.Warn("the certificate that was made is not kept: after a restart there is another", "error", err)
		}
	}
	pair, err := tls.X509KeyPair(certificate, key)
	return &pair, err
}

// keepCertificate writes the certificate, unless somebody else did in the meantime.
func (r *roles) keepCertificate(ctx context.Context, namespace string, certificate, key []byte) error {
	secret := &corev1.Secret{}
	if err := r.fresh.Get(ctx, client.ObjectKey{Namespace: namespace, Name: v1alpha1.SecretName}, secret); err != nil {
		return err
	}
	if len(secret.Data[corev1.TLSCertKey]) > 0 {
		return r.settings.Load(ctx)
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey] = certificate, key
	if err := r.hub.Update(ctx, secret, client.FieldOwner(v1alpha1.FieldManagerHub)); err != nil {
		return errors.Join(err, r.settings.Load(ctx))
	}
	return r.settings.Load(ctx)
}

// hostNames are the names by which the server may be called: those of its Service in the cluster, and of the setting url.
func (r *roles) hostNames(ctx context.Context, namespace string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	for _, service := range []string{"argocd-server", "bowline"} {
		for _, domain := range []string{"", "." + namespace, "." + namespace + ".svc", "." + namespace + ".svc.cluster.local"} {
			names = append(names, service+domain)
		}
	}
	cm := &corev1.ConfigMap{}
	if err := r.fresh.Get(ctx, client.ObjectKey{Namespace: namespace, Name: v1alpha1.ConfigMapName}, cm); err != nil {
		return names // the name is missing in a certificate that nobody vouches for anyway
	}
	if u, err := url.Parse(cm.Data["url"]); err == nil && u.Hostname() != "" {
		names = append(names, u.Hostname())
	}
	return names
}
