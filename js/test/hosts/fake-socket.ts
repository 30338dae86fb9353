/** A WebSocket whose server is the test. */
export class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  binaryType = "";
  readyState = 0;
  sent: unknown[] = [];
  onopen = () => {};
  onclose = () => {};
  onmessage: (event: { data: unknown }) => void = () => {};
  address: string;

  constructor(address: string) {
    this.address = address;
    FakeSocket.made.push(this);
  }

  send(text: string) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
    this.onclose();
  }

  open() {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
  }

  /** Hear the values of traits; blocks of frames are sent as buffers. */
  hearTraits(traits: Record<string, unknown>) {
    const partOf = ([trait, value]: [string, unknown]): [object, ...Uint8Array[]] => {
      const { data, ...rest } = (value ?? {}) as { data?: ArrayBuffer | ArrayBufferView };
      if (!data) return [{ trait, value, buffers: [] }];
      const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer) : new Uint8Array(data);
      return [{ trait, value: rest, buffers: [["data", bytes.length]] }, bytes];
    };
    this.hear(...Object.entries(traits).map(partOf));
  }

  hear(...parts: [object, ...Uint8Array[]][]) {
    this.onmessage({ data: message(parts) });
  }
}

/** What a server sends: `src/trackbook/server/wire.py`. */
function message(parts: [object, ...Uint8Array[]][]): ArrayBuffer {
  const bytes: number[] = [];
  const pad = (data: Uint8Array, by: number) => [...data, ...Array(-data.length & 7).fill(by)];
  for (const [content, ...buffers] of parts) {
    const text = pad(new TextEncoder().encode(JSON.stringify(content)), 32);
    const data = buffers.flatMap(buffer => pad(buffer, 0));
    const lengths = new Uint8Array(new Uint32Array([text.length, data.length]).buffer);
    bytes.push(...lengths, ...text, ...data);
  }
  return new Uint8Array(bytes).buffer;
}

export const last = () => FakeSocket.made[FakeSocket.made.length - 1];
