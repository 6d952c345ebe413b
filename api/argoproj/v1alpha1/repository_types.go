// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// The types of this file are not kinds of the API server: they are what the API speaks of repositories.

// Repository is a connection to a Git repository, a Helm repository or an OCI registry. The fields that are secret are for
// requests: no answer has them.
type Repository struct {
	Repo                              string          `json:"repo"`
	Username                          string          `json:"username,omitempty"`
	Password                          string          `json:"password,omitempty"`
	SSHPrivateKey                     string          `json:"sshPrivateKey,omitempty"`
	ConnectionState                   ConnectionState `json:"connectionState,omitzero"`
	InsecureIgnoreHostKey             bool            `json:"insecureIgnoreHostKey,omitempty"`
	Insecure                          bool            `json:"insecure,omitempty"`
	EnableLFS                         bool            `json:"enableLfs,omitempty"`
	TLSClientCertData                 string          `json:"tlsClientCertData,omitempty"`
	TLSClientCertKey                  string          `json:"tlsClientCertKey,omitempty"`
	Type                              string          `json:"type,omitempty"`
	Name                              string          `json:"name,omitempty"`
	InheritedCreds                    bool            `json:"inheritedCreds,omitempty"`
	EnableOCI                         bool            `json:"enableOCI,omitempty"`
	GithubAppPrivateKey               string          `json:"githubAppPrivateKey,omitempty"`
	GithubAppID                       int64           `json:"githubAppID,omitempty"`
	GithubAppInstallationID           int64           `json:"githubAppInstallationID,omitempty"`
	GithubAppEnterpriseBaseURL        string          `json:"githubAppEnterpriseBaseUrl,omitempty"`
	Proxy                             string          `json:"proxy,omitempty"`
	Project                           string          `json:"project,omitempty"`
	GCPServiceAccountKey              string          `json:"gcpServiceAccountKey,omitempty"`
	ForceHTTPBasicAuth                bool            `json:"forceHttpBasicAuth,omitempty"`
	NoProxy                           string          `json:"noProxy,omitempty"`
	UseAzureWorkloadIdentity          bool            `json:"useAzureWorkloadIdentity,omitempty"`
	BearerToken                       string          `json:"bearerToken,omitempty"`
	InsecureOCIForceHTTP              bool            `json:"insecureOCIForceHttp,omitempty"`
	Depth                             int64           `json:"depth,omitempty"`
	WebhookManifestCacheWarmDisabled  bool            `json:"webhookManifestCacheWarmDisabled,omitempty"`
	AzureServicePrincipalClientID     string          `json:"azureServicePrincipalClientId,omitempty"`
	AzureServicePrincipalClientSecret string          `json:"azureServicePrincipalClientSecret,omitempty"`
	AzureServicePrincipalTenantID     string          `json:"azureServicePrincipalTenantId,omitempty"`
	AzureActiveDirectoryEndpoint      string          `json:"azureActiveDirectoryEndpoint,omitempty"`
}

// RepositoryList is a list of repositories.
type RepositoryList struct {
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Repository `json:"items"`
}

// RepoCreds are credentials for every repository whose URL begins with URL. The fields that are secret are for requests: no
// answer has them.
type RepoCreds struct {
	URL                               string `json:"url"`
	Username                          string `json:"username,omitempty"`
	Password                          string `json:"password,omitempty"`
	SSHPrivateKey                     string `json:"sshPrivateKey,omitempty"`
	TLSClientCertData                 string `json:"tlsClientCertData,omitempty"`
	TLSClientCertKey                  string `json:"tlsClientCertKey,omitempty"`
	GithubAppPrivateKey               string `json:"githubAppPrivateKey,omitempty"`
	GithubAppID                       int64  `json:"githubAppID,omitempty"`
	GithubAppInstallationID           int64  `json:"githubAppInstallationID,omitempty"`
	GithubAppEnterpriseBaseURL        string `json:"githubAppEnterpriseBaseUrl,omitempty"`
	EnableOCI                         bool   `json:"enableOCI,omitempty"`
	Type                              string `json:"type,omitempty"`
	GCPServiceAccountKey              string `json:"gcpServiceAccountKey,omitempty"`
	Proxy                             string `json:"proxy,omitempty"`
	ForceHTTPBasicAuth                bool   `json:"forceHttpBasicAuth,omitempty"`
	NoProxy                           string `json:"noProxy,omitempty"`
	UseAzureWorkloadIdentity          bool   `json:"useAzureWorkloadIdentity,omitempty"`
	BearerToken                       string `json:"bearerToken,omitempty"`
	InsecureOCIForceHTTP              bool   `json:"insecureOCIForceHttp,omitempty"`
	AzureServicePrincipalClientID     string `json:"azureServicePrincipalClientId,omitempty"`
	AzureServicePrincipalClientSecret string `json:"azureServicePrincipalClientSecret,omitempty"`
	AzureServicePrincipalTenantID     string `json:"azureServicePrincipalTenantId,omitempty"`
	AzureActiveDirectoryEndpoint      string `json:"azureActiveDirectoryEndpoint,omitempty"`
}

// RepoCredsList is a list of credentials.
type RepoCredsList struct {
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RepoCreds `json:"items"`
}

// ConnectionState says whether a repository or cluster could be reached when it was last tried.
type ConnectionState struct {
	Status      string       `json:"status"`
	Message     string       `json:"message"`
	AttemptedAt *metav1.Time `json:"attemptedAt"`
}

// The values of ConnectionState.Status.
const (
	ConnectionSuccessful = "Successful"
	ConnectionFailed     = "Failed"
	ConnectionUnknown    = "Unknown"
)

// RepositoryCertificate is a TLS certificate or an SSH host key by which repositories of a host are trusted.
type RepositoryCertificate struct {
	ServerName  string `json:"serverName"`
	CertType    string `json:"certType"`
	CertSubType string `json:"certSubType"`
	CertData    []byte `json:"certData"`
	CertInfo    string `json:"certInfo"`
}

// RepositoryCertificateList is a list of certificates and host keys.
type RepositoryCertificateList struct {
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RepositoryCertificate `json:"items"`
}

// RevisionMetadata tells of a commit who made it, when and why.
type RevisionMetadata struct {
	Author                string                      `json:"author,omitempty"`
	Date                  *metav1.Time                `json:"date"`
	Tags                  []string                    `json:"tags,omitempty"`
	Message               string                      `json:"message,omitempty"`
	SignatureInfo         string                      `json:"signatureInfo,omitempty"`
	References            []RevisionReference         `json:"references,omitempty"`
	SourceIntegrityResult *SourceIntegrityCheckResult `json:"sourceIntegrityResult,omitempty"`
}

// RevisionReference is a commit that led to another one.
type RevisionReference struct {
	Commit *CommitMetadata `json:"commit,omitempty"`
}

// CommitMetadata tells of a commit in another repository.
type CommitMetadata struct {
	Author  string `json:"author,omitempty"`
	Date    string `json:"date,omitempty"`
	Subject string `json:"subject,omitempty"`
	Body    string `json:"body,omitempty"`
	SHA     string `json:"sha,omitempty"`
	RepoURL string `json:"repoUrl,omitempty"`
}

// SourceIntegrityCheckResult tells which checks of signatures were made.
type SourceIntegrityCheckResult struct {
	Checks []SourceIntegrityCheckResultItem `json:"checks,omitempty"`
}

// SourceIntegrityCheckResultItem is one check; one without problems passed.
type SourceIntegrityCheckResultItem struct {
	Name     string   `json:"name,omitempty"`
	Problems []string `json:"problems,omitempty"`
}

// ChartDetails tells of a Helm chart.
type ChartDetails struct {
	Description string   `json:"description,omitempty"`
	Home        string   `json:"home,omitempty"`
	Maintainers []string `json:"maintainers,omitempty"`
}

// OCIMetadata tells of an OCI artifact, by its annotations.
type OCIMetadata struct {
	CreatedAt   string `json:"createdAt,omitempty"`
	Authors     string `json:"authors,omitempty"`
	ImageURL    string `json:"imageUrl,omitempty"`
	DocsURL     string `json:"docsUrl,omitempty"`
	SourceURL   string `json:"sourceUrl,omitempty"`
	Version     string `json:"version,omitempty"`
	Description string `json:"description,omitempty"`
}
