// SPDX-License-Identifier: Apache-2.0

import type { Application, Row } from '../api'
import { Skeleton } from '../kit'
import { Editor } from './editor'

/** Edits an application: as a form and as YAML, in step. */
export function Edit({ app, row }: { app: Application | undefined; row?: Row | undefined }) {
  if (!app) return <Skeleton lines={8} />
  return (
    <div class="edit-tab">
      <Editor
        key={app.metadata?.uid ?? app.metadata?.name}
        app={app}
        may={!row || (row.may ?? []).includes('update')}
      />
    </div>
  )
}
