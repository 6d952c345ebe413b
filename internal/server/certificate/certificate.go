// SPDX-License-Identifier: Apache-2.0

// Package certificate serves what servers of repositories are recognised by: TLS certificates and SSH host keys. They are public,
// and kept in the ConfigMaps argocd-tls-certs-cm (by host) and argocd-ssh-known-hosts-cm.
//
// The words of this room:
//
//   - Type: https for certificates, ssh for host keys.
//   - Subtype: the kind of key, such as ssh-ed25519 or rsa.
package certificate

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	rpccertificate "github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/source"
)

// Service implements certificate.CertificateService.
type Service struct {
	Gate *gate.Gate
	Hub  *hub.Hub
}

var _ rpccertificate.CertificateService = (*Service)(nil)

// Types of certificates.
const (
	sshType = "ssh"
	tlsType = "https"
)

func (s *Service) may(ctx context.Context, action string) error {
	return s.Gate.Enforce(ctx, access.Right{Resource: access.Certificates, Action: action})
}

// selects reports whether a query is about an entry.
func selects(q *rpccertificate.RepositoryCertificateQuery, kind, subtype, host string) bool {
	wanted := q.CertType
	if wanted == "tls" {
		wanted = tlsType
	}
	if wanted != "" && wanted != "*" && wanted != kind {
		return false
	}
	if kind == sshType && q.CertSubType != "" && q.CertSubType != "*" && q.CertSubType != subtype {
		return false
	}
	if q.HostNamePattern == "" {
		return true
	}
	// The pattern is one of a path; the brackets of [host]:port are no set of letters.
	matched, err := path.Match(strings.NewReplacer("[", `\[`, "]", `\]`).Replace(q.HostNamePattern), host)
	return err == nil && matched
}

// ListCertificates returns what a query is about, with fingerprints and subjects instead of the keys themselves.
func (s *Service) ListCertificates(ctx context.Context, query *rpccertificate.RepositoryCertificateQuery) (*v1alpha1.RepositoryCertificateList, error) {
	if err := s.may(ctx, access.Get); err != nil {
		return nil, err
	}
	out := &v1alpha1.RepositoryCertificateList{Items: []v1alpha1.RepositoryCertificate{}}
	hosts, err := s.Hub.Data(ctx, v1alpha1.KnownHostsConfigMapName)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(hosts[source.KnownHostsKey]) {
		if key, ok := readHostKey(line); ok && selects(query, sshType, key.subtype, key.host) {
			out.Items = append(out.Items, v1alpha1.RepositoryCertificate{ServerName: key.host, CertType: sshType, CertSubType: key.subtype, CertInfo: key.fingerprint()})
		}
	}
	certificates, err := s.Hub.Data(ctx, v1alpha1.TLSCertsConfigMapName)
	if err != nil {
		return nil, err
	}
	for host, text := range certificates {
		if !selects(query, tlsType, "", host) {
			continue
		}
		for _, c := range readCertificates(text) {
			out.Items = append(out.Items, v1alpha1.RepositoryCertificate{ServerName: host, CertType: tlsType, CertSubType: c.subtype, CertInfo: c.info})
		}
	}
	slices.SortStableFunc(out.Items, func(a, b v1alpha1.RepositoryCertificate) int {
		return cmp.Or(strings.Compare(b.CertType, a.CertType), strings.Compare(a.ServerName, b.ServerName))
	})
	return out, nil
}

// CreateCertificate adds what is new, and returns it. What is there already and is another is only replaced with upsert.
func (s *Service) CreateCertificate(ctx context.Context, request *rpccertificate.RepositoryCertificateCreateRequest) (*v1alpha1.RepositoryCertificateList, error) {
	if err := s.may(ctx, access.Create); err != nil {
		return nil, err
	}
	if request.Certificates == nil {
		return nil, mistaken("certificates", "there are none in the request", "name some")
	}
	given := map[string][]v1alpha1.RepositoryCertificate{}
	for i, c := range request.Certificates.Items {
		if err := check(i, c); err != nil {
			return nil, err
		}
		given[c.CertType] = append(given[c.CertType], c)
	}
	out := &v1alpha1.RepositoryCertificateList{Items: []v1alpha1.RepositoryCertificate{}}
	for _, into := range []struct {
		kind, name string
		add        func(map[string]string, v1alpha1.RepositoryCertificate, bool) ([]v1alpha1.RepositoryCertificate, error)
	}{{sshType, v1alpha1.KnownHostsConfigMapName, addHostKey}, {tlsType, v1alpha1.TLSCertsConfigMapName, addCertificates}} {
		if len(given[into.kind]) == 0 {
			continue
		}
		var added []v1alpha1.RepositoryCertificate
		err := s.Hub.ChangeData(ctx, into.name, func(data map[string]string) error {
			added = nil
			for _, c := range given[into.kind] {
				news, err := into.add(data, c, request.Upsert)
				if err != nil {
					return err
				}
				added = append(added, news...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, added...)
	}
	return out, nil
}

// DeleteCertificate takes out what a query is about, and returns it.
func (s *Service) DeleteCertificate(ctx context.Context, query *rpccertificate.RepositoryCertificateQuery) (*v1alpha1.RepositoryCertificateList, error) {
	if err := s.may(ctx, access.Delete); err != nil {
		return nil, err
	}
	out := &v1alpha1.RepositoryCertificateList{Items: []v1alpha1.RepositoryCertificate{}}
	for name, take := range map[string]func(map[string]string, *rpccertificate.RepositoryCertificateQuery) []v1alpha1.RepositoryCertificate{
		v1alpha1.KnownHostsConfigMapName: takeHostKeys, v1alpha1.TLSCertsConfigMapName: takeCertificates,
	} {
		data, err := s.Hub.Data(ctx, name)
		if err != nil {
			return nil, err
		}
		if len(take(data, query)) == 0 { // nothing is written for nothing
			continue
		}
		var taken []v1alpha1.RepositoryCertificate
		err = s.Hub.ChangeData(ctx, name, func(data map[string]string) error {
			taken = take(data, query)
			return nil
		})
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, taken...)
	}
	return out, nil
}

func mistaken(field, cause, fix string) error {
	return fault.New(fault.Mistake, "add", "certificates", field, cause, fix)
}

func exists(c v1alpha1.RepositoryCertificate) error {
	return &fault.Error{Kind: fault.Mistake, Code: fault.AlreadyExists, Op: "add", Thing: "the " + c.CertType + " certificate of " + c.ServerName,
		Err: errors.New("there is another already, and upsert was not specified"), Fix: "specify upsert to replace it"}
}
