// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"fmt"
	"strings"
)

const (
	serviceCIDR         = "10.96.0.0/16"
	kubernetesServiceIP = "10.96.0.1"
	podCIDR             = "10.244.0.0/16"
)

func (p *plane) etcdURL() string { return fmt.Sprintf("https://127.0.0.1:%d", p.ports.etcd) }

func (p *plane) etcdArgs() []string {
	return []string{
		"--data-dir=" + p.path(etcdDir),
		"--listen-client-url=" + p.etcdURL(),
		fmt.Sprintf("--peer-url=https://127.0.0.1:%d", p.ports.etcdPeer),
		"--trusted-ca-file=" + p.pki("ca.crt"),
		"--cert-file=" + p.pki("etcd.crt"),
		"--key-file=" + p.pki("etcd.key"),
	}
}

func (p *plane) apiServerArgs() []string {
	args := []string{
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.ports.api),
		"--tls-cert-file=" + p.pki("apiserver.crt"),
		"--tls-private-key-file=" + p.pki("apiserver.key"),
		"--client-ca-file=" + p.pki("ca.crt"),
		"--etcd-servers=" + p.etcdURL(),
		"--etcd-cafile=" + p.pki("ca.crt"),
		"--etcd-certfile=" + p.pki("apiserver-etcd-client.crt"),
		"--etcd-keyfile=" + p.pki("apiserver-etcd-client.key"),
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--service-cluster-ip-range=" + serviceCIDR,
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + p.pki("service-accounts.key"),
		"--service-account-signing-key-file=" + p.pki("service-accounts.key"),
		// An Endpoints object may not hold a loopback address, so the service
		// "kubernetes" has none here.
		"--endpoint-reconciler-type=none",
		// Logs and exec: kwok serves them for every node.
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-certificate-authority=" + p.pki("ca.crt"),
		"--kubelet-client-certificate=" + p.pki("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + p.pki("apiserver-kubelet-client.key"),
		// Aggregated APIs.
		"--enable-aggregator-routing=true",
		"--requestheader-client-ca-file=" + p.pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + p.pki("front-proxy-client.crt"),
		"--proxy-client-key-file=" + p.pki("front-proxy-client.key"),
	}
	if p.opts.Audit != "" {
		args = append(args,
			"--audit-policy-file="+p.config("audit-policy.yaml"),
			"--audit-log-path="+p.opts.Audit,
			// One file: its readers do not follow a rotation.
			"--audit-log-maxsize=100000",
		)
	}
	return args
}

// disabledControllers have nothing to do without real nodes, volumes, clouds and
// metrics; each would cost memory and watches.
var disabledControllers = []string{
	"horizontal-pod-autoscaler-controller",
	"certificatesigningrequest-signing-controller",
	"certificatesigningrequest-approving-controller",
	"certificatesigningrequest-cleaner-controller",
	"podcertificaterequest-cleaner-controller",
	"ttl-controller",
	"node-ipam-controller",
	"persistentvolume-attach-detach-controller",
	"persistentvolume-expander-controller",
	"ephemeral-volume-controller",
	"resourceclaim-controller",
	"device-taint-eviction-controller",
	"legacy-serviceaccount-token-cleaner-controller",
	"service-cidr-controller",
	"storage-version-migrator-controller",
}

func (p *plane) controllerManagerArgs() []string {
	return []string{
		"--kubeconfig=" + p.kubeconfigOf("kube-controller-manager"),
		"--leader-elect=false",
		"--secure-port=0",
		"--controllers=*,-" + strings.Join(disabledControllers, ",-"),
		"--service-account-private-key-file=" + p.pki("service-accounts.key"),
		"--root-ca-file=" + p.pki("ca.crt"),
		// Hundreds of applications are created at once here; the defaults are made for
		// keeping an API server safe from its controllers.
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
		"--concurrent-deployment-syncs=20",
		"--concurrent-replicaset-syncs=20",
		"--concurrent-statefulset-syncs=10",
		"--concurrent-daemonset-syncs=5",
		"--concurrent-job-syncs=20",
		"--concurrent-namespace-syncs=20",
		"--concurrent-serviceaccount-token-syncs=10",
	}
}

func (p *plane) schedulerArgs() []string {
	return []string{"--config=" + p.config("kube-scheduler.yaml"), "--secure-port=0"}
}

func (p *plane) kwokArgs() []string {
	return []string{
		fmt.Sprintf("--kubelet-listen=127.0.0.1:%d", p.ports.kubelet),
		"--kubelet-cert-file=" + p.pki("kubelet.crt"),
		"--kubelet-key-file=" + p.pki("kubelet.key"),
		"--kubelet-client-ca-file=" + p.pki("ca.crt"),
		fmt.Sprintf("--kwok-server=127.0.0.1:%d", p.ports.kwok),
		"--",
		"--kubeconfig=" + p.kubeconfigOf("kwok"),
		"--config=" + p.config("kwok.yaml"),
	}
}
