// SPDX-License-Identifier: Apache-2.0

package declared

import (
	"net/url"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// The Azure keys of credentials end in ID where those of repositories end in Id: it is how Argo CD writes them.
var credsKeys = keys[v1alpha1.RepoCreds]{
	texts: map[string]func(*v1alpha1.RepoCreds) *string{
		"url":                               func(c *v1alpha1.RepoCreds) *string { return &c.URL },
		"type":                              func(c *v1alpha1.RepoCreds) *string { return &c.Type },
		"username":                          func(c *v1alpha1.RepoCreds) *string { return &c.Username },
		"password":                          func(c *v1alpha1.RepoCreds) *string { return &c.Password },
		"bearerToken":                       func(c *v1alpha1.RepoCreds) *string { return &c.BearerToken },
		"sshPrivateKey":                     func(c *v1alpha1.RepoCreds) *string { return &c.SSHPrivateKey },
		"tlsClientCertData":                 func(c *v1alpha1.RepoCreds) *string { return &c.TLSClientCertData },
		"tlsClientCertKey":                  func(c *v1alpha1.RepoCreds) *string { return &c.TLSClientCertKey },
		"githubAppPrivateKey":               func(c *v1alpha1.RepoCreds) *string { return &c.GithubAppPrivateKey },
		"githubAppEnterpriseBaseUrl":        func(c *v1alpha1.RepoCreds) *string { return &c.GithubAppEnterpriseBaseURL },
		"proxy":                             func(c *v1alpha1.RepoCreds) *string { return &c.Proxy },
		"noProxy":                           func(c *v1alpha1.RepoCreds) *string { return &c.NoProxy },
		"gcpServiceAccountKey":              func(c *v1alpha1.RepoCreds) *string { return &c.GCPServiceAccountKey },
		"azureServicePrincipalClientID":     func(c *v1alpha1.RepoCreds) *string { return &c.AzureServicePrincipalClientID },
		"azureServicePrincipalClientSecret": func(c *v1alpha1.RepoCreds) *string { return &c.AzureServicePrincipalClientSecret },
		"azureServicePrincipalTenantID":     func(c *v1alpha1.RepoCreds) *string { return &c.AzureServicePrincipalTenantID },
		"azureActiveDirectoryEndpoint":      func(c *v1alpha1.RepoCreds) *string { return &c.AzureActiveDirectoryEndpoint },
	},
	flags: map[string]func(*v1alpha1.RepoCreds) *bool{
		"enableOCI":                func(c *v1alpha1.RepoCreds) *bool { return &c.EnableOCI },
		"insecureOCIForceHttp":     func(c *v1alpha1.RepoCreds) *bool { return &c.InsecureOCIForceHTTP },
		"forceHttpBasicAuth":       func(c *v1alpha1.RepoCreds) *bool { return &c.ForceHTTPBasicAuth },
		"useAzureWorkloadIdentity": func(c *v1alpha1.RepoCreds) *bool { return &c.UseAzureWorkloadIdentity },
	},
	numbers: map[string]func(*v1alpha1.RepoCreds) *int64{
		"githubAppID":             func(c *v1alpha1.RepoCreds) *int64 { return &c.GithubAppID },
		"githubAppInstallationID": func(c *v1alpha1.RepoCreds) *int64 { return &c.GithubAppInstallationID },
	},
}

// CredsKind is the label's value of a Secret that declares credentials, or of its twin.
func CredsKind(writes bool) string {
	if writes {
		return v1alpha1.LabelValueSecretTypeRepoWriteCred
	}
	return v1alpha1.LabelValueSecretTypeRepoCreds
}

// NewCreds returns the Secret of credentials, or its twin for writing, without a namespace.
func NewCreds(c *v1alpha1.RepoCreds, writes bool) *corev1.Secret {
	prefix := "creds"
	if writes {
		prefix = "creds-write"
	}
	secret := own(hashed(prefix, c.URL), CredsKind(writes))
	WriteCreds(secret, c)
	return secret
}

// WriteCreds puts credentials into their Secret.
func WriteCreds(secret *corev1.Secret, c *v1alpha1.RepoCreds) { credsKeys.write(secret, c) }

// ReadCreds reads a Secret. With an error, which is a fault.Mistake, the rest is read.
func ReadCreds(secret *corev1.Secret) (*v1alpha1.RepoCreds, error) {
	c := &v1alpha1.RepoCreds{}
	return c, credsKeys.read(secret, c)
}

// ShownCreds are the credentials without anything that gives access: the address they are for, and as whom.
func ShownCreds(c *v1alpha1.RepoCreds) v1alpha1.RepoCreds {
	return v1alpha1.RepoCreds{URL: shownURL(c.URL), Username: c.Username}
}

// shownURL is an address without the password it may hold. The user stays: it is a part of the name of a repository.
func shownURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return address
	}
	if _, secret := u.User.Password(); !secret {
		return address
	}
	u.User = url.User(u.User.Username())
	return u.String()
}
