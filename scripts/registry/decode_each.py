"""Decodes payloads by libraries that share no code with the connector: fastavro, jsonschema, protoc with Google's runtime.

A line on standard input is {"format": "AVRO" | "JSON" | "PROTOBUF", "schema": text, "payload": hexadecimal}, without what the
registry's wire format puts in front. A line on standard output is the value as JSON: bytes in base64, dates, times and decimals as
the numbers and bytes that stand for them.
"""

import base64
import importlib
import io
import json
import pathlib
import sys
import tempfile

import fastavro
import grpc_tools
import jsonschema
from grpc_tools import protoc


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


FOLDER = pathlib.Path(tempfile.mkdtemp())
sys.path.insert(0, str(FOLDER))
COUNT = 0
# What every registry knows of Confluent's own annotations, as far as they occur here.
META = """syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta {
  string doc = 1;
  map<string, string> params = 2;
}
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
"""


def compiled(name, text):
    """Compiles a file; its module is under FOLDER."""
    (FOLDER / name).parent.mkdir(exist_ok=True)
    (FOLDER / name).write_text(text, encoding="utf-8")
    builtin = pathlib.Path(grpc_tools.__file__).parent
    arguments = ["protoc", f"-I{FOLDER}", f"-I{builtin / '_proto'}", f"-I{builtin.parent}", f"--python_out={FOLDER}"]
    assert protoc.main([*arguments, str(FOLDER / name)]) == 0, f"protoc refuses the schema:\n{text}"
    importlib.invalidate_caches()


compiled("confluent/meta.proto", META)


def protobuf(text, payload):
    global COUNT
    COUNT += 1
    name = f"schema_{COUNT}"
    compiled(f"{name}.proto", text)
    module = importlib.import_module(f"{name}_pb2")
    first = next(iter(module.DESCRIPTOR.message_types_by_name))
    value = getattr(module, first)()
    assert value.ParseFromString(payload) == len(payload)
    return message(value)


def message(value):
    name = value.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        return value.seconds * 1000 + value.nanos // 1_000_000
    found = {}
    for field in value.DESCRIPTOR.fields:
        member = getattr(value, field.name)
        if field.has_presence and not value.HasField(field.name):
            member = None
        elif field.message_type is not None:
            member = message(member)
        found[field.name] = member
    return found


def as_json(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value))


DECODERS = {"AVRO": avro, "JSON": json_schema, "PROTOBUF": protobuf}
for line in sys.stdin:
    task = json.loads(line)
    decoded = DECODERS[task["format"]](task["schema"], bytes.fromhex(task["payload"]))
    print(json.dumps(decoded, default=as_json), flush=True)
