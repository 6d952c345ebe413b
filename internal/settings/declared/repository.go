// SPDX-License-Identifier: Apache-2.0

package declared

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

var repositoryKeys = keys[v1alpha1.Repository]{
	texts: map[string]func(*v1alpha1.Repository) *string{
		"url":                               func(r *v1alpha1.Repository) *string { return &r.Repo },
		"type":                              func(r *v1alpha1.Repository) *string { return &r.Type },
		"name":                              func(r *v1alpha1.Repository) *string { return &r.Name },
		"project":                           func(r *v1alpha1.Repository) *string { return &r.Project },
		"username":                          func(r *v1alpha1.Repository) *string { return &r.Username },
		"password":                          func(r *v1alpha1.Repository) *string { return &r.Password },
		"bearerToken":                       func(r *v1alpha1.Repository) *string { return &r.BearerToken },
		"sshPrivateKey":                     func(r *v1alpha1.Repository) *string { return &r.SSHPrivateKey },
		"tlsClientCertData":                 func(r *v1alpha1.Repository) *string { return &r.TLSClientCertData },
		"tlsClientCertKey":                  func(r *v1alpha1.Repository) *string { return &r.TLSClientCertKey },
		"githubAppPrivateKey":               func(r *v1alpha1.Repository) *string { return &r.GithubAppPrivateKey },
		"githubAppEnterpriseBaseUrl":        func(r *v1alpha1.Repository) *string { return &r.GithubAppEnterpriseBaseURL },
		"proxy":                             func(r *v1alpha1.Repository) *string { return &r.Proxy },
		"noProxy":                           func(r *v1alpha1.Repository) *string { return &r.NoProxy },
		"gcpServiceAccountKey":              func(r *v1alpha1.Repository) *string { return &r.GCPServiceAccountKey },
		"azureServicePrincipalClientId":     func(r *v1alpha1.Repository) *string { return &r.AzureServicePrincipalClientID },
		"azureServicePrincipalClientSecret": func(r *v1alpha1.Repository) *string { return &r.AzureServicePrincipalClientSecret },
		"azureServicePrincipalTenantId":     func(r *v1alpha1.Repository) *string { return &r.AzureServicePrincipalTenantID },
		"azureActiveDirectoryEndpoint":      func(r *v1alpha1.Repository) *string { return &r.AzureActiveDirectoryEndpoint },
	},
	flags: map[string]func(*v1alpha1.Repository) *bool{
		"insecure":                         func(r *v1alpha1.Repository) *bool { return &r.Insecure },
		"insecureIgnoreHostKey":            func(r *v1alpha1.Repository) *bool { return &r.InsecureIgnoreHostKey },
		"enableLfs":                        func(r *v1alpha1.Repository) *bool { return &r.EnableLFS },
		"enableOCI":                        func(r *v1alpha1.Repository) *bool { return &r.EnableOCI },
		"insecureOCIForceHttp":             func(r *v1alpha1.Repository) *bool { return &r.InsecureOCIForceHTTP },
		"forceHttpBasicAuth":               func(r *v1alpha1.Repository) *bool { return &r.ForceHTTPBasicAuth },
		"useAzureWorkloadIdentity":         func(r *v1alpha1.Repository) *bool { return &r.UseAzureWorkloadIdentity },
		"webhookManifestCacheWarmDisabled": func(r *v1alpha1.Repository) *bool { return &r.WebhookManifestCacheWarmDisabled },
	},
	numbers: map[string]func(*v1alpha1.Repository) *int64{
		"githubAppID":             func(r *v1alpha1.Repository) *int64 { return &r.GithubAppID },
		"githubAppInstallationID": func(r *v1alpha1.Repository) *int64 { return &r.GithubAppInstallationID },
		"depth":                   func(r *v1alpha1.Repository) *int64 { return &r.Depth },
	},
}

// RepositoryKind is the label's value of a Secret that declares a repository, or of its twin.
func RepositoryKind(writes bool) string {
	if writes {
		return v1alpha1.LabelValueSecretTypeRepoWrite
	}
	return v1alpha1.LabelValueSecretTypeRepository
}

// NewRepository returns the Secret of a repository, or its twin for writing, without a namespace.
func NewRepository(r *v1alpha1.Repository, writes bool) *corev1.Secret {
	prefix := "repo"
	if writes {
		prefix = "repo-write"
	}
	secret := own(hashed(prefix, r.Repo, r.Project), RepositoryKind(writes))
	WriteRepository(secret, r)
	return secret
}

// WriteRepository puts a repository into its Secret.
func WriteRepository(secret *corev1.Secret, r *v1alpha1.Repository) { repositoryKeys.write(secret, r) }

// ReadRepository reads a Secret. With an error, which is a fault.Mistake, the rest is read.
func ReadRepository(secret *corev1.Secret) (*v1alpha1.Repository, error) {
	r := &v1alpha1.Repository{}
	return r, repositoryKeys.read(secret, r)
}

// ShownRepository is the repository without anything that gives access. A repository without a type is one of Git.
func ShownRepository(r *v1alpha1.Repository) v1alpha1.Repository {
	kind := r.Type
	if kind == "" {
		kind = "git"
	}
	return v1alpha1.Repository{
		Repo: shownURL(r.Repo), Type: kind, Name: r.Name, Project: r.Project,
		Insecure: r.Insecure || r.InsecureIgnoreHostKey, EnableLFS: r.EnableLFS, EnableOCI: r.EnableOCI, InsecureOCIForceHTTP: r.InsecureOCIForceHTTP,
		Proxy: shownURL(r.Proxy), NoProxy: r.NoProxy, ForceHTTPBasicAuth: r.ForceHTTPBasicAuth, InheritedCreds: r.InheritedCreds,
		GithubAppID: r.GithubAppID, GithubAppInstallationID: r.GithubAppInstallationID, GithubAppEnterpriseBaseURL: shownURL(r.GithubAppEnterpriseBaseURL),
		UseAzureWorkloadIdentity: r.UseAzureWorkloadIdentity, AzureActiveDirectoryEndpoint: r.AzureActiveDirectoryEndpoint,
		AzureServicePrincipalClientID: r.AzureServicePrincipalClientID, AzureServicePrincipalTenantID: r.AzureServicePrincipalTenantID,
		Depth: r.Depth, WebhookManifestCacheWarmDisabled: r.WebhookManifestCacheWarmDisabled, ConnectionState: r.ConnectionState,
	}
}

// HasCredentials reports whether the repository says itself how it is read.
func HasCredentials(r *v1alpha1.Repository) bool {
	return r.Username != "" || r.Password != "" || r.BearerToken != "" || r.SSHPrivateKey != "" || r.TLSClientCertData != "" ||
		r.GithubAppPrivateKey != "" || r.GCPServiceAccountKey != "" || r.UseAzureWorkloadIdentity || r.AzureServicePrincipalClientSecret != ""
}
