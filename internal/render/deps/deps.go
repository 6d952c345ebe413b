//go:build deps

package deps

import (
	_ "github.com/ProtonMail/go-crypto/openpgp"
	_ "github.com/bmatcuk/doublestar/v4"
	_ "github.com/google/go-jsonnet"
	_ "github.com/landlock-lsm/go-landlock/landlock"
	_ "github.com/opencontainers/go-digest"
	_ "github.com/opencontainers/image-spec/specs-go/v1"
	_ "golang.org/x/net/bpf"
	_ "golang.org/x/oauth2/google"
	_ "google.golang.org/grpc"
	_ "google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/protobuf/proto"
	_ "google.golang.org/protobuf/types/known/emptypb"
	_ "helm.sh/helm/v4/pkg/action"
	_ "helm.sh/helm/v4/pkg/chart/v2/loader"
	_ "helm.sh/helm/v4/pkg/cli"
	_ "helm.sh/helm/v4/pkg/cli/values"
	_ "helm.sh/helm/v4/pkg/engine"
	_ "helm.sh/helm/v4/pkg/downloader"
	_ "helm.sh/helm/v4/pkg/repo/v1"
	_ "helm.sh/helm/v4/pkg/registry"
	_ "oras.land/oras-go/v2/registry/remote"
	_ "oras.land/oras-go/v2/content/oci"
	_ "oras.land/oras-go/v2"
	_ "sigs.k8s.io/kustomize/api/krusty"
	_ "sigs.k8s.io/kustomize/kyaml/filesys"
	_ "golang.org/x/sys/unix"
)
