// SPDX-License-Identifier: Apache-2.0

package clusters

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
)

// newKubeconfigCmd returns the command kubeconfig.
func newKubeconfigCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	return &cobra.Command{
		Use:     "kubeconfig CLUSTER PATH",
		Short:   "Write a kubeconfig with the access that the installation has to a cluster",
		Long:    `Write a kubeconfig with the access that the installation has to a cluster, named by its server or its name. It can be read by its owner alone.`,
		Example: command.Example("bowline admin cluster kubeconfig https://edge.example.com edge.kubeconfig"),
		Args:    command.Exactly("CLUSTER", "PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return each(cmd, s, connect, func(ctx context.Context, c kube.Client, all []*place) error {
				p, err := find(all, args[0])
				if err != nil {
					return err
				}
				config, err := p.access(ctx, c, s)
				if err != nil {
					return err
				}
				return writeKubeconfig(p, config, s.Namespace, args[1])
			})
		},
	}
}

// access returns how the installation reaches a cluster.
func (p *place) access(ctx context.Context, c kube.Client, s *session.Session) (*rest.Config, error) {
	if p.secret == nil {
		return s.Config()
	}
	cm := &corev1.ConfigMap{}
	key := kube.ObjectKey{Namespace: s.Namespace, Name: v1alpha1.ConfigMapName}
	if err := c.Get(ctx, key, cm); kube.IgnoreNotFound(err) != nil {
		return nil, reach.Explain(err, "read", "ConfigMap "+key.String())
	}
	config, err := cluster.ParseSecret(p.secret, strings.FieldsFunc(cm.Data[cluster.ExecAllowKey], func(r rune) bool { return r == ',' || r == ' ' }))
	if err != nil {
		return nil, err
	}
	if config.REST == nil {
		return s.Config()
	}
	return config.REST, nil
}

// writeKubeconfig writes the file. An address that only holds inside of the cluster stays as it is: that is what the
// installation uses.
func writeKubeconfig(p *place, from *rest.Config, namespace, path string) error {
	const name = "bowline"
	out := clientcmdapi.NewConfig()
	out.CurrentContext = name
	out.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: namespace}
	out.Clusters[name] = &clientcmdapi.Cluster{
		Server: from.Host, InsecureSkipTLSVerify: from.Insecure, TLSServerName: from.ServerName, DisableCompression: from.DisableCompression,
		CertificateAuthority: from.CAFile, CertificateAuthorityData: from.CAData, ProxyURL: proxyOf(from),
	}
	out.AuthInfos[name] = &clientcmdapi.AuthInfo{
		Token: from.BearerToken, TokenFile: from.BearerTokenFile, Username: from.Username, Password: from.Password, Exec: from.ExecProvider,
		ClientCertificate: from.CertFile, ClientCertificateData: from.CertData, ClientKey: from.KeyFile, ClientKeyData: from.KeyData,
	}
	text, err := clientcmd.Write(*out)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return fault.Wrap(fault.Stalled, "write", "the kubeconfig of cluster "+p.Server+" to "+path, err, "name another file")
	}
	return nil
}

func proxyOf(config *rest.Config) string {
	if config.Proxy == nil {
		return ""
	}
	request, err := http.NewRequest(http.MethodGet, config.Host, nil)
	if err != nil {
		return ""
	}
	if url, err := config.Proxy(request); err == nil && url != nil {
		return url.String()
	}
	return ""
}

// shard names the shard of a cluster as argocd's tables do.
func shard(p *place) string {
	if p.Shard == nil {
		return "0"
	}
	return fmt.Sprint(*p.Shard)
}
