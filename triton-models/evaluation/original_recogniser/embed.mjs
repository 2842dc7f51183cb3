// MobileFace as published, in TensorFlow.js: raw RGB crops [N,112,112,3] uint8 on stdin -> [N,256] float32 on stdout.
// Its one argument is the folder that holds mobileface.json and mobileface.bin.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import "@tensorflow/tfjs-backend-cpu";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";

const CROP = [112, 112, 3];
const BYTES = tf.util.sizeFromShape(CROP);

async function load(folder) {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(folder, "mobileface.json"), "utf8"));
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  const weightData = Uint8Array.from(readFileSync(join(folder, "mobileface.bin"))).buffer;
  return loadGraphModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
}

await tf.setBackend("cpu");
const model = await load(process.argv[2]);
const crops = readFileSync(0);
if (crops.length % BYTES !== 0) throw new Error(`${crops.length} bytes are not whole crops of ${BYTES}`);
for (let start = 0; start < crops.length; start += BYTES) {
  const embedding = tf.tidy(() => {
    const face = tf.tensor(Float32Array.from(crops.subarray(start, start + BYTES)), [1, ...CROP]);
    return model.execute(face, "batchnorm0/add_1").dataSync();
  });
  writeFileSync(1, Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength));
}
