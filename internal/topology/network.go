// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// The annotations by which people give an object links of their own, and keep those that follow from its spec away.
const (
	linkPrefix      = "link.argocd.argoproj.io/"
	ignoreLinksFlag = "argocd.argoproj.io/ignore-default-links"
)

// network says where an object's traffic comes from and goes to, and which addresses people can open; nil if neither.
func network(obj *unstructured.Unstructured) *v1alpha1.ResourceNetworkingInfo {
	var t traffic
	t.read(obj)
	links := ownLinks(obj.GetAnnotations())
	if ignore, _ := strconv.ParseBool(obj.GetAnnotations()[ignoreLinksFlag]); !ignore {
		links = append(links, sorted(t.urls)...)
	}
	t.info.ExternalURLs = links
	t.info.TargetRefs = sortedRefs(t.refs)
	if len(t.info.Labels)+len(t.info.TargetLabels)+len(t.info.Ingress)+len(t.info.TargetRefs)+len(links) == 0 {
		return nil
	}
	return &t.info
}

// ownLinks returns the links of annotations in the order of their keys: an address, or a title and an address, "title|address".
func ownLinks(annotations map[string]string) []string {
	var keys, out []string
	for key := range annotations {
		if strings.HasPrefix(key, linkPrefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		address := annotations[key]
		if _, after, titled := strings.Cut(address, "|"); titled {
			address = after
		}
		// Clients cut at the bar, and one that finds a second takes the whole for the address.
		if openable(address) && !strings.Contains(address, "|") {
			out = append(out, annotations[key])
		}
	}
	return out
}

// openable reports whether a link may be followed: what a page shows as a link must not be able to run anything.
func openable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// traffic collects what one object says.
type traffic struct {
	info v1alpha1.ResourceNetworkingInfo
	refs map[v1alpha1.ResourceRef]struct{}
	urls map[string]struct{}
}

func (t *traffic) read(obj *unstructured.Unstructured) {
	kind := obj.GroupVersionKind().GroupKind()
	reader := readers[kind.Group+"/"+kind.Kind]
	if reader == nil {
		return
	}
	t.refs, t.urls = map[v1alpha1.ResourceRef]struct{}{}, map[string]struct{}{}
	reader(t, obj)
}

// readers read the kinds that have to do with traffic, by "group/Kind".
var readers = map[string]func(*traffic, *unstructured.Unstructured){
	"/Pod":                                (*traffic).pod,
	"/Service":                            (*traffic).service,
	"networking.k8s.io/Ingress":           (*traffic).ingress,
	"extensions/Ingress":                  (*traffic).ingress,
	"networking.istio.io/VirtualService":  (*traffic).virtualService,
	"networking.istio.io/ServiceEntry":    (*traffic).serviceEntry,
	"networking.istio.io/Gateway":         (*traffic).istioGateway,
	"gateway.networking.k8s.io/Gateway":   (*traffic).gateway,
	"gateway.networking.k8s.io/HTTPRoute": (*traffic).route,
	"gateway.networking.k8s.io/GRPCRoute": (*traffic).route,
	"gateway.networking.k8s.io/TLSRoute":  (*traffic).route,
	"gateway.networking.k8s.io/TCPRoute":  (*traffic).route,
	"gateway.networking.k8s.io/UDPRoute":  (*traffic).route,
	"serving.knative.dev/Service":         (*traffic).knative,
	"route.openshift.io/Route":            (*traffic).openshiftRoute,
}

func (t *traffic) pod(obj *unstructured.Unstructured) { t.info.Labels = obj.GetLabels() }

func (t *traffic) service(obj *unstructured.Unstructured) {
	t.info.TargetLabels, _, _ = unstructured.NestedStringMap(obj.Object, "spec", "selector")
	if kind, _, _ := unstructured.NestedString(obj.Object, "spec", "type"); kind == string(corev1.ServiceTypeLoadBalancer) {
		t.info.Ingress = addresses(obj)
		t.serviceURLs(obj)
	}
}

// serviceURLs are those of the usual ports of the web.
func (t *traffic) serviceURLs(obj *unstructured.Unstructured) {
	for _, port := range objects(obj.Object, "spec", "ports") {
		number, _ := port["port"].(int64)
		scheme := map[int64]string{80: "http", 443: "https"}[number]
		if scheme == "" {
			continue
		}
		for _, at := range t.info.Ingress {
			t.link(scheme, cmp.Or(at.Hostname, at.IP), "")
		}
	}
}

// addresses are those at which the cluster takes traffic for the object.
func addresses(obj *unstructured.Unstructured) []corev1.LoadBalancerIngress {
	var out []corev1.LoadBalancerIngress
	for _, at := range objects(obj.Object, "status", "loadBalancer", "ingress") {
		if hostname := text(at, "hostname"); hostname != "" {
			out = append(out, corev1.LoadBalancerIngress{Hostname: hostname})
		} else if ip := text(at, "ip"); ip != "" {
			out = append(out, corev1.LoadBalancerIngress{IP: ip})
		}
	}
	return out
}

// to notes a Service that traffic goes to.
func (t *traffic) to(namespace, name string) {
	t.target(v1alpha1.ResourceRef{Kind: "Service", Namespace: namespace, Name: name})
}

func (t *traffic) target(ref v1alpha1.ResourceRef) {
	if ref.Name != "" {
		t.refs[ref] = struct{}{}
	}
}

// link notes an address; one that a person could not open is none: without a host, or for any host.
func (t *traffic) link(scheme, host, path string) {
	if host == "" || strings.Contains(host, "*") {
		return
	}
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]" // an address of IPv6
	}
	if path != "" && !strings.HasPrefix(path, "/") {
		path = "/" + path // or it would be part of the host
	}
	if address := scheme + "://" + host + path; openable(address) {
		t.urls[address] = struct{}{}
	}
}

func sorted(set map[string]struct{}) []string {
	var out []string
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func sortedRefs(set map[v1alpha1.ResourceRef]struct{}) []v1alpha1.ResourceRef {
	var out []v1alpha1.ResourceRef
	for ref := range set {
		out = append(out, ref)
	}
	slices.SortFunc(out, func(a, b v1alpha1.ResourceRef) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// objects returns the objects of a list in an object; whatever is none is left out.
func objects(obj map[string]any, path ...string) []map[string]any {
	field, _, _ := unstructured.NestedFieldNoCopy(obj, path...)
	list, _ := field.([]any)
	var out []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func text(obj map[string]any, path ...string) string {
	field, _, _ := unstructured.NestedFieldNoCopy(obj, path...)
	s, _ := field.(string)
	return s
}

func texts(obj map[string]any, path ...string) []string {
	field, _, _ := unstructured.NestedFieldNoCopy(obj, path...)
	list, _ := field.([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
