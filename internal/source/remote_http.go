// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"net/netip"
	"strings"
)

// httpSettings returns git's settings for a repository over HTTP: those that hold secrets, and the others.
func (r *remote) httpSettings(ctx context.Context, who login, files *scratch) (secret, open [][2]string, err error) {
	open = [][2]string{{"http.followRedirects", "false"}, {"http.lowSpeedLimit", "1000"}, {"http.lowSpeedTime", "30"}}
	if header := who.header(); header != "" {
		secret = append(secret, [2]string{"http.extraHeader", "Authorization: " + header})
	}
	if r.repo.Insecure {
		open = append(open, [2]string{"http.sslVerify", "false"})
	}
	for _, file := range []struct{ key, content string }{
		{"http.sslCAInfo", r.repo.CA}, {"http.sslCert", r.repo.TLSClientCert}, {"http.sslKey", r.repo.TLSClientKey.Reveal()},
	} {
		if file.content == "" {
			continue
		}
		path, err := files.add(file.content)
		if err != nil {
			return nil, nil, err
		}
		open = append(open, [2]string{file.key, path})
	}
	pinned, err := r.pin(ctx)
	if err != nil {
		return nil, nil, err
	}
	if pinned != "" {
		open = append(open, [2]string{"http.curloptResolve", pinned})
	}
	return append(secret, [2]string{"http.proxy", r.proxyForGit()}), open, nil
}

// proxyForGit returns the proxy as git takes it; "" for none. To curl socks5 means that the client looks names up, to us
// it means, as socks5h does, that the proxy does.
func (r *remote) proxyForGit() string {
	if r.proxy == nil {
		return ""
	}
	proxy := *r.proxy
	if proxy.Scheme == "socks5" {
		proxy.Scheme = "socks5h"
	}
	return proxy.String()
}

// pin looks the host up, refuses forbidden addresses, and returns the setting that makes curl connect to what was
// checked: a name that changes its answer between check and use gains nothing. Behind a proxy the proxy decides.
func (r *remote) pin(ctx context.Context) (string, error) {
	if _, err := netip.ParseAddr(r.endpoint.host); err == nil || r.proxy != nil {
		return "", nil // numbers were checked by newRemote
	}
	addresses, err := r.lookUp(ctx)
	if err != nil {
		return "", err
	}
	port := r.endpoint.port
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[r.endpoint.scheme]
	}
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = bracketed(a.String())
	}
	return r.endpoint.host + ":" + port + ":" + strings.Join(texts, ","), nil
}

// settingsFile writes settings ("section.name") as a file in the syntax of git-config(1).
func settingsFile(settings [][2]string) string {
	var b strings.Builder
	for _, s := range settings {
		section, name, _ := strings.Cut(s[0], ".")
		b.WriteString("[" + section + "]\n\t" + name + ` = "` + configText.Replace(s[1]) + "\"\n")
	}
	return b.String()
}

var configText = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\b", `\b`)
