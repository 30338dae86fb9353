// @vitest-environment happy-dom
import {
  Box3,
  type BufferGeometry,
  Mesh,
  type MeshStandardMaterial,
  type Object3D,
  Points,
  Vector3,
} from "three";
import { expect, test } from "vitest";
import { readers } from "../../src/viewers/scene-readers.ts";

const bytes = (text: string) => new TextEncoder().encode(text).buffer as ArrayBuffer;
const TRIANGLE = new Float32Array([0, 0, 0, 1, 0, 0, 0, 2, 0]).buffer;
const OWN = `data:application/octet-stream;base64,${Buffer.from(TRIANGLE).toString("base64")}`;

function gltf(uri: string | undefined, more: object = {}): string {
  return JSON.stringify({
    asset: { version: "2.0" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: 3, type: "VEC3", min: [0, 0, 0], max: [1, 2, 0] },
    ],
    bufferViews: [{ buffer: 0, byteLength: 36 }],
    buffers: [{ byteLength: 36, ...(uri === undefined ? {} : { uri }) }],
    ...more,
  });
}

/** Put a glTF and its buffer into one GLB file. */
function glb(json: string): ArrayBuffer {
  const text = new TextEncoder().encode(json.padEnd(4 * Math.ceil(json.length / 4)));
  const data = new DataView(new ArrayBuffer(12 + 8 + text.length + 8 + TRIANGLE.byteLength));
  const head = [0x46546c67, 2, data.byteLength, text.length, 0x4e4f534a];
  for (const [i, value] of head.entries()) data.setUint32(4 * i, value, true);
  new Uint8Array(data.buffer).set(text, 20);
  data.setUint32(20 + text.length, TRIANGLE.byteLength, true);
  data.setUint32(24 + text.length, 0x004e4942, true);
  new Uint8Array(data.buffer).set(new Uint8Array(TRIANGLE), 28 + text.length);
  return data.buffer;
}

function found<Kind>(object: Object3D, kind: new (...of: never[]) => Kind): Kind[] {
  const all: Kind[] = [];
  object.traverse(each => {
    if (each instanceof kind) all.push(each);
  });
  return all;
}

const sizeOf = (object: Object3D) => new Box3().setFromObject(object).getSize(new Vector3()).toArray();

test.each([
  ["gltf", bytes(gltf(OWN))],
  ["glb", glb(gltf(undefined))],
])("%s: the buffers that a file holds are read", async (format, data) => {
  const scene = await readers[format](data);
  expect(found(scene, Mesh)).toHaveLength(1);
  expect(sizeOf(scene)).toEqual([1, 2, 0]);
});

test.each(["https://evil.example/b.bin", "../b.bin", "file:///etc/passwd", "data:text/plain,abc"])(
  "a buffer elsewhere is not loaded: %s",
  async uri => {
    await expect(readers.gltf(bytes(gltf(uri)))).rejects.toThrow(`in another file, “${uri}”`);
    await expect(readers.glb(glb(gltf(uri)))).rejects.toThrow("log it as GLB");
  },
);

test("an image elsewhere is not loaded", async () => {
  const asked: string[] = [];
  const own = globalThis.fetch;
  globalThis.fetch = async input => {
    asked.push(String(input));
    throw new Error("no network");
  };
  const images: string[] = [];
  const setter = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
  Object.defineProperty(HTMLImageElement.prototype, "src", {
    configurable: true,
    set(this: HTMLImageElement, value: string) {
      images.push(value);
      queueMicrotask(() => this.dispatchEvent(new Event("load")));
    },
  });
  try {
    const material = {
      pbrMetallicRoughness: { baseColorTexture: { index: 0 }, baseColorFactor: [1, 0, 0, 1] },
    };
    const json = {
      materials: [material],
      textures: [{ source: 0 }],
      images: [{ uri: "https://evil.example/t.png" }],
      meshes: [{ primitives: [{ attributes: { POSITION: 0 }, material: 0 }] }],
    };
    const [mesh] = found(await readers.gltf(bytes(gltf(OWN, json))), Mesh);
    expect((mesh.material as MeshStandardMaterial).color.toArray()).toEqual([1, 0, 0]);
  } finally {
    globalThis.fetch = own;
    if (setter) Object.defineProperty(HTMLImageElement.prototype, "src", setter);
  }
  expect(asked).toEqual([]);
  expect(images).toHaveLength(1);
  expect(images[0]).toMatch(/^data:image\/png;base64,/);
});

const colorsOf = (object: Object3D) => {
  const { geometry } = found(object, Points)[0] as { geometry: BufferGeometry };
  return geometry.hasAttribute("color") ? [...geometry.getAttribute("color").array] : null;
};

test("points have the colours that they were given, or one for each class", async () => {
  const read = (points: number[][]) => readers.points(bytes(JSON.stringify({ points })));
  expect(colorsOf(await read([[0, 0, 0]]))).toBeNull();
  expect(colorsOf(await read([[0, 0, 0, 255, 0, 255]]))).toEqual([1, 0, 1]);
  const classes = colorsOf(
    await read([
      [0, 0, 0, 1],
      [1, 1, 1, 2],
      [2, 2, 2, 1],
    ]),
  ) as number[];
  expect(classes.slice(0, 3)).toEqual(classes.slice(6));
  expect(classes.slice(0, 3)).not.toEqual(classes.slice(3, 6));
  expect(() => read([["<img>" as never, 0, 0]])).toThrow("holds no points");
  expect(() => readers.points(bytes('{"points": 3}'))).toThrow("holds no points");
});

test("OBJ, STL and PLY are read, a PLY without faces as points", async () => {
  const obj = await readers.obj(
    bytes("mtllib https://evil.example/x.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"),
  );
  expect(found(obj, Mesh)).toHaveLength(1);
  const stl = `solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 3 0\nendloop\nendfacet\nendsolid a\n`;
  expect(sizeOf(await readers.stl(bytes(stl)))).toEqual([1, 3, 0]);
  const head =
    "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n";
  const faces = "element face 1\nproperty list uchar int vertex_index\n";
  const cloud = await readers.ply(bytes(`${head}end_header\n0 0 0\n1 0 0\n0 4 0\n`));
  const solid = await readers.ply(bytes(`${head}${faces}end_header\n0 0 0\n1 0 0\n0 4 0\n3 0 1 2\n`));
  expect([found(cloud, Points).length, found(solid, Mesh).length]).toEqual([1, 1]);
});
