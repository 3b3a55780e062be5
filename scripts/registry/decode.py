"""Reads a topic with Confluent's own deserializers and prints it as Kafka's console consumer prints JSON records.

decode.py BOOTSTRAP REGISTRY_URL TOPIC KEY_FORMAT VALUE_FORMAT     formats: json, avro, json_sr, protobuf

A line for each record: timestamp, partition, offset, headers, key, value, a tab between two. Dates and times are printed as
Kafka Connect's JsonConverter prints them: days and milliseconds since the epoch.
"""

import datetime
import importlib
import json
import pathlib
import sys
import tempfile

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MILLISECOND = datetime.timedelta(milliseconds=1)


def plain(value):
    """As JSON has it: what Avro's logical types became is a number again."""
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // MILLISECOND
    if isinstance(value, datetime.date):
        return (value - EPOCH.date()).days
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    return value


def message(value):
    """A message of Protobuf; what is absent is null."""
    name = value.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        return value.seconds * 1000 + value.nanos // 1_000_000
    if name == "google.type.Date":
        return (datetime.date(value.year, value.month, value.day) - EPOCH.date()).days
    if name.startswith("google.protobuf.") and name.endswith("Value"):
        return value.value
    found = {}
    for field in value.DESCRIPTOR.fields:
        member = getattr(value, field.name)
        if field.has_presence and not value.HasField(field.name):
            member = None
        elif field.message_type is not None:
            member = message(member)
        found[field.name] = member
    return found


class Protobuf:
    """Compiles the messages that the registry tells of with protoc."""

    def __init__(self, client):
        self.client = client
        self.known = {}

    def __call__(self, data, context):
        schema_id = int.from_bytes(data[1:5], "big")
        if schema_id not in self.known:
            self.known[schema_id] = self.deserializer(schema_id)
        return message(self.known[schema_id](data, context))

    def deserializer(self, schema_id):
        import grpc_tools
        from grpc_tools import protoc

        text = self.client.get_schema(schema_id).schema_str
        folder = tempfile.mkdtemp()
        name = f"schema_{schema_id}"
        pathlib.Path(folder, f"{name}.proto").write_text(text, encoding="utf-8")
        builtin = pathlib.Path(grpc_tools.__file__).parent
        arguments = ["protoc", f"-I{folder}", f"-I{builtin / '_proto'}", f"-I{builtin.parent}", f"--python_out={folder}"]
        if protoc.main([*arguments, f"{name}.proto"]) != 0:
            sys.exit(f"protoc refuses the schema:\n{text}")
        sys.path.insert(0, folder)
        module = importlib.import_module(f"{name}_pb2")
        first = next(iter(module.DESCRIPTOR.message_types_by_name))
        return ProtobufDeserializer(getattr(module, first), {"use.deprecated.format": False})


def decoder(form, client):
    if form == "avro":
        return AvroDeserializer(client)
    if form == "json_sr":
        return JSONDeserializer(None, schema_registry_client=client)
    if form == "protobuf":
        return Protobuf(client)
    return lambda data, _context: json.loads(data)


def text(value):
    return "<null>" if value is None else json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))


def headers(given):
    if not given:
        return "NO_HEADERS"
    return ",".join(f"{name}:{value.hex() if value is not None else 'null'}" for name, value in given)


def main():
    bootstrap, url, topic, key_format, value_format = sys.argv[1:]
    client = SchemaRegistryClient({"url": url, "timeout": 10})
    keys, values = decoder(key_format, client), decoder(value_format, client)
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "decode",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
    })
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1] for p in partitions}
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    lines = []
    while any(end > 0 for end in ends.values()):
        record = consumer.poll(30)
        if record is None:
            sys.exit(f"nothing came for 30 s; expected {ends}")
        if record.error():
            sys.exit(str(record.error()))
        context = lambda field: SerializationContext(topic, field, record.headers())
        key = keys(record.key(), context(MessageField.KEY)) if record.key() is not None else None
        value = values(record.value(), context(MessageField.VALUE)) if record.value() is not None else None
        place = (record.partition(), record.offset())
        shown = headers(record.headers())
        lines.append((place, f"CreateTime:{record.timestamp()[1]}\tPartition:{place[0]}\tOffset:{place[1]}\t{shown}\t{text(key)}\t{text(value)}"))
        if record.offset() + 1 >= ends[record.partition()]:
            ends[record.partition()] = 0
    consumer.close()
    for _, line in sorted(lines):
        print(line)


main()
