// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Media types that Push needs.
const (
	ManifestType = "application/vnd.oci.image.manifest.v1+json"
	IndexType    = "application/vnd.oci.image.index.v1+json"
	ChartType    = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	ChartConfig  = "application/vnd.cncf.helm.config.v1+json"
	LayerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
	TarType      = "application/vnd.oci.image.layer.v1.tar"
)

// Digest returns sha256:… of content.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Entry is one entry of an archive.
type Entry struct {
	Name    string
	Content string
	Link    string // target, for links
	Type    byte   // of package tar; a file if 0
	Mode    int64  // 0o644 if 0
}

// Files returns the entries of some files, in the order of their names.
func Files(files map[string]string) []Entry {
	var out []Entry
	for name, content := range files {
		out = append(out, Entry{Name: name, Content: content})
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Tar returns an archive. It panics on entries that cannot be written.
func Tar(entries ...Entry) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		header := &tar.Header{Name: e.Name, Linkname: e.Link, Typeflag: e.Type, Mode: e.Mode, Size: int64(len(e.Content))}
		if e.Type == tar.TypeXGlobalHeader { // as git archive writes it
			header = &tar.Header{Typeflag: e.Type, PAXRecords: map[string]string{"comment": "c0ffee"}}
		}
		if header.Typeflag == 0 {
			header.Typeflag = tar.TypeReg
		}
		if header.Mode == 0 && e.Type != tar.TypeXGlobalHeader {
			header.Mode = 0o644
		}
		must(w.WriteHeader(header))
		_, err := w.Write([]byte(e.Content))
		must(err)
	}
	must(w.Close())
	return out.Bytes()
}

// Gzip compresses content.
func Gzip(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(content)
	must(err)
	must(w.Close())
	return out.Bytes()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Chart returns the archive of a chart with these files beside its Chart.yaml.
func Chart(name, version string, files map[string]string) []byte {
	entries := []Entry{{Name: name + "/Chart.yaml", Content: "apiVersion: v2\nname: " + name + "\nversion: " + version + "\ndescription: " + name + " for tests\n"}}
	for _, e := range Files(files) {
		e.Name = name + "/" + e.Name
		entries = append(entries, e)
	}
	return Gzip(Tar(entries...))
}

// release is one version of a chart in an index.
type release struct{ name, version, url, digest string }

// AddChart publishes a chart in the HTTP repository of a folder and returns the digest of its archive.
func (s *Server) AddChart(folder, name, version string, files map[string]string) string {
	archive := Chart(name, version, files)
	file := name + "-" + version + ".tgz"
	s.Put(folder+"/"+file, archive)
	s.AddRelease(folder, name, version, file, Digest(archive))
	return Digest(archive)
}

// AddRelease adds a line to the index of a folder, whatever is at that address; digest may be "".
func (s *Server) AddRelease(folder, name, version, url, digest string) {
	s.mu.Lock()
	s.charts[folder] = append(s.charts[folder], release{name, version, url, strings.TrimPrefix(digest, "sha256:")})
	releases := slices.Clone(s.charts[folder])
	s.mu.Unlock()
	s.Put(folder+"/index.yaml", []byte(index(releases)))
}

// index writes an index as Helm does.
func index(releases []release) string {
	byName := map[string][]release{}
	var names []string
	for _, r := range releases {
		if byName[r.name] == nil {
			names = append(names, r.name)
		}
		byName[r.name] = append(byName[r.name], r)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("apiVersion: v1\nentries:\n")
	for _, name := range names {
		b.WriteString("  " + name + ":\n")
		for _, r := range byName[name] {
			fmt.Fprintf(&b, "  - apiVersion: v2\n    description: %s for tests\n", r.name)
			if r.digest != "" {
				fmt.Fprintf(&b, "    digest: %s\n", r.digest)
			}
			fmt.Fprintf(&b, "    name: %s\n    urls:\n    - %s\n    version: %s\n", r.name, r.url, r.version)
		}
	}
	b.WriteString("generated: \"2026-01-02T03:04:05Z\"\n")
	return b.String()
}

// Layer is one layer of a manifest.
type Layer struct {
	MediaType string
	Content   []byte
	// Digest and Size, if set, are written to the manifest instead of the true ones.
	Digest string
	Size   int64
}

// Manifest is what Push publishes.
type Manifest struct {
	ConfigType  string
	Layers      []Layer
	Annotations map[string]string
}

// Push publishes a manifest with its layers in the registry's repository path and returns its digest. tag may be "".
func (s *Server) Push(path, tag string, m Manifest) string {
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int64  `json:"size"`
	}
	config := []byte("{}")
	out := struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType"`
		Config        descriptor        `json:"config"`
		Layers        []descriptor      `json:"layers"`
		Annotations   map[string]string `json:"annotations,omitempty"`
	}{2, ManifestType, descriptor{m.ConfigType, Digest(config), 2}, nil, m.Annotations}
	for _, l := range m.Layers {
		d := descriptor{l.MediaType, Digest(l.Content), int64(len(l.Content))}
		s.PutBlob(l.Content)
		if l.Digest != "" {
			d.Digest = l.Digest
		}
		if l.Size != 0 {
			d.Size = l.Size
		}
		out.Layers = append(out.Layers, d)
	}
	content, err := json.Marshal(out)
	must(err)
	return s.PushRaw(path, tag, ManifestType, content)
}

// PutBlob stores a blob.
func (s *Server) PutBlob(content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[Digest(content)] = content
}

// PushRaw publishes a manifest as it is.
func (s *Server) PushRaw(path, name, mediaType string, content []byte) string {
	digest := Digest(content)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manifests[digest] = stored{content, mediaType}
	tags := slices.DeleteFunc(s.tags[path], func(t tag) bool { return t.name == name })
	if name != "" {
		tags = append(tags, tag{name, digest})
	}
	s.tags[path] = tags
	return digest
}

// PushChart publishes a chart in a registry, at path/name with its version as the tag.
func (s *Server) PushChart(path, name, version string, files map[string]string) string {
	return s.Push(strings.Trim(path+"/"+name, "/"), strings.ReplaceAll(version, "+", "_"), Manifest{
		ConfigType: ChartConfig, Layers: []Layer{{MediaType: ChartType, Content: Chart(name, version, files)}},
	})
}

// Untag removes a tag.
func (s *Server) Untag(path, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tags[path] = slices.DeleteFunc(s.tags[path], func(t tag) bool { return t.name == name })
}
