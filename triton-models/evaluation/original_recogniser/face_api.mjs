// Two networks of face-api as published: raw RGB faces [N,side,side,3] uint8 on stdin -> N rows of float32 on stdout.
// Arguments: face-api.esm.js, and which network: "descriptor" (side 150, rows of 128) or "expression" (112, 7).
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [script, which] = process.argv.slice(2);
const { process: node } = globalThis;
globalThis.process = undefined; // the bundle is a browser's: seeing Node it wants a module that it does not bring
const faceapi = await import(pathToFileURL(script));
globalThis.process = node;
const { tf } = faceapi;
faceapi.env.setEnv(faceapi.env.createNodejsEnv());
tf.env().setPlatform("none", { isTypedArray: ArrayBuffer.isView, now: () => performance.now() });
const [network, side, file] = {
  descriptor: [new faceapi.FaceRecognitionNet(), 150, "face_recognition_model"],
  expression: [new faceapi.FaceExpressionNet(), 112, "face_expression_model"],
}[which];

await tf.setBackend("cpu");
const models = join(dirname(script), "..", "model");
const manifest = JSON.parse(readFileSync(join(models, `${file}-weights_manifest.json`), "utf8"));
const weights = Uint8Array.from(readFileSync(join(models, `${file}.bin`))).buffer;
network.loadFromWeightMap(tf.io.decodeWeights(weights, manifest.flatMap((group) => group.weights)));

const faces = readFileSync(0);
const bytes = side * side * 3;
if (faces.length % bytes !== 0) throw new Error(`${faces.length} bytes are not whole faces of ${bytes}`);
for (let start = 0; start < faces.length; start += bytes) {
  const face = tf.tensor(Float32Array.from(faces.subarray(start, start + bytes)), [side, side, 3]);
  const row = (await network.forward(face)).dataSync();
  writeFileSync(1, Buffer.from(row.buffer, row.byteOffset, row.byteLength));
}
