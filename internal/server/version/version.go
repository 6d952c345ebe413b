// SPDX-License-Identifier: Apache-2.0

// Package version serves which program answers, and which version of Argo CD's API it speaks.
package version

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	rpcversion "github.com/bowline-cd/bowline/api/argoproj/rpc/version"
	"github.com/bowline-cd/bowline/internal/auth"
)

// Speaks is the version of Argo CD whose API is served. Clients choose by it what they may ask for.
const Speaks = "3.5.7"

// Service implements version.VersionService.
type Service struct {
	full rpcversion.VersionMessage
}

var _ rpcversion.VersionService = (*Service)(nil)

// New returns the service of a build with this version.
func New(build string) *Service {
	s := &Service{full: rpcversion.VersionMessage{
		Version:   "v" + Speaks + "+bowline." + identifier(build),
		GoVersion: runtime.Version(), Compiler: runtime.Compiler, Platform: runtime.GOOS + "/" + runtime.GOARCH,
		ExtraBuildInfo: "Bowline " + build + ", with the API of Argo CD " + Speaks,
	}}
	if info, ok := debug.ReadBuildInfo(); ok {
		s.add(info)
	}
	return s
}

// add tells of the commit, and of the libraries that render.
func (s *Service) add(info *debug.BuildInfo) {
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			s.full.GitCommit = setting.Value
		case "vcs.time":
			s.full.BuildDate = setting.Value
		case "vcs.modified":
			s.full.GitTreeState = map[string]string{"true": "dirty", "false": "clean"}[setting.Value]
		}
	}
	for _, module := range info.Deps {
		switch module.Path {
		case "helm.sh/helm/v4":
			s.full.HelmVersion = module.Version
		case "sigs.k8s.io/kustomize/api":
			s.full.KustomizeVersion = module.Version
		case "github.com/google/go-jsonnet":
			s.full.JsonnetVersion = module.Version
		case "k8s.io/client-go":
			s.full.KubectlVersion = module.Version
		}
	}
}

// identifier makes a text that may stand behind the + of a version (https://semver.org/#spec-item-10).
func identifier(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, text)
}

// Version answers with the version alone to callers who did not sign in.
func (s *Service) Version(ctx context.Context, _ *rpc.Empty) (*rpcversion.VersionMessage, error) {
	if who, ok := auth.From(ctx); !ok || who.Kind == auth.Anonymous {
		return &rpcversion.VersionMessage{Version: s.full.Version}, nil
	}
	full := s.full
	return &full, nil
}
