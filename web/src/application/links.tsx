// SPDX-License-Identifier: Apache-2.0

import { call } from '../api'
import { Outside } from '../kit'
import { safeLink } from '../safe/link'
import { useLoaded } from './loaded'
import { useApplication } from './store'

const most = 12

/** Where else to look: links of the settings, addresses that the application serves, and what its declaration says about it. */
export function Links() {
  const app = useApplication().application.value
  const { namespace, name = '' } = app?.metadata ?? {}
  const links = useLoaded(app && `${namespace}/${name}`, (signal) =>
    call('get', '/api/v1/applications/{name}/links', { path: { name }, query: { namespace } }, signal),
  )
  const urls = (app?.status?.summary?.externalURLs ?? []).map((url) => ({ title: hostOf(url), url, description: url }))
  const shown = [...(links.value?.items ?? []), ...urls]
  const info = app?.spec?.info ?? []
  if (shown.length === 0 && info.length === 0) return null
  return (
    <ul class="app-links" aria-label="Links">
      {shown.slice(0, most).map((link, at) => (
        <li key={at} title={link.description ?? link.url}>
          <Outside to={link.url}>{link.title || link.url}</Outside>
        </li>
      ))}
      {shown.length > most && <li class="faint">and {shown.length - most} more</li>}
      {info.map((one, at) => (
        <li key={`info ${at}`} class="clip">
          <span class="soft">{one.name}</span> {safeLink(one.value) ? <Outside to={one.value} /> : one.value}
        </li>
      ))}
    </ul>
  )
}

function hostOf(url: string): string {
  const safe = safeLink(url)
  return safe ? new URL(safe).host || url : url
}
