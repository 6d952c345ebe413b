// SPDX-License-Identifier: Apache-2.0

package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/tree"
)

// overrideFiles are the files beside a source that change its parameters, the later over the earlier.
func (in Input) overrideFiles() []string {
	names := []string{".argocd-source.yaml"}
	if in.App != "" {
		names = append(names, ".argocd-source-"+in.App+".yaml")
	}
	return names
}

// overridden returns the source as the repository changes it: the files are merged over it (RFC 7396), but where it comes
// from stays as the Application says.
func (in Input) overridden(ctx context.Context) (v1alpha1.ApplicationSource, error) {
	dir, err := in.Folder(ctx)
	if err != nil {
		return in.Source, err
	}
	source := in.Source
	for _, name := range in.overrideFiles() {
		p := tree.Join(dir, name)
		data, err := tree.ReadFile(ctx, in.Tree, p, in.Limits.FileBytes)
		if errors.Is(err, tree.ErrAbsent) {
			continue
		}
		if err != nil {
			return in.Source, in.unreadable(p, err)
		}
		if source, err = mergeSource(source, data); err != nil {
			return in.Source, &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the overrides of " + in.where(), Where: p, Err: err,
				Fix: "write it as the fields of a source, such as kustomize.images or helm.parameters"}
		}
	}
	return source, nil
}

func mergeSource(source v1alpha1.ApplicationSource, override []byte) (v1alpha1.ApplicationSource, error) {
	if err := object.CheckExpansion("", override); err != nil {
		return source, errors.Unwrap(err)
	}
	patch, err := yaml.YAMLToJSON(override)
	if err != nil {
		return source, err
	}
	if string(patch) == "null" {
		return source, nil
	}
	if patch[0] != '{' {
		return source, errors.New("it is not a mapping")
	}
	base, err := json.Marshal(source)
	if err != nil {
		return source, err
	}
	merged, err := jsonpatch.MergePatch(base, patch)
	if err != nil {
		return source, err
	}
	var out v1alpha1.ApplicationSource
	if err := json.Unmarshal(merged, &out); err != nil {
		return source, fmt.Errorf("it gives no valid source: %w", err)
	}
	out.RepoURL, out.Path, out.Chart, out.TargetRevision = source.RepoURL, source.Path, source.Chart, source.TargetRevision
	return out, nil
}

// unreadable turns an error of a tree into one that names the file, unless it says that the tree could not be read.
func (in Input) unreadable(p string, err error) error {
	var escape *tree.EscapeError
	if errors.As(err, &escape) || errors.Is(err, tree.ErrLinks) || errors.Is(err, tree.ErrTooLarge) {
		return fault.Wrap(fault.Mistake, "read", "file "+p, err, "mend or remove the file")
	}
	return err
}
