// SPDX-License-Identifier: Apache-2.0

import { useMemo } from 'preact/hooks'
import { stringify } from 'yaml'
import { Cli, Copy, Skeleton } from '../kit'
import { useQuery } from '../route/query'
import { useApplication } from './store'

/** The application as it is written down: what was declared, and the status that Bowline keeps. */
export function Manifest() {
  const app = useApplication().application.value
  const { query, set } = useQuery()
  const whole = query.get('status') === '1'
  const text = useMemo(() => (app ? manifestOf(app, whole) : ''), [app, whole])
  if (!app) return <Skeleton lines={12} />
  const { namespace = '', name = '' } = app.metadata ?? {}
  return (
    <section class="stack view-pad" aria-label="Manifest">
      <div class="row wrap">
        <label class="row grow">
          <input
            type="checkbox"
            checked={whole}
            onChange={(event) => set({ status: event.currentTarget.checked ? '1' : undefined })}
          />
          With its status
        </label>
        <Copy text={text} what="manifest" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section class="card manifest" tabIndex={0} aria-label="The application as YAML">
        <pre>{text}</pre>
      </section>
      <Cli command={['app', 'get', name, '--app-namespace', namespace, '-o', 'yaml']} />
    </section>
  )
}

/** An application as YAML, without what only the API server's machinery needs. */
export function manifestOf(app: object, withStatus: boolean): string {
  const { apiVersion, kind, metadata, spec, status, operation } = app as Record<string, Record<string, unknown>>
  const { managedFields: _, ...named } = metadata ?? {}
  return stringify(
    {
      apiVersion: apiVersion ?? 'argoproj.io/v1alpha1',
      kind: kind ?? 'Application',
      metadata: named,
      spec,
      ...(operation && { operation }),
      ...(withStatus && { status }),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  )
}
