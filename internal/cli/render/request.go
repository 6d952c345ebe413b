// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// request makes one of the flags and arguments.
func (o *Options) request(cmd *cobra.Command, s *session.Session, args []string) (Request, error) {
	r := Request{
		Session: s, Local: o.Local, LocalSource: o.LocalSource, Revisions: o.Revisions, Since: o.Since,
		KubeVersion: o.KubeVersion, APIVersions: o.APIVersions, Plugins: o.Plugins, Settings: o.Settings,
	}
	if o.Revision != "" {
		if len(o.Revisions) > 0 {
			return r, command.Usage(cmd, "--revision and --revisions say the same: give one of them")
		}
		r.Revisions = []string{o.Revision}
	}
	if o.Since != "" && !o.Explain {
		return r, command.Usage(cmd, "--since is about --explain")
	}
	if o.Settings != "" && o.App != "" {
		return r, command.Usage(cmd, "--settings stands in for the cluster's, and --app asks the cluster: give one of them")
	}
	given := 0
	for _, set := range []bool{len(args) == 1, o.App != "", o.File != "", o.Repo != ""} {
		if set {
			given++
		}
	}
	if given != 1 {
		return r, command.Usage(cmd, "give one of a folder, --app, --file and --repo")
	}
	if why := o.idle(cmd, len(args) == 1); why != "" {
		return r, command.Usage(cmd, why)
	}
	var err error
	switch {
	case o.App != "":
		r.Live = s.Qualified(o.App)
	case o.File != "":
		r.Application, err = readApplication(cmd.InOrStdin(), o.File)
	default:
		if len(args) == 1 {
			r.Local = args[0]
		}
		r.Application, err = o.bare(cmd)
	}
	return r, err
}

// ofBareSources are the flags that describe a bare source: an Application says all of that itself.
var ofBareSources = []string{"path", "chart", "name", "dest-namespace", "project", "values", "set", "image", "recurse", "plugin"}

// idle says which of the flags given would do nothing; "" if all of them count.
func (o *Options) idle(cmd *cobra.Command, folder bool) string {
	if o.App != "" || o.File != "" {
		for _, name := range ofBareSources {
			if cmd.Flags().Changed(name) {
				return "--" + name + " is for a bare source, and the Application says it already: leave it out"
			}
		}
	}
	switch {
	case o.App != "" && (o.KubeVersion != "" || len(o.APIVersions) > 0):
		return "--kube-version and --api-versions stand in for a cluster, and --app asks its own: leave them out"
	case folder && o.Local != "":
		return "--local stands in for a repository, and a folder is one already: give one of them"
	case cmd.Flags().Changed("local-source") && o.Local == "":
		return "--local-source says what --local stands in for: give --local too"
	}
	return ""
}

// bare makes an Application of a bare source. The path of a local folder in its repository is found by who reads it.
func (o *Options) bare(cmd *cobra.Command) (*v1alpha1.Application, error) {
	source := v1alpha1.ApplicationSource{RepoURL: o.Repo, Path: o.Path, Chart: o.Chart}
	helm, kustomize := &v1alpha1.ApplicationSourceHelm{ValueFiles: o.Tool.Values}, &v1alpha1.ApplicationSourceKustomize{}
	for _, raw := range o.Tool.Set {
		name, value, ok := strings.Cut(raw, "=")
		if !ok || name == "" {
			return nil, command.Usage(cmd, fmt.Sprintf("--set is %q and has to be NAME=VALUE", raw))
		}
		helm.Parameters = append(helm.Parameters, v1alpha1.HelmParameter{Name: name, Value: value})
	}
	for _, image := range o.Tool.Images {
		kustomize.Images = append(kustomize.Images, v1alpha1.KustomizeImage(image))
	}
	if len(o.Tool.Values)+len(o.Tool.Set) > 0 {
		source.Helm = helm
	}
	if len(o.Tool.Images) > 0 {
		source.Kustomize = kustomize
	}
	if o.Tool.Recurse {
		source.Directory = &v1alpha1.ApplicationSourceDirectory{Recurse: true}
	}
	if o.Tool.Plugin != "" {
		source.Plugin = &v1alpha1.ApplicationSourcePlugin{Name: o.Tool.Plugin}
	}
	app := &v1alpha1.Application{}
	app.Name = o.Name
	app.Spec.Project = o.Project
	app.Spec.Source = &source
	app.Spec.Destination.Namespace = o.DestNamespace
	return app, nil
}

// maxApplication bounds the file that holds an Application, as etcd bounds the object.
const maxApplication = 3 << 20

func readApplication(stdin io.Reader, file string) (*v1alpha1.Application, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fault.Wrap(fault.Mistake, "read", "the Application", err, "name a file with --file")
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxApplication))
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "read", "the Application", err, "")
	}
	where := file
	if file == "-" {
		where = "standard input"
	}
	app, err := onlyApplication(data)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the Application", Where: where, Err: err, Fix: "give a file with one Application"}
	}
	return app, nil
}

// onlyApplication returns the Application of a file, which may hold objects of other kinds.
func onlyApplication(data []byte) (*v1alpha1.Application, error) {
	var found *v1alpha1.Application
	kinds := []string{}
	docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		var is metav1.TypeMeta
		if err := yaml.Unmarshal(doc, &is); err != nil {
			return nil, err
		}
		if is.Kind != "Application" {
			kinds = append(kinds, is.Kind)
			continue
		}
		if found != nil {
			return nil, errors.New("there are several")
		}
		found = &v1alpha1.Application{}
		if err := yaml.UnmarshalStrict(doc, found); err != nil {
			return nil, err
		}
	}
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == "" })
	switch {
	case found != nil:
		return found, nil
	case len(kinds) > 0:
		return nil, errors.New("there is none, only " + strings.Join(kinds, ", "))
	default:
		return nil, errors.New("there is none")
	}
}
