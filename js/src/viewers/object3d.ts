/** Draws three-dimensional objects and points by three.js. */
import {
  AmbientLight,
  Box3,
  Color,
  DirectionalLight,
  type Material,
  Mesh,
  type Object3D,
  PerspectiveCamera,
  Points,
  Scene,
  Sphere,
  type Texture,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { serveViewer } from "./frame.ts";
import { control, needWebGL } from "./scene.ts";
import { readers } from "./scene-readers.ts";

const ANGLE = 40; // degrees of the view
const UP_Z = ["points", "stl", "ply"]; // by custom of those who make them

let stage: Stage | undefined;

serveViewer(async (place, call) => {
  needWebGL();
  const read = readers[call.format];
  if (!read) throw new Error(`there is no viewer of ${call.format} files`);
  const object = await read(call.data);
  stage ??= new Stage(place);
  stage.show(object, UP_Z.includes(call.format), call.look.text);
});

class Stage {
  #scene = new Scene();
  #camera = new PerspectiveCamera(ANGLE);
  #renderer = new WebGLRenderer({ antialias: true, alpha: true });
  #controls: OrbitControls;
  #object: Object3D | null = null;

  constructor(place: HTMLElement) {
    place.append(this.#renderer.domElement);
    const light = new DirectionalLight("white", 2.2);
    light.position.set(0.4, 0.6, 1); // over the reader's right shoulder, wherever the camera is
    this.#camera.add(light);
    this.#scene.add(this.#camera, new AmbientLight("white", 1.1));
    this.#controls = new OrbitControls(this.#camera, this.#renderer.domElement);
    this.#controls.addEventListener("change", () => this.#render());
    control({
      turn: (right, down) => this.#turn(right, down),
      zoom: factor => {
        this.#camera.position.sub(this.#controls.target).divideScalar(factor).add(this.#controls.target);
        this.#controls.update();
      },
      resize: () => this.#resize(),
    });
    this.#resize();
  }

  /** Show an object in place of the one before, from the same side. */
  show(object: Object3D, isUpZ: boolean, color: string) {
    if (this.#object) release(this.#object);
    const isFirst = !this.#object;
    this.#object = object;
    const sphere = new Box3().setFromObject(object).getBoundingSphere(new Sphere());
    if (!(sphere.radius >= 0) || !Number.isFinite(sphere.radius))
      throw new Error("there is nothing to see in it");
    object.traverse(each => {
      if (each instanceof Points)
        each.material.color = each.material.vertexColors ? new Color("white") : new Color(color);
    });
    this.#scene.add(object);
    const radius = sphere.radius || 1;
    if (isFirst) {
      this.#camera.up.set(0, isUpZ ? 0 : 1, isUpZ ? 1 : 0);
      this.#camera.position.copy(isUpZ ? new Vector3(1, -1.6, 0.9) : new Vector3(0.8, 0.6, 1.6));
    } else this.#camera.position.sub(this.#controls.target);
    const distance = (1.15 * radius) / Math.sin(((ANGLE / 2) * Math.PI) / 180);
    this.#controls.target.copy(sphere.center);
    this.#camera.position.setLength(distance).add(sphere.center);
    [this.#camera.near, this.#camera.far] = [radius / 100, distance * 20];
    this.#camera.updateProjectionMatrix();
    this.#controls.update();
    this.#render();
  }

  #turn(right: number, down: number) {
    const offset = this.#camera.position.clone().sub(this.#controls.target);
    const side = new Vector3().crossVectors(this.#camera.up, offset).normalize();
    const tilt = offset.angleTo(this.#camera.up) - down;
    offset.applyAxisAngle(this.#camera.up, -right);
    if (tilt > 0.05 && tilt < Math.PI - 0.05)
      offset.applyAxisAngle(side.applyAxisAngle(this.#camera.up, -right), -down);
    this.#camera.position.copy(this.#controls.target).add(offset);
    this.#controls.update();
  }

  #resize() {
    this.#camera.aspect = innerWidth / Math.max(1, innerHeight);
    this.#camera.updateProjectionMatrix();
    this.#renderer.setPixelRatio(Math.min(2, devicePixelRatio));
    this.#renderer.setSize(innerWidth, innerHeight);
    this.#render();
  }

  #render() {
    this.#renderer.render(this.#scene, this.#camera);
  }
}

/** Give back the memory of an object that is no longer shown. */
function release(object: Object3D) {
  object.removeFromParent();
  object.traverse(each => {
    if (!(each instanceof Mesh || each instanceof Points)) return;
    each.geometry.dispose();
    for (const material of [each.material].flat() as Material[]) {
      for (const value of Object.values(material)) if ((value as Texture | null)?.isTexture) value.dispose();
      material.dispose();
    }
  });
}
