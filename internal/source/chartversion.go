// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"

	"github.com/Masterminds/semver/v3"
)

// anyRelease is the constraint of those who name no version.
const anyRelease = "*"

// pickVersion returns the place of the version that a user means among those there are:
//
//   - "" is the newest release;
//   - what is there as it is written is meant, and so is a whole version that differs only by a leading v, or by build
//     metadata that the user left out;
//   - all else is a constraint as in Helm ("1.2" is any 1.2.x); versions before a release count only if it names one ("*-0").
func pickVersion(revision string, versions []string) (int, bool) {
	if revision == "" {
		revision = anyRelease
	}
	for i, version := range versions {
		if version == revision {
			return i, true
		}
	}
	if asked, err := semver.StrictNewVersion(strings.TrimPrefix(revision, "v")); err == nil {
		return newestVersion(versions, func(v *semver.Version) bool {
			return v.Equal(asked) && (asked.Metadata() == "" || asked.Metadata() == v.Metadata())
		})
	}
	constraint, err := semver.NewConstraint(revision)
	if err != nil {
		return 0, false
	}
	return newestVersion(versions, constraint.Check)
}

// newestVersion returns the place of the highest version that fits. What is no version never fits.
func newestVersion(versions []string, fits func(*semver.Version) bool) (int, bool) {
	var best *semver.Version
	at := 0
	for i, text := range versions {
		version, err := semver.NewVersion(text)
		if err != nil || !fits(version) {
			continue
		}
		// Equal versions ("1.0.0", "v1.0.0", "1.0.0+a") must not depend on the order in which they are listed.
		if order := compareVersions(version, best); order > 0 || order == 0 && text > best.Original() {
			best, at = version, i
		}
	}
	return at, best != nil
}

// isExact reports whether a revision is one whole version, which does not move.
func isExact(revision string) bool {
	_, err := semver.StrictNewVersion(strings.TrimPrefix(revision, "v"))
	return err == nil
}
