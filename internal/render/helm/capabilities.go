// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"context"
	"encoding/json"
	"slices"

	"helm.sh/helm/v4/pkg/chart/common"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// capabilities are what templates see as .Capabilities. A template cannot tell a method from a field, so that what it
// asks for can be noted: only charts that ask are rendered again when a cluster is upgraded or gets a new API.
type capabilities struct {
	in      render.Input
	release Release
	ctx     context.Context // templates have no other way to hand it on
	// failure is why something that was asked for is not known: templates would wrap it beyond recognition.
	failure error

	version  *common.KubeVersion
	versions common.VersionSet
}

// KubeVersion is .Capabilities.KubeVersion.
func (c *capabilities) KubeVersion() (*common.KubeVersion, error) { return c.kube(c.ctx) }

// APIVersions is .Capabilities.APIVersions: what Helm knows by itself, and what the cluster serves on top.
func (c *capabilities) APIVersions() (common.VersionSet, error) {
	if c.versions != nil {
		return c.versions, nil
	}
	served := c.release.APIVersions
	if len(served) == 0 {
		var err error
		if served, err = c.in.APIVersions(c.ctx); err != nil {
			c.failure = err
			return nil, err
		}
	}
	c.versions = slices.Concat(common.DefaultVersionSet, served)
	return c.versions, nil
}

// HelmVersion is .Capabilities.HelmVersion.
func (c *capabilities) HelmVersion() any { return common.DefaultCapabilities.HelmVersion }

// Copy is .Capabilities.Copy.
func (c *capabilities) Copy() (*common.Capabilities, error) {
	version, err := c.KubeVersion()
	if err != nil {
		return nil, err
	}
	versions, err := c.APIVersions()
	if err != nil {
		return nil, err
	}
	return &common.Capabilities{KubeVersion: *version, APIVersions: versions, HelmVersion: common.DefaultCapabilities.HelmVersion}, nil
}

// MarshalJSON is for toJson and toYaml, which would otherwise see no fields.
func (c *capabilities) MarshalJSON() ([]byte, error) {
	all, err := c.Copy()
	if err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// MarshalYAML is for toYamlPretty.
func (c *capabilities) MarshalYAML() (any, error) {
	return c.Copy()
}

func (c *capabilities) kube(ctx context.Context) (*common.KubeVersion, error) {
	if c.version != nil {
		return c.version, nil
	}
	text, where := c.release.KubeVersion, c.in.Field("helm.kubeVersion")
	if text == "" {
		var err error
		if text, err = c.in.KubeVersion(ctx); err != nil {
			c.failure = err
			return nil, err
		}
		where = "the destination cluster"
	}
	version, err := common.ParseKubeVersion(text)
	if err != nil {
		c.failure = &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the Kubernetes version", Where: where, Err: err, Fix: "write it like 1.36.2"}
		return nil, c.failure
	}
	c.version = version
	return version, nil
}
