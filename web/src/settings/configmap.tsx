// SPDX-License-Identifier: Apache-2.0

import { Copy, quoted } from '../kit'
import { settings } from '../session/session'

/** What to type to change a setting that has no call of its own: it stands in a ConfigMap. */
export function ChangeSetting({ data, map = 'argocd-cm' }: { data: Record<string, string>; map?: string }) {
  const namespace = settings.value?.controllerNamespace || 'argocd'
  const words = [
    'kubectl',
    '-n',
    namespace,
    'patch',
    'configmap',
    map,
    '--type',
    'merge',
    '-p',
    JSON.stringify({ data }),
  ]
  const text = words.map(quoted).join(' ')
  return (
    <div class="cli">
      <code class="cli-text">{text}</code>
      <Copy text={text} what="command" />
    </div>
  )
}
