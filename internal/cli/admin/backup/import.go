// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// importer is one run of import.
type importer struct {
	installation
	prune, dryRun, verbose, stopOperation, ignoreTracking, override bool
	skipLabel                                                       string
	// ask is whether to ask before each deletion.
	ask bool
	cmd *cobra.Command
	out io.Writer
}

// NewImportCmd returns the command import. asks reports whether to ask before each deletion.
func NewImportCmd(s *session.Session, connect reach.Connect, asks func() bool) *cobra.Command {
	var in importer
	cmd := &cobra.Command{
		Use:   "import SOURCE",
		Short: "Bring back what export wrote",
		Long: `Bring back what "bowline admin export" or "argocd admin export" wrote: create what is missing, and make what is there
equal to the file. What the file does not have is named, and deleted with --prune. The file is read whole before anything
is written.`,
		Example: command.Example(
			"bowline admin import backup.yaml --dry-run",
			"bowline admin import - --prune --stop-operation < backup.yaml"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return command.Usage(cmd, fmt.Sprintf("it takes the name of one file, or - for standard input, but got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := command.Read(cmd.Context(), cmd, args[0])
			if err != nil {
				return err
			}
			if in.kube, err = connect(s); err != nil {
				return err
			}
			in.home, in.ask, in.cmd, in.out = s.Namespace, asks(), cmd, cmd.OutOrStdout()
			return in.run(cmd.Context(), text, args[0])
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&in.dryRun, "dry-run", false, "only say what would be done")
	flags.BoolVar(&in.prune, "prune", false, "delete Secrets, projects, applications and application sets that the file does not have")
	flags.BoolVar(&in.ignoreTracking, "ignore-tracking", false, "leave tracking labels and annotations of what is there as they are")
	flags.BoolVar(&in.override, "override-on-conflict", false, "write anew what somebody else changed meanwhile")
	flags.BoolVar(&in.verbose, "verbose", false, "name what stays as it is too")
	flags.BoolVar(&in.stopOperation, "stop-operation", false, "take operations out of applications")
	flags.StringVar(&in.skipLabel, "skip-resources-with-label", "", "leave objects with this label alone, as NAME=VALUE")
	in.bind(cmd)
	return cmd
}

// id names an object.
type id struct{ kind, namespace, name string }

func idOf(o *unstructured.Unstructured) id { return id{o.GetKind(), o.GetNamespace(), o.GetName()} }

func (in *importer) run(ctx context.Context, text []byte, source string) error {
	if key, value, ok := strings.Cut(in.skipLabel, "="); in.skipLabel != "" && (!ok || key == "" || value == "") {
		return command.Usage(in.cmd, fmt.Sprintf("--skip-resources-with-label is %q and has to be NAME=VALUE", in.skipLabel))
	}
	documents, err := in.documents(text)
	if err != nil {
		return fault.Wrap(fault.Mistake, "read", source, err, "name a file that export wrote")
	}
	if err := in.complete(ctx); err != nil {
		return err
	}
	parts, err := in.parts(ctx)
	if err != nil {
		return err
	}
	live := map[id]*unstructured.Unstructured{}
	for i := range parts {
		live[idOf(&parts[i])] = &parts[i]
	}
	named := map[id]bool{}
	for _, document := range documents {
		named[idOf(document)] = true
		if err := in.bring(ctx, document, live[idOf(document)]); err != nil {
			return err
		}
	}
	for i := range parts {
		if !named[idOf(&parts[i])] {
			if err := in.remove(ctx, &parts[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// documents reads the objects of a backup. Another kind than those of an installation is an error: it is no backup.
func (in *importer) documents(text []byte) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	reader := yamlutil.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for n := 1; ; n++ {
		raw, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		document := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(raw, &document.Object); err != nil {
			return nil, fmt.Errorf("document %d is no YAML object", n) // the error may quote a Secret
		}
		if len(document.Object) == 0 {
			continue
		}
		if !known(document.GroupVersionKind()) || document.GetName() == "" {
			return nil, fmt.Errorf("document %d is a %s named %q, which is no part of an installation", n, document.GroupVersionKind(), document.GetName())
		}
		if document.GetNamespace() == "" {
			document.SetNamespace(in.home)
		}
		out = append(out, document)
	}
}

func known(gvk schema.GroupVersionKind) bool {
	for _, k := range kinds {
		if k == gvk {
			return true
		}
	}
	return false
}

// bring makes what is there equal to a document.
func (in *importer) bring(ctx context.Context, document, live *unstructured.Unstructured) error {
	switch gvk := document.GroupVersionKind(); {
	case in.skipped(document):
		in.say(document, "skipped")
		return nil
	case (gvk == apps || gvk == appSets) && !in.holds(gvk, document.GetNamespace()):
		in.say(document, "skipped: its namespace is none of the installation's")
		return nil
	case live == nil:
		return in.create(ctx, document)
	}
	if in.ignoreTracking {
		keepTracking(document, live)
	}
	if same(document, live) && (!in.stopOperation || live.Object["operation"] == nil) {
		if in.verbose {
			in.say(document, "unchanged")
		}
		return nil
	}
	return in.update(ctx, document, live)
}

func (in *importer) create(ctx context.Context, document *unstructured.Unstructured) error {
	if in.stopOperation {
		delete(document.Object, "operation")
	}
	if !in.dryRun {
		if err := in.kube.Create(ctx, document); err != nil {
			return reach.Explain(err, "create", name(document.GroupVersionKind(), document))
		}
	}
	in.say(document, "created")
	return nil
}

func (in *importer) update(ctx context.Context, document, live *unstructured.Unstructured) error {
	if in.dryRun {
		in.say(document, "updated")
		return nil
	}
	wanted := overlaid(document, live, in.stopOperation)
	err := in.kube.Update(ctx, wanted)
	for try := 0; try < 5 && apierrors.IsConflict(err) && in.override; try++ {
		now := &unstructured.Unstructured{}
		now.SetGroupVersionKind(live.GroupVersionKind())
		if err := in.kube.Get(ctx, kube.ObjectKeyFromObject(live), now); err != nil {
			return reach.Explain(err, "read", name(live.GroupVersionKind(), live))
		}
		err = in.kube.Update(ctx, overlaid(document, now, in.stopOperation))
	}
	if err != nil {
		return reach.Explain(err, "update", name(document.GroupVersionKind(), document))
	}
	in.say(document, "updated")
	return nil
}

// remove deletes a part that the backup does not have, or says that it is there. The finalizers of an application go first:
// its objects stay in their cluster.
func (in *importer) remove(ctx context.Context, live *unstructured.Unstructured) error {
	gvk := live.GroupVersionKind()
	switch {
	case in.skipped(live):
		in.say(live, "skipped")
		return nil
	case !in.prune, gvk == configMaps: // a ConfigMap is never deleted: the installation would not start without
		in.say(live, "needs pruning")
		return nil
	case in.ask && !in.dryRun:
		yes, err := prompt.Confirm(in.cmd, "Delete "+name(gvk, live)+"?")
		if err != nil || !yes {
			return err
		}
	}
	if in.dryRun {
		in.say(live, "pruned")
		return nil
	}
	if gvk == apps && len(live.GetFinalizers()) > 0 {
		free := live.DeepCopy()
		free.SetFinalizers(nil)
		if err := in.kube.Patch(ctx, free, kube.MergeFrom(live)); kube.IgnoreNotFound(err) != nil {
			return reach.Explain(err, "take the finalizers from", name(gvk, live))
		}
	}
	if err := in.kube.Delete(ctx, live); kube.IgnoreNotFound(err) != nil && !meta.IsNoMatchError(err) {
		return reach.Explain(err, "delete", name(gvk, live))
	}
	in.say(live, "pruned")
	return nil
}

func (in *importer) skipped(o *unstructured.Unstructured) bool {
	key, value, ok := strings.Cut(in.skipLabel, "=")
	if !ok {
		return false
	}
	got, has := o.GetLabels()[key]
	return has && got == value
}

func (in *importer) say(o *unstructured.Unstructured, what string) {
	note := ""
	if in.dryRun {
		note = " (dry run)"
	}
	fmt.Fprintf(in.out, "%s\n", output.Clean(fmt.Sprintf("%s in namespace %s %s%s", name(o.GroupVersionKind(), o), o.GetNamespace(), what, note)))
}

// overlaid is what is there with what a document says: all but the rest of the metadata, and the status if it has none.
func overlaid(document, live *unstructured.Unstructured, stopOperation bool) *unstructured.Unstructured {
	out := live.DeepCopy()
	out.SetLabels(document.GetLabels())
	out.SetAnnotations(document.GetAnnotations())
	out.SetFinalizers(document.GetFinalizers())
	for _, field := range content(live.GroupVersionKind()) {
		if value, ok := document.Object[field]; ok {
			out.Object[field] = value
		} else if field != "status" {
			delete(out.Object, field)
		}
	}
	if stopOperation {
		delete(out.Object, "operation")
	}
	return out
}

// content are the fields of an object, beside its metadata, that a backup is about.
func content(gvk schema.GroupVersionKind) []string {
	switch gvk {
	case configMaps:
		return []string{"data", "binaryData"}
	case secrets:
		return []string{"data"}
	case apps:
		return []string{"spec", "status"}
	}
	return []string{"spec"}
}

// keepTracking puts the marks of what is there into a document that has others.
func keepTracking(document, live *unstructured.Unstructured) {
	annotations, labels := document.GetAnnotations(), document.GetLabels()
	keep(annotations, live.GetAnnotations(), v1alpha1.AnnotationKeyAppInstance)
	keep(labels, live.GetLabels(), v1alpha1.LabelKeyAppInstance)
	document.SetAnnotations(annotations)
	document.SetLabels(labels)
}

func keep(into, from map[string]string, key string) {
	value, there := from[key]
	if _, has := into[key]; has && there {
		into[key] = value
	}
}
