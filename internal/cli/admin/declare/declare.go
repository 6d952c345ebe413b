// SPDX-License-Identifier: Apache-2.0

// Package declare writes objects as files that people keep in a repository and apply themselves: what the verbs generate-spec of
// `bowline admin` make.
package declare

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Output are the flags about where an object goes.
type Output struct {
	Format output.Format
	// Inline writes it back to the file that it was read from.
	Inline bool
}

// Bind adds the flags. Without files there is none to write back to.
func (o *Output) Bind(cmd *cobra.Command, files bool) {
	output.Flag(cmd.Flags(), &o.Format, output.YAML, output.JSON)
	if files {
		cmd.Flags().BoolVarP(&o.Inline, "inline", "i", false, "write it back to the file of --file")
	}
}

// Write writes an object as people declare it: without its status, and without what a cluster adds. file is the one of --file.
func (o *Output) Write(cmd *cobra.Command, file string, object any) error {
	if !o.Inline {
		return Encode(cmd.OutOrStdout(), o.Format, object)
	}
	if file == "" || file == "-" {
		return command.Usage(cmd, "--inline needs a --file to write to")
	}
	if err := o.replace(file, object); err != nil {
		return fault.Wrap(fault.Stalled, "write", file, err, "")
	}
	return nil
}

// Encode writes an object as people declare it.
func Encode(w io.Writer, format output.Format, object any) error {
	plain, err := declared(object)
	if err != nil {
		return fault.Wrap(fault.Bug, "write", "an object", err, "")
	}
	_, err = output.Encode(w, format, plain)
	return err
}

// replace writes a file, which is the old or the new one whatever happens; the old one stays beside it as FILE.back, as argocd
// leaves it.
func (o *Output) replace(file string, object any) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".bowline-*")
	if err != nil {
		return err
	}
	err = Encode(f, o.Format, object)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	before, err := os.Stat(file)
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Chmod(f.Name(), before.Mode().Perm()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	old := file + ".back"
	if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Link(file, old); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), file)
}

// declared returns an object as data. Values of Secrets are texts: people read and change them.
func declared(object any) (map[string]any, error) {
	if secret, ok := object.(*corev1.Secret); ok {
		secret = secret.DeepCopy()
		secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
		secret.StringData = map[string]string{}
		for key, value := range secret.Data {
			secret.StringData[key] = string(value)
		}
		secret.Data = nil
		object = secret
	}
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	delete(out, "status")
	if metadata, ok := out["metadata"].(map[string]any); ok {
		delete(metadata, "creationTimestamp")
		delete(metadata, "namespace")
	}
	return out, nil
}
