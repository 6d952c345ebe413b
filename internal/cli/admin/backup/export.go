// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewExportCmd returns the command export.
func NewExportCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	var (
		in  installation
		out string
	)
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all settings, projects and applications as YAML",
		Long: `Write all settings, projects, applications and application sets as YAML, which "bowline admin import" and "argocd
admin import" read. It holds the Secrets of the installation as they are: keep it as safe as these. A file that is named
with --out can be read by its owner alone.`,
		Example: command.Example("bowline admin export --out backup.yaml"),
		Args:    command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if in.kube, err = connect(s); err != nil {
				return err
			}
			in.home = s.Namespace
			text, err := in.export(cmd.Context())
			if err != nil {
				return err
			}
			return save(cmd.OutOrStdout(), out, text)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "file to write; - is standard output")
	in.bind(cmd)
	return cmd
}

// bind adds the flags that choose namespaces.
func (i *installation) bind(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&i.apps, "application-namespaces", nil,
		"patterns of namespaces with applications, beside the control namespace (default: application.namespaces of argocd-cmd-params-cm)")
	cmd.Flags().StringSliceVar(&i.appSets, "applicationset-namespaces", nil,
		"patterns of namespaces with application sets, beside the control namespace (default: applicationsetcontroller.namespaces of argocd-cmd-params-cm)")
}

// export returns all parts as YAML. It is whole or an error: half a backup is worse than none.
func (i *installation) export(ctx context.Context) ([]byte, error) {
	if err := i.complete(ctx); err != nil {
		return nil, err
	}
	parts, err := i.parts(ctx)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, part := range parts {
		document, err := yaml.Marshal(i.document(&part))
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "write", name(part.GroupVersionKind(), &part), err, "")
		}
		text.Write(document)
		text.WriteString("---\n")
	}
	return text.Bytes(), nil
}

// document returns what of an object is worth keeping: of its metadata only what people and controllers set.
func (i *installation) document(part *unstructured.Unstructured) map[string]any {
	out := unstructured.Unstructured{Object: part.DeepCopy().Object}
	delete(out.Object, "metadata")
	out.SetName(part.GetName())
	if part.GetNamespace() != i.home {
		out.SetNamespace(part.GetNamespace())
	}
	out.SetLabels(part.GetLabels())
	out.SetAnnotations(part.GetAnnotations())
	out.SetFinalizers(part.GetFinalizers())
	return out.Object
}

// save writes the text to a file, which appears whole or not at all, or to w.
func save(w io.Writer, path string, text []byte) error {
	if path == "-" {
		_, err := w.Write(text)
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".bowline-export-*") // made for its owner alone
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(f.Name(), path)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fault.Wrap(fault.Stalled, "write", path, err, "name another file with --out")
	}
	return nil
}
