// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { safeLink } from '../safe/link'
import { Icon } from './icon'

/** A link that somebody else wrote. One that may not be followed is shown as text. */
export function Outside({ to, children }: { to: string | undefined | null; children?: ComponentChildren }) {
  const address = safeLink(to)
  if (!address) return <span class="clip">{children ?? to}</span>
  return (
    <a class="outside" href={address} target="_blank" rel="noopener noreferrer">
      <span class="clip">{children ?? to}</span>
      <Icon name="external" size={12} />
    </a>
  )
}
