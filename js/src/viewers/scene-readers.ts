/** Reads objects of three dimensions. Nothing that a file refers to is loaded, unless the file itself holds it. */
import {
  BufferAttribute,
  BufferGeometry,
  Color,
  DoubleSide,
  LoadingManager,
  Mesh,
  MeshStandardMaterial,
  type Object3D,
  Points,
  PointsMaterial,
} from "three";
import { GLTFLoader, type GLTFParser } from "three/addons/loaders/GLTFLoader.js";
import { OBJLoader } from "three/addons/loaders/OBJLoader.js";
import { PLYLoader } from "three/addons/loaders/PLYLoader.js";
import { STLLoader } from "three/addons/loaders/STLLoader.js";

type Read = (data: ArrayBuffer) => Object3D | Promise<Object3D>;

const WHITE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg==";
const POINT = { least: 1.5, most: 6 }; // px

// Textures become images, which the frame's policy allows, instead of what is fetched
Object.assign(globalThis, { createImageBitmap: undefined });

export const readers: Readonly<Record<string, Read>> = {
  gltf: readGltf,
  glb: readGltf,
  obj: data => readObj(new TextDecoder().decode(data)),
  stl: data => ofGeometry(new STLLoader().parse(data)),
  ply: data => {
    const geometry = new PLYLoader().parse(data);
    return ofGeometry(geometry, !geometry.index);
  },
  points: data => readPoints(JSON.parse(new TextDecoder().decode(data))),
};

async function readGltf(data: ArrayBuffer): Promise<Object3D> {
  const manager = new LoadingManager();
  manager.setURLModifier(url => (/^(data|blob):/i.test(url) ? url : WHITE));
  const loader = new GLTFLoader(manager).register(parser => new OwnBuffers(parser));
  const { scene } = await loader.parseAsync(data, "");
  return scene;
}

interface GltfJson {
  buffers: { uri?: string }[];
  bufferViews: { buffer: number; byteOffset?: number; byteLength: number }[];
}

/** Reads the buffers that a glTF file holds as text; those in other files were not logged. */
class OwnBuffers {
  readonly name = "TRACKBOOK_own_buffers";
  #json: GltfJson;
  #known = new Map<number, ArrayBuffer>();

  constructor(parser: GLTFParser) {
    this.#json = parser.json as GltfJson;
  }

  loadBufferView(index: number): Promise<ArrayBuffer> | null {
    const { buffer, byteOffset = 0, byteLength } = this.#json.bufferViews[index];
    const { uri } = this.#json.buffers[buffer];
    if (uri === undefined) return null; // within GLB
    const data = this.#known.get(buffer) ?? bytesOf(uri);
    this.#known.set(buffer, data);
    return Promise.resolve(data.slice(byteOffset, byteOffset + byteLength));
  }
}

function bytesOf(uri: string): ArrayBuffer {
  const [, text] = uri.match(/^data:[^,]*;base64,(.*)$/s) ?? [];
  if (text === undefined)
    throw new Error(
      `its data are in another file, “${uri.slice(0, 60)}”; log it as GLB, which holds everything`,
    );
  return Uint8Array.from(atob(text), character => character.charCodeAt(0)).buffer;
}

/** Read an OBJ file, whose materials are in another file. */
function readObj(text: string): Object3D {
  const object = new OBJLoader().parse(text);
  object.traverse(each => {
    if (each instanceof Mesh) each.material = materialOf(each.geometry);
  });
  return object;
}

/** A PLY file without faces is a cloud of points. */
function ofGeometry(geometry: BufferGeometry, isCloud = false): Object3D {
  if (isCloud) return pointsOf(geometry);
  if (!geometry.hasAttribute("normal")) geometry.computeVertexNormals();
  return new Mesh(geometry, materialOf(geometry));
}

function materialOf(geometry: BufferGeometry): MeshStandardMaterial {
  const vertexColors = geometry.hasAttribute("color");
  const color = vertexColors ? "white" : "#9aa7b8";
  return new MeshStandardMaterial({ vertexColors, color, side: DoubleSide, roughness: 0.7 });
}

function pointsOf(geometry: BufferGeometry): Points<BufferGeometry, PointsMaterial> {
  const vertexColors = geometry.hasAttribute("color");
  const wide = 60 / Math.cbrt(geometry.getAttribute("position").count || 1);
  const size = Math.max(POINT.least, Math.min(POINT.most, wide));
  return new Points(geometry, new PointsMaterial({ size, sizeAttenuation: false, vertexColors }));
}

/** Read points (x, y, z), with a class, or with red, green and blue from 0 to 255. */
function readPoints(value: unknown): Object3D {
  const rows = (Array.isArray(value) ? value : (value as { points?: unknown }).points) as number[][];
  if (
    !Array.isArray(rows) ||
    !rows.every(row => Array.isArray(row) && row.slice(0, 3).every(Number.isFinite))
  )
    throw new Error("it holds no points");
  const geometry = new BufferGeometry();
  geometry.setAttribute(
    "position",
    new BufferAttribute(new Float32Array(rows.flatMap(row => row.slice(0, 3))), 3),
  );
  if (rows[0]?.length > 3) geometry.setAttribute("color", new BufferAttribute(colorsOf(rows), 3));
  return pointsOf(geometry);
}

function colorsOf(rows: readonly (readonly number[])[]): Float32Array {
  const colors = new Float32Array(3 * rows.length);
  const color = new Color();
  for (const [i, [, , , red, green, blue]] of rows.entries()) {
    if (blue === undefined) color.setHSL((red * 0.381966) % 1, 0.65, 0.5);
    else color.setRGB(red / 255, green / 255, blue / 255, "srgb");
    color.toArray(colors, 3 * i);
  }
  return colors;
}
