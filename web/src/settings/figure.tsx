// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'

/** One of the figures at the head of a view, within a dl of the class settings-figures. */
export function Figure({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="settings-figure">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}
