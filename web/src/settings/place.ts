// SPDX-License-Identifier: Apache-2.0

import { place, root } from '../route/place'

/** The address of a view of the settings, such as at('projects', 'shop'): each word is one part of the path. */
export function at(...words: string[]): string {
  return place(['/settings', ...words.map(encodeURIComponent)].join('/'))
}

/** The words of an address behind /settings: none for the overview. What cannot be read stays as it is. */
export function wordsOf(path: string, base = root): string[] {
  const rest = path.startsWith(`${base}/settings`) ? path.slice(base.length + '/settings'.length) : ''
  return rest
    .split('/')
    .filter((word) => word !== '')
    .map((word) => {
      try {
        return decodeURIComponent(word)
      } catch {
        return word
      }
    })
}
