// SPDX-License-Identifier: Apache-2.0

package application

import (
	"log/slog"
	stdsync "sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// customs are what settings say of single kinds, made ready for comparisons. They hold for every application.
type customs struct {
	version string // of the settings
	noise   *diff.Noise
	given   []settings.Customization
	known   stdsync.Map // schema.GroupKind → *knownTypes
}

// knownTypes are fields of one kind that hold values of built-in types.
type knownTypes struct {
	fields []diff.KnownType
	digest object.Digest
}

// customsCache keeps the customs of the newest settings.
type customsCache struct{ newest atomic.Pointer[customs] }

// of returns the customs of some settings. Rules about noise that cannot be used are told in the log and spare no work: the
// settings that they come from are told as broken where they are read.
func (c *customsCache) of(rules *Rules, log *slog.Logger) *customs {
	if known := c.newest.Load(); known != nil && known.version == rules.Version {
		return known
	}
	made := &customs{version: rules.Version, given: rules.Settings.Customizations}
	noise, err := diff.NewNoise(noiseRules(rules.Settings), rules.Settings.JQTimeout)
	if err != nil {
		log.Warn("no change of an object is taken for noise", "error", err)
	}
	made.noise = noise
	c.newest.Store(made)
	return made
}

// noiseRules returns the fields whose changes cause no work.
func noiseRules(s settings.Settings) v1alpha1.IgnoreDifferences {
	if !s.IgnoreUpdates {
		return nil
	}
	var rules v1alpha1.IgnoreDifferences
	for _, c := range s.Customizations {
		if c.IgnoreUpdates != nil {
			rules = append(rules, *c.IgnoreUpdates)
		}
	}
	if s.Compare.IgnoreDifferencesOnResourceUpdates {
		rules = append(rules, s.IgnoreDifferences...)
	}
	return rules
}

// knownTypes returns the fields of a kind that hold values of built-in types; those of every customization that matches.
func (c *customs) knownTypes(gk schema.GroupKind) *knownTypes {
	if known, ok := c.known.Load(gk); ok {
		return known.(*knownTypes)
	}
	made := &knownTypes{}
	for _, given := range c.given {
		if len(given.KnownTypes) == 0 {
			continue
		}
		if matches, err := given.Matcher(); err != nil || !matches(gk.Group, gk.Kind) {
			continue
		}
		for _, k := range given.KnownTypes {
			made.fields = append(made.fields, diff.KnownType{Field: k.Field, Type: k.Type})
		}
	}
	if len(made.fields) > 0 {
		made.digest = object.DigestOf(made.fields)
	}
	known, _ := c.known.LoadOrStore(gk, made)
	return known.(*knownTypes)
}
