// SPDX-License-Identifier: Apache-2.0

import { kept, texts } from './kept'

/** The applications that the reader looks at most: NAMESPACE/NAME. They are kept in the browser. */
export const favourites = kept('bowline.favourites', (value) =>
  texts(value).filter((key) => /^[^/]+\/[^/]+$/.test(key)),
)

/** Makes an application a favourite, or one like the others again. */
export function star(key: string) {
  const had = favourites.value
  favourites.value = had.includes(key) ? had.filter((k) => k !== key) : [...had, key].sort()
}
