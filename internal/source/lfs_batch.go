// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

const (
	lfsMediaType = "application/vnd.git-lfs+json"
	maxBatch     = 256 << 10 // answer about one object
)

// batchAnswer is the answer of the batch API
// (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md).
type batchAnswer struct {
	Transfer string `json:"transfer"`
	HashAlgo string `json:"hash_algo"`
	Objects  []struct {
		OID     string `json:"oid"`
		Actions struct {
			Download *batchAction `json:"download"`
		} `json:"actions"`
		Error *struct {
			Code int `json:"code"`
		} `json:"error"`
	} `json:"objects"`
}

// batchAction says where an object is and what to send with the request for it.
type batchAction struct {
	Href   string            `json:"href"`
	Header map[string]string `json:"header"`
}

// largeObject returns the content of an object, from the data folder or from the server.
func (s *lfsShop) largeObject(ctx context.Context, p lfsPointer) ([]byte, error) {
	digest := "sha256:" + p.oid
	for range 2 {
		if info, err := os.Stat(s.shelf.blob(digest)); err == nil && info.Size() != p.size {
			return nil, errPointerSize(p)
		}
		if content, ok := s.shelf.read(digest, p.size); ok {
			return content, nil
		}
		if err := s.share(ctx, digest, func(ctx context.Context) error { return s.fetchObject(ctx, p) }); err != nil {
			return nil, err
		}
	}
	return nil, storeFault(errors.New("a Git LFS object does not stay in the data folder"))
}

func errPointerSize(p lfsPointer) error {
	return fault.New(fault.Mistake, "", "", "", fmt.Sprintf("the Git LFS object %s is not of the size that the pointer says, %d bytes", p.oid, p.size), "commit the pointer again")
}

// fetchObject asks the server where the object is, and fetches it from there.
func (s *lfsShop) fetchObject(ctx context.Context, p lfsPointer) error {
	store, start := s.all.store, s.all.store.clock.Now()
	api, err := s.api(ctx)
	if err == nil {
		defer api.close()
		err = s.fetchBy(ctx, api, p)
	}
	store.observe(Request{Repository: s.repo.String(), Kind: RequestFetch, Revision: "Git LFS object " + p.oid, Took: store.clock.Since(start), Err: err})
	return err
}

func (s *lfsShop) fetchBy(ctx context.Context, api *lfsAPI, p lfsPointer) error {
	action, err := api.locate(ctx, p)
	if err == nil {
		err = s.download(ctx, api, p, action)
	}
	var absent *absentObject
	if errors.As(err, &absent) {
		return absent.fault()
	}
	if err != nil {
		return api.web.failed(ctx, "fetch a Git LFS object of", err)
	}
	return nil
}

// lfsAPI is the batch API of a repository as it may be asked now.
type lfsAPI struct {
	web      *web
	endpoint string
	header   map[string]string // to be sent with what is asked
	close    func()
}

// api returns how the API is asked: at the address that is known, or as the host says over SSH.
func (s *lfsShop) api(ctx context.Context) (*lfsAPI, error) {
	if s.endpoint != "" {
		return &lfsAPI{web: s.web, endpoint: s.endpoint, close: func() {}}, nil
	}
	grant, err := s.all.store.lfsGrant(ctx, s.remote)
	if err != nil {
		return nil, err
	}
	r := Repository{URL: s.repo.URL, Proxy: s.repo.Proxy, NoProxy: s.repo.NoProxy}
	if hostOf(grant.Href) == s.remote.endpoint.host {
		r.CA, r.Insecure = s.repo.CA, s.repo.Insecure
	}
	w, err := newWeb(r, grant.Href, s.lfsOptions())
	if err != nil {
		return nil, err
	}
	return &lfsAPI{web: w, endpoint: strings.TrimRight(grant.Href, "/"), header: grant.Header, close: w.close}, nil
}

// absentObject says that the server was asked and does not have the object, or does not show it to us.
type absentObject struct {
	oid    string
	detail string
}

func (a *absentObject) Error() string { return "the server has no Git LFS object " + a.oid + a.detail }

func (a *absentObject) fault() error {
	return fault.New(fault.Stalled, "", "", "", a.Error(), "push the object (git lfs push --all), and check that the repository's credentials may read it")
}

// locate asks the batch API for an object.
func (a *lfsAPI) locate(ctx context.Context, p lfsPointer) (batchAction, error) {
	body, err := json.Marshal(map[string]any{
		"operation": "download", "transfers": []string{"basic"}, "hash_algo": "sha256", "objects": []map[string]any{{"oid": p.oid, "size": p.size}},
	})
	if err != nil {
		return batchAction{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.endpoint+"/objects/batch", bytes.NewReader(body))
	if err != nil {
		return batchAction{}, err
	}
	req.Header = theirs(a.header)
	req.Header.Set("Accept", lfsMediaType)
	req.Header.Set("Content-Type", lfsMediaType)
	answer, err := a.web.do(req) //nolint:bodyclose // drain closes it
	if errors.Is(err, errNotThere) {
		return batchAction{}, &absentObject{p.oid, ": it has no Git LFS for this repository, or shows it not to these credentials"}
	}
	if err != nil {
		return batchAction{}, err
	}
	defer drain(answer.Body)
	data, err := io.ReadAll(atMost(answer.Body, maxBatch, invalidBatch("it is larger than 256 KiB")))
	if err != nil {
		return batchAction{}, err
	}
	return parseBatch(data, p)
}

func invalidBatch(detail string) error {
	return &UnreachableError{Problem: ProblemInvalidData, Detail: "the answer of the Git LFS server cannot be used: " + detail}
}

// parseBatch reads the answer about one object.
func parseBatch(data []byte, p lfsPointer) (batchAction, error) {
	var answer batchAnswer
	if err := json.Unmarshal(data, &answer); err != nil {
		return batchAction{}, invalidBatch("it is not the JSON of the batch API")
	}
	if answer.Transfer != "" && answer.Transfer != "basic" || answer.HashAlgo != "" && answer.HashAlgo != "sha256" {
		return batchAction{}, invalidBatch("it speaks of a transfer or a hash that was not asked for")
	}
	for _, o := range answer.Objects {
		switch {
		case o.OID != p.oid:
			continue
		case o.Error != nil && (o.Error.Code == http.StatusNotFound || o.Error.Code == http.StatusGone):
			return batchAction{}, &absentObject{p.oid, ""}
		case o.Error != nil:
			return batchAction{}, &UnreachableError{Problem: ProblemServer, Detail: "the Git LFS server gives the object not out: " + statusText(o.Error.Code)}
		case o.Actions.Download == nil:
			return batchAction{}, invalidBatch("it does not say where the object is")
		}
		return *o.Actions.Download, nil
	}
	return batchAction{}, invalidBatch("it is not about the object that was asked for")
}

// notOurs are headers that the connection itself decides about, or that a server has no business with.
var notOurs = map[string]bool{
	"Host": true, "Connection": true, "Content-Length": true, "Transfer-Encoding": true, "Te": true, "Trailer": true, "Upgrade": true,
	"Proxy-Authorization": true, "Proxy-Connection": true, "Range": true, "Accept-Encoding": true, "Cookie": true, "Expect": true,
}

// theirs are the headers that a server tells us to send.
func theirs(named map[string]string) http.Header {
	header := http.Header{}
	for name, value := range named {
		if name = http.CanonicalHeaderKey(name); !notOurs[name] && !strings.HasPrefix(name, "Proxy-") {
			header.Set(name, value)
		}
	}
	return header
}

// download fetches an object from where the server says it is. On the repository's own host the request carries its
// credentials, elsewhere only the headers of the answer.
func (s *lfsShop) download(ctx context.Context, api *lfsAPI, p lfsPointer, action batchAction) error {
	at, err := url.Parse(action.Href)
	if err != nil || at.User != nil || at.Host == "" {
		return invalidBatch("the address of the object is none")
	}
	if api.web.own.scheme == "https" && at.Scheme != "https" {
		return invalidBatch("it leads from https to " + strings.ToLower(at.Scheme))
	}
	answer, err := api.web.get(ctx, action.Href, theirs(action.Header))
	if errors.Is(err, errNotThere) {
		return &absentObject{p.oid, " where it says that it is"}
	}
	if err != nil {
		return err
	}
	defer drain(answer.Body)
	_, err = s.save(func() (string, int64, error) {
		return s.shelf.put(atMost(answer.Body, p.size, errPointerSize(p)), "sha256:"+p.oid)
	})
	return err
}
