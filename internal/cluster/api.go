// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	kjson "sigs.k8s.io/json"
)

// The forms a list or watch is asked for. An aggregated API server that cannot leave out what nobody asks for may send
// whole objects.
const (
	acceptJSON         = "application/json"
	acceptMetadataList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1," + acceptJSON
	acceptMetadata     = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," + acceptJSON
)

const (
	pageSize       = 500
	requestTimeout = 60 * time.Second // of a small request, and how long a list may be silent
	listTimeout    = 10 * time.Minute // of one page of a list
)

// api is the one HTTP client of a cluster. It works on raw JSON: objects that nobody keeps are never built.
type api struct {
	rest *rest.RESTClient
	http *http.Client
}

// newAPI builds the client. There is no client-side rate limit: reads are few and long, writes have their own limit.
func newAPI(config *rest.Config) (*api, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.RateLimiter, config.Timeout = -1, nil, 0
	config.WarningHandler, config.WarningHandlerWithContext = rest.NoWarnings{}, nil
	ownTransport(config)
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeJSON, acceptJSON
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	client.Transport = identified{client.Transport}
	restClient, err := rest.UnversionedRESTClientForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	return &api{rest: restClient, http: client}, nil
}

// streamWindow is how much of one answer may wait in memory for us to read it. The library's default is four times as
// much, and a dozen lists run at once.
const streamWindow = 512 << 10

// ownTransport gives a cluster connections of its own, which hold little that was not read yet.
func ownTransport(config *rest.Config) {
	if config.Dial == nil {
		// The client library shares transports between equal configurations unless they dial differently.
		config.Dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper {
		inner := rt
		for wrapper, ok := inner.(utilnet.RoundTripperWrapper); ok; wrapper, ok = inner.(utilnet.RoundTripperWrapper) {
			inner = wrapper.WrappedRoundTripper()
		}
		if t, ok := inner.(*http.Transport); ok && t != http.DefaultTransport {
			t.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: streamWindow}
		}
		return rt
	})
}

func (a *api) close() { utilnet.CloseIdleConnectionsFor(a.http.Transport) }

// listHead is what a page of a list says of itself.
type listHead struct {
	rv   string
	next string // where the list goes on; "" at its end
}

// list reads one page, object by object; limit 0 asks for everything at once. each must not keep what it is given. An
// error means that the list is not known, however many objects came.
func (a *api) list(ctx context.Context, path, accept, token string, limit int, each func(raw []byte) error) (listHead, error) {
	req := a.rest.Get().AbsPath(path).SetHeader("Accept", accept).MaxRetries(0)
	if limit > 0 {
		req = req.Param("limit", strconv.Itoa(limit))
	}
	if token != "" {
		req = req.Param("continue", token)
	}
	ctx, cancel := context.WithTimeout(klog.NewContext(ctx, logr.Discard()), listTimeout) // errors are returned, not logged too
	defer cancel()
	ctx, p := withPulse(ctx, requestTimeout)
	defer p.stop()
	body, err := req.Stream(ctx)
	if err != nil {
		return listHead{}, p.explain(ctx, err)
	}
	defer func() { _ = body.Close() }()
	head, err := readList(&beating{body, p}, each)
	if err != nil {
		return listHead{}, fmt.Errorf("read the list: %w", p.explain(ctx, err))
	}
	return head, nil
}

// readList cuts a list into its objects.
func readList(from io.Reader, each func(raw []byte) error) (listHead, error) {
	var doc struct {
		kind     string
		metadata metav1.ListMeta
	}
	f := newFrames(from)
	err := f.object(func(key string) error {
		switch key {
		case "kind":
			return f.into(&doc.kind)
		case "metadata":
			return f.into(&doc.metadata)
		case "items":
			return f.array(func() error {
				raw, err := f.value()
				if err != nil {
					return cutOff(err)
				}
				return each(raw)
			})
		}
		_, err := f.value()
		return cutOff(err)
	})
	if err != nil {
		return listHead{}, err
	}
	// Something in between that answers 200 with another document must not count as an empty list.
	if !strings.HasSuffix(doc.kind, "List") {
		return listHead{}, fmt.Errorf("the answer is not a list but %q", doc.kind)
	}
	return listHead{rv: doc.metadata.ResourceVersion, next: doc.metadata.Continue}, nil
}

// watch opens a watch from rv that the server ends after the given time. Without rv it begins with an event for every
// object there is and a bookmark that says where they end
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists).
func (a *api) watch(ctx context.Context, path, accept, rv string, life time.Duration) (io.ReadCloser, error) {
	req := a.rest.Get().AbsPath(path).SetHeader("Accept", accept).MaxRetries(0).
		Param("watch", "1").Param("allowWatchBookmarks", "true").Param("timeoutSeconds", strconv.Itoa(int(life/time.Second)))
	if rv != "" {
		req = req.Param("resourceVersion", rv)
	} else {
		req = req.Param("sendInitialEvents", "true").Param("resourceVersionMatch", string(metav1.ResourceVersionMatchNotOlderThan))
	}
	return req.Stream(ctx)
}

func (a *api) get(ctx context.Context, path, accept string) ([]byte, error) {
	return a.send(ctx, a.rest.Get().AbsPath(path).SetHeader("Accept", accept))
}

// send bounds one request and returns the raw answer. Retrying is the caller's business.
func (a *api) send(ctx context.Context, req *rest.Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(klog.NewContext(ctx, logr.Discard()), requestTimeout) // errors are returned, not logged too
	defer cancel()
	result := req.MaxRetries(0).Do(ctx)
	raw, err := result.Raw()
	if err != nil {
		return nil, result.Error() // which reads the Status in the answer; Raw's error does not
	}
	return raw, nil
}

// unmarshal decodes the API server's JSON: field names by exact case, so that no object can smuggle in "METADATA".
func unmarshal(raw []byte, into any) error {
	return kjson.UnmarshalCaseSensitivePreserveInts(raw, into)
}

// collectionPath is the path of a kind's objects, in one namespace or everywhere.
func collectionPath(gvr schema.GroupVersionResource, namespace string) string {
	path := "/apis/" + gvr.Group + "/" + gvr.Version
	if gvr.Group == "" {
		path = "/api/" + gvr.Version
	}
	if namespace != "" {
		path += "/namespaces/" + namespace
	}
	return path + "/" + gvr.Resource
}

// objectPath is the path of one object. Names come from users' manifests: one such as "../../secrets/x" would make
// this the path of another object, and is refused.
func objectPath(gvr schema.GroupVersionResource, namespace, name string) (string, error) {
	for _, segment := range []string{namespace, name} {
		if problems := content.IsPathSegmentName(segment); len(problems) > 0 {
			return "", fmt.Errorf("%q is not a name: it %s", segment, strings.Join(problems, ", "))
		}
	}
	if name == "" {
		return "", errors.New("the object has no name")
	}
	return collectionPath(gvr, namespace) + "/" + name, nil
}
