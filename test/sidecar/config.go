// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"encoding/json"
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"
)

// config is a plugin.yaml.
type config struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version  string  `json:"version"`
		Init     command `json:"init"`
		Generate command `json:"generate"`
		Discover struct {
			FileName string `json:"fileName"`
			Find     struct {
				command
				Glob string `json:"glob"`
			} `json:"find"`
		} `json:"discover"`
		Parameters struct {
			Static  []json.RawMessage `json:"static"`
			Dynamic command           `json:"dynamic"`
		} `json:"parameters"`
		PreserveFileMode bool `json:"preserveFileMode"`
		ProvideGitCreds  bool `json:"provideGitCreds"`
	} `json:"spec"`
}

type command struct {
	Command []string `json:"command"`
	Args    []string `json:"args"`
}

func parseConfig(text []byte) (config, error) {
	var c config
	if err := yaml.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("plugin.yaml: %w", err)
	}
	switch {
	case c.Kind != "ConfigManagementPlugin":
		return c, fmt.Errorf("plugin.yaml: kind is %q", c.Kind)
	case c.Metadata.Name == "":
		return c, errors.New("plugin.yaml: metadata.name is missing")
	case len(c.Spec.Generate.Command) == 0:
		return c, errors.New("plugin.yaml: spec.generate.command is missing")
	}
	return c, nil
}

// name is what applications write into plugin.name.
func (c config) name() string {
	if c.Spec.Version == "" {
		return c.Metadata.Name
	}
	return c.Metadata.Name + "-" + c.Spec.Version
}

func (c config) discovers() bool {
	d := c.Spec.Discover
	return d.FileName != "" || d.Find.Glob != "" || len(d.Find.Command) > 0
}
