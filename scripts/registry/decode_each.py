"""Decodes payloads by libraries that share no code with the connector: fastavro, jsonschema, protoc with Google's runtime.

A line on standard input is {"format": "AVRO" | "JSON" | "PROTOBUF", "schema": text, "payload": hexadecimal}, without what the
registry's wire format puts in front. A line on standard output is the value as JSON: bytes in base64, dates, times and decimals as
the numbers and bytes that stand for them.
"""

import base64
import io
import json
import sys

sys.dont_write_bytecode = True

import fastavro
import jsonschema
import protobuf_messages


def without_logical_types(schema):
    if isinstance(schema, dict):
        return {name: without_logical_types(member) for name, member in schema.items() if name != "logicalType"}
    if isinstance(schema, list):
        return [without_logical_types(member) for member in schema]
    return schema


def avro(text, payload):
    source = io.BytesIO(payload)
    value = fastavro.schemaless_reader(source, fastavro.parse_schema(without_logical_types(json.loads(text))))
    assert not source.read(), "bytes are left"
    return value


def json_schema(text, payload):
    value = json.loads(payload)
    jsonschema.Draft7Validator.check_schema(json.loads(text))
    jsonschema.Draft7Validator(json.loads(text)).validate(value)
    return value


COUNT = 0


def protobuf(text, payload):
    global COUNT
    COUNT += 1
    value = protobuf_messages.message_class(f"schema_{COUNT}", text)()
    assert value.ParseFromString(payload) == len(payload)
    return protobuf_messages.plain(value)


def as_json(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value))


DECODERS = {"AVRO": avro, "JSON": json_schema, "PROTOBUF": protobuf}
for line in sys.stdin:
    task = json.loads(line)
    decoded = DECODERS[task["format"]](task["schema"], bytes.fromhex(task["payload"]))
    print(json.dumps(decoded, default=as_json), flush=True)
