// SPDX-License-Identifier: Apache-2.0

const allowed = new Set(['http:', 'https:', 'mailto:'])

/**
 * The address of a link that somebody else wrote (in an annotation, a manifest, a setting), if it is one that may be followed:
 * absolute, and of a scheme that runs nothing. Anything else is undefined, and is to be shown as text.
 */
export function safeLink(text: string | undefined | null): string | undefined {
  if (!text) return undefined
  let url: URL
  try {
    url = new URL(text.trim())
  } catch {
    return undefined
  }
  return allowed.has(url.protocol) ? url.href : undefined
}
