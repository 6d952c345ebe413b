// SPDX-License-Identifier: Apache-2.0

/** The path below which everything is, without a slash at its end; "" is all of it. */
export const root: string = typeof document === 'undefined' ? '' : new URL(document.baseURI).pathname.replace(/\/$/, '')

/** The address of a view, such as place('/applications', { health: ['Degraded'] }). Empty values are left out. */
export function place(path: string, query: Record<string, string | string[] | undefined> = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one) params.append(name, one)
  }
  const text = params.toString()
  return root + path + (text ? `?${text}` : '')
}

/** The address of an application's view. */
export function applicationPlace(
  app: { namespace: string; name: string },
  query: Record<string, string | undefined> = {},
): string {
  return place(`/applications/${encodeURIComponent(app.namespace)}/${encodeURIComponent(app.name)}`, query)
}
