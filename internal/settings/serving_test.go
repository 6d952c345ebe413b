// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"crypto/tls"
	"slices"
	"testing"
)

func TestServing(t *testing.T) {
	got, errs := Defaults().With(nil, map[string]string{
		"server.insecure": "true", "server.tls.minversion": "1.3", "server.rootpath": "cd/bowline/", "server.enable.gzip": "false",
		"server.api.content.types": "application/json;application/yaml", "server.tls.ciphers": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		"server.x.frame.options": "deny",
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s := got.Serving
	if !s.Insecure || s.TLSMin != tls.VersionTLS13 || s.TLSMax != tls.VersionTLS13 || s.RootPath != "/cd/bowline" || s.Gzip || s.FrameOptions != "deny" ||
		!slices.Equal(s.ContentTypes, []string{"application/json", "application/yaml"}) || !slices.Equal(s.TLSCiphers, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}) {
		t.Errorf("%+v", s)
	}
}

func TestServingThatIsBrokenKeepsWhatItWas(t *testing.T) {
	for name, raw := range map[string]string{
		"server.tls.minversion": "1.4", "server.tls.ciphers": "TLS_RSA_WITH_RC4_128_SHA", "server.rootpath": "/a/../b",
		"server.x.frame.options": "deny\r\nX-Evil: 1", "server.insecure": "perhaps",
	} {
		got, errs := Defaults().With(nil, map[string]string{name: raw})
		if len(errs) != 1 {
			t.Errorf("%s: %q gave %v", name, raw, errs)
		}
		if want := Defaults().Serving; got.Serving.TLSMin != want.TLSMin || got.Serving.RootPath != "" || got.Serving.FrameOptions != "" || got.Serving.Insecure {
			t.Errorf("%s: %q gave %+v", name, raw, got.Serving)
		}
	}
}

func TestUnusedKeysAreNamed(t *testing.T) {
	got := Unused(map[string]string{"redis.server": "redis:6379", "application.namespaces": "a", "server.insecure": "true", "controller.status.processors": "20"})
	if !slices.Equal(got, []string{"controller.status.processors", "redis.server"}) {
		t.Error(got)
	}
}
