// SPDX-License-Identifier: Apache-2.0

package source

import "slices"

// The providers whose events look like GitHub's: GitHub itself with its registry, GitLab, and Gogs with its descendants.

// gitHub: https://docs.github.com/webhooks/webhook-events-and-payloads, events push, package and registry_package.
var gitHub = webhookProvider{
	name: "GitHub", is: hasHeader("X-Github-Event"),
	keys: []string{"webhook.github.secret"}, verify: signedBy("X-Hub-Signature-256"),
	fix: "set the secret of webhook.github.secret in the webhook's settings",
	read: func(c webhookCall) (Push, error) {
		switch c.header.Get("X-Github-Event") {
		case "push":
			return readGitHubPush(c)
		case "package", "registry_package":
			return readGitHubPackage(c)
		}
		return Push{}, ErrNotAPush
	},
}

// gitHubPush is a push event, of GitHub, Gogs, Gitea and Forgejo.
type gitHubPush struct {
	Ref        string `json:"ref"`
	Before     string `json:"before"`
	After      string `json:"after"`
	Repository struct {
		HTMLURL  string `json:"html_url"`
		CloneURL string `json:"clone_url"`
		SSHURL   string `json:"ssh_url"`
		GitURL   string `json:"git_url"`
	} `json:"repository"`
}

func readGitHubPush(c webhookCall) (Push, error) {
	var event gitHubPush
	if err := c.document(&event); err != nil {
		return Push{}, err
	}
	r := event.Repository
	return gitPush(event.Ref, event.Before, event.After, r.HTMLURL, r.CloneURL, r.SSHURL, r.GitURL)
}

type gitHubPackage struct {
	Name    string `json:"name"`
	Type    string `json:"package_type"`
	Owner   struct{ Login string }
	Version struct {
		URL      string `json:"package_url"`
		Metadata struct {
			Tag struct{ Name string }
		} `json:"container_metadata"`
	} `json:"package_version"`
}

// readGitHubPackage reads that something was published in a container registry of GitHub.
func readGitHubPackage(c webhookCall) (Push, error) {
	var event struct {
		Action   string
		Package  gitHubPackage
		Registry gitHubPackage `json:"registry_package"`
	}
	if err := c.document(&event); err != nil {
		return Push{}, err
	}
	p := event.Package
	if p.Name == "" {
		p = event.Registry
	}
	if event.Action != "published" || !slices.Contains([]string{"container", "CONTAINER"}, p.Type) {
		return Push{}, ErrNotAPush
	}
	images := []string{p.Version.URL} // on GitHub Enterprise the host is another
	if p.Owner.Login != "" && p.Name != "" {
		images = append(images, "ghcr.io/"+p.Owner.Login+"/"+p.Name)
	}
	return registryPush(p.Version.Metadata.Tag.Name, images...)
}

// gitLab: https://docs.gitlab.com/user/project/integrations/webhook_events and /administration/system_hooks.
var gitLab = webhookProvider{
	name: "GitLab", is: hasHeader("X-Gitlab-Event"),
	keys: []string{"webhook.gitlab.secret"},
	verify: func(c webhookCall, secrets []string) bool {
		return sameSecret(c.header.Get("X-Gitlab-Token"), secrets[0])
	},
	fix:  "set the token of webhook.gitlab.secret in the webhook's settings",
	read: readGitLab,
}

func readGitLab(c webhookCall) (Push, error) {
	var event struct {
		Kind    string `json:"object_kind"`
		Name    string `json:"event_name"` // of system hooks
		Ref     string `json:"ref"`
		Before  string `json:"before"`
		After   string `json:"after"`
		Project struct {
			WebURL     string `json:"web_url"`
			GitHTTPURL string `json:"git_http_url"`
			GitSSHURL  string `json:"git_ssh_url"`
		} `json:"project"`
	}
	if err := c.document(&event); err != nil {
		return Push{}, err
	}
	pushes := []string{"push", "tag_push", "repository_update"}
	if !slices.Contains(pushes, event.Kind) && !slices.Contains(pushes, event.Name) {
		return Push{}, ErrNotAPush
	}
	p := event.Project
	return gitPush(event.Ref, event.Before, event.After, p.WebURL, p.GitHTTPURL, p.GitSSHURL)
}

// gitea are Gogs, Gitea and Forgejo: https://docs.gitea.com/usage/webhooks. Each also sends the headers of those before it.
var gitea = webhookProvider{
	name: "Gogs, Gitea or Forgejo", is: hasHeader("X-Forgejo-Event", "X-Gitea-Event", "X-Gogs-Event"),
	keys: []string{"webhook.gogs.secret"}, verify: signedBy("X-Forgejo-Signature", "X-Gitea-Signature", "X-Gogs-Signature"),
	fix: "set the secret of webhook.gogs.secret in the webhook's settings",
	read: func(c webhookCall) (Push, error) {
		for _, name := range []string{"X-Forgejo-Event", "X-Gitea-Event", "X-Gogs-Event"} {
			if slices.Contains([]string{"push", "create", "delete"}, c.header.Get(name)) {
				return readGitHubPush(c)
			}
		}
		return Push{}, ErrNotAPush
	},
}
