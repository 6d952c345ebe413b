// SPDX-License-Identifier: Apache-2.0

package version

import (
	"testing"

	"github.com/Masterminds/semver/v3"

	rpcversion "github.com/bowline-cd/bowline/api/argoproj/rpc/version"
	"github.com/bowline-cd/bowline/internal/auth"
)

func TestVersion(t *testing.T) {
	s := New("v0.3.0-5-gabc_dirty")
	full, err := s.Version(auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "admin"}), nil)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := semver.NewVersion(full.Version)
	if err != nil || parsed.Major() != 3 || full.GoVersion == "" || full.Platform == "" {
		t.Errorf("got %+v, %v, want a version that clients of Argo CD 3 understand", full, err)
	}
	for _, ctx := range []func() (*rpcversion.VersionMessage, error){
		func() (*rpcversion.VersionMessage, error) { return s.Version(t.Context(), nil) },
		func() (*rpcversion.VersionMessage, error) {
			return s.Version(auth.With(t.Context(), auth.Caller{Kind: auth.Anonymous}), nil)
		},
	} {
		got, err := ctx()
		if want := (rpcversion.VersionMessage{Version: full.Version}); err != nil || *got != want {
			t.Errorf("without signing in: got %+v, %v, want %+v", got, err, want)
		}
	}
}
