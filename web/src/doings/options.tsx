// SPDX-License-Identifier: Apache-2.0

import { CheckField, SelectField, TextField } from '../kit'
import type { RetryChoice, SyncChoice } from './choice'

/** The options of a sync that hold for one application as for many. */
export function SyncOptions({ choice, set }: { choice: SyncChoice; set: (change: Partial<SyncChoice>) => void }) {
  return (
    <div class="stack">
      <CheckField
        label="Prune"
        hint="Delete what is no longer in the source."
        checked={choice.prune}
        onChange={(prune) => set({ prune })}
      />
      <CheckField
        label="Dry run"
        hint="The API server checks everything, and nothing changes."
        checked={choice.dryRun}
        onChange={(dryRun) => set({ dryRun })}
      />
      <CheckField
        label="Only what is out of sync"
        hint="Leave alone what is as desired."
        checked={choice.outOfSyncOnly}
        onChange={(outOfSyncOnly) => set({ outOfSyncOnly })}
      />
      <details class="more-options" open={unusual(choice)}>
        <summary>More options</summary>
        <div class="stack">
          <CheckField
            label="Apply only"
            hint="Without hooks."
            checked={choice.applyOnly}
            onChange={(applyOnly) => set({ applyOnly })}
          />
          <CheckField
            label="Server-side apply"
            hint="Also where the application says otherwise."
            checked={choice.serverSide}
            onChange={(serverSide) => set({ serverSide })}
          />
          <CheckField
            label="Replace"
            hint="Put objects in place of those that are there, instead of applying them."
            checked={choice.replace}
            onChange={(replace) => set({ replace })}
          />
          <CheckField
            label="Force"
            hint="Delete and make anew what cannot be changed in place. What it holds is lost."
            checked={choice.force}
            onChange={(force) => set({ force })}
          />
          <Retry retry={choice.retry} set={(retry) => set({ retry: { ...choice.retry, ...retry } })} />
        </div>
      </details>
    </div>
  )
}

function unusual(choice: SyncChoice): boolean {
  return choice.applyOnly || choice.serverSide || choice.replace || choice.force || choice.retry.by === 'here'
}

function Retry({ retry, set }: { retry: RetryChoice; set: (change: Partial<RetryChoice>) => void }) {
  return (
    <>
      <SelectField
        label="Retry"
        value={retry.by}
        onChange={(by) => set({ by: by as RetryChoice['by'] })}
        options={[
          { value: 'application', label: 'As the application says' },
          { value: 'here', label: 'As said here' },
        ]}
      />
      {retry.by === 'here' && (
        <div class="retry">
          <TextField
            label="Tries"
            type="number"
            hint="-1 is without end"
            value={String(retry.limit)}
            onInput={(limit) => set({ limit: Number.parseInt(limit, 10) || 0 })}
          />
          <TextField label="First pause" value={retry.duration} onInput={(duration) => set({ duration })} />
          <TextField
            label="Factor"
            type="number"
            value={String(retry.factor)}
            onInput={(factor) => set({ factor: Number.parseInt(factor, 10) || 1 })}
          />
          <TextField label="Longest pause" value={retry.maxDuration} onInput={(maxDuration) => set({ maxDuration })} />
          <CheckField
            label="Take the newest revision"
            checked={retry.refresh}
            onChange={(refresh) => set({ refresh })}
          />
        </div>
      )}
    </>
  )
}
