// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { type ApiError, call, errorOf, type ObjectView } from '../api'
import { Failure, Icon } from '../kit'
import { Fields } from './fields'
import { doingOf, type Step } from './flow'
import type { Target } from './target'

/** One step of a plan: where it comes from, why, and which fields change. */
export function StepDetails({ step, target, view }: { step: Step; target: Target; view: boolean }) {
  const doing = doingOf(step)
  const changes = view && (doing === 'apply' || doing === 'replace')
  return (
    <div class="plan-details">
      <dl class="facts">
        <dt>Object</dt>
        <dd>
          {step.kind}
          {step.group ? `.${step.group}` : ''} <strong>{step.name}</strong>
          {step.namespace ? ` in ${step.namespace}` : ''}
        </dd>
        {step.source && (
          <>
            <dt>From</dt>
            <dd>
              <code>{step.source}</code>
            </dd>
          </>
        )}
        {step.hook && (
          <>
            <dt>Hook</dt>
            <dd>{step.hook.type}</dd>
          </>
        )}
        {(step.how ?? []).length > 0 && (
          <>
            <dt>How</dt>
            <dd>{(step.how ?? []).join(', ')}</dd>
          </>
        )}
        {step.reason && (
          <>
            <dt>Why</dt>
            <dd>{step.reason}</dd>
          </>
        )}
      </dl>
      {changes && <Changes step={step} target={target} />}
    </div>
  )
}

/** The fields that a step changes, looked up when they are asked for. */
function Changes({ step, target }: { step: Step; target: Target }) {
  const [object, setObject] = useState<ObjectView>()
  const [error, setError] = useState<ApiError>()
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    setError(undefined)
    call(
      'get',
      '/api/bowline/v1/applications/{name}/object',
      {
        path: { name: target.name },
        query: {
          appNamespace: target.namespace,
          group: step.group,
          version: step.version,
          kind: step.kind,
          namespace: step.namespace,
          resourceName: step.name,
        },
      },
      abort.signal,
    ).then(setObject, (thrown) => abort.signal.aborted || setError(errorOf(thrown)))
    return () => abort.abort()
  }, [tries])
  if (error) return <Failure error={error} doing="compare it" retry={() => setTries(tries + 1)} />
  if (!object) return <p class="soft">Comparing …</p>
  if (object.reason) {
    return (
      <p class="plan-note">
        <Icon name="question" /> It is not known which fields change: {object.reason}
      </p>
    )
  }
  const differences = object.differences ?? []
  if (differences.length === 0) return <p class="soft">No field differs: it is sent all the same, to be sure.</p>
  return <Fields differences={differences} before="Live now" after="After the sync" />
}
