// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"fmt"
	"os"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfigs writes one kubeconfig for the user and one for each component
// that is a client of the API server.
func (p *plane) writeKubeconfigs() error {
	for user, path := range map[string]string{
		"admin":                   p.path(kubeconfigFile),
		"kube-controller-manager": p.kubeconfigOf("kube-controller-manager"),
		"kube-scheduler":          p.kubeconfigOf("kube-scheduler"),
		"kwok":                    p.kubeconfigOf("kwok"),
	} {
		if err := p.writeKubeconfig(user, path); err != nil {
			return fmt.Errorf("kubeconfig of %s: %w", user, err)
		}
	}
	return nil
}

func (p *plane) kubeconfigOf(component string) string {
	return p.config(component + ".kubeconfig")
}

func (p *plane) writeKubeconfig(user, path string) error {
	ca, err := os.ReadFile(p.pki("ca.crt"))
	if err != nil {
		return err
	}
	cert, err := os.ReadFile(p.pki(user + ".crt"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(p.pki(user + ".key"))
	if err != nil {
		return err
	}
	const name = "devcluster"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: p.apiURL(), CertificateAuthorityData: ca}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: user, Namespace: "default"}
	config.CurrentContext = name
	return clientcmd.WriteToFile(*config, path)
}

func (p *plane) apiURL() string { return fmt.Sprintf("https://127.0.0.1:%d", p.ports.api) }

// client returns an administrator's client without a rate limit.
func (p *plane) client() (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", p.path(kubeconfigFile))
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.UserAgent = "devcluster"
	return kubernetes.NewForConfig(config)
}
