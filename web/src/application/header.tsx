// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { Status } from '../kit'
import { place } from '../route/place'
import { Banners } from './banners'
import { Facts } from './facts'
import { Links } from './links'
import { Operation } from './operation-card'
import { useApplication } from './store'

/** What an application is, how it stands, what it asks of people, and what is under way. children are what can be done with it. */
export function Header({
  namespace,
  name,
  children,
}: {
  namespace: string
  name: string
  children?: ComponentChildren
}) {
  const live = useApplication()
  const row = live.row.value
  const project = live.application.value?.spec?.project
  return (
    <header class="app-head">
      <div class="app-top">
        <nav class="crumbs" aria-label="Where you are">
          <a href={place('/applications')}>Applications</a>
          <span aria-hidden="true">/</span>
          {project && <a href={place('/applications', { project })}>{project}</a>}
          {project && <span aria-hidden="true">/</span>}
          <span>{namespace}</span>
        </nav>
        <Links />
      </div>
      <div class="app-title">
        <h1>{name}</h1>
        {row && <Status of="attention" value={row.attention} />}
        <div class="app-doings">{children}</div>
      </div>
      <Facts />
      <Banners />
      <Operation />
    </header>
  )
}
