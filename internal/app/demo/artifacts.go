// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

//go:embed all:elsewhere
var elsewhere embed.FS

// Where the chart repository and the registry are on the demo's server.
const (
	chartsPath   = "/charts"
	platformPath = "/v2/platform/"
)

// artifacts serves what does not lie in Git: a chart repository with one chart (https://helm.sh/docs/topics/chart_repository/),
// and a registry with one artifact (https://github.com/opencontainers/distribution-spec).
func artifacts() (http.Handler, error) {
	chart, err := pack("cache", "cache/")
	if err != nil {
		return nil, err
	}
	layer, err := pack("platform", "")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	serve := func(path, mediaType string, content []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			w.Header().Set("Docker-Content-Digest", digest(content))
			_, _ = w.Write(content)
		})
	}
	index := fmt.Sprintf("apiVersion: v1\nentries:\n  cache:\n  - apiVersion: v2\n    name: cache\n    version: 1.2.0\n    digest: %s\n    urls: [cache-1.2.0.tgz]\n",
		strings.TrimPrefix(digest(chart), "sha256:"))
	serve(chartsPath+"/index.yaml", "application/yaml", []byte(index))
	serve(chartsPath+"/cache-1.2.0.tgz", "application/gzip", chart)

	const manifestType, layerType, configType = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.empty.v1+json"
	config := []byte("{}")
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": described(configType, config), "layers": []any{described(layerType, layer)},
	})
	if err != nil {
		return nil, err
	}
	for _, reference := range []string{"1.0.0", digest(manifest)} {
		serve(platformPath+"manifests/"+reference, manifestType, manifest)
	}
	serve(platformPath+"blobs/"+digest(layer), "application/octet-stream", layer)
	serve(platformPath+"blobs/"+digest(config), "application/octet-stream", config)
	return mux, nil
}

func described(mediaType string, content []byte) map[string]any {
	return map[string]any{"mediaType": mediaType, "digest": digest(content), "size": len(content)}
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// pack returns a folder of elsewhere as an archive whose names begin with prefix.
func pack(folder, prefix string) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	root := "elsewhere/" + folder
	err := fs.WalkDir(elsewhere, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := elsewhere.ReadFile(p)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: prefix + strings.TrimPrefix(p, root+"/"), Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(0, 0)}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
