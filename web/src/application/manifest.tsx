// SPDX-License-Identifier: Apache-2.0

import '../resource/resource.css'
import { useMemo } from 'preact/hooks'
import { type Application, errorOf } from '../api'
import { Cli, Failure, Skeleton } from '../kit'
import { Code } from '../resource/code'
import { useYaml, yamlOf } from '../resource/yaml'
import { useQuery } from '../route/query'
import { useApplication } from './store'

/** The application as it is written down: what was declared, and the status that Bowline keeps. */
export function Manifest() {
  const app = useApplication().application.value
  const { query, set } = useQuery()
  const { yaml, failed } = useYaml()
  const whole = query.get('status') === '1'
  const text = useMemo(() => (app && yaml ? yamlOf(yaml, manifestOf(app, whole)) : ''), [app, yaml, whole])
  if (failed) return <Failure error={errorOf(failed)} doing="show the manifest" />
  if (!app || !yaml) return <Skeleton lines={12} />
  const { namespace = '', name = '' } = app.metadata ?? {}
  return (
    <section class="stack view-pad" aria-label="Manifest">
      <Code text={text} label="manifest" file={`${name}.yaml`}>
        <label class="row">
          <input
            type="checkbox"
            checked={whole}
            onChange={(event) => set({ status: event.currentTarget.checked ? '1' : undefined })}
          />
          With its status
        </label>
      </Code>
      <Cli command={['app', 'get', name, '--app-namespace', namespace, '-o', 'yaml']} />
    </section>
  )
}

/** An application without what only the API server's machinery needs. */
export function manifestOf(app: Application, withStatus: boolean): object {
  const { apiVersion, kind, metadata, spec, status, operation } = app
  const { managedFields: _, ...named } = (metadata ?? {}) as Record<string, unknown>
  return {
    apiVersion: apiVersion ?? 'argoproj.io/v1alpha1',
    kind: kind ?? 'Application',
    metadata: named,
    spec,
    ...(operation && { operation }),
    ...(withStatus && { status }),
  }
}
