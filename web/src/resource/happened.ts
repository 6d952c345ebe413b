// SPDX-License-Identifier: Apache-2.0

import type { components } from '../api/schema'

export type KubeEvent = components['schemas']['core.v1.Event']

/** When an event was last seen, in milliseconds; 0 if it does not say. */
export function seen(event: KubeEvent): number {
  const at =
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp
  return at ? Date.parse(at) : 0
}

/** Events, the newest first. */
export function sorted(events: readonly KubeEvent[]): KubeEvent[] {
  return [...events].sort((a, b) => seen(b) - seen(a))
}
