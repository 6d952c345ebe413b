// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// teamNamespace is a namespace with Applications of a team, besides the control namespace.
const teamNamespace = "team-data"

// destinations are the namespaces of the fleet.
func destinations() []string {
	return []string{"shop-prod", "shop-staging", "pay-prod", "pay-staging", "platform", teamNamespace, "data", "labs", "market", "stores"}
}

// filled replaces what is the scene's in a text.
func (s *Scene) filled(text string) string {
	return fill(text, "ns", s.Namespace, "host", host, "server", s.server, "proxy", "http://"+s.hosting.proxy.Address)
}

// settings are the ConfigMaps and the Secret that say how Bowline works.
func (s *Scene) settings() ([]string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost)
	if err != nil {
		return nil, err
	}
	authority, err := json.Marshal(s.hosting.git.CA())
	if err != nil {
		return nil, err
	}
	out := []string{fill(accounts, "ns", s.Namespace, "hash", string(hash)), fill(authorities, "ns", s.Namespace, "authority", string(authority))}
	for _, text := range []string{general, rights, parameters} {
		out = append(out, s.filled(text))
	}
	return out, nil
}

const accounts = `apiVersion: v1
kind: Secret
metadata: {name: argocd-secret, namespace: {ns}, labels: {app.kubernetes.io/part-of: argocd}}
stringData:
  admin.password: "{hash}"
  admin.passwordMtime: "2026-01-02T03:04:05Z"
  accounts.dev.password: "{hash}"
  accounts.dev.passwordMtime: "2026-01-02T03:04:05Z"
`

const authorities = `apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-tls-certs-cm, namespace: {ns}, labels: {app.kubernetes.io/part-of: argocd}}
data: {git.example.org: {authority}}
`

const general = `apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: {ns}, labels: {app.kubernetes.io/part-of: argocd}}
data:
  accounts.dev: login, apiKey
  accounts.ci: apiKey
  exec.enabled: "true"
  ui.bannercontent: "Deployments to prod pause on Friday at 15:00."
  ui.bannerurl: https://handbook.example.org/freeze
  help.chatUrl: https://chat.example.org/deployments
  help.chatText: Ask in deployments
  application.links: |
    - title: Dashboard
      description: Requests, errors and times of this application
      url: https://grafana.example.org/d/app?var-app={{.app.metadata.name}}
    - title: Runbook
      url: https://handbook.example.org/runbooks/{{.app.metadata.name}}
      if: app.metadata.labels.env == "prod"
  resource.links: |
    - title: Logs of the last day
      url: https://logs.example.org/?q={{.resource.metadata.name}}
      if: resource.kind == "Pod" || resource.kind == "Deployment"
`

const rights = `apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-rbac-cm, namespace: {ns}, labels: {app.kubernetes.io/part-of: argocd}}
data:
  policy.csv: |
    p, role:look, applications, get, */*, allow
    p, role:look, projects, get, *, allow
    p, role:look, clusters, get, *, allow
    p, role:look, repositories, get, *, allow
    p, role:look, logs, get, */*, allow
    g, dev, role:look
    p, role:deployer, applications, sync, */*, allow
    p, role:deployer, applications, get, */*, allow
    g, ci, role:deployer
    g, on-call, role:admin
`

const parameters = `apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cmd-params-cm, namespace: {ns}, labels: {app.kubernetes.io/part-of: argocd}}
data: {application.namespaces: team-data}
`

// connections are the Secrets of repositories and clusters. Where the API server has no client certificate, as behind a gate, there
// is only the cluster that does not answer.
func (s *Scene) connections() []string {
	out := []string{s.filled(lisbon)}
	for _, name := range slices.Sorted(maps.Keys(repositories)) {
		out = append(out, s.filled(fill(repository, "id", strings.ReplaceAll(name, "/", "-"), "repo", name)))
	}
	out = append(out, s.filled(fill(repository, "id", "data-rates", "repo", "data/rates")))
	config, err := json.Marshal(map[string]any{"tlsClientConfig": map[string]any{
		"caData": s.config.CAData, "certData": s.config.CertData, "keyData": s.config.KeyData}})
	if err == nil && len(s.config.CertData) > 0 {
		out = append(out, s.filled(fill(staging, "config", base64.StdEncoding.EncodeToString(config))))
	}
	return out
}

const repository = `apiVersion: v1
kind: Secret
metadata: {name: repo-{id}, namespace: {ns}, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {type: git, name: {id}, url: "{host}/{repo}.git", proxy: "{proxy}"}
`

const staging = `apiVersion: v1
kind: Secret
metadata: {name: cluster-staging, namespace: {ns}, labels: {argocd.argoproj.io/secret-type: cluster, region: eu-west-1}}
stringData: {name: staging, server: "{server}"}
data: {config: {config}}
`

// lisbon is a cluster where nobody listens.
const lisbon = `apiVersion: v1
kind: Secret
metadata: {name: cluster-lisbon, namespace: {ns}, labels: {argocd.argoproj.io/secret-type: cluster, region: edge}}
stringData: {name: edge-lisbon, server: "https://127.0.0.1:1", config: "{}"}
`

var projects = []string{
	project("shop", "What customers see", `[{server: "*", namespace: shop-*}, {server: "*", namespace: market}, {server: "*", namespace: stores}]`, shopMore),
	project("payments", "Money, and what has to be asked before it moves", `[{server: "*", namespace: pay-*}]`, paymentsMore),
	project("platform", "What every team builds on", `[{server: "*", namespace: "*"}]`, "  clusterResourceWhitelist: [{group: '*', kind: '*'}]\n"),
	project("data", "Pipelines, reports and what they run on", `[{server: "*", namespace: data}]`, "  sourceNamespaces: [team-data]\n"),
	project("labs", "Experiments: nothing here has to live", `[{server: "*", namespace: labs}]`, "  orphanedResources: {warn: true}\n"),
}

func project(name, description, destinations, more string) string {
	return "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: " + name + ", namespace: {ns}}\nspec:\n  description: " + fmt.Sprintf("%q", description) +
		"\n  sourceRepos: [\"{host}/**\"]\n  destinations: " + destinations + "\n" + more
}

const shopMore = `  roles:
    - name: deployer
      description: Syncs the shop, from the pipelines
      policies: ["p, proj:shop:deployer, applications, sync, shop/*, allow"]
      groups: [shop-developers]
`

// The windows change nothing for what is there, whatever the time.
const paymentsMore = `  clusterResourceWhitelist: []
  namespaceResourceBlacklist: [{group: "", kind: ResourceQuota}]
  syncWindows:
    - {kind: allow, schedule: "0 0 * * *", duration: 24h, applications: ["*-prod"], manualSync: true, timeZone: Europe/Berlin}
    - {kind: deny, schedule: "0 22 31 12 *", duration: 6h, applications: ["settlement-*"], timeZone: Europe/Berlin}
  roles:
    - name: on-call
      description: Whoever carries the pager
      policies: ["p, proj:payments:on-call, applications, *, payments/*, allow"]
      groups: [payments-on-call]
`
