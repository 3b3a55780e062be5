"""Messages of Protobuf by schemas that become known at run time: compiled with protoc, read with Google's runtime."""

import datetime
import importlib
import pathlib
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

FOLDER = pathlib.Path(tempfile.mkdtemp())
sys.path.insert(0, str(FOLDER))
EPOCH = datetime.date(1970, 1, 1)
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
    if protoc.main([*arguments, str(FOLDER / name)]) != 0:
        sys.exit(f"protoc refuses the schema:\n{text}")
    importlib.invalidate_caches()


compiled("confluent/meta.proto", META)


def message_class(name, text):
    """The class of a schema's first message; `name` is unique among the schemas."""
    compiled(f"{name}.proto", text)
    module = importlib.import_module(f"{name}_pb2")
    return getattr(module, next(iter(module.DESCRIPTOR.message_types_by_name)))


def plain(value):
    """A message as a dictionary in the order of its fields: what is absent is None, times are milliseconds, dates days."""
    name = value.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        return value.seconds * 1000 + value.nanos // 1_000_000
    if name == "google.type.Date":
        return (datetime.date(value.year, value.month, value.day) - EPOCH).days
    if name.startswith("google.protobuf.") and name.endswith("Value"):
        return value.value
    found = {}
    for field in value.DESCRIPTOR.fields:
        member = getattr(value, field.name)
        if field.has_presence and not value.HasField(field.name):
            member = None
        elif field.message_type is not None:
            member = plain(member)
        found[field.name] = member
    return found
