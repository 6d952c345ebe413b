// SPDX-License-Identifier: Apache-2.0

/**
 * Which application stands at which place of the list, as far as is known. Only the window is told anew by the server; what was
 * learnt of the places around it is kept for scrolling back, until it is contradicted.
 */
export class Order {
  private readonly keys = new Map<number, string>()
  private readonly places = new Map<string, number>()

  /** Takes in a window: the keys from a place on. */
  put(offset: number, window: readonly string[], total: number) {
    for (let i = 0; i < window.length; i++) this.drop(offset + i)
    for (let i = 0; i < window.length; i++) {
      const key = window[i]!
      const had = this.places.get(key)
      if (had !== undefined) this.drop(had) // it was elsewhere, and can not be at both
      this.keys.set(offset + i, key)
      this.places.set(key, offset + i)
    }
    for (const at of [...this.keys.keys()]) if (at >= total) this.drop(at)
  }

  at(place: number): string | undefined {
    return this.keys.get(place)
  }

  placeOf(key: string): number | undefined {
    return this.places.get(key)
  }

  /** The keys from one place to another, both with them, whichever comes first; those that are not known are left out. */
  between(from: number, to: number): string[] {
    const out: string[] = []
    for (let at = Math.min(from, to); at <= Math.max(from, to); at++) {
      const key = this.keys.get(at)
      if (key !== undefined) out.push(key)
    }
    return out
  }

  clear() {
    this.keys.clear()
    this.places.clear()
  }

  private drop(at: number) {
    const key = this.keys.get(at)
    if (key === undefined) return
    this.keys.delete(at)
    this.places.delete(key)
  }
}
