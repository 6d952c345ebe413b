// SPDX-License-Identifier: Apache-2.0

package source

import (
	"encoding/json"
	"slices"
	"strings"
)

// Registries. Docker Hub and Quay send neither a header of their own nor a signature: both what they are and the secret
// have to be in the address they call, as /api/webhook?type=dockerhub&secret=….

// ofType makes a condition of webhookProvider.is.
func ofType(name string) func(webhookCall) bool {
	return func(c webhookCall) bool { return c.query.Get("type") == name }
}

func secretInQuery(c webhookCall, secrets []string) bool {
	return sameSecret(c.query.Get("secret"), secrets[0])
}

// dockerHub: https://docs.docker.com/docker-hub/repos/manage/webhooks.
var dockerHub = webhookProvider{
	name: "Docker Hub", is: ofType("dockerhub"),
	keys: []string{"webhook.dockerhub.secret"}, verify: secretInQuery,
	fix: "add &secret= and webhook.dockerhub.secret to the webhook's address",
	read: func(c webhookCall) (Push, error) {
		var event struct {
			Data struct {
				Tag string `json:"tag"`
			} `json:"push_data"`
			Repository struct {
				Name string `json:"repo_name"`
			}
		}
		if err := c.document(&event); err != nil {
			return Push{}, err
		}
		name := event.Repository.Name
		if name == "" {
			return Push{}, ErrNotAPush
		}
		if !strings.Contains(name, "/") {
			name = "library/" + name
		}
		return registryPush(event.Data.Tag, "registry-1.docker.io/"+name, "docker.io/"+name, "index.docker.io/"+name)
	},
}

// quay: https://docs.quay.io/guides/notifications.html, event "Push to Repository". updated_tags was a mapping once.
var quay = webhookProvider{
	name: "Quay", is: ofType("quay"),
	keys: []string{"webhook.quay.secret"}, verify: secretInQuery,
	fix: "add &secret= and webhook.quay.secret to the notification's address",
	read: func(c webhookCall) (Push, error) {
		var event struct {
			Image string          `json:"docker_url"`
			Tags  json.RawMessage `json:"updated_tags"`
		}
		if err := c.document(&event); err != nil {
			return Push{}, err
		}
		if len(event.Tags) == 0 {
			return Push{}, ErrNotAPush
		}
		return registryPush("", event.Image)
	},
}

// harbor sends, as the whole Authorization header, what it was given as auth header:
// https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks. Without one it has to be
// told apart by its address, /api/webhook?type=harbor.
var harbor = webhookProvider{
	name: "Harbor",
	is:   func(c webhookCall) bool { return ofType("harbor")(c) || hasHeader("Authorization")(c) },
	keys: []string{"webhook.harbor.secret"},
	verify: func(c webhookCall, secrets []string) bool {
		return sameSecret(c.header.Get("Authorization"), secrets[0])
	},
	fix:  "set webhook.harbor.secret as the auth header of the webhook",
	read: readHarbor,
}

type harborData struct {
	Resources []struct {
		Tag string `json:"tag"`
		URL string `json:"resource_url"`
	}
}

// readHarbor reads both of Harbor's formats: its own and CloudEvents.
func readHarbor(c webhookCall) (Push, error) {
	var event struct {
		Type   string     `json:"type"`
		Own    harborData `json:"event_data"`
		Clouds harborData `json:"data"`
	}
	if err := c.document(&event); err != nil {
		return Push{}, err
	}
	if !slices.Contains([]string{"PUSH_ARTIFACT", "harbor.artifact.pushed"}, event.Type) {
		return Push{}, ErrNotAPush
	}
	var tag string
	var images []string
	for _, r := range append(event.Own.Resources, event.Clouds.Resources...) {
		if images = append(images, r.URL); tag == "" {
			tag = r.Tag
		}
	}
	return registryPush(tag, images...)
}

// registryPush makes a Push of images: host/path, with or without scheme, tag and digest. A chart in a registry is
// followed by the address of its folder and its name, so the folders above are named as well.
func registryPush(tag string, images ...string) (Push, error) {
	p := Push{Tag: tag}
	for _, image := range images {
		for at := bareImage(image); strings.Contains(at, "/") && len(p.URLs) < mostPushURLs; at = at[:strings.LastIndexByte(at, '/')] {
			p.URLs = append(p.URLs, "oci://"+at)
		}
	}
	return p, nil
}

// bareImage drops scheme, digest and tag.
func bareImage(image string) string {
	if _, rest, ok := strings.Cut(image, "://"); ok {
		image = rest
	}
	image, _, _ = strings.Cut(image, "@")
	if slash, colon := strings.LastIndexByte(image, '/'), strings.LastIndexByte(image, ':'); colon > slash {
		image = image[:colon]
	}
	return strings.Trim(image, "/")
}
