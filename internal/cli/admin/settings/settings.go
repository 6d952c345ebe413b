// SPDX-License-Identifier: Apache-2.0

// Package settings are the verbs of `bowline admin settings`: they try settings before they are in force, from files or from a
// cluster.
//
// The words of this package:
//
//   - Given: the settings that flags name: an argocd-cm, and with it argocd-cmd-params-cm and argocd-secret if they are there.
//   - Override: what argocd-cm says of a kind: its health, its actions, fields that are not compared or cause no work.
package settings

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings"
)

// origin says where settings come from.
type origin struct {
	session                      *session.Session
	connect                      reach.Connect
	configPath, secretPath       string
	fromCluster                  bool
	config, params, secretValues map[string]string
}

// NewCmd returns the command with its verbs.
func NewCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	from := &origin{session: s, connect: connect}
	cmd := command.Group("settings", "Try settings before they are in force",
		newValidateCmd(from), newRBACCmd(s, connect), newOverridesCmd(from))
	flags := cmd.PersistentFlags()
	flags.StringVar(&from.configPath, "argocd-cm-path", "", "file with the ConfigMap argocd-cm")
	flags.StringVar(&from.secretPath, "argocd-secret-path", "", "file with the Secret argocd-secret")
	flags.BoolVar(&from.fromCluster, "load-cluster-settings", false, "take what no file is given for from the control namespace of the cluster")
	return cmd
}

// load reads the settings.
func (o *origin) load(cmd *cobra.Command) error {
	if o.configPath == "" && !o.fromCluster {
		return command.Usage(cmd, "say where the settings are: --argocd-cm-path or --load-cluster-settings")
	}
	ctx := cmd.Context()
	if o.configPath != "" {
		cm := &corev1.ConfigMap{}
		if err := decode(cmd, o.configPath, cm); err != nil {
			return err
		}
		o.config = cm.Data
	}
	if o.secretPath != "" {
		secret := &corev1.Secret{}
		if err := decode(cmd, o.secretPath, secret); err != nil {
			return err
		}
		o.secretValues = values(secret)
	}
	if !o.fromCluster {
		return nil
	}
	c, err := o.connect(o.session)
	if err != nil {
		return err
	}
	return o.loadCluster(ctx, c)
}

func (o *origin) loadCluster(ctx context.Context, c kube.Client) error {
	if o.configPath == "" {
		cm := &corev1.ConfigMap{}
		if err := o.get(ctx, c, v1alpha1.ConfigMapName, cm); err != nil {
			return err
		}
		o.config = cm.Data
	}
	params := &corev1.ConfigMap{}
	if err := o.get(ctx, c, v1alpha1.CommandParamsConfigMapName, params); fault.CodeOf(err) != fault.NotFound && err != nil {
		return err
	}
	o.params = params.Data
	if o.secretPath != "" {
		return nil
	}
	secret := &corev1.Secret{}
	err := o.get(ctx, c, v1alpha1.SecretName, secret)
	o.secretValues = values(secret)
	return err
}

func (o *origin) get(ctx context.Context, c kube.Client, name string, into kube.Object) error {
	return reach.Explain(c.Get(ctx, kube.ObjectKey{Namespace: o.session.Namespace, Name: name}, into), "read", o.session.Namespace+"/"+name)
}

// values are those of a Secret, in either form.
func values(secret *corev1.Secret) map[string]string {
	out := map[string]string{}
	for key, value := range secret.Data {
		out[key] = string(value)
	}
	for key, value := range secret.StringData {
		out[key] = value
	}
	return out
}

// decode reads an object from a file. The error quotes nothing of it: it may be a Secret.
func decode(cmd *cobra.Command, path string, into any) error {
	data, err := command.Read(cmd.Context(), cmd, path)
	if err != nil {
		return err
	}
	if yaml.Unmarshal(data, into) != nil {
		return fault.New(fault.Mistake, "read", path, "", fmt.Sprintf("it is no YAML of a %T", into), "name the file of the object as `kubectl get -o yaml` writes it")
	}
	return nil
}

// settings returns what was read, and what is wrong with it.
func (o *origin) settings() (settings.Settings, []error) {
	return settings.Defaults().Checking(diff.CheckRule).With(o.config, o.params)
}

// manifest reads the manifest that a command is about.
func manifest(cmd *cobra.Command, path string) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := decode(cmd, path, &u.Object); err != nil {
		return nil, err
	}
	if u.GetKind() == "" {
		return nil, fault.Wrap(fault.Mistake, "read", path, errors.New("it is no object: it has no kind"), "name the file of a manifest")
	}
	return u, nil
}
