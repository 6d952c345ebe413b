// SPDX-License-Identifier: Apache-2.0

package source

import "strings"

// bitbucketCloud signs nothing unless asked to; what Argo CD checks is the webhook's UUID, which only Bitbucket and the
// repository's administrators know: https://support.atlassian.com/bitbucket-cloud/docs/event-payloads.
var bitbucketCloud = webhookProvider{
	name: "Bitbucket", is: hasHeader("X-Hook-Uuid"),
	keys: []string{"webhook.bitbucket.uuid"},
	verify: func(c webhookCall, secrets []string) bool {
		return sameSecret(bareUUID(c.header.Get("X-Hook-Uuid")), bareUUID(secrets[0]))
	},
	fix:  "set webhook.bitbucket.uuid in argocd-secret to the UUID of the webhook",
	read: readBitbucketCloud,
}

// bareUUID is a UUID without the braces that Bitbucket shows it in and sends it without.
func bareUUID(uuid string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(uuid, "{"), "}"))
}

type bitbucketRef struct {
	Name   string
	Type   string
	Target struct{ Hash string }
}

func readBitbucketCloud(c webhookCall) (Push, error) {
	if c.header.Get("X-Event-Key") != "repo:push" {
		return Push{}, ErrNotAPush
	}
	var event struct {
		Repository struct {
			FullName string `json:"full_name"`
			Links    struct {
				HTML struct{ Href string }
			}
		}
		Push struct {
			Changes []struct{ Old, New bitbucketRef }
		}
	}
	if err := c.document(&event); err != nil {
		return Push{}, err
	}
	urls := []string{event.Repository.Links.HTML.Href}
	if event.Repository.FullName != "" {
		urls = append(urls, "https://bitbucket.org/"+event.Repository.FullName)
	}
	if len(event.Push.Changes) == 0 {
		return gitPush("", "", "", urls...)
	}
	change := event.Push.Changes[0]
	ref := branchPrefix + change.New.Name
	if change.New.Type == "tag" {
		ref = tagRefsPrefix + change.New.Name
	}
	return gitPush(ref, change.Old.Target.Hash, change.New.Target.Hash, urls...)
}

// bitbucketServer: https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html.
var bitbucketServer = webhookProvider{
	name: "Bitbucket Server", is: hasHeader("X-Event-Key"),
	keys: []string{"webhook.bitbucketserver.secret"}, verify: signedBy("X-Hub-Signature"),
	fix:  "set the secret of webhook.bitbucketserver.secret in the webhook's settings",
	read: readBitbucketServer,
}

func readBitbucketServer(c webhookCall) (Push, error) {
	if c.header.Get("X-Event-Key") != "repo:refs_changed" {
		return Push{}, ErrNotAPush
	}
	var event struct {
		Repository struct {
			Links struct {
				Clone []struct{ Href string }
			}
		}
		Changes []struct {
			Ref              struct{ ID string }
			FromHash, ToHash string
		}
	}
	if err := c.document(&event); err != nil {
		return Push{}, err
	}
	var urls []string
	for _, link := range event.Repository.Links.Clone {
		urls = append(urls, link.Href)
	}
	if len(event.Changes) == 0 {
		return gitPush("", "", "", urls...)
	}
	change := event.Changes[0]
	return gitPush(change.Ref.ID, change.FromHash, change.ToHash, urls...)
}
