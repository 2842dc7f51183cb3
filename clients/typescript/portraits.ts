// Portraits of the person in a photo: node portraits.ts http://HOST:PORT PHOTO
//
// They are written to the working directory, each named by its seed.
import { readFile, writeFile } from "node:fs/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { PortraitService } from "./arc2face/v1/portrait_service_pb.js";

const [baseUrl, path] = process.argv.slice(2);
if (baseUrl === undefined || path === undefined) {
  console.error("usage: portraits.ts http://HOST:PORT PHOTO");
  process.exit(2);
}
const client = createClient(PortraitService, createGrpcTransport({ baseUrl }));
try {
  const photo = await readFile(path);
  const events = client.generate({
    identity: { source: { case: "photo", value: photo } },
    numImages: 2,
    steps: 4,
    seed: 7,
    previewEvery: 0,
  });
  for await (const { event } of events) {
    switch (event.case) {
      case "stepProgress":
        console.log(`step ${event.value.step} of ${event.value.totalSteps}`);
        break;
      case "image":
        await writeFile(`${event.value.seed}.png`, event.value.data);
        break;
    }
  }
} catch (error) {
  const { code, rawMessage } = ConnectError.from(error);
  console.error(`${Code[code]}: ${rawMessage}`);
  process.exit(1);
}
