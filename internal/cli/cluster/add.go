// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"net/http"
	neturl "net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// internalServer is the API server as pods of its cluster reach it.
const internalServer = "https://kubernetes.default.svc"

// addition is what the flags of add say.
type addition struct {
	cluster                        v1alpha1.Cluster
	labels, annotations            []string
	inCluster, upsert, yes         bool
	endpoint                       string
	serviceAccount, systemNs       string
	shard                          int64
	aws                            v1alpha1.AWSAuthConfig
	exec                           v1alpha1.ExecProviderConfig
	kubeconfig, proxy, contextName string
}

func newAddCmd(s *session.Session) *cobra.Command {
	a := addition{}
	cmd := &cobra.Command{
		Use: "add CONTEXT", Short: "Add the cluster of a context of the kubeconfig", Args: command.AtMostOne("CONTEXT"), ValidArgsFunction: kubeContexts(s),
		Long: `Add the cluster of a context of the kubeconfig.

A service account argocd-manager is made there, with all rights in the cluster or, with --namespace, in some namespaces; the server
gets its token. With --service-account, --exec-command or --aws-cluster-name nothing is made.`,
		Example: command.Example("bowline cluster add east", "bowline cluster add east --namespace shop --namespace tools", "bowline cluster add here --in-cluster"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.contextName, a.kubeconfig = strings.Join(args, ""), s.Kubeconfig
			return add(cmd, s, &a)
		},
	}
	a.bind(cmd)
	return cmd
}

func (a *addition) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.cluster.Name, "name", "", "name of the cluster (default: that of the context)")
	f.StringVar(&a.cluster.Project, "project", "", "project that alone may use the cluster")
	f.StringArrayVar(&a.cluster.Namespaces, "namespace", nil, "namespace that is managed (default: all); may be repeated")
	f.BoolVar(&a.cluster.ClusterResources, "cluster-resources", false, "with --namespace: objects without a namespace are managed too")
	f.StringArrayVar(&a.labels, "label", nil, "label, as KEY=VALUE; may be repeated")
	f.StringArrayVar(&a.annotations, "annotation", nil, "annotation, as KEY=VALUE; may be repeated")
	f.Int64Var(&a.shard, "shard", -1, "shard of the controller that is for the cluster (default: none)")
	f.BoolVar(&a.cluster.Config.DisableCompression, "disable-compression", false, "ask the cluster for answers without compression")
	f.StringVar(&a.proxy, "proxy-url", "", "proxy to reach the cluster by")
	f.BoolVar(&a.inCluster, "in-cluster", false, "the server runs in this cluster")
	f.StringVar(&a.endpoint, "cluster-endpoint", "", "where the server reaches the cluster: kubeconfig (default), kube-public or internal")
	f.StringVar(&a.serviceAccount, "service-account", "", "service account whose token the server gets (default: one is made)")
	f.StringVar(&a.systemNs, "system-namespace", systemNamespace, "namespace of the service account")
	f.StringVar(&a.aws.ClusterName, "aws-cluster-name", "", "name of a cluster of AWS, to sign in there as AWS does")
	f.StringVar(&a.aws.RoleARN, "aws-role-arn", "", "role of AWS to sign in as")
	f.StringVar(&a.aws.Profile, "aws-profile", "", "profile of AWS to sign in with")
	f.StringVar(&a.exec.Command, "exec-command", "", "program on the server that gives credentials for the cluster")
	f.StringArrayVar(&a.exec.Args, "exec-command-args", nil, "argument of that program; may be repeated")
	f.StringToStringVar(&a.exec.Env, "exec-command-env", nil, "environment of that program, as KEY=VALUE")
	f.StringVar(&a.exec.APIVersion, "exec-command-api-version", "", "version of the API between client and program")
	f.StringVar(&a.exec.InstallHint, "exec-command-install-hint", "", "what to say when the program is absent")
	f.BoolVar(&a.upsert, "upsert", false, "change the cluster if it exists and is another")
	f.BoolVarP(&a.yes, "yes", "y", false, "do not ask")
}

func add(cmd *cobra.Command, s *session.Session, a *addition) error {
	config, err := a.check(cmd)
	if err != nil {
		return err
	}
	services, err := s.Services(cmd.Context()) // before anything is made in the cluster
	if err != nil {
		return err
	}
	if err := a.describe(cmd, config); err != nil {
		return err
	}
	if done, err := a.authenticate(cmd, config); err != nil || !done {
		return err
	}
	if _, err := services.Clusters.Create(cmd.Context(), &cluster.ClusterCreateRequest{Cluster: &a.cluster, Upsert: a.upsert}); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Cluster '%s' added\n", a.cluster.Server)
	return nil
}

// check returns the cluster that the context leads to, if the flags go together.
func (a *addition) check(cmd *cobra.Command) (*rest.Config, error) {
	config, ok, err := contextConfig(a.kubeconfig, a.contextName)
	switch {
	case err != nil:
		return nil, err
	case a.contextName == "" || !ok:
		names, err := contextNames(a.kubeconfig)
		if err != nil {
			return nil, err
		}
		return nil, fault.New(fault.Mistake, "find", fmt.Sprintf("context %q", a.contextName), "", "the kubeconfig does not have it", "choose one of: "+strings.Join(names, ", "))
	case a.inCluster && a.endpoint != "":
		return nil, command.Usage(cmd, "--in-cluster and --cluster-endpoint exclude each other")
	case !slices.Contains([]string{"", "kubeconfig", "kube-public", "internal"}, a.endpoint):
		return nil, command.Usage(cmd, fmt.Sprintf("--cluster-endpoint is %q and has to be kubeconfig, kube-public or internal", a.endpoint))
	}
	if a.cluster.Labels, err = pairs(cmd, "--label", a.labels); err != nil {
		return nil, err
	}
	a.cluster.Annotations, err = pairs(cmd, "--annotation", a.annotations)
	return config, err
}

// describe fills in what is known of the cluster without its credentials.
func (a *addition) describe(cmd *cobra.Command, config *rest.Config) (err error) {
	c := &a.cluster
	if c.Name == "" {
		c.Name = a.contextName
	}
	if a.shard >= 0 {
		c.Shard = &a.shard
	}
	if a.proxy != "" {
		proxy, err := neturl.Parse(a.proxy)
		if err != nil || proxy.Host == "" {
			return command.Usage(cmd, "--proxy-url has to be a URL")
		}
		c.Config.ProxyURL, config.Proxy = a.proxy, http.ProxyURL(proxy)
	}
	c.Server = config.Host
	c.Config.TLSClientConfig = v1alpha1.TLSClientConfig{Insecure: config.Insecure, ServerName: config.ServerName, CAData: config.CAData}
	if len(config.CAData) == 0 && config.CAFile != "" {
		if c.Config.TLSClientConfig.CAData, err = os.ReadFile(config.CAFile); err != nil {
			return fault.Wrap(fault.Mistake, "read", "the certificate of the cluster", err, "mend the kubeconfig")
		}
	}
	switch {
	case a.inCluster || a.endpoint == "internal":
		c.Server = internalServer
	case a.endpoint == "kube-public":
		return a.public(cmd.Context(), config)
	}
	return nil
}

// public takes where the cluster is from what it says of itself to everyone (the ConfigMap cluster-info in kube-public).
func (a *addition) public(ctx context.Context, config *rest.Config) error {
	const thing, fix = "the public address of the cluster", "leave out --cluster-endpoint"
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fault.Wrap(fault.Stalled, "use", "the kubeconfig", err, "mend the kubeconfig")
	}
	info, err := clients.CoreV1().ConfigMaps("kube-public").Get(ctx, "cluster-info", metav1.GetOptions{})
	if err != nil {
		return fault.Wrap(fault.Stalled, "read", thing, err, fix)
	}
	said, err := clientcmd.Load([]byte(info.Data["kubeconfig"]))
	if err != nil {
		return fault.Wrap(fault.Stalled, "read", thing, err, fix)
	}
	for _, c := range said.Clusters {
		a.cluster.Server, a.cluster.Config.TLSClientConfig.CAData = c.Server, c.CertificateAuthorityData
		return nil
	}
	return fault.New(fault.Stalled, "read", thing, "", "it names no cluster", fix)
}

// authenticate fills in how the server signs in. done is false if somebody did not want it.
func (a *addition) authenticate(cmd *cobra.Command, config *rest.Config) (done bool, err error) {
	switch {
	case a.aws.ClusterName != "":
		a.cluster.Config.AWSAuthConfig = &a.aws
		return true, nil
	case a.exec.Command != "":
		a.cluster.Config.ExecProviderConfig = &a.exec
		return true, nil
	}
	m, err := newManager(config, a.systemNs)
	if err != nil {
		return false, err
	}
	if a.serviceAccount != "" {
		a.cluster.Config.BearerToken, err = m.token(cmd.Context(), a.serviceAccount)
		return true, err
	}
	if !a.yes && prompt.Terminal(cmd) {
		sure, err := prompt.Confirm(cmd, fmt.Sprintf("This makes a service account argocd-manager with all rights in the cluster of context %q. Go on?", a.contextName))
		if err != nil || !sure {
			return false, err
		}
	}
	a.cluster.Config.BearerToken, err = m.install(cmd.Context(), a.cluster.Namespaces)
	return true, err
}
