// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bowline-cd/bowline/internal/fault"
)

// The settings that raise Limits, for error texts.
const (
	SettingTotal   = "reposerver.max.combined.directory.manifests.size"
	SettingOutput  = "bowline.render.maxOutput"
	SettingObjects = "bowline.render.maxObjects"
	SettingFiles   = "bowline.render.maxFiles"
	SettingTime    = "bowline.render.timeout"
	SettingMemory  = "bowline.render.memory"
)

// Exceeded is the error of a render that met a limit: what it did, and the setting that allows more.
func (in Input) Exceeded(cause, setting string) error {
	return fault.New(fault.Mistake, "render", "path "+quotePath(in.Source.Path), in.where(), cause,
		"make it smaller, or raise "+setting)
}

// TooManyObjects is the error of a render that gives more objects than Limits.Objects.
func (in Input) TooManyObjects() error {
	return in.Exceeded(fmt.Sprintf("it gives more than %d objects", in.Limits.WithDefaults().Objects), SettingObjects)
}

// TooLargeOutput is the error of a render whose objects are larger than Limits.OutputBytes as JSON.
func (in Input) TooLargeOutput() error {
	return in.Exceeded(fmt.Sprintf("it gives more than %s of objects", Size(in.Limits.WithDefaults().OutputBytes)), SettingOutput)
}

// Bounded checks an output against the limits on objects and on their text as JSON.
func (in Input) Bounded(out Output) error {
	limits := in.Limits.WithDefaults()
	if len(out.Manifests) > limits.Objects {
		return in.TooManyObjects()
	}
	counter := counter{left: limits.OutputBytes}
	encoder := json.NewEncoder(&counter)
	for _, m := range out.Manifests {
		err := encoder.Encode(m.Object.Object)
		if counter.left < 0 {
			return in.TooLargeOutput()
		}
		if err != nil {
			return fault.Wrap(fault.Bug, "render", m.Origin.String(), err, "report it")
		}
	}
	return nil
}

var errTooMuch = errors.New("more than is allowed")

// counter counts what is written to it, and refuses what is too much.
type counter struct{ left int64 }

func (c *counter) Write(p []byte) (int, error) {
	if c.left -= int64(len(p)); c.left < 0 {
		return 0, errTooMuch
	}
	return len(p), nil
}

// Size writes a number of bytes for people.
func Size(n int64) string {
	switch {
	case n > 0 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n > 0 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n > 0 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
