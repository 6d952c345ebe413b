// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// manifest is what of a manifest is used (OCI image specification).
type manifest struct {
	MediaType   string            `json:"mediaType"`
	Layers      []layer           `json:"layers"`
	Manifests   []layer           `json:"manifests"` // of a list of manifests
	Annotations map[string]string `json:"annotations"`
}

type layer struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

func digestOf256(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// manifest returns the manifest of a digest, from the data folder or the registry.
func (i *image) manifest(ctx context.Context, a Artifact, digest string) ([]byte, error) {
	shop := i.g.shop
	if content, ok := shop.shelf.read(digest, maxManifest); ok {
		return content, nil
	}
	var content []byte
	err := shop.asking(ctx, RequestExtract, digest, func(ctx context.Context) (err error) {
		content, err = i.getManifest(ctx, digest)
		if errors.Is(err, errNotThere) {
			return unknownRevision(shop.repo, a.String(), "the registry has no manifest "+digest, "set targetRevision to a tag or digest that exists")
		}
		if err != nil {
			return err
		}
		_, err = shop.save(func() (string, int64, error) { return shop.shelf.put(bytes.NewReader(content), digest) })
		return err
	})
	return content, err
}

// parseManifest reads a manifest. A list of manifests, or what is none, is an error.
func parseManifest(content []byte) (manifest, error) {
	var m manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return manifest{}, errors.New("the manifest is not what registries have")
	}
	if len(m.Manifests) > 0 || m.MediaType == indexOCI || m.MediaType == indexDocker {
		return manifest{}, fmt.Errorf("it is a list of %d manifests, not one", len(m.Manifests))
	}
	return m, nil
}

// layer returns the only layer that is read, after looking whether it can be.
func (g *ociRegistry) layer(a Artifact, digest string, content []byte) (layer, error) {
	refuse := func(cause, fix string) (layer, error) {
		return layer{}, fault.New(fault.Mistake, "use", g.thing(a, digest), "", cause, fix)
	}
	m, err := parseManifest(content)
	if err != nil {
		return refuse(err.Error(), "name the tag or digest of one manifest")
	}
	limits := g.shop.limits()
	allowed := limits.MediaTypes
	if a.Kind == ArtifactChart {
		allowed = []string{chartLayer}
	}
	var found, others []layer
	for _, l := range m.Layers {
		switch {
		case slices.Contains(allowed, l.MediaType):
			found = append(found, l)
		case l.MediaType != provenance:
			others = append(others, l)
		}
	}
	if len(found) != 1 || len(others) > 0 && a.Kind == ArtifactOCI {
		return refuse(fmt.Sprintf("it has %d layers of the kinds that are read and %d others; exactly one is needed%s", len(found), len(others), kindsOf(others)),
			"publish it with one layer of "+strings.Join(allowed, ", ")+allowHint(a))
	}
	only := found[0]
	if _, ok := digestHex(only.Digest); !ok {
		return refuse("its layer has no digest of the form sha256:…", "publish it again")
	}
	if only.Size > limits.Archive {
		return layer{}, tooLarge("fetch", g.thing(a, digest), "the size of the archive", byteCount(limits.Archive), archiveSetting)
	}
	return only, nil
}

func allowHint(a Artifact) string {
	if a.Kind == ArtifactChart {
		return ""
	}
	return ", or allow the kind in reposerver.oci.layer.media.types"
}

// kindsOf names the kinds of some layers.
func kindsOf(layers []layer) string {
	var kinds []string
	for _, l := range layers {
		if kind := fmt.Sprintf("%.100q", l.MediaType); !slices.Contains(kinds, kind) && len(kinds) < 4 {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return ""
	}
	return " (the others are " + strings.Join(kinds, ", ") + ")"
}
