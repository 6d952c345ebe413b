// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"encoding/json"
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// discover answers with what is offered here: less than the library has.
func (i *Issuer) discover(w http.ResponseWriter, r *http.Request) {
	about := op.CreateDiscoveryConfig(op.ContextWithIssuer(r.Context(), i.opts.URL), i.provider, &storage{i})
	about.IntrospectionEndpoint, about.EndSessionEndpoint, about.DeviceAuthorizationEndpoint, about.CheckSessionIframe = "", "", "", ""
	about.IntrospectionEndpointAuthMethodsSupported, about.IntrospectionEndpointAuthSigningAlgValuesSupported = nil, nil
	about.RequestObjectSigningAlgValuesSupported = nil
	about.ResponseTypesSupported = []string{string(oidc.ResponseTypeCode)}
	about.GrantTypesSupported = []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(about) // the caller is gone
}
