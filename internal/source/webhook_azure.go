// SPDX-License-Identifier: Apache-2.0

package source

import (
	"net/http"
	"net/url"
	"strings"
)

// azureDevOps sends a user and a password if the service hook was given them:
// https://learn.microsoft.com/azure/devops/service-hooks/events#git.push.
var azureDevOps = webhookProvider{
	name: "Azure DevOps", is: hasHeader("X-Vss-Activityid"),
	keys: []string{"webhook.azuredevops.username", "webhook.azuredevops.password"},
	verify: func(c webhookCall, secrets []string) bool {
		user, password, ok := (&http.Request{Header: c.header}).BasicAuth()
		sameUser, samePassword := sameSecret(user, secrets[0]), sameSecret(password, secrets[1])
		return ok && sameUser && samePassword
	},
	fix:  "set the user and password of webhook.azuredevops.username and webhook.azuredevops.password in the service hook's settings",
	read: readAzureDevOps,
}

func readAzureDevOps(c webhookCall) (Push, error) {
	var event struct {
		EventType string `json:"eventType"`
		Resource  struct {
			RefUpdates []struct {
				Name                     string
				OldObjectID, NewObjectID string
			} `json:"refUpdates"`
			Repository struct {
				RemoteURL string `json:"remoteUrl"`
				SSHURL    string `json:"sshUrl"`
			}
		}
	}
	if err := c.document(&event); err != nil {
		return Push{}, err
	}
	if event.EventType != "git.push" {
		return Push{}, ErrNotAPush
	}
	urls := append([]string{event.Resource.Repository.SSHURL}, azureAddresses(event.Resource.Repository.RemoteURL)...)
	if len(event.Resource.RefUpdates) == 0 {
		return gitPush("", "", "", urls...)
	}
	update := event.Resource.RefUpdates[0]
	return gitPush(update.Name, update.OldObjectID, update.NewObjectID, urls...)
}

// azureAddresses returns the forms in which people write an Azure repository: under the new host and the old one, with
// HTTPS and SSH, whose paths differ; and without the project if the repository has its name.
func azureAddresses(remote string) []string {
	forms := []string{remote}
	u, err := url.Parse(remote)
	if err != nil {
		return forms
	}
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	host := strings.ToLower(u.Hostname())
	if org, ok := strings.CutSuffix(host, ".visualstudio.com"); ok {
		if parts[0] == "DefaultCollection" {
			parts = parts[1:]
		}
		parts = append([]string{org}, parts...)
	} else if host != "dev.azure.com" {
		return forms // a server of one's own: HTTPS and SSH have the same path there
	}
	if len(parts) == 3 && parts[1] == "_git" {
		parts = []string{parts[0], parts[2], "_git", parts[2]}
	}
	if len(parts) != 4 || parts[2] != "_git" {
		return forms
	}
	org, project, name := parts[0], parts[1], parts[3]
	forms = append(forms,
		"https://dev.azure.com/"+org+"/"+project+"/_git/"+name,
		"git@ssh.dev.azure.com:v3/"+org+"/"+project+"/"+name,
		"https://"+org+".visualstudio.com/"+project+"/_git/"+name,
		"https://"+org+".visualstudio.com/DefaultCollection/"+project+"/_git/"+name,
		org+"@vs-ssh.visualstudio.com:v3/"+org+"/"+project+"/"+name)
	if project == name {
		forms = append(forms, "https://dev.azure.com/"+org+"/_git/"+name, "https://"+org+".visualstudio.com/_git/"+name)
	}
	return forms
}
