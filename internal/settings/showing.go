// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// Showing are the settings of what is shown beside applications.
type Showing struct {
	// ApplicationLinks, ResourceLinks and ProjectLinks lead from a thing to places elsewhere (application.links, resource.links,
	// project.links).
	ApplicationLinks, ResourceLinks, ProjectLinks []Link
	// Badge is whether anybody may see badges of applications (statusbadge.enabled).
	Badge bool
	// URL is where Bowline is reached (url).
	URL string
}

// Link leads from a thing to a place elsewhere: templates of texts over the thing.
type Link struct {
	URL         string `json:"url"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	IconClass   string `json:"icon.class,omitempty"`
	// If is an expression over the thing that says whether the link is shown; "" is always.
	If string `json:"if,omitempty"`
}

var showingKeys = []reader{
	inCM("application.links", func(s *Settings) *[]Link { return &s.Showing.ApplicationLinks }, links),
	inCM("project.links", func(s *Settings) *[]Link { return &s.Showing.ProjectLinks }, links),
	inCM("resource.links", func(s *Settings) *[]Link { return &s.Showing.ResourceLinks }, links),
	inCM("statusbadge.enabled", func(s *Settings) *bool { return &s.Showing.Badge }, boolean),
	inCM("url", func(s *Settings) *string { return &s.Showing.URL }, text),
}

func links(raw string) ([]Link, error) {
	var out []Link
	if err := yaml.Unmarshal([]byte(raw), &out); err != nil {
		return nil, hint{"it is no list of links: " + err.Error(), "write a list of objects with title and url"}
	}
	for i, l := range out {
		if l.URL == "" || l.Title == "" {
			return nil, hint{fmt.Sprintf("link %d has no url or no title", i+1), "give it both"}
		}
	}
	return out, nil
}
