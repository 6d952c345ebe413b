// SPDX-License-Identifier: Apache-2.0

import { address } from '../api/call'
import type { components } from '../api/schema'

type Settings = components['schemas']['rpc.cluster.Settings']

/** What the button for single sign-on says; undefined where there is none. The server lets people choose between connectors. */
export function ssoLabel(said: Settings | undefined): string | undefined {
  const connectors = said?.dexConfig?.connectors ?? []
  const oidc = said?.oidcConfig
  if (!oidc?.issuer && !oidc?.name && connectors.length === 0) return undefined
  if (said?.uiLoginButtonText) return said.uiLoginButtonText
  const only = connectors.length === 1 ? connectors[0]?.name || connectors[0]?.id : undefined
  return `Sign in with ${oidc?.name || only || 'single sign-on'}`
}

/** Where the browser goes to sign in with the provider, and from there back to a path of this page. */
export function ssoPlace(back: string): string {
  return address('/auth/login', { query: { return_url: back } })
}
