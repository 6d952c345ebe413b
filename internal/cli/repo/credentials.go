// SPDX-License-Identifier: Apache-2.0

package repo

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/fault"
)

// credentials are the flags that say how to sign in to a repository. They are alike for one repository and for all below a URL.
type credentials struct {
	creds                                  v1alpha1.RepoCreds
	sshKey, tlsCert, tlsKey, appKey, gcpID string // files
}

func (c *credentials) bind(flags *pflag.FlagSet) {
	r := &c.creds
	flags.StringVar(&r.Type, "type", "git", "type of repository: git, helm or oci")
	flags.StringVar(&r.Username, "username", "", "name to sign in with")
	flags.StringVar(&r.Password, "password", "", "password to sign in with; with --username alone it is asked for")
	flags.StringVar(&r.BearerToken, "bearer-token", "", "token to sign in with, for Bitbucket Data Center")
	flags.StringVar(&c.sshKey, "ssh-private-key-path", "", "file with a private key for SSH")
	flags.StringVar(&c.tlsCert, "tls-client-cert-path", "", "PEM file with a certificate to show to the server")
	flags.StringVar(&c.tlsKey, "tls-client-cert-key-path", "", "PEM file with the key of that certificate")
	flags.Int64Var(&r.GithubAppID, "github-app-id", 0, "id of the GitHub App")
	flags.Int64Var(&r.GithubAppInstallationID, "github-app-installation-id", 0, "id of the GitHub App's installation (default: it is looked up)")
	flags.StringVar(&c.appKey, "github-app-private-key-path", "", "file with the private key of the GitHub App")
	flags.StringVar(&r.GithubAppEnterpriseBaseURL, "github-app-enterprise-base-url", "", "URL of the API of GitHub Enterprise, such as https://ghe.example.com/api/v3")
	flags.StringVar(&c.gcpID, "gcp-service-account-key-path", "", "file with the key of a service account of Google Cloud")
	flags.BoolVar(&r.ForceHTTPBasicAuth, "force-http-basic-auth", false, "sign in by basic authentication in any case")
	flags.BoolVar(&r.UseAzureWorkloadIdentity, "use-azure-workload-identity", false, "sign in as the workload identity of Azure")
	flags.StringVar(&r.AzureServicePrincipalClientID, "azure-service-principal-client-id", "", "client id of a service principal of Azure")
	flags.StringVar(&r.AzureServicePrincipalClientSecret, "azure-service-principal-client-secret", "", "secret of a service principal of Azure")
	flags.StringVar(&r.AzureServicePrincipalTenantID, "azure-service-principal-tenant-id", "", "tenant id of a service principal of Azure")
	flags.StringVar(&r.AzureActiveDirectoryEndpoint, "azure-active-directory-endpoint", "", "where Azure signs in, if that is not its public cloud")
	flags.BoolVar(&r.EnableOCI, "enable-oci", false, "the charts are in an OCI registry (type helm)")
	flags.BoolVar(&r.InsecureOCIForceHTTP, "insecure-oci-force-http", false, "reach the OCI registry over plain HTTP")
	flags.StringVar(&r.NoProxy, "no-proxy", "", "hosts to reach without the proxy")
}

// complete reads what is in files, asks for the password and checks what goes together with url.
func (c *credentials) complete(cmd *cobra.Command, url string) error {
	r := &c.creds
	ssh, https := isSSH(url), strings.HasPrefix(url, "https://")
	for _, file := range []struct {
		path, flag string
		into       *string
		fits       bool
		only       string
	}{
		{c.sshKey, "--ssh-private-key-path", &r.SSHPrivateKey, ssh, "SSH"},
		{c.tlsCert, "--tls-client-cert-path", &r.TLSClientCertData, https, "HTTPS"},
		{c.tlsKey, "--tls-client-cert-key-path", &r.TLSClientCertKey, https, "HTTPS"},
		{c.appKey, "--github-app-private-key-path", &r.GithubAppPrivateKey, https, "HTTPS"},
		{c.gcpID, "--gcp-service-account-key-path", &r.GCPServiceAccountKey, https, "HTTPS"},
	} {
		if file.path == "" {
			continue
		}
		if !file.fits {
			return command.Usage(cmd, file.flag+" is for URLs of "+file.only+" only")
		}
		data, err := os.ReadFile(file.path)
		if err != nil {
			return fault.Wrap(fault.Mistake, "read", "the file of "+file.flag, err, "name a file that can be read")
		}
		*file.into = string(data)
	}
	switch {
	case (c.tlsCert == "") != (c.tlsKey == ""):
		return command.Usage(cmd, "--tls-client-cert-path and --tls-client-cert-key-path go together")
	case r.BearerToken != "" && (r.Password != "" || r.Type != "git" || !https):
		return command.Usage(cmd, "--bearer-token is for Git over HTTPS, without a password")
	case r.InsecureOCIForceHTTP && r.Type != "oci" && (r.Type != "helm" || !r.EnableOCI):
		return command.Usage(cmd, "--insecure-oci-force-http is for OCI registries only")
	}
	if r.Username != "" && r.Password == "" && r.BearerToken == "" {
		password, err := prompt.Password(cmd, "Password")
		if err != nil {
			return err
		}
		r.Password = password
	}
	return nil
}

// isSSH reports whether a URL is one of SSH, also in the form of scp: git@host:path.
func isSSH(url string) bool {
	if scheme, _, ok := strings.Cut(url, "://"); ok {
		return scheme == "ssh" || scheme == "git+ssh"
	}
	before, _, ok := strings.Cut(url, ":")
	return ok && strings.Contains(before, "@") && !strings.Contains(before, "/")
}
