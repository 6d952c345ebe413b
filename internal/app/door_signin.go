// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/auth/issuer"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/signin"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// signInSecret is where the keys of single sign-on are, and what is under way.
const signInSecret = "bowline-sign-in"

// openSignIn adds single sign-on.
func (r *roles) openSignIn(_ context.Context, d *door, opts RunOptions) error {
	var vault issuer.Vault = &issuer.MemoryVault{}
	if !opts.Observe {
		vault = &issuer.SecretVault{Reader: r.fresh, Writer: r.hub, Namespace: opts.Namespace, Name: signInSecret}
	}
	logins, _ := r.boards(opts)
	s := signin.New(signin.Deps{
		Settings: func(ctx context.Context) (signin.Settings, error) { return r.signInSettings(ctx, opts.Namespace) },
		Scopes:   func() []string { return r.settings.Current().Identity.Policy.Scopes },
		Verify:   d.verify, Revoke: d.tokens.Revoke, Token: transport.Token,
		Throttle: newThrottle(logins, func() fault.Secret { return r.settings.Current().Key }), Vault: vault, Clock: realClock, Log: r.log,
	})
	d.verifySSO, d.renewSSO = s.VerifySSO, s.Renew
	d.routes = append(d.routes, s.Routes()...)
	return nil
}

// signInSettings reads what argocd-cm and the Secrets that it may refer to say, from the cache.
func (r *roles) signInSettings(ctx context.Context, namespace string) (signin.Settings, error) {
	var cm corev1.ConfigMap
	if err := r.hub.Get(ctx, client.ObjectKey{Namespace: namespace, Name: v1alpha1.ConfigMapName}, &cm); err != nil && !apierrors.IsNotFound(err) {
		return signin.Settings{}, err
	}
	s := signin.Settings{
		URL: strings.TrimSpace(cm.Data["url"]), OIDC: cm.Data["oidc.config"], Dex: cm.Data["dex.config"],
		InsecureSkipVerify: cm.Data["oidc.tls.insecure.skip.verify"] == "true", Session: r.settings.Current().Settings.Users.Session,
	}
	more, err := signin.ReadAddresses(cm.Data["additionalUrls"])
	if err != nil {
		r.log.Warn("a setting is broken and is left out", "error", err)
	}
	s.Additional = more
	known, err := r.referable(ctx, namespace)
	if err != nil {
		return signin.Settings{}, err
	}
	s.Lookup = func(key string) (string, bool) { value, ok := known[key]; return value, ok }
	s.Version = string(object.DigestOf([]any{s.URL, more, s.OIDC, s.Dex, s.InsecureSkipVerify, s.Session, referred(known, s.OIDC+s.Dex)}))
	return s, nil
}

// referable are the values that settings may stand for by $key, a key of argocd-secret, or $secret:key, of a Secret that is labelled
// as a part of Argo CD.
func (r *roles) referable(ctx context.Context, namespace string) (map[string]string, error) {
	var secrets corev1.SecretList
	if err := r.hub.List(ctx, &secrets, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, secret := range secrets.Items {
		prefix := secret.Name + ":"
		switch {
		case secret.Name == v1alpha1.SecretName:
			prefix = ""
		case secret.Labels["app.kubernetes.io/part-of"] != "argocd":
			continue
		}
		for key, value := range secret.Data {
			out[prefix+key] = string(value)
		}
	}
	return out, nil
}

// referred are the values of those keys that the texts name, in order.
func referred(known map[string]string, texts string) []string {
	var out []string
	for key, value := range known {
		if strings.Contains(texts, "$"+key) {
			out = append(out, key+"="+value)
		}
	}
	slices.Sort(out)
	return out
}
