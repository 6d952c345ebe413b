// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import type { ApiError, Standing } from '../api'
import { Button } from './button'
import { Icon, type IconName } from './icon'
import { Time } from './time'

/** Nothing to show, and what to do about it. */
export function Empty({
  icon = 'info',
  title,
  children,
  action,
}: {
  icon?: IconName
  title: string
  children?: ComponentChildren
  action?: ComponentChildren
}) {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      <p class="empty-title">{title}</p>
      {children && <div class="soft">{children}</div>}
      {action}
    </div>
  )
}

/** What went wrong, where, and what to do. retry offers to try again. */
export function Failure({
  error,
  doing,
  retry,
}: {
  error: ApiError
  doing?: string
  retry?: (() => void) | undefined
}) {
  return (
    <div class="failure" role="alert">
      <Icon name="warning" />
      <div class="grow stack-tight">
        <p>
          {doing && <strong>Could not {doing}. </strong>}
          {error.message}
        </p>
        {error.where && (
          <p class="soft">
            At <code>{error.where}</code>
          </p>
        )}
        {error.fix && !error.message.includes(error.fix) && <p class="soft">What to do: {error.fix}</p>}
      </div>
      {retry && (
        <Button small icon="refresh" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** A line of the size of what is about to come, for the first load only. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} class="skeleton-line" />
      ))}
    </div>
  )
}

/** Says that what is shown may be old, and why; nothing while it is live. */
export function Staleness({ standing }: { standing: Standing }) {
  if (standing.is !== 'lost') return null
  return (
    <div class="staleness" role="status">
      <Icon name="warning" />
      <span>
        Not live since <Time at={new Date(standing.since).toISOString()} />: {standing.error.message}. Trying again by
        itself.
      </span>
    </div>
  )
}
