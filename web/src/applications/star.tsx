// SPDX-License-Identifier: Apache-2.0

import { Icon } from '../kit'
import { favourites, star } from './favourites'

/** Makes an application a favourite of the reader. */
export function Star({ of, name }: { of: string; name: string }) {
  const on = favourites.value.includes(of)
  return (
    <button
      type="button"
      class={on ? 'apps-star apps-star-on' : 'apps-star'}
      aria-pressed={on}
      aria-label={`Favourite ${name}`}
      title={on ? 'A favourite of yours' : 'Make it a favourite'}
      onClick={() => star(of)}
    >
      <Icon name="star" size={14} />
    </button>
  )
}
