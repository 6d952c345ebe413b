// SPDX-License-Identifier: Apache-2.0

package oidc

import "testing"

// TestAddressesThatNobodyVerifiedAreRefused: roles may be given by the e-mail address, which people write themselves at some providers.
func TestAddressesThatNobodyVerifiedAreRefused(t *testing.T) {
	for _, tt := range []struct {
		reason   string
		verified any
		skip, in bool
	}{
		{"verified", true, false, true},
		{"verified, as a text", "true", false, true},
		{"not verified", false, false, false},
		{"nothing is said of it", nil, false, false},
		{"the settings skip it", nil, true, true},
	} {
		c := &Connector{}
		c.block.InsecureSkipEmailVerified = tt.skip
		claims := map[string]any{"sub": "1", "email": "admin@example.org"}
		if tt.verified != nil {
			claims["email_verified"] = tt.verified
		}
		if who, err := c.read(claims); (err == nil) != tt.in {
			t.Errorf("%s: got %+v, %v", tt.reason, who, err)
		}
	}
}
