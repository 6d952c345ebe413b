// SPDX-License-Identifier: Apache-2.0

package clusters

import (
	"cmp"
	"errors"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/declare"
	"github.com/bowline-cd/bowline/internal/cli/app/spec"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// wanted are the flags of generate-spec.
type wanted struct {
	cluster                         v1alpha1.Cluster
	inCluster, kinds, noCompression bool
	endpoint, token                 string
	shard                           int64
	labels, annotations             []string
	aws                             v1alpha1.AWSAuthConfig
	exec                            v1alpha1.ExecProviderConfig
	out                             declare.Output
}

// newGenerateCmd returns the command generate-spec.
func newGenerateCmd(s *session.Session) *cobra.Command {
	w := wanted{}
	cmd := &cobra.Command{
		Use:   "generate-spec CONTEXT",
		Short: "Write the Secret that declares a cluster, from a context of the kubeconfig",
		Long: `Write the Secret that declares a cluster, from a context of the kubeconfig. It holds what gives access to the cluster:
seal or encrypt it before it goes into a repository. Without a token or a certificate it holds the text "bearer-token" to
be replaced.`,
		Example: command.Example("bowline admin cluster generate-spec edge --bearer-token \"$TOKEN\" --label region=north"),
		Args:    command.Exactly("CONTEXT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen := *s
			chosen.Context = args[0]
			config, err := chosen.Config()
			if err != nil {
				return err
			}
			secret, err := w.declare(cmd, args[0], config)
			if err != nil {
				return err
			}
			return w.out.Write(cmd, "", secret)
		},
	}
	w.bind(cmd)
	w.out.Bind(cmd, false)
	return cmd
}

func (w *wanted) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&w.cluster.Name, "name", "", "name of the cluster (default: that of the context)")
	flags.StringVar(&w.cluster.Project, "project", "", "project that alone may use the cluster")
	flags.StringArrayVar(&w.cluster.Namespaces, "namespace", nil, "only look at this namespace of the cluster; may be repeated")
	flags.BoolVar(&w.kinds, "cluster-resources", false, "with --namespace: look at kinds without a namespace too")
	flags.Int64Var(&w.shard, "shard", -1, "shard of the cluster")
	flags.BoolVar(&w.inCluster, "in-cluster", false, "it is the cluster that the installation lives in")
	flags.StringVar(&w.endpoint, "cluster-endpoint", "kubeconfig", "kubeconfig (the address that is there) or internal (as --in-cluster)")
	flags.StringVar(&w.token, "bearer-token", "", "token that gives access to the cluster")
	flags.BoolVar(&w.noCompression, "disable-compression", false, "do not ask for compressed answers")
	flags.StringArrayVar(&w.labels, "label", nil, "label of the cluster, as NAME=VALUE; may be repeated")
	flags.StringArrayVar(&w.annotations, "annotation", nil, "annotation of the cluster, as NAME=VALUE; may be repeated")
	flags.StringVar(&w.aws.ClusterName, "aws-cluster-name", "", "name of the cluster at AWS, whose tokens give access")
	flags.StringVar(&w.aws.RoleARN, "aws-role-arn", "", "role at AWS")
	flags.StringVar(&w.aws.Profile, "aws-profile", "", "profile at AWS")
	flags.StringVar(&w.exec.Command, "exec-command", "", "command that gives credentials; it has to be allowed by "+cluster.ExecAllowKey)
	flags.StringArrayVar(&w.exec.Args, "exec-command-args", nil, "argument of the command; may be repeated")
	flags.StringToStringVar(&w.exec.Env, "exec-command-env", nil, "environment of the command, as NAME=VALUE")
	flags.StringVar(&w.exec.APIVersion, "exec-command-api-version", "", "version of what the command is asked and answers")
	flags.StringVar(&w.exec.InstallHint, "exec-command-install-hint", "", "what to tell people without the command")
}

// declare returns the Secret.
func (w *wanted) declare(cmd *cobra.Command, context string, config *rest.Config) (any, error) {
	var err error
	c := w.cluster
	if c.Labels, err = spec.Pairs(w.labels); err != nil {
		return nil, command.Usage(cmd, "--label: "+err.Error())
	}
	if c.Annotations, err = spec.Pairs(w.annotations); err != nil {
		return nil, command.Usage(cmd, "--annotation: "+err.Error())
	}
	c.Server, c.Name, c.ClusterResources = config.Host, cmp.Or(c.Name, context), w.kinds
	switch {
	case w.endpoint != "kubeconfig" && w.endpoint != "internal":
		return nil, command.Usage(cmd, "--cluster-endpoint has to be kubeconfig or internal")
	case w.inCluster || w.endpoint == "internal":
		c.Server = cluster.HubServer
	}
	if w.shard >= 0 {
		c.Shard = &w.shard
	}
	if c.Config, err = w.connection(config); err != nil {
		return nil, err
	}
	return declared.NewCluster(&c)
}

// connection is how the cluster is reached. A token counts only without a certificate: together API servers refuse both.
func (w *wanted) connection(config *rest.Config) (v1alpha1.ClusterConfig, error) {
	ca, errCA := content(config.CAData, config.CAFile)
	cert, errCert := content(config.CertData, config.CertFile)
	key, errKey := content(config.KeyData, config.KeyFile)
	if err := errors.Join(errCA, errCert, errKey); err != nil {
		return v1alpha1.ClusterConfig{}, fault.Wrap(fault.Mistake, "read", "the kubeconfig", err, "correct it")
	}
	out := v1alpha1.ClusterConfig{
		TLSClientConfig: v1alpha1.TLSClientConfig{Insecure: config.Insecure, ServerName: config.ServerName, CAData: ca, CertData: cert, KeyData: key},
		ProxyURL:        proxyOf(config), DisableCompression: w.noCompression || config.DisableCompression,
	}
	switch {
	case w.aws.ClusterName != "":
		out.AWSAuthConfig = &w.aws
	case w.exec.Command != "":
		out.ExecProviderConfig = &w.exec
	case len(cert) == 0 || len(key) == 0:
		out.BearerToken = cmp.Or(w.token, "bearer-token")
	}
	return out, nil
}

// content is what a kubeconfig holds itself, or the file that it names.
func content(data []byte, file string) ([]byte, error) {
	if len(data) > 0 || file == "" {
		return data, nil
	}
	return os.ReadFile(file)
}
