"""Reads a topic with Confluent's own deserializers and prints it as Kafka's console consumer prints JSON records.

decode.py BOOTSTRAP REGISTRY_URL TOPIC KEY_FORMAT VALUE_FORMAT     formats: json, avro, json_sr, protobuf

A line for each record: timestamp, partition, offset, headers, key, value, a tab between two. Dates and times are printed as
Kafka Connect's JsonConverter prints them: days and milliseconds since the epoch.
"""

import datetime
import json
import sys

sys.dont_write_bytecode = True

import protobuf_messages

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


class Protobuf:
    """Deserializers for the schemas that the registry tells of."""

    def __init__(self, client):
        self.client = client
        self.known = {}

    def __call__(self, data, context):
        schema_id = int.from_bytes(data[1:5], "big")
        if schema_id not in self.known:
            text = self.client.get_schema(schema_id).schema_str
            message = protobuf_messages.message_class(f"schema_{schema_id}", text)
            self.known[schema_id] = ProtobufDeserializer(message, {"use.deprecated.format": False})
        return protobuf_messages.plain(self.known[schema_id](data, context))


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
