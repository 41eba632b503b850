/** Bodies of Smithy RPC v2 CBOR, by the SDK's own codec. Source: smithy.io, "Smithy RPC v2 CBOR". */
import { CborCodec, cbor } from '@smithy/core/cbor';
import type { ModelledError, Schema } from '../model.ts';
import type { ServiceError } from '../service.ts';

const codec = new CborCodec();
codec.setSerdeContext({
  base64Decoder: (text: string) => new Uint8Array(Buffer.from(text, 'base64')),
  base64Encoder: (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64'),
} as Parameters<CborCodec['setSerdeContext']>[0]);

export function readCbor(schema: Schema, body: Uint8Array): unknown {
  return body.length === 0 ? {} : codec.createDeserializer().read(schema, body);
}

export function writeCbor(schema: Schema, value: unknown): Uint8Array {
  if (schema.isUnitSchema()) return cbor.serialize({});
  const serializer = codec.createSerializer();
  serializer.write(schema, value ?? {});
  return serializer.flush();
}

/** The shape's name: the code of the Query protocol goes in a header of its own. */
export function writeCborError(error: ServiceError, modelled: ModelledError | undefined): Uint8Array {
  return cbor.serialize({ __type: modelled?.className ?? error.code, message: error.message, ...error.fields });
}
