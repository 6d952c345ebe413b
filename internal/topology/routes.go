// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// ingress reads an Ingress (https://kubernetes.io/docs/concepts/services-networking/ingress/): a rule without a host is
// for the address of the load balancer; a host that any tls entry names, or an entry that names none, is served by TLS.
func (t *traffic) ingress(obj *unstructured.Unstructured) {
	t.info.Ingress = addresses(obj)
	for _, at := range []string{"defaultBackend", "backend"} {
		if backend, ok, _ := unstructured.NestedMap(obj.Object, "spec", at); ok {
			t.to(obj.GetNamespace(), backendService(backend))
		}
	}
	for _, rule := range objects(obj.Object, "spec", "rules") {
		host := text(rule, "host")
		if host == "" && len(t.info.Ingress) > 0 {
			host = cmp.Or(t.info.Ingress[0].Hostname, t.info.Ingress[0].IP)
		}
		scheme := "http"
		if secured(obj, host) {
			scheme = "https"
		}
		for _, path := range objects(rule, "http", "paths") {
			backend, _ := path["backend"].(map[string]any)
			t.to(obj.GetNamespace(), backendService(backend))
			t.link(scheme, host, strings.TrimSuffix(text(path, "path"), "*"))
		}
	}
}

// backendService is the Service of a backend, in the form of networking.k8s.io/v1 or of the versions before.
func backendService(backend map[string]any) string {
	return cmp.Or(text(backend, "service", "name"), text(backend, "serviceName"))
}

func secured(obj *unstructured.Unstructured, host string) bool {
	return slices.ContainsFunc(objects(obj.Object, "spec", "tls"), func(entry map[string]any) bool {
		hosts := texts(entry, "hosts")
		return len(hosts) == 0 || slices.ContainsFunc(hosts, func(h string) bool { return covers(h, host) })
	})
}

// covers reports whether a host of a certificate, "*.example.com" among them, is for a host.
func covers(pattern, host string) bool {
	if rest, wild := strings.CutPrefix(pattern, "*."); wild {
		_, domain, _ := strings.Cut(host, ".")
		return domain == rest
	}
	return pattern == host
}

// virtualService reads an Istio VirtualService (https://istio.io/latest/docs/reference/config/networking/virtual-service/).
// A destination is a Service by its name alone, or name.namespace and whatever domain follows.
func (t *traffic) virtualService(obj *unstructured.Unstructured) {
	for _, protocol := range []string{"http", "tls", "tcp"} {
		for _, rule := range objects(obj.Object, "spec", protocol) {
			for _, route := range objects(rule, "route") {
				name, rest, _ := strings.Cut(text(route, "destination", "host"), ".")
				namespace, _, _ := strings.Cut(rest, ".")
				t.to(cmp.Or(namespace, obj.GetNamespace()), name)
			}
		}
	}
	for _, gateway := range texts(obj.Object, "spec", "gateways") {
		if gateway == "mesh" {
			continue
		}
		namespace, name, qualified := strings.Cut(gateway, "/")
		if !qualified {
			namespace, name = obj.GetNamespace(), gateway
		}
		t.target(v1alpha1.ResourceRef{Group: "networking.istio.io", Kind: "Gateway", Namespace: namespace, Name: name})
	}
}

func (t *traffic) serviceEntry(obj *unstructured.Unstructured) {
	t.info.TargetLabels, _, _ = unstructured.NestedStringMap(obj.Object, "spec", "workloadSelector", "labels")
}

// istioGateway reads an Istio Gateway (https://istio.io/latest/docs/reference/config/networking/gateway/).
func (t *traffic) istioGateway(obj *unstructured.Unstructured) {
	t.info.TargetLabels, _, _ = unstructured.NestedStringMap(obj.Object, "spec", "selector")
	for _, server := range objects(obj.Object, "spec", "servers") {
		scheme := map[string]string{"HTTP": "http", "HTTP2": "http", "HTTPS": "https"}[text(server, "port", "protocol")]
		for _, host := range texts(server, "hosts") {
			if _, after, qualified := strings.Cut(host, "/"); qualified {
				host = after
			}
			if scheme != "" {
				t.link(scheme, host, "")
			}
		}
	}
}

const gatewayGroup = "gateway.networking.k8s.io"

// gateway reads a Gateway of the Gateway API (https://gateway-api.sigs.k8s.io/api-types/gateway/).
func (t *traffic) gateway(obj *unstructured.Unstructured) {
	for _, listener := range objects(obj.Object, "spec", "listeners") {
		if scheme := map[string]string{"HTTP": "http", "HTTPS": "https"}[text(listener, "protocol")]; scheme != "" {
			t.link(scheme, text(listener, "hostname"), "")
		}
	}
}

// route reads a route of the Gateway API (https://gateway-api.sigs.k8s.io/api-types/httproute/). By which protocol people
// reach it is the Gateway's to say; a name that is public is most often served by TLS.
func (t *traffic) route(obj *unstructured.Unstructured) {
	for _, rule := range objects(obj.Object, "spec", "rules") {
		for _, backend := range objects(rule, "backendRefs") {
			if kind := cmp.Or(text(backend, "kind"), "Service"); kind == "Service" && text(backend, "group") == "" {
				t.to(cmp.Or(text(backend, "namespace"), obj.GetNamespace()), text(backend, "name"))
			}
		}
	}
	for _, parent := range objects(obj.Object, "spec", "parentRefs") {
		group := gatewayGroup
		if said, ok := parent["group"].(string); ok {
			group = said // "" is the core group: a Service of a mesh
		}
		t.target(v1alpha1.ResourceRef{
			Group: group, Kind: cmp.Or(text(parent, "kind"), "Gateway"),
			Namespace: cmp.Or(text(parent, "namespace"), obj.GetNamespace()), Name: text(parent, "name"),
		})
	}
	if obj.GetKind() != "HTTPRoute" {
		return
	}
	for _, host := range texts(obj.Object, "spec", "hostnames") {
		t.link("https", host, "")
	}
}

func (t *traffic) knative(obj *unstructured.Unstructured) { t.statusURL(obj) }

// statusURL notes the address that a controller says an object has.
func (t *traffic) statusURL(obj *unstructured.Unstructured) {
	if address := text(obj.Object, "status", "url"); openable(address) {
		t.urls[address] = struct{}{}
	}
}

// openshiftRoute reads a Route of OpenShift.
func (t *traffic) openshiftRoute(obj *unstructured.Unstructured) {
	t.to(obj.GetNamespace(), text(obj.Object, "spec", "to", "name"))
	scheme := "http"
	if _, secure, _ := unstructured.NestedMap(obj.Object, "spec", "tls"); secure {
		scheme = "https"
	}
	t.link(scheme, text(obj.Object, "spec", "host"), text(obj.Object, "spec", "path"))
}
