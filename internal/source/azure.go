// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/internal/fault"
)

// AzureIdentity is an application of Microsoft Entra: the process's own (Workload), or a service principal.
type AzureIdentity struct {
	Workload     bool
	ClientID     string
	ClientSecret fault.Secret
	TenantID     string
	Endpoint     string // of the directory; "" for the public cloud's
}

const (
	azureDirectory = "https://login.microsoftonline.com"
	// Scopes are those of Azure DevOps, by the number that stands for it in every tenant, and of container registries.
	azureDevOpsScope   = "499b84ac-1321-427f-aa17-267ca6975798/.default"
	azureRegistryScope = "https://containerregistry.azure.net/.default"
	// azureRegistryUser is the name under which a registry takes the token that it gave itself:
	// https://learn.microsoft.com/en-us/azure/container-registry/container-registry-authentication
	azureRegistryUser = "00000000-0000-0000-0000-000000000000"
)

var (
	azureName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)
	// azureHosts are those that the process's own identity is shown to. Whoever may write a repository's Secret must
	// not get it sent to a host of theirs.
	azureHosts = regexp.MustCompile(`^(dev\.azure\.com|[a-z0-9-]+\.visualstudio\.com|[a-z0-9-]+(\.[a-z0-9-]+)?\.azurecr\.(io|cn|us))$`)
)

func (a AzureIdentity) parts() []string {
	workload := ""
	if a.Workload {
		workload = "workload"
	}
	return []string{workload, a.ClientID, a.ClientSecret.Reveal(), a.TenantID, a.Endpoint}
}

// parseAzureIdentity reads a service principal; parseFlags has read whether it is the process's own identity instead.
func parseAzureIdentity(s *corev1.Secret, r *Repository) error {
	text := func(key string) string { return strings.TrimSpace(string(s.Data[key])) }
	a := AzureIdentity{
		ClientID: text("azureServicePrincipalClientId"), TenantID: text("azureServicePrincipalTenantId"),
		ClientSecret: fault.NewSecret(text("azureServicePrincipalClientSecret")),
	}
	if a == (AzureIdentity{}) {
		return nil
	}
	for _, field := range []struct{ key, value string }{{"azureServicePrincipalClientId", a.ClientID}, {"azureServicePrincipalTenantId", a.TenantID}} {
		if !azureName.MatchString(field.value) {
			return unusable(s, field.key, "it is missing or not an id", "set all of azureServicePrincipalClientId, azureServicePrincipalClientSecret and azureServicePrincipalTenantId")
		}
	}
	if a.ClientSecret.Empty() {
		return unusable(s, "azureServicePrincipalClientSecret", "it is missing", "set a secret of the service principal")
	}
	if endpoint := text("azureActiveDirectoryEndpoint"); endpoint != "" {
		var err error
		if a.Endpoint, err = parseTokenAddress(s, "azureActiveDirectoryEndpoint", endpoint); err != nil {
			return err
		}
	}
	r.Azure = a
	return nil
}

// azureIssuer gets access tokens with a secret or with the token that Kubernetes gave the process:
// https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow
type azureIssuer struct {
	as       AzureIdentity
	host     string // of the repository, with its port
	registry bool   // the repository is in a container registry
	plain    bool   // the repository is read without encryption
}

func (a AzureIdentity) issuer(address string) issuer {
	at := locate(address)
	return azureIssuer{a, at.authority, at.registry, strings.HasPrefix(strings.ToLower(address), "http://")}
}

func (a azureIssuer) identity() []string {
	parts := append(a.as.parts(), "azure")
	if a.registry {
		return append(parts, a.host)
	}
	return parts
}

func (a azureIssuer) address() string {
	endpoint := a.as.Endpoint
	if a.as.Workload {
		endpoint = strings.TrimRight(os.Getenv("AZURE_AUTHORITY_HOST"), "/")
	}
	return cmp.Or(endpoint, azureDirectory)
}

func (a azureIssuer) issue(ctx context.Context, d desk) (token, error) {
	form, tenant, err := a.proof()
	if err != nil {
		return token{}, err
	}
	scope := azureDevOpsScope
	if a.registry {
		scope = azureRegistryScope
	}
	form.Set("grant_type", "client_credentials")
	form.Set("scope", scope)
	what := "a token of Azure application " + form.Get("client_id")
	value, expires, err := d.grant(ctx, d.client, a.address()+"/"+tenant+"/oauth2/v2.0/token", what, form)
	if err != nil || !a.registry {
		return token{login{bearer: value}, expires}, err
	}
	value, _, err = d.grant(ctx, d.server, "https://"+a.host+"/oauth2/exchange", what+" for the registry", url.Values{
		"grant_type": {"access_token"}, "service": {a.host}, "tenant": {tenant}, "access_token": {value.Reveal()},
	})
	// The registry's token lives longer than the one it was given for.
	return token{login{username: azureRegistryUser, password: value}, expires}, err
}

// proof returns what proves the identity, and its tenant.
func (a azureIssuer) proof() (url.Values, string, error) {
	if !a.as.Workload {
		return url.Values{"client_id": {a.as.ClientID}, "client_secret": {a.as.ClientSecret.Reveal()}}, a.as.TenantID, nil
	}
	refuse := func(detail string) (url.Values, string, error) {
		return nil, "", &UnreachableError{Problem: ProblemAuth, Detail: detail}
	}
	if !azureHosts.MatchString(a.host) || a.plain {
		return refuse("useAzureWorkloadIdentity shows the identity of this process, and that only to Azure DevOps and to Azure container registries over https")
	}
	client, tenant := os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_TENANT_ID")
	path := os.Getenv("AZURE_FEDERATED_TOKEN_FILE")
	if !azureName.MatchString(client) || !azureName.MatchString(tenant) || path == "" {
		return refuse("Azure workload identity is not set up here: the environment has no AZURE_CLIENT_ID, AZURE_TENANT_ID or AZURE_FEDERATED_TOKEN_FILE; annotate the service account and label the pod as its webhook asks")
	}
	assertion, err := os.ReadFile(path) // each time: it is replaced every hour
	if err != nil {
		return refuse("the token of AZURE_FEDERATED_TOKEN_FILE cannot be read: " + err.Error())
	}
	return url.Values{
		"client_id": {client}, "client_assertion": {strings.TrimSpace(string(assertion))},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}, tenant, nil
}
