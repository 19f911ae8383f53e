// Bytes that come in pieces. The first is kept as it is; what follows is copied into room that doubles, so that a peer who
// sends single bytes costs neither an object for each nor time by the square.

const NOTHING = Buffer.alloc(0);

export class GrowingBytes {
  #room: Buffer = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(part: Buffer): void {
    if (this.#length === 0) this.#room = part;
    else {
      if (this.#length + part.length > this.#room.length) this.#grow(2 * (this.#length + part.length));
      this.#room.set(part, this.#length);
    }
    this.#length += part.length;
  }

  /** As they lie there: good until more are added. */
  view(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  #grow(bytes: number): void {
    const more = Buffer.allocUnsafeSlow(bytes);
    more.set(this.view());
    this.#room = more;
  }
}
